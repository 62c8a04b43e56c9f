"""Edits that let a package manager keep what it has downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cachekey.dockerfile.coverage import maybe_covered
from cachekey.dockerfile.packages import (
    dealt_with,
    deletes_packages,
    fails_without,
    is_told_by,
    keeps_too_late,
)
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.cleanups import clean_ups
from cachekey.edits.mount import insert_line_before, is_mountable
from cachekey.edits.toolmount import ToMount, owner_here
from cachekey.knowledge.records import Keeping, Tool
from cachekey.text import Edit
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse


def set_up(dockerfile: Dockerfile, run: Run, keeping: Keeping) -> Edit:
    """Insert a RUN in front of another one that tells the package manager to keep its packages."""
    joint = f" {dockerfile.tree.escape}{dockerfile.source.newline}    && "
    return insert_line_before(dockerfile, run.span.start, f"RUN {joint.join(keeping.lines)}")


def to_keep(
    run: Run, use: ToolUse, places: Sequence[ToMount], document: Dockerfile
) -> Keeping | None:
    """Return what lets a tool keep its packages, where new mounts in these places would stay empty without.

    The first RUN of a stage that has packages brings it, for those behind it as well.
    """
    keeping, stage = use.tool.keeping, document.stage_of(run)
    if keeping is None or run.scope.user.is_root is not True:
        return None
    if not any(
        item.cache.role in keeping.caches and not is_told_by(path, keeping) for path, item in places
    ):
        return None
    if not deletes_packages(stage, keeping) or dealt_with(stage, keeping, document, run):
        return None
    others = (other for earlier in run.earlier() for other in earlier.uses)
    if any(_packages(other, use.tool, keeping) for other in others):
        return None
    return None if fails_without(keeps_too_late(stage, keeping), keeping) else keeping


def leaving(
    run: Run, tool: Tool, keeping: Keeping, document: Dockerfile
) -> Iterator[tuple[Run, ToMount]]:
    """Yield the later RUNs that would leave in the image what they keep: no mount takes it, no clean-up."""
    stage = document.stage_of(run)
    for later in document.runs:
        if later.span.start <= run.span.start or later.onbuild or owner_here(later) is None:
            continue
        if not document.stage_of(later).descends_from(stage):
            continue
        for item in (item for use in later.uses for item in _packages(use, tool, keeping)):
            path = item.path or ""
            if is_mountable(path) and not maybe_covered(later, item):
                if not any(True for _ in clean_ups(later, [path])):
                    yield later, (path, item)
                break


def _packages(use: ToolUse, tool: Tool, keeping: Keeping) -> list[UsedDirectory]:
    """Return where a command leaves packages, if it is one of this tool."""
    if use.tool is not tool or use.applies is not True or use.disabled:
        return []
    return [
        item
        for item in use.directories
        if item.cache.role in keeping.caches and item.used is True and item.path
    ]
