"""Which caches of one tool are two, though nobody chose that: by mounts, whichever files they stand in."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from cachekey.workspace.summary import CacheMount, Summary


def downloads_by_tool(mounts: Iterable[CacheMount]) -> Iterable[list[CacheMount]]:
    """Return the mounts that hold the same download cache, in file order."""
    groups: dict[tuple[str, str], list[CacheMount]] = {}
    for mount in mounts:
        if mount.use is not None and mount.use.download and mount.meant:
            groups.setdefault((mount.use.tool, mount.use.role), []).append(mount)
    return groups.values()


def by_chance(first: CacheMount, second: CacheMount) -> bool:
    """Tell whether nobody chose the two keys: at least one of them is a mere target.

    Two parts of one directory (its index here, its archives there) are two caches on purpose, and so
    are two directories that one RUN mounts, since nobody knows which of them its tool uses.
    """
    a, b = first.key, second.key
    if a.identity in second.beside or b.identity in first.beside:
        return False
    if (a.name_from == "id" and b.name_from == "id") or a.name == b.name:
        return False
    if "id" in (a.name_from, b.name_from) and _to_each_its_own(first, second):
        return False
    if first.use and second.use and first.use.part != second.use.part:
        return False
    return not _nested(first.directory, second.directory)


def _to_each_its_own(first: CacheMount, second: CacheMount) -> bool:
    """Tell whether two users have a cache each, and each may write its own."""
    one, other = first.user_uid, second.user_uid
    if one is None or other is None or one == other:
        return False
    return first.uid == one and second.uid == other


def _nested(a: str | None, b: str | None) -> bool:
    if a is None or b is None:
        return True
    return a != b and (a.startswith(f"{b}/") or b.startswith(f"{a}/"))


def overlaps(mounts: Sequence[CacheMount]) -> Iterator[tuple[CacheMount, list[CacheMount]]]:
    """Yield each cache of a tool, or part of one, that is alone here and lies below a broader one there.

    With it come the mounts of the broader one; each directory of a tool is told once.
    """
    told: set[tuple[str, str]] = set()
    around: dict[tuple[str, str], list[CacheMount]] = {}
    whole: dict[tuple[str, str, str | None], list[CacheMount]] = {}
    for mount in mounts:
        for what in mount.around if mount.meant else ():
            around.setdefault(what, []).append(mount)
        if (use := mount.use) is not None and mount.meant and not use.part:
            whole.setdefault((use.tool, use.role, mount.directory), []).append(mount)
    asked: set[Hashable] = set()
    for mount in mounts:
        use = mount.use
        if use is None or not (use.download and mount.meant):
            continue
        what = (use.tool, use.role)
        others = around.get(what, [])
        if use.part:
            folder = (mount.directory or "").removesuffix(f"/{use.part}")
            first = mount.key.identity not in asked
            asked.add(mount.key.identity)
            others = _unseen(whole.get((*what, folder), ()), mount) if first else []
        if others and what not in told and not others[0].same_as(mount):
            told.add(what)
            yield mount, others


def _unseen(mounts: Iterable[CacheMount], part: CacheMount) -> list[CacheMount]:
    """Return the mounts of a whole directory that see nothing of what another one has a part of.

    Not where that lies over them in their own RUN, nor where somebody chose two ids.
    """
    return [
        one for one in mounts if not (one.id and part.id) and part.key.identity not in one.beside
    ]


def lies_in(inner: CacheMount, broad: CacheMount) -> bool:
    """Tell whether one directory lies in the other, and nobody chose two keys."""
    folder, parent = inner.directory, broad.directory
    below = folder is not None and parent is not None and folder.startswith(f"{parent}/")
    return below and not (inner.id and broad.id) and not inner.same_as(broad)


def has_both(summary: Summary) -> bool:
    """Tell whether a file mounts a tool's directory alone here, and what lies around it there."""
    tools = {
        (m.use.tool, m.use.role) for m in summary.mounts if m.use and m.meant and not m.use.part
    }
    return any(what in tools for m in summary.mounts if m.meant for what in m.around)
