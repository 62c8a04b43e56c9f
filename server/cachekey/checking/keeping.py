"""What every fix keeps: it makes nothing worse, in any file of the workspace.

Two mounts that were one cache stay one cache, unless taking them apart is what the title says. Two
caches that hold different things do not become one. No file gets a new error or warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

from cachekey.budget import MOST_FINDINGS
from cachekey.checking.engine import Examined, check, conclude
from cachekey.checking.suppress import UNREADABLE
from cachekey.edits.caches import differ
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.record import record, replace
from cachekey.text import Edit, Span, apply_edits
from cachekey.workspace.index import Index
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings
from cachekey.workspace.summary import CacheMount

_LOUD = (Severity.ERROR, Severity.WARNING)
_MOST_FILES = 50
"""Files beside the edited ones that are looked at: a key may be that of thousands."""

_ALLOWANCE = 1_200_000
"""Characters that are tried for the fixes of one file: two seconds of one processor or so."""
LEAST = 4_000
"""What the smallest trial counts: much of its work does not depend on the length of the texts."""

Mounts = Mapping[str, Sequence[CacheMount]]
"""The mounts of files by path."""


@record(frozen=True)
class Change:
    """Edits by path, each file's in order, and what they are allowed to take apart."""

    edits: Mapping[str, Sequence[Edit]]
    apart: Mapping[str, Sequence[Span]]
    """Places of edits whose fix says in its title that a cache becomes another one."""

    @staticmethod
    def of(fixes: Iterable[Fix]) -> Change:
        """Put fixes together whose edits do not touch each other."""
        edits: dict[str, dict[Edit, None]] = {}
        apart: dict[str, list[Span]] = {}
        for fix in fixes:
            for item in fix.edits:
                # What the texts were before is asked of the change when they have moved on.
                span = item.edit.span.fixed
                edits.setdefault(item.path, {})[Edit(span, item.edit.text)] = None
                if fix.apart:
                    apart.setdefault(item.path, []).append(span)
        # Insertions of one fix at one place keep their order.
        ordered = {path: sorted(group, key=_span) for path, group in edits.items()}
        return Change(ordered, apart)

    def moved(self, path: str, offset: int) -> int:
        """Return where what begins at ``offset`` begins after the edits."""
        shift = 0
        for edit in self.edits.get(path, ()):
            if edit.span.end > offset:
                break
            shift += len(edit.text) - (edit.span.end - edit.span.start)
        return offset + shift

    def made(self, fix: Fix) -> Mapping[str, Sequence[Span]]:
        """Return by path where the texts stand that the edits of one fix have put in."""
        own = {(item.path, item.edit.span.fixed, item.edit.text) for item in fix.edits}
        places: dict[str, list[Span]] = {}
        for path in {item.path for item in fix.edits}:
            shift = 0
            for edit in self.edits.get(path, ()):
                start = edit.span.start + shift
                if (path, edit.span, edit.text) in own:
                    places.setdefault(path, []).append(Span(start, start + len(edit.text)))
                shift += len(edit.text) - (edit.span.end - edit.span.start)
        return places

    def deletes(self, path: str, span: Span) -> bool:
        """Tell whether nothing is left of a place: what is found there afterwards is something else."""
        return any(
            not edit.text and span.start < span.end and edit.span.covers(span)
            for edit in self.edits.get(path, ())
        )


def _span(edit: Edit) -> Span:
    return edit.span


def mounts_of(index: Index, paths: Iterable[str]) -> Mounts:
    """Return what a change of ``paths`` is to be measured by afterwards."""
    summaries = (index.get(path) for path in paths)
    return {summary.path: summary.mounts for summary in summaries if summary is not None}


def keeps_caches(change: Change, before: Mounts, after: Index) -> bool:
    """Tell whether what was one cache is one, and what was two different ones is two.

    ``before`` holds the mounts of the edited files, ``after`` knows the whole workspace.
    """
    return not mixed_up(change, before, after)


def mixed_up(change: Change, before: Mounts, after: Index) -> set[str]:
    """Return the files whose mounts have left the others of their cache, or joined a foreign one."""
    became: dict[Hashable, dict[Hashable, set[str]]] = {}
    everything: dict[Hashable, list[tuple[CacheMount, CacheMount]]] = {}
    changed: list[tuple[CacheMount, CacheMount]] = []
    places: dict[tuple[str, int], Hashable] = {}
    for old, new in _pairs(change, before, after):
        places[(new.path, new.span.start)] = old.key.identity
        everything.setdefault(old.key.identity, []).append((old, new))
        if not _may_part(old, change):
            now = became.setdefault(old.key.identity, {})
            now.setdefault(new.key.identity, set()).add(new.path)
        if not new.same_as(old):
            changed.append((old, new))
    found: set[str] = set()
    for identity, keys in became.items():
        left = {path for key, paths in keys.items() if key != identity for path in paths}
        if len(keys) > 1 or (left and _outside(after.sharing(identity), before)):
            found |= left
    joined = (new.path for old, new in changed if _joins(old, new, places, after))
    late = (new.path for new in _new(places, before, after) if _is_late(new, everything))
    return found.union(joined, late)


def _new(
    places: Mapping[tuple[str, int], Hashable], before: Mounts, after: Index
) -> Iterator[CacheMount]:
    """Yield the mounts of edited files that were not there before."""
    for path in before:
        summary = after.get(path)
        for mount in summary.mounts if summary is not None else ():
            if (path, mount.span.start) not in places:
                yield mount


def _is_late(
    new: CacheMount, pairs: Mapping[Hashable, Sequence[tuple[CacheMount, CacheMount]]]
) -> bool:
    """Tell whether a mount is written for a cache whose mounts have all got another key meanwhile.

    Of a key that stood for two things only those count that hold the same as it does.
    """
    same = pairs.get(new.key.identity, ())
    alike = [now for old, now in same if not differ(new, old)] or [now for _, now in same]
    return bool(alike) and all(not now.same_as(new) for now in alike)


def _pairs(change: Change, before: Mounts, after: Index) -> Iterator[tuple[CacheMount, CacheMount]]:
    for path, mounts in before.items():
        summary = after.get(path)
        now = {mount.span.start: mount for mount in summary.mounts} if summary is not None else {}
        for old in mounts:
            new = now.get(change.moved(path, old.span.start))
            if new is not None and not change.deletes(path, old.span):
                yield old, new


def _may_part(mount: CacheMount, change: Change) -> bool:
    return any(
        mount.span.start <= span.start and span.end <= mount.span.end
        for span in change.apart.get(mount.path, ())
    )


def _outside(mounts: Iterable[CacheMount], edited: Mounts) -> bool:
    return any(mount.path not in edited for mount in mounts)


def _joins(
    old: CacheMount, new: CacheMount, places: Mapping[tuple[str, int], Hashable], after: Index
) -> bool:
    """Tell whether a mount has got the cache of one that holds something else."""
    return any(
        places.get((other.path, other.span.start), other.key.identity) != old.key.identity
        and differ(new, other)
        for other in after.sharing(new.key.identity)
    )


Loud = tuple[str, str, bool, int]
"""What counts of a finding: its file, its rule, whether it is an error, and where it begins."""


def loud(findings: Iterable[Finding]) -> list[Loud]:
    """Return the errors and warnings among findings, as places that do not move."""
    return [
        (item.path, item.code, item.severity is Severity.ERROR, item.span.start)
        for item in findings
        if item.severity in _LOUD or item.code == UNREADABLE.code
    ]


def is_worse(change: Change, before: Iterable[Loud], after: Iterable[Loud]) -> bool:
    """Tell whether any file has more errors or warnings of a rule than it had."""
    return bool(worse(change, before, after))


def worse(change: Change, before: Iterable[Loud], after: Iterable[Loud]) -> set[str]:
    """Return the files that have more errors or warnings of a rule than they had.

    Where an error of the file has gone, warnings may come: of a mount that the builder refuses nobody
    could tell what else is wrong with it. Where a rule has said as much as it may of one file, only what
    stands in front of that is compared: each that is mended lets another one be heard at the end.
    """
    old = [(path, code, error, change.moved(path, at)) for path, code, error, at in before]
    new = list(after)
    heard = _heard(old, new)
    was, now = (
        Counter(
            (path, code, error)
            for path, code, error, at in some
            if at <= heard.get((path, code), at)
        )
        for some in (old, new)
    )
    mended = {path for path, _, error in was - now if error}
    return {path for path, _, error in now - was if error or path not in mended}


def _heard(*told: list[Loud]) -> dict[tuple[str, str], int]:
    """Return how far into a file a rule was heard, for those that were stopped on the way."""
    heard: dict[tuple[str, str], int] = {}
    for some in told:
        last: dict[tuple[str, str], int] = {}
        for path, code, _, at in some:
            last[path, code] = max(at, last.get((path, code), 0))
        many = Counter((path, code) for path, code, _, _ in some)
        for key, number in many.items():
            if number >= MOST_FINDINGS:
                heard[key] = min(last[key], heard.get(key, last[key]))
    return heard


def unfixed(finding: Finding) -> Finding:
    """Return the finding without its fixes: none has been tried."""
    return replace(finding, offer=tuple) if finding.fixes else finding


class Trial:
    """Tries fixes out beside a project, which is left as it is.

    ``settings`` gives the settings of a file. The cost of a fix is that of what it changes in the files
    that it edits, of the rules that look at them, and of what files that speak of the same caches say
    about each other. So that a file with thousands of findings does not cost the square of them, each
    file has an allowance; a fix that is not tried is not offered. Whoever asks for a few places has a
    trial of their own, so that there is a fix wherever the user is.
    """

    def __init__(self, project: Project, settings: Callable[[str], Settings]) -> None:
        self._project = project
        self._settings = settings
        self._before: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Loud]] = {}
        self._spent: Counter[str] = Counter()
        self._tried: dict[Hashable, bool] = {}
        self._last: Project | None = None
        """Where the last fix was tried: the next one finds most of the file read."""

    def sift(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return findings with those of their fixes that make nothing worse, in their order.

        The first fix of each is tried before the second of any.
        """
        found = list(findings)
        for number in range(max((len(finding.fixes) for finding in found), default=0)):
            for finding in found:
                for fix in finding.fixes[number : number + 1]:
                    self.verdict(fix, finding.path)
        return [self._harmless(finding) for finding in found]

    def _harmless(self, finding: Finding) -> Finding:
        fixes = finding.fixes
        kept = [fix for fix in fixes if self.verdict(fix, finding.path)]
        return finding if len(kept) == len(fixes) else replace(finding, offer=partial(tuple, kept))

    def verdict(self, fix: Fix, home: str = "") -> bool | None:
        """Tell whether a fix keeps what every fix must keep; one to be completed need not.

        None when it was not tried: ``home``, the file that pays for it, has spent its allowance.
        """
        if fix.safety is Safety.MANUAL:
            return True
        # Findings of one cause often have the very same fix.
        same = (fix.edits, fix.apart)
        if same not in self._tried:
            # One is tried in every file, however long it is.
            if self._spent[home] > _ALLOWANCE:
                return None
            self._tried[same] = self._try(fix, home)
        return self._tried[same]

    def _try(self, fix: Fix, home: str) -> bool:
        change = Change.of([fix])
        texts = {path: text for path in change.edits if (text := self._text(path)) is not None}
        self._spent[home] += LEAST + sum(map(len, texts.values()))
        news = {path: apply_edits(text, change.edits[path]) for path, text in texts.items()}
        after = self._read(news)
        if not keeps_caches(change, mounts_of(self._project.index, news), after.index):
            return False
        others = set(after.index.concerned(after.changed)) - news.keys()
        edited, near = tuple(sorted(news)), tuple(islice(sorted(others), _MOST_FILES))
        now = self._loud(after, edited, near)
        if (edited, near) not in self._before:
            before = self._read(texts)
            self._before[edited, near] = self._loud(before, edited, near)
        return not is_worse(change, self._before[edited, near], now)

    def _text(self, path: str) -> str | None:
        model = self._project.model(path)
        return model.source.text if model is not None else None

    def _read(self, texts: Mapping[str, str]) -> Project:
        project = self._project.beside(texts)
        for path, text in texts.items():
            known = self._project.index.get(path)
            if self._last is not None:
                project.adopt(self._last, path)
            project.add(path, text, known.kind if known is not None else None)
        self._last = project
        return project

    def _loud(self, project: Project, edited: Iterable[str], near: Iterable[str]) -> list[Loud]:
        found: list[Finding] = []
        for path in edited:
            found += check(project, path, self._settings(path))
        for path in near:
            summary = project.index.get(path)
            if summary is not None and summary.kind == "dockerfile":
                # What it says by itself has not changed.
                found += conclude(project, Examined(path, (), None), self._settings(path))
            elif (text := self._text(path)) is not None:
                project.add(path, text, summary.kind if summary is not None else None)
                found += check(project, path, self._settings(path))
        return loud(found)
