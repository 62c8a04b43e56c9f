"""Edits of a cache wherever it is mounted: in all files of the workspace, whatever the RUN calls.

An id, an owner or a base is part of the key. Changed on one mount alone it would take a cache apart.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING

from cachekey.budget import MOST_EDITS
from cachekey.dockerfile.place import Place
from cachekey.dockerfile.records import Dockerfile
from cachekey.finding import FileEdit, Fix, Reach, Safety
from cachekey.record import replace
from cachekey.text import Edit

if TYPE_CHECKING:
    from cachekey.workspace.index import Index
    from cachekey.workspace.project import Project
    from cachekey.workspace.summary import CacheMount

_MOST_LINES = 4
"""Lines that a title names one by one."""


def reached(index: Index, reach: Reach) -> list[CacheMount]:
    """Return the mounts that a fix changes, by path and place; none when they are too many."""
    groups = (index.sharing(identity) for identity in dict.fromkeys(reach.identities))
    found = [
        mount
        for mount in islice(chain(*groups), MOST_EDITS + 1)
        if (reach.only is None or held(mount) & reach.only)
        and reach.folder in (None, posixpath.dirname(mount.path))
    ]
    return sorted(found, key=_place) if len(found) <= MOST_EDITS else []


def held(mount: CacheMount) -> frozenset[Hashable]:
    """Return by what a mount is known to hold the same as another: its directory, its tool's part."""
    use = mount.use
    told = {mount.directory, (use.tool, use.role, use.part) if use is not None else None}
    return frozenset(told - {None})


def _place(mount: CacheMount) -> tuple[str, int]:
    return (mount.path, mount.span.start)


def everywhere(
    project: Project, reach: Reach, edits: Callable[[Place], Iterable[Edit]]
) -> Iterator[FileEdit]:
    """Yield what ``edits`` makes of each mount that a fix changes."""
    for place in places_of(project, reach):
        for edit in edits(place):
            yield FileEdit(place.path, edit)


def places_of(project: Project, reach: Reach) -> Iterator[Place]:
    """Yield the mounts that a fix changes where they stand in the files' models."""
    for path, group in groupby(reached(project.index, reach), key=lambda mount: mount.path):
        model = project.model(path)
        if isinstance(model, Dockerfile):
            known = {mount.span.fixed: (run, mount) for run, mount in model.caches}
            for item in group:
                if item.span in known:
                    yield Place(model, *known[item.span])


def reaches_back(project: Project, model: Place, reach: Reach) -> bool:
    """Tell whether the stage that ``from=`` of a mount names is none for one of the mounts changed.

    It is not there yet in front of its end, where the builder sees a circle, and in other files.
    """
    document = model.dockerfile
    stage = document.stage_named(model.mount.origin, document.stage_of(model.run))
    return stage is not None and any(
        place.path != model.path or place.dockerfile.stage_of(place.run).index <= stage.index
        for place in places_of(project, reach)
    )


def settled(project: Project, path: str, fix: Fix) -> Fix:
    """Fill in what only the whole workspace can tell of a fix for a finding in ``path``.

    ``{id}`` in its title becomes a free id, ``{places}`` the places that it changes. A fix that
    changes several files is not safe.
    """
    title, safety, reason = fix.title, fix.safety, fix.reason
    if fix.wish is not None:
        title = title.replace("{id}", project.name_for(fix.wish))
    if fix.reach is not None:
        mounts = [
            mount
            for mount in reached(project.index, fix.reach)
            if mount.key.identity != fix.reach.kept
        ]
        where = places_text(mounts, path) if mounts else "all its mounts"
        title = title.replace("{places}", where)
        others = sorted({mount.path for mount in mounts} - {path})
        if others and safety is Safety.SAFE:
            safety = Safety.UNSAFE
            reason = f"it changes {others[0] if len(others) == 1 else 'other files'} as well"
    return replace(fix, title=title, safety=safety, reason=reason, wish=None, reach=None)


def places_text(mounts: Iterable[CacheMount], path: str) -> str:
    """Say where mounts stand, seen from one file: ``lines 5 and 8, and 2 mounts in web/Dockerfile``."""
    own = [mount.line + 1 for mount in mounts if mount.path == path]
    others = [mount for mount in mounts if mount.path != path]
    texts = [lines_text(own)] if own else []
    if others:
        files = {mount.path for mount in others}
        where = min(files) if len(files) == 1 else f"{len(files)} other files"
        count = "a mount" if len(others) == 1 else f"{len(others)} mounts"
        texts.append(f"{count} in {where}")
    return ", and ".join(texts) if len(own) > 1 else " and ".join(texts)


def lines_text(numbers: Iterable[int]) -> str:
    """Name lines: ``line 5``, ``lines 5 and 8``, ``6 lines``."""
    lines = sorted(set(numbers))
    if len(lines) == 1:
        return f"line {lines[0]}"
    if len(lines) > _MOST_LINES:
        return f"{len(lines)} lines"
    return f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
