"""Joins a builder's records with the workspace's mounts by exact key: which cache is mine?

What the builder tells decides how sure that is. BuildKit names the cache of each record; the
owner or source that joins a key is told as a parent record only. Before 0.12 nothing is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from cachekey.builder.descriptions import OWNER_STEP, Described, read_description
from cachekey.builder.places import BaseKind, Place, plain
from cachekey.builder.records import CACHE, Usage, UsageRecord
from cachekey.record import record, replace

Match = Literal["exact", "probable", "none"]

_OLD_OWNER_STEP = "fileop target"
"""What BuildKit called the step before 0.12."""

_NAMED = 3
"""Keys that are named where the builder leaves open which one it is."""


@record(frozen=True)
class Cache:
    """One cache of the builder: the records that are found by one key, and who uses it."""

    name: str | None
    """Namespace, slash and id; None when the builder does not tell."""
    base: BaseKind
    target: str
    """Where its first RUN mounted it."""
    records: tuple[UsageRecord, ...]
    places: tuple[Place, ...]
    match: Match
    """``probable``: the builder does not tell all that the key is made of."""
    also: int
    """How many other caches of this name there are, with another owner or source; without names how
    many others may be the same cache."""

    @property
    def size(self) -> int:
        """Return its bytes on the disk."""
        return sum(item.size for item in self.records)

    @property
    def label(self) -> str:
        """Name the cache as Cachekey names keys everywhere."""
        if any(not place.open for place in self.places):
            keys = sorted({str(place.key) for place in self.places})
            return " or ".join(keys[:_NAMED]) + (" or others" if len(keys) > _NAMED else "")
        text = self.name if self.name is not None else f"? ({self.target})"
        text = text[1:] if text.startswith("/") and text.rfind("/") in (0, 1) else text
        return text if self.base == "plain" else f"{text}:{self.base}"

    @property
    def doubt(self) -> str | None:
        """Say why nobody can be sure whose cache this is; None where it is sure."""
        if self.match != "probable":
            return None
        if unknown := {name for place in self.places for name in place.key.unresolved}:
            return f"the key depends on {', '.join(sorted(unknown))}, which no file here tells"
        if self.name is None:
            return "the builder tells no ids; target and command are the same"
        return "the builder does not tell the owner or source that is part of the key"


@record(frozen=True)
class Joined:
    """What the builder has and what the workspace wants."""

    caches: tuple[Cache, ...]
    """Largest first."""
    missing: tuple[Place, ...]
    """Mounts whose cache is not there."""
    open: tuple[Place, ...]
    """Mounts whose key depends on something that the files do not tell."""


_Group = tuple[str | None, BaseKind, tuple[str, ...], str, str]


def join(usage: Usage, places: Sequence[Place]) -> Joined:
    """Join records with mounts; look-ups only, so that thousands of both are no matter."""
    known = {item.id: item for item in usage.records}
    groups: dict[_Group, list[UsageRecord]] = {}
    described: dict[_Group, Described] = {}
    for item in usage.records:
        if item.type != CACHE:
            continue
        said = read_description(item.description, usage.names)
        base = _base(item, known)
        # Without names each target and command is a cache of its own, as far as can be told.
        first = ("", "") if said.name is not None else (said.target, said.command)
        group = (said.name, base, () if base == "plain" else item.parents, *first)
        groups.setdefault(group, []).append(item)
        described.setdefault(group, said)
    found = _Mounts(places)
    namesakes: dict[tuple[str | None, BaseKind], int] = {}
    names: dict[str | None, int] = {}
    for name, base, *_ in groups:
        namesakes[name, base] = namesakes.get((name, base), 0) + 1
        names[name] = names.get(name, 0) + 1
    caches = []
    for group, items in groups.items():
        name, base = group[:2]
        if name is not None:
            mine, match = found.named(described[group], base, namesakes[name, base])
        else:
            mine, match = found.like(described[group], base)
        also = names[name] - 1 if name is not None else 0
        target = described[group].target
        caches.append(Cache(name, base, target, tuple(items), tuple(mine), match, also))
    caches = _alike(caches)
    caches.sort(key=lambda cache: (-cache.size, cache.label))
    used = {place.key.identity for cache in caches for place in cache.places}
    missing = [p for p in places if not p.open and p.key.identity not in used]
    return Joined(tuple(caches), tuple(missing), tuple(p for p in places if p.open))


def _alike(caches: Iterable[Cache]) -> list[Cache]:
    """Count the caches without a name that the same mounts may use."""
    keys = {id(c): frozenset(place.key.identity for place in c.places) for c in caches}
    count = Counter(keys[id(c)] for c in caches if c.name is None and c.places)
    return [
        replace(c, also=count[keys[id(c)]] - 1) if c.name is None and c.places else c
        for c in caches
    ]


def _base(item: UsageRecord, known: Mapping[str, UsageRecord]) -> BaseKind:
    parents = [known[parent] for parent in item.parents if parent in known]
    if not item.parents:
        return "plain"
    if any(parent.description in (OWNER_STEP, _OLD_OWNER_STEP) for parent in parents):
        return "from+owner" if any(parent.parents for parent in parents) else "owner"
    return "from"


class _Mounts:
    """The workspace's mounts by all that a record may tell."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._named: dict[tuple[str, BaseKind], dict[object, list[Place]]] = {}
        self._open: dict[str, dict[tuple[str, BaseKind], list[Place]]] = {}
        """By what their names begin with, and by what the whole name looks like."""
        self._targets: dict[tuple[str | None, bool], list[Place]] = {}
        for place in places:
            if place.open:
                same_start = self._open.setdefault(place.beginning, {})
                same_start.setdefault((place.pattern.pattern, place.base), []).append(place)
            else:
                same = self._named.setdefault((place.name, place.base), {})
                same.setdefault(place.key.identity, []).append(place)
            self._targets.setdefault((place.directory, place.base == "plain"), []).append(place)
        self._lengths = sorted({len(beginning) for beginning in self._open})

    def named(self, said: Described, base: BaseKind, groups: int) -> tuple[list[Place], Match]:
        """Return the mounts of a record that tells its name; ``groups`` have this name and base."""
        assert said.name is not None
        same = self._named.get((said.name, base), {})
        everybody = [place for members in same.values() for place in members]
        if base == "plain" and everybody:
            return everybody, "exact"
        if len(same) == 1 and groups == 1:
            # One owner here, one there: nothing speaks against it, and nothing more is told.
            return everybody, "exact" if _began(said, everybody) else "probable"
        if same:
            # Which owner a record has is not told. The RUN that began it may tell.
            first = {place.key.identity for place in everybody if _begins(said, place)}
            mine = [place for place in everybody if place.key.identity in first]
            return mine or everybody, "probable"
        mine = [
            place
            for length in self._lengths
            for (_, kind), alike in self._open.get(said.name[:length], {}).items()
            if kind == base and alike[0].pattern.fullmatch(said.name)
            for place in alike
        ]
        return mine, "probable" if mine else "none"

    def like(self, said: Described, base: BaseKind) -> tuple[list[Place], Match]:
        """Return the mounts that may have begun a record which tells no name."""
        near = self._targets.get((said.directory, base == "plain"), [])
        # A source's last step may look like an owner's: kinds of bases decide if they can.
        near = [place for place in near if place.base == base] or near
        command = plain(said.command)
        keys = {place.key.identity for place in near if command.endswith(place.command)}
        # Another cache of the same key is the same cache, wherever it is mounted.
        more = [p for p in near if p.key.identity in keys] if keys else near
        return more, "probable" if more else "none"


def _begins(said: Described, place: Place) -> bool:
    return place.directory == said.directory and plain(said.command).endswith(place.command)


def _began(said: Described, places: Iterable[Place]) -> bool:
    return any(_begins(said, place) for place in places)


def duplicates(cache: Cache) -> str | None:
    """Say why there is more than one record of a cache, or more than one cache of its name."""
    if len(cache.records) > 1:
        return (
            "several copies of one key: it was asked for while somebody used it "
            "(sharing=private, or shared beside locked); the next build takes any of them"
        )
    if cache.also and cache.name is None:
        return "another record may be of this cache as well: the builder does not tell"
    if cache.also:
        return "another cache has this id with other uid, gid, mode or from"
    return None
