"""The caches of a workspace with their mounts, and the sharing that is broken: what a cache map shows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from cachekey.record import record
from cachekey.workspace.index import Index
from cachekey.workspace.split import by_chance
from cachekey.workspace.summary import CacheMount

VERSION = 1


@record(frozen=True)
class Broken:
    """Another cache that one would take for the same."""

    key: str
    why: str


@record(frozen=True)
class Cache:
    """One cache: all mounts with one key."""

    key: str
    tools: tuple[str, ...]
    """Names of the tools whose cache it is, first the one of its first mount."""
    mounts: tuple[CacheMount, ...]
    """By path and place."""
    broken: tuple[Broken, ...]


def caches_of(index: Index, paths: Iterable[str]) -> tuple[Cache, ...]:
    """Return the caches that files mount, in the order of their first mounts."""
    groups: dict[Hashable, list[CacheMount]] = {}
    for path in sorted(paths):
        summary = index.get(path)
        for mount in summary.mounts if summary is not None else ():
            groups.setdefault(mount.key.identity, []).append(mount)
    broken = _broken(list(groups.values()))
    return tuple(
        Cache(
            mounts[0].key.label,
            tuple(dict.fromkeys(mount.use.name for mount in mounts if mount.use is not None)),
            tuple(mounts),
            tuple(broken.get(identity, ())),
        )
        for identity, mounts in groups.items()
    )


def _broken(groups: list[list[CacheMount]]) -> dict[Hashable, list[Broken]]:
    """Tell, as CK101 does, for which caches a tool has another one by chance."""
    first: dict[Hashable, CacheMount] = {}
    found: dict[Hashable, list[Broken]] = {}
    for mount in (mount for group in groups for mount in _telling(group)):
        assert mount.use is not None
        other = first.setdefault((mount.use.tool, mount.use.role), mount)
        if other.same_as(mount) or not by_chance(other, mount):
            continue
        why = f"{mount.use.name} has its cache under two keys"
        for one, two in ((other, mount), (mount, other)):
            told = found.setdefault(one.key.identity, [])
            if all(item.key != two.key.label for item in told):
                told.append(Broken(two.key.label, why))
    return found


def _telling(group: Iterable[CacheMount]) -> Iterator[CacheMount]:
    """Yield, of a cache, the first mount for each tool's directory."""
    seen: set[Hashable] = set()
    for mount in group:
        if mount.use is not None and mount.use.download and mount.meant:
            what = (mount.use.tool, mount.use.role)
            if what not in seen:
                seen.add(what)
                yield mount


def as_data(caches: Iterable[Cache], shown: Callable[[str], str]) -> dict[str, Any]:
    """Return the map as ``cachekey map --format json`` has it; lines are zero-based."""
    return {
        "version": VERSION,
        "caches": [
            {
                "key": cache.key,
                "tools": list(cache.tools),
                "mounts": [
                    {
                        "path": shown(mount.path),
                        "line": mount.line,
                        "stage": mount.stage,
                        "user": mount.who,
                    }
                    for mount in cache.mounts
                ],
                "broken": [{"key": item.key, "why": item.why} for item in cache.broken],
            }
            for cache in caches
        ],
    }
