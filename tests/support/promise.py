"""What a fix promises, judged from the texts: keys as restated, instructions as the builder splits them.

Of the product only the findings are asked. What a fix does to the caches must be in its title: the words
for it are listed here, so that a title which does not say it falls.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from cachekey.finding import Finding, Severity
from cachekey.kinds import kind_in
from cachekey.text import Edit

from tests.support.restated import Cache, caches, flags, instructions
from tests.support.together import moved, worse

APART = re.compile(
    r"of its own|Keep it apart|Name it after this project|Separate|leave \S+ to its other mounts"
)
"""Titles that say that a cache becomes another one than some other mount has."""
JOINED = re.compile(
    r"Share|Keep a cache for each user: id=|Give both|Give all|Align|Mount |target|Write the|Let |"
    r"\bas line|same|one cache|in every file"
)
"""Titles that say that mounts get one cache, or where a mount goes."""
ADDED = {"ARG", "ENV", "RUN", "COPY", "ONBUILD"}
"""Instructions that a fix may write."""


def is_dockerfile(path: str, text: str) -> bool:
    """Tell whether a file of a workspace is a Dockerfile."""
    return kind_in(path, text) == "dockerfile"


def all_caches(files: Mapping[str, str]) -> list[Cache]:
    """Return the cache mounts of all Dockerfiles of a workspace."""
    return [
        cache
        for path, text in files.items()
        if is_dockerfile(path, text)
        for cache in caches(path, text)
    ]


def changed_caches(
    before: Mapping[str, str], after: Mapping[str, str], edits: Mapping[str, Sequence[Edit]]
) -> Iterator[tuple[str, Cache, Cache]]:
    """Yield ``parted`` or ``joined`` with two mounts, as they are now, whose being one has changed.

    A new mount is ``orphaned`` that is written for a cache which has another key meanwhile.
    """
    now = {(cache.path, cache.offset): cache for cache in all_caches(after)}
    known = [
        (old, now[place])
        for old in all_caches(before)
        if not _deleted(old, edits) and (place := moved((old.path, old.offset), edits)) in now
    ]
    became = {(old.path, old.key) for old, _ in known}, {(new.path, new.key) for _, new in known}
    stayed = {(new.path, new.offset) for _, new in known}
    for place, cache in now.items():
        key = (cache.path, cache.key)
        if place not in stayed and key in became[0] and key not in became[1]:
            yield "orphaned", cache, cache
    for (one, one_now), (two, two_now) in combinations(known, 2):
        if None in (one.key, two.key):
            continue
        was, is_ = one.key == two.key, None is not one_now.key == two_now.key
        if was != is_:
            yield ("parted" if was else "joined"), one_now, two_now


def _deleted(cache: Cache, edits: Mapping[str, Sequence[Edit]]) -> bool:
    return any(
        edit.span.start <= cache.offset < edit.span.end and not edit.text
        for edit in edits.get(cache.path, ())
    )


def broken_caches(
    before: Mapping[str, str],
    after: Mapping[str, str],
    edits: Mapping[str, Sequence[Edit]],
    titles: Sequence[str],
) -> list[str]:
    """Return what has become of caches that no title says."""
    said = {
        "parted": any(APART.search(title) for title in titles),
        "joined": any(JOINED.search(title) for title in titles),
        "orphaned": False,
    }
    return [
        f"{what}: {one.path}@{one.offset} {one.key} and {two.path}@{two.offset} {two.key}"
        for what, one, two in changed_caches(before, after, edits)
        if not said[what]
    ]


def broken_instructions(before: str, after: str) -> list[str]:
    """Return instructions that are gone, or have become another one, or that no fix may write."""
    old, new = ([item.word for item in instructions(text)] for text in (before, after))
    gone, come = Counter(old) - Counter(new), Counter(new) - Counter(old)
    wrong = []
    if set(gone) - {"ENV", "ARG", "RUN"} or set(come) - ADDED:
        wrong.append(f"{dict(gone)} went, {dict(come)} came")
    kept = [[word for word in some if word not in ADDED] for some in (old, new)]
    if not wrong and kept[0] != kept[1]:
        wrong.append(f"{kept[0]} became {kept[1]}")
    return wrong


def commands(text: str) -> list[str]:
    """Return what each RUN runs, without its flags."""
    found = []
    for item in instructions(text):
        if item.word == "RUN":
            words = [word for _, word in flags(item)]
            found.append(re.sub(r"\A(?:--\S+\s+)+", "", item.rest) if words else item.rest)
    return found


def mended(finding: Finding, before: Sequence[Finding], after: Sequence[Finding]) -> bool:
    """Tell whether there is one finding less of these words."""
    key = (finding.path, finding.code, finding.message)
    count = [
        sum((item.path, item.code, item.message) == key for item in some)
        for some in (before, after)
    ]
    return count[1] < count[0]


def told_worse(before: Sequence[Finding], after: Sequence[Finding]) -> list[str]:
    """Return new errors and warnings; warnings of a file whose error is mended were not to be seen."""
    errors = Counter(item.path for item in before if item.severity is Severity.ERROR)
    errors.subtract(item.path for item in after if item.severity is Severity.ERROR)
    return [
        f"{item.path}: {item.code} {item.message}"
        for item in worse(before, after)
        if item.severity is Severity.ERROR or errors[item.path] <= 0
    ]
