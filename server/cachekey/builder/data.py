"""What ``cachekey builder`` found, as plain data; the text is made of the same."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cachekey.builder.collector import Threat, collected, settled, threats
from cachekey.builder.history import PastBuild, changes, path_of
from cachekey.builder.join import Cache, Joined, duplicates
from cachekey.builder.places import Place, Refused
from cachekey.builder.records import Builder, Policy, Usage, UsageRecord
from cachekey.builder.source import Source
from cachekey.builder.verdicts import Measured, is_empty, judge
from cachekey.buildkit.keys import Key

if TYPE_CHECKING:
    from cachekey.report.map_data import Broken

VERSION = 1


def document(
    source: Source,
    usage: Usage,
    joined: Joined,
    broken: Mapping[Hashable, Sequence[Broken]],
    shown: Callable[[str], str],
    now: datetime,
    refused: Iterable[Refused] = (),
) -> dict[str, Any]:
    """Return the document of ``cachekey builder --format json``.

    Lines are zero-based, sizes bytes, times ISO 8601. ``shown`` gives a file's path for the user.
    ``broken`` are, by a key's identity, the caches that one would take for the same.
    """
    later = settled(source, usage)
    risk = threats(later.records, later.policies or (), now)
    collection = collected(later.records, later.policies or (), now, later.rough)
    order = {item.id: number for number, item in enumerate(collection.taken)}
    caches = [_cache(source, cache, broken, shown, risk, order) for cache in joined.caches]
    builder = usage.builder
    return {
        "version": VERSION,
        "builder": {
            "name": builder.name,
            "kind": builder.kind,
            "version": builder.version,
            "found": builder.found,
            "namesCaches": usage.names,
        },
        "caches": caches,
        "missing": [_mount(place, shown) for place in joined.missing],
        "open": [
            _mount(place, shown) | {"unresolved": sorted(place.key.unresolved)}
            for place in joined.open
        ],
        "refused": [
            {"path": shown(one.path), "line": one.line, "stage": one.stage, "why": one.why}
            for one in refused
        ],
        "totals": _totals(joined.caches),
        "collector": {
            "policies": None if usage.policies is None else [*map(_policy, usage.policies)],
            "takesNow": [item.id for item in collection.taken],
            "takesMore": not collection.decided,
        },
    }


def past(
    builds: Sequence[PastBuild] | None,
    places: Iterable[Place],
    texts: Mapping[str, str],
    shown: Callable[[str], str],
) -> dict[str, Any]:
    """Return what ``--history`` adds to the document: builds, newest first, and changed keys.

    ``texts`` are the workspace's files, by which a build's file is known. The history is None when
    the builder tells none.
    """
    if builds is None:
        return {"history": None, "changes": []}
    names: dict[str, set[str]] = {}
    for place in places:
        names.setdefault(place.path, set()).add(place.name)
    known = [(build, path_of(build, texts, names)) for build in builds]
    return {
        "history": [_build(build, shown(path) if path else None) for build, path in known],
        "changes": [
            {
                "since": item.since.isoformat(),
                "path": shown(item.file),
                "target": item.target,
                "words": item.words,
            }
            for item in changes(known)
        ],
    }


def _build(build: PastBuild, path: str | None) -> dict[str, Any]:
    return {
        "ref": build.ref,
        "created": build.created.isoformat(),
        "completed": build.completed.isoformat() if build.completed else None,
        "file": build.file,
        "path": path,
        "steps": [
            {
                "line": step.line,
                "seconds": _rounded(step.seconds),
                "cached": step.cached,
                "mounts": [
                    {"name": mount.name, "target": mount.target, "base": mount.base or None}
                    for mount in step.mounts
                ],
            }
            for step in build.steps
        ],
    }


def _cache(
    source: Source,
    cache: Cache,
    broken: Mapping[Hashable, Sequence[Broken]],
    shown: Callable[[str], str],
    risk: Mapping[str, Threat],
    order: Mapping[str, int],
) -> dict[str, Any]:
    commands = [shlex.join(source.prune(item.id)) for item in cache.records]
    return {
        "key": cache.label,
        "name": cache.name,
        "base": _base(cache),
        "target": cache.target,
        "match": cache.match,
        "doubt": cache.doubt,
        "size": cache.size,
        "records": [
            _record(item, risk.get(item.id), order.get(item.id), command)
            for item, command in zip(cache.records, commands, strict=True)
        ],
        "mounts": [_mount(place, shown) for place in cache.places],
        "duplicates": duplicates(cache),
        "broken": [
            {"key": other.key, "why": other.why}
            for identity in dict.fromkeys(place.key.identity for place in cache.places)
            for other in broken.get(identity, ())
        ],
        "prune": " && ".join(commands),
    }


def _base(cache: Cache) -> dict[str, Any] | None:
    if cache.base == "plain":
        return None
    keys = {place.key.identity: place.key for place in cache.places}
    return {"kind": cache.base, **(_told(next(iter(keys.values()))) if len(keys) == 1 else {})}


def _told(key: Key) -> dict[str, Any]:
    base = key.base
    told: dict[str, Any] = {"from": base.origin} if base and base.origin else {}
    if base is not None and base.owner is not None:
        owner = base.owner
        told |= {"uid": owner.uid, "gid": owner.gid, "mode": f"{owner.mode:04o}"}
    return told


def _record(
    item: UsageRecord, risk: Threat | None, order: int | None, command: str
) -> dict[str, Any]:
    since = risk.since.isoformat() if risk and risk.since else None
    return {
        "id": item.id,
        "size": item.size,
        "created": item.created.isoformat() if item.created else None,
        "lastUsed": item.last_used.isoformat() if item.last_used else None,
        "useCount": item.use_count,
        "inUse": item.in_use,
        "collected": None if risk is None else {"rule": risk.rule, "from": since, "order": order},
        "prune": command,
    }


def _mount(place: Place, shown: Callable[[str], str]) -> dict[str, Any]:
    return {
        "path": shown(place.path),
        "line": place.line,
        "stage": place.stage,
        "key": str(place.key),
        "target": place.directory,
        "tools": list(place.tools),
    }


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "filters": list(policy.filters),
        "all": policy.everything,
        "keepSeconds": policy.keep_seconds,
        "reservedSpace": policy.reserved,
        "maxUsedSpace": policy.most,
        "minFreeSpace": policy.least_free,
    }


def _totals(caches: Iterable[Cache]) -> list[dict[str, Any]]:
    """Add up sizes by tool; a cache of several tools counts for all of them together."""
    sums: dict[tuple[str, ...], list[int]] = {}
    for cache in caches:
        tools = tuple(sorted({tool for place in cache.places for tool in place.tools}))
        entry = sums.setdefault(tools, [0, 0])
        entry[0] += cache.size
        entry[1] += 1
    ordered: Sequence[tuple[tuple[str, ...], list[int]]] = sorted(
        sums.items(), key=lambda item: (-item[1][0], item[0])
    )
    return [{"tools": list(t), "size": size, "caches": count} for t, (size, count) in ordered]


def proof(
    builder: Builder,
    runs: int,
    measured: Sequence[Measured],
    codes: Mapping[tuple[int, int], Sequence[str]],
    shown: Callable[[str], str],
) -> dict[str, Any]:
    """Return the document of ``cachekey prove --format json``.

    ``codes`` are the findings on each mount, by its RUN's line and the place of its flag. Seconds
    are those of the mount's RUN.
    """
    rows = []
    for item in measured:
        place = item.place
        others = [other for other in measured if other is not item]
        judged = judge(item, codes.get((place.run_line, place.start), ()), others)
        rows.append(
            _mount(place, shown)
            | {
                "run": place.run_line,
                "coldSeconds": _rounded(item.cold),
                "warmSeconds": _rounded(item.warm),
                "bytes": 0 if is_empty(item) else item.size,
                "verdict": judged.verdict,
                "finding": judged.finding,
                "words": judged.words,
                "contradicts": judged.contradicts,
            }
        )
    told = {"name": builder.name, "kind": builder.kind, "version": builder.version}
    return {"version": VERSION, "builder": told, "runs": runs, "mounts": rows}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
