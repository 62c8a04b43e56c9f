"""Edits that let a mount hold the directory of a tool."""

from __future__ import annotations

from collections.abc import Sequence

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.purpose import writer
from cachekey.dockerfile.records import Run
from cachekey.edits.caches import owner_of
from cachekey.edits.mount import is_plain, set_option, set_options
from cachekey.knowledge.records import Kind
from cachekey.text import Edit, Source, Span
from cachekey.tools.uses import ToolUse, UsedDirectory


def places(use: ToolUse, item: UsedDirectory) -> tuple[str, ...]:
    """Return what to mount for a directory: itself, or its parts where the image needs the rest.

    Poetry keeps virtual environments below its cache, unless it is told otherwise.
    """
    path = item.path or ""
    needed = any(
        other.cache.kind is Kind.RESULT and other.used and (other.path or "").startswith(f"{path}/")
        for other in use.directories
    )
    if needed and item.cache.parts:
        return tuple(f"{path}/{part}" for part in item.cache.parts)
    return (path,)


def spread(mount: Mount, paths: Sequence[str], source: Source) -> list[Edit]:
    """Return the edits that repeat a mount for each further path."""
    flag, value = source.slice(mount.span), mount.options["target"].span
    start, end = value.start - mount.span.start, value.end - mount.span.start
    behind = Span(mount.span.end, mount.span.end)
    return [Edit(behind, "".join(f" {flag[:start]}{path}{flag[end:]}" for path in paths))]


def retarget(run: Run, mount: Mount, path: str) -> list[Edit] | None:
    """Return the edits that move a mount to ``path`` and let its user own a new cache there.

    None when the RUN's user is not root and its number is not known: then the cache would only trade
    one defect for another.
    """
    user = writer(run)
    if not is_plain(path):
        return None
    edits = [set_option(mount, "target", path)]
    if user is None or user.is_root is None or user.is_root or "mode" in mount.options:
        return edits
    owner = owner_of(user, run.scope)
    if not owner:
        return None
    if mount.uid != user.uid:
        edits += set_options(mount, **owner)
    return edits
