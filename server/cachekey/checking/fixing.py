"""Applying fixes: which ones go together, round after round until nothing changes, and the diff.

Nothing here reads or writes files: texts come in, texts go out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cachekey.checking.keeping import (
    Change,
    Loud,
    Mounts,
    loud,
    mixed_up,
    mounts_of,
    worse,
)
from cachekey.finding import FileEdit, Finding, Fix, Safety
from cachekey.record import record
from cachekey.text import Edit, Span, apply_edits
from cachekey.workspace.index import Index

ROUNDS = 20
"""A set of rules whose fixes call for each other for ever stops here, where reading again is dear."""
_CHEAP = 200_000
"""Characters that more rounds may read again: a mount of many slips is mended one by one."""

_ALLOWED = {
    Safety.SAFE: (Safety.SAFE,),
    Safety.UNSAFE: (Safety.SAFE, Safety.UNSAFE),
}

Recheck = Callable[[Mapping[str, str]], Iterable[Finding]]
"""Takes the texts that have just changed by path and returns the findings of all documents."""


@record(frozen=True)
class Applied:
    """One fix that was applied, and the finding that it mends."""

    path: str
    code: str
    message: str
    title: str


@record(frozen=True)
class Outcome:
    """What applying fixes led to."""

    texts: Mapping[str, str]
    """The changed documents only."""
    applied: tuple[Applied, ...]
    findings: tuple[Finding, ...]
    """What remains."""
    abandoned: tuple[Applied, ...] = ()
    """Fixes that were taken back, since they would have made something worse."""


def best_fix(finding: Finding, level: Safety) -> Fix | None:
    """Return the fix to apply without asking: the preferred one, then a safe one, then the first.

    ``None`` when none is as safe as ``level`` asks for; a manual fix never is.
    """
    allowed = _ALLOWED.get(level, ())
    fixes = [fix for fix in finding.fixes if fix.safety in allowed and fix.edits]
    return min(
        fixes, key=lambda fix: (not fix.preferred, fix.safety is not Safety.SAFE), default=None
    )


@dataclass
class _Taken:
    """The edits that were chosen so far in one document."""

    edits: list[Edit] = field(default_factory=list)
    """Sorted by place; those of different fixes do not touch each other."""

    def clashes(self, edit: Edit) -> bool:
        """Tell whether ``edit`` overlaps or touches another one; the same again is no clash."""
        at = bisect_left(self.edits, edit.span, key=_span)
        near = self.edits[max(0, at - 1) : at + 1]
        return edit not in self._same(edit) and any(
            other.span.start <= edit.span.end and edit.span.start <= other.span.end
            for other in near
        )

    def inside(self, place: Span) -> bool:
        """Tell whether an edit changes something of a place."""
        at = bisect_left(self.edits, place, key=_span)
        near = self.edits[max(0, at - 1) : at + 1]
        return any(
            (other.span.start < place.end and place.start < other.span.end)
            or place.start < other.span.start == other.span.end < place.end
            for other in near
        )

    def add(self, edit: Edit) -> None:
        """Take an edit in, once."""
        if edit not in self._same(edit):
            # To the right of its equals: insertions at one place keep the order of their fix.
            insort(self.edits, edit, key=_span)

    def _same(self, edit: Edit) -> Sequence[Edit]:
        start = bisect_left(self.edits, edit.span, key=_span)
        return self.edits[start : bisect_right(self.edits, edit.span, key=_span)]


def _span(edit: Edit) -> Span:
    return edit.span


@record(frozen=True)
class Choice:
    """Fixes that can be applied together."""

    change: Change
    applied: tuple[Applied, ...]
    places: tuple[Span, ...] = ()
    """Where what each of ``applied`` is to mend stands now, whatever moves later."""
    fixes: tuple[Fix, ...] = ()

    @property
    def edits(self) -> Mapping[str, Sequence[Edit]]:
        """Return the edits by path."""
        return self.change.edits

    def narrowed(self, bad: Collection[str]) -> tuple[Choice, tuple[Applied, ...]]:
        """Leave out half of the fixes of each of these files; a single one is to blame, and returned.

        Where none of the fixes edits any of them, half of all is left out.
        """
        here: dict[str, list[int]] = {path: [] for path in bad}
        for number, fix in enumerate(self.fixes):
            for path in {item.path for item in fix.edits} & here.keys():
                here[path].append(number)
        groups = [some for some in here.values() if some] or [list(range(len(self.fixes)))]
        out = {number for some in groups for number in some[len(some) // 2 :]}
        blamed = {some[0] for some in groups if len(some) == 1}
        kept = [number for number in range(len(self.fixes)) if number not in out]
        fixes = tuple(self.fixes[number] for number in kept)
        applied = tuple(self.applied[number] for number in kept)
        places = tuple(self.places[number] for number in kept)
        left = Choice(Change.of(fixes), applied, places, fixes)
        return left, tuple(self.applied[number] for number in sorted(blamed))


def choose(
    findings: Iterable[Finding],
    level: Safety,
    refuse: Callable[[Finding, Fix], bool] = lambda finding, fix: False,
) -> Choice:
    """Choose fixes in the order of the findings, each whole or not at all.

    Edits that overlap or touch are left for the next round; one edit of two fixes is made once.
    """
    taken: dict[str, _Taken] = {}
    applied: list[Applied] = []
    places: list[Span] = []
    fixes: list[Fix] = []
    for finding in sorted(findings, key=lambda item: item.order):
        fix = best_fix(finding, level)
        if fix is None or refuse(finding, fix) or not _consistent(fix.edits):
            continue
        if any(taken.setdefault(e.path, _Taken()).clashes(e.edit) for e in fix.edits):
            continue
        for item in fix.edits:
            taken[item.path].add(item.edit)
        applied.append(Applied(finding.path, finding.code, finding.message, fix.title))
        places.append(finding.span.fixed)
        fixes.append(fix)
    kept = [
        number
        for number, (item, place, fix) in enumerate(zip(applied, places, fixes, strict=True))
        if not _is_changed(place, fix, item.path, taken.get(item.path, _Taken()))
    ] or range(len(fixes))
    fixes = [fixes[number] for number in kept]
    return Choice(
        Change.of(fixes),
        tuple(applied[number] for number in kept),
        tuple(places[number] for number in kept),
        tuple(fixes),
    )


def _is_changed(place: Span, fix: Fix, path: str, taken: _Taken) -> bool:
    """Tell whether others change the place of a finding whose own fix leaves it as it is.

    Then nobody knows whether it is still true: a directory is made for a mount that becomes a volume.
    """
    own = [item.edit.span for item in fix.edits if item.path == path]
    if any(span.start <= place.end and place.start <= span.end for span in own):
        return False
    return taken.inside(place)


def _consistent(edits: Sequence[FileEdit]) -> bool:
    """Tell whether a fix's own edits can be applied together at all."""
    ordered = sorted(edits, key=lambda item: (item.path, item.edit.span))
    return all(
        one.path != two.path or one.edit.span.end <= two.edit.span.start
        for one, two in pairwise(ordered)
    )


@dataclass
class _Repair:
    texts: dict[str, str]
    findings: list[Finding]
    level: Safety
    recheck: Recheck
    index: Callable[[], Index]
    changed: dict[str, str] = field(default_factory=dict)
    applied: list[Applied] = field(default_factory=list)
    abandoned: list[Applied] = field(default_factory=list)
    held: dict[Applied, None] = field(default_factory=dict)
    """Fixes that made something worse, or nothing better: tried again when others have been applied."""
    since: int = 0
    """How many fixes had been applied when the first of them was held."""
    told: list[Loud] = field(default_factory=list)
    """What is wrong with the texts as they are now."""

    read: int = 0
    """How many characters were checked again."""
    passed: set[int] = field(default_factory=set)
    """Hashes of the states that the texts were in."""
    seen: dict[str, str] = field(default_factory=dict)
    """The texts that were checked last, of files that have other ones now."""
    said: list[Finding] = field(default_factory=list)
    """What that check has found."""

    def __post_init__(self) -> None:
        self.told, self.said = loud(self.findings), self.findings

    def round(self) -> bool:
        """Apply what goes together once; tell whether another round may find more.

        Where that makes a file worse, half of its fixes are tried, until the one that does is found;
        all such files are looked through side by side, and what other files have is not tried again.
        Where nothing is left, what was blamed while the last to blame stood beside it is tried again
        without that: it may have edited another file.
        """
        choice = choose(self.findings, self.level, self._refuse)
        mounts = mounts_of(self.index(), choice.edits)
        held = len(self.abandoned)
        steps: list[tuple[Applied, ...]] = []
        while news := self._apply(choice):
            findings = self._check(news)
            bad = self._bad(
                choice, {path: mounts[path] for path in news if path in mounts}, findings
            )
            if not bad:
                self._take(choice, news, findings)
                return True
            choice, blamed = choice.narrowed(bad)
            for item in blamed:
                self._hold(item)
            steps += [blamed] if blamed else []
        self._check({})
        for item in (item for some in steps[:-1] for item in some):
            self.held.pop(item, None)
        if len(self.abandoned) > held:
            return True
        if self.held and len(self.applied) > self.since:
            self.held.clear()
            return True
        return False

    def may_go_on(self, rounds: int) -> bool:
        """Tell whether another round may be made: not for ever, nor round in a circle."""
        if rounds < ROUNDS * (1 + len(self.abandoned)):
            return True
        state = hash(tuple(sorted(self.changed.items())))
        if state in self.passed or self.read > _CHEAP:
            return False
        self.passed.add(state)
        return True

    def _check(self, news: Mapping[str, str]) -> list[Finding]:
        """Return the findings with these texts, whatever was tried before."""
        now = {path: news.get(path, self.texts[path]) for path in {**self.seen, **news}}
        told = {
            path: text
            for path, text in now.items()
            if self.seen.get(path, self.texts[path]) != text
        }
        self.seen = dict(news)
        self.read += sum(map(len, told.values()))
        if told:
            self.said = list(self.recheck(told))
        return self.said

    def _bad(self, choice: Choice, mounts: Mounts, findings: list[Finding]) -> set[str]:
        """Return the files that are worse than before, or not better although they were mended.

        Files with mixed-up caches come first: what others say about these caches may follow from that.
        """
        mixed = mixed_up(choice.change, mounts, self.index())
        return mixed or (
            worse(choice.change, self.told, loud(findings)) | self._idle(choice, findings)
        )

    def _hold(self, item: Applied) -> None:
        if not self.held:
            self.since = len(self.applied)
        self.held[item] = None
        self.abandoned.append(item)

    def _take(self, choice: Choice, news: Mapping[str, str], findings: list[Finding]) -> None:
        self.texts.update(news)
        self.changed.update(news)
        self.seen = {}
        self.applied += choice.applied
        self.findings, self.told = findings, loud(findings)

    def _idle(self, choice: Choice, findings: list[Finding]) -> set[str]:
        """Return the files of findings that are still there and want the same place edited again."""
        found: set[str] = set()
        left: dict[tuple[str, str, str, int], list[Finding]] = {}
        for key, finding in zip(_keys(findings), findings, strict=True):
            left.setdefault((*key, finding.span.start), []).append(finding)
        many, fewer = Counter(_keys(self.findings)), Counter(_keys(findings))
        for item, was, fix in zip(choice.applied, choice.places, choice.fixes, strict=True):
            key = (item.path, item.code, item.message)
            if fewer[key] < many[key]:
                # One of several went: the next of them may stand where it stood.
                continue
            # What only deletes comes to an end by itself: what stood behind it has moved there.
            if not any(edit.edit.text for edit in fix.edits):
                continue
            made = choice.change.made(fix)
            for place in _moved(was.start, choice.edits.get(item.path, ())):
                # A finding that tells the first of several slips only is about the next one now.
                again = (best_fix(one, self.level) for one in left.get((*key, place), ()))
                if any(self._can(fix) and _touch(fix, made) for fix in again if fix is not None):
                    found |= made.keys()
        return found

    def _refuse(self, finding: Finding, fix: Fix) -> bool:
        item = Applied(finding.path, finding.code, finding.message, fix.title)
        return item in self.held or not self._can(fix)

    def _can(self, fix: Fix) -> bool:
        return all(item.path in self.texts for item in fix.edits)

    def _apply(self, choice: Choice) -> dict[str, str]:
        news = {path: apply_edits(self.texts[path], edits) for path, edits in choice.edits.items()}
        return {path: text for path, text in news.items() if text != self.texts[path]}


def _moved(offset: int, edits: Sequence[Edit]) -> set[int]:
    """Return where what stood at ``offset`` may stand after ``edits``: also behind those that touch it."""
    in_front = [edit for edit in edits if edit.span.end < offset]
    touching = [edit for edit in edits if edit.span.end == offset]
    return {
        offset + sum(len(edit.text) - (edit.span.end - edit.span.start) for edit in some)
        for some in (in_front, in_front + touching)
    }


def _touch(fix: Fix, places: Mapping[str, Sequence[Span]]) -> bool:
    return any(
        place.start <= item.edit.span.end and item.edit.span.start <= place.end
        for item in fix.edits
        for place in places.get(item.path, ())
    )


def _keys(findings: Iterable[Finding]) -> Iterable[tuple[str, str, str]]:
    return ((item.path, item.code, item.message) for item in findings)


def apply_fixes(
    texts: Mapping[str, str],
    findings: Sequence[Finding],
    level: Safety,
    recheck: Recheck,
    index: Callable[[], Index] = Index,
) -> Outcome:
    """Apply the fixes of ``findings`` up to ``level``, check again, and repeat until none is left.

    ``texts`` holds every document that may be edited; a fix that would edit another is left out, and
    so is one that makes something worse. ``index`` gives what is known of the workspace's caches now.
    """
    repair = _Repair(dict(texts), list(findings), level, recheck, index)
    rounds = 0
    # To find one fix that does harm takes some rounds of its own.
    while repair.may_go_on(rounds) and repair.round():
        rounds += 1
    changed = {path: text for path, text in repair.changed.items() if text != texts[path]}
    return Outcome(changed, tuple(repair.applied), tuple(repair.findings), tuple(repair.held))


def diff(old: str, new: str, before: str, after: str) -> str:
    """Return the unified diff between two texts, named ``old`` and ``new``; line ends stay as they are."""
    from difflib import unified_diff

    lines = unified_diff(_lines(before), _lines(after), old, new)
    out: list[str] = []
    for line in lines:
        out.append(line)
        if not line.endswith("\n"):
            out.append("\n\\ No newline at end of file\n")
    return "".join(out)


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    lines = [part + "\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines
