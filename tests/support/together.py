"""What a change of files did to their caches: which were one and are not, which are one and were not.

A mount before a change and the same mount after it are found through the edits that were made.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import combinations

from cachekey.finding import Finding, Fix, Severity
from cachekey.text import Edit, Span
from cachekey.workspace.project import Project
from cachekey.workspace.summary import CacheMount

Place = tuple[str, int]
"""A file and the offset of a mount's flag."""


def mounts(project: Project) -> dict[Place, CacheMount]:
    """Return the cache mounts of all files by place."""
    found: dict[Place, CacheMount] = {}
    for path in project.index:
        summary = project.index.get(path)
        for mount in summary.mounts if summary is not None else ():
            found[(path, mount.span.start)] = mount
    return found


def edits_of(fix: Fix) -> dict[str, list[Edit]]:
    """Return the edits of a fix by file, in order."""
    found: dict[str, list[Edit]] = {}
    for item in fix.edits:
        found.setdefault(item.path, []).append(item.edit)
    return {path: sorted(edits, key=lambda edit: edit.span) for path, edits in found.items()}


def edits_between(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[Edit]]:
    """Return edits that lead from some texts to others, word by word."""
    found: dict[str, list[Edit]] = {}
    for path, old in before.items():
        new = after[path]
        if old == new:
            continue
        a, b = _words(old), _words(new)
        at_a, at_b = _starts(a), _starts(b)
        steps = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
        found[path] = [
            Edit(Span(at_a[i1], at_a[i2]), new[at_b[j1] : at_b[j2]])
            for what, i1, i2, j1, j2 in steps
            if what != "equal"
        ]
    return found


def _words(text: str) -> list[str]:
    # A mount is one word: what it became is found even when much of it has changed.
    return re.findall(r"--mount=\w*|\w+|\s|[^\w\s]", text)


def _starts(words: Sequence[str]) -> list[int]:
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    return starts


def moved(place: Place, edits: Mapping[str, Sequence[Edit]]) -> Place | None:
    """Return where a mount stands after ``edits``; None when its beginning was replaced."""
    path, offset = place
    shift = 0
    for edit in edits.get(path, ()):
        if edit.span.start < offset < edit.span.end:
            return None
        if edit.span.end <= offset:
            shift += len(edit.text) - (edit.span.end - edit.span.start)
    return (path, offset + shift)


def pairs(
    before: Project, after: Project, edits: Mapping[str, Sequence[Edit]]
) -> Iterator[tuple[CacheMount, CacheMount, CacheMount, CacheMount]]:
    """Yield each two mounts that stand before and after: first and second, and what they became."""
    now = mounts(after)
    known: list[tuple[CacheMount, CacheMount]] = []
    for place, mount in mounts(before).items():
        there = moved(place, edits)
        if there in now:
            known.append((mount, now[there]))
    for (one, one_now), (two, two_now) in combinations(known, 2):
        yield one, two, one_now, two_now


def parted(
    before: Project, after: Project, edits: Mapping[str, Sequence[Edit]]
) -> list[tuple[CacheMount, CacheMount]]:
    """Return the mounts that were one cache and are two."""
    return [
        (a, b) for a, b, x, y in pairs(before, after, edits) if a.same_as(b) and not x.same_as(y)
    ]


def joined(
    before: Project, after: Project, edits: Mapping[str, Sequence[Edit]]
) -> list[tuple[CacheMount, CacheMount]]:
    """Return the mounts that were two caches and are one."""
    return [
        (x, y) for a, b, x, y in pairs(before, after, edits) if not a.same_as(b) and x.same_as(y)
    ]


def worse(before: Iterable[Finding], after: Iterable[Finding]) -> list[Finding]:
    """Return findings of errors and warnings that a file has more of than before."""
    loud = (Severity.ERROR, Severity.WARNING)
    had = Counter((item.path, item.code) for item in before if item.severity in loud)
    found: list[Finding] = []
    for item in after:
        if item.severity in loud:
            had[(item.path, item.code)] -= 1
            if had[(item.path, item.code)] < 0:
                found.append(item)
    return found
