"""What every fix keeps: it makes nothing worse, in any file of the workspace.

Two mounts that were one cache stay one cache, unless taking them apart is what the title says. Two
caches that hold different things do not become one. No file gets a new error or warning.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

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

_ALLOWANCE = 400_000
"""Characters that are read again for the fixes of one file: two seconds of one processor or so."""
_MOST_BENCHES = 4
"""Sets of files for which models are kept, to try the next fix of the same files."""
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
                edits.setdefault(item.path, {})[item.edit] = None
                if fix.apart:
                    apart.setdefault(item.path, []).append(item.edit.span)
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
    became: dict[Hashable, set[Hashable]] = {}
    changed: list[tuple[CacheMount, CacheMount]] = []
    places: dict[tuple[str, int], Hashable] = {}
    for old, new in _pairs(change, before, after):
        places[(new.path, new.span.start)] = old.key.identity
        if not _may_part(old, change):
            became.setdefault(old.key.identity, set()).add(new.key.identity)
        if not new.same_as(old):
            changed.append((old, new))
    for identity, keys in became.items():
        if len(keys) > 1:
            return False
        if keys != {identity} and _outside(after.sharing(identity), before):
            return False
    return not any(_joins(old, new, places, after) for old, new in changed)


def _pairs(change: Change, before: Mounts, after: Index) -> Iterator[tuple[CacheMount, CacheMount]]:
    for path, mounts in before.items():
        summary = after.get(path)
        now = {mount.span.start: mount for mount in summary.mounts} if summary is not None else {}
        for old in mounts:
            new = now.get(change.moved(path, old.span.start))
            if new is not None:
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


def is_worse(before: Iterable[Finding], after: Iterable[Finding]) -> bool:
    """Tell whether a file has more errors or warnings of a rule than it had.

    Where an error of the file has gone, warnings may come: of a mount that the builder refuses nobody
    could tell what else is wrong with it.
    """
    was, now = Counter(_loud(before)), Counter(_loud(after))
    mended = {path for path, _, error in was - now if error}
    return any(error or path not in mended for path, _, error in now - was)


def _loud(findings: Iterable[Finding]) -> Iterator[tuple[str, str, bool]]:
    for item in findings:
        if item.severity in _LOUD or item.code == UNREADABLE.code:
            yield (item.path, item.code, item.severity is Severity.ERROR)


def unfixed(finding: Finding) -> Finding:
    """Return the finding without its fixes: none has been tried."""
    return replace(finding, offer=tuple) if finding.fixes else finding


class _Bench:
    """A project beside another in which some files have one text after the other.

    Each text is read from what the one before it has in common with it.
    """

    def __init__(self, project: Project, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)
        self._kinds = {
            path: known.kind if (known := project.index.get(path)) is not None else None
            for path in texts
        }
        self.project = project.beside(self._texts)

    def set(self, texts: Mapping[str, str]) -> None:
        """Give the files these texts."""
        for path, text in texts.items():
            if self._texts[path] != text or path not in self.project.documents:
                self._texts[path] = text
                self.project.add(path, text, self._kinds[path])


class Trial:
    """Tries fixes out beside a project, which is left as it is.

    ``settings`` gives the settings of a file. The cost of a fix is that of reading what it
    edits again, twice, and what files that speak of the same caches say about each other. So that a file with
    thousands of findings does not cost the square of them, each file has an allowance; a fix that is not
    tried is not offered.
    """

    def __init__(self, project: Project, settings: Callable[[str], Settings]) -> None:
        self._project = project
        self._settings = settings
        self._before: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Finding]] = {}
        self._spent: Counter[str] = Counter()
        self._tried: dict[Hashable, bool] = {}
        self._benches: OrderedDict[tuple[str, ...], _Bench] = OrderedDict()

    def harmless(self, finding: Finding) -> Finding:
        """Return the finding with those of its fixes that make nothing worse, in their order."""
        fixes = finding.fixes
        kept = [fix for fix in fixes if self.keeps(fix, finding.path)]
        return finding if len(kept) == len(fixes) else replace(finding, offer=partial(tuple, kept))

    def keeps(self, fix: Fix, home: str = "") -> bool:
        """Tell whether a fix keeps what every fix must keep; one to be completed need not.

        ``home`` is the file whose allowance pays for it.
        """
        if fix.safety is Safety.MANUAL:
            return True
        # Findings of one cause often have the very same fix.
        same = (fix.edits, fix.apart)
        if same not in self._tried:
            self._tried[same] = self._try(fix, home)
        return self._tried[same]

    def _try(self, fix: Fix, home: str) -> bool:
        change = Change.of([fix])
        texts = {path: text for path in change.edits if (text := self._text(path)) is not None}
        self._spent[home] += LEAST + sum(map(len, texts.values()))
        if self._spent[home] > _ALLOWANCE:
            return False
        news = {path: apply_edits(text, change.edits[path]) for path, text in texts.items()}
        bench = self._bench(texts)
        bench.set(texts)
        bench.project.changed.clear()
        bench.set(news)
        after = bench.project
        if not keeps_caches(change, mounts_of(self._project.index, news), after.index):
            return False
        others = set(after.index.concerned(after.changed)) - news.keys()
        edited, near = tuple(sorted(news)), tuple(islice(sorted(others), _MOST_FILES))
        found = self._findings(after, edited, near)
        if (edited, near) not in self._before:
            bench.set(texts)
            self._before[edited, near] = self._findings(bench.project, edited, near)
        return not is_worse(self._before[edited, near], found)

    def _text(self, path: str) -> str | None:
        model = self._project.model(path)
        return model.source.text if model is not None else None

    def _bench(self, texts: Mapping[str, str]) -> _Bench:
        """Return where fixes of these files are tried; most of a file are fixes of that file alone."""
        paths = tuple(sorted(texts))
        bench = self._benches.pop(paths, None) or _Bench(self._project, texts)
        self._benches[paths] = bench
        if len(self._benches) > _MOST_BENCHES:
            self._benches.popitem(last=False)
        return bench

    def _findings(
        self, project: Project, edited: Iterable[str], near: Iterable[str]
    ) -> list[Finding]:
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
        return found
