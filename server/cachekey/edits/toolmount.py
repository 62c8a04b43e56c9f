"""Edits that let a mount hold the directory of a tool."""

from __future__ import annotations

from collections.abc import Sequence

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.coverage import candidates, surely_idle
from cachekey.dockerfile.place import Place, same_cache
from cachekey.dockerfile.purpose import users_differ, writer
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.caches import owner_of
from cachekey.edits.mount import is_mountable, set_option, set_options
from cachekey.knowledge.records import Kind
from cachekey.text import Edit, Source, Span
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse


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
    if not is_mountable(path):
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


def companions(dockerfile: Dockerfile, mount: Mount, path: str) -> list[Place]:
    """Return the other mounts of the same cache that are as idle, and whose tool keeps it in ``path``."""
    places = same_cache(dockerfile, mount) if mount.key is not None else ()
    return [
        place
        for place in places
        if place.mount is not mount
        and surely_idle(place.run, place.mount)
        and path in [item.path for item in candidates(place.run, place.mount)][:1]
    ]


def clashes(place: Place, path: str, moving: Sequence[Place] = (), own: bool = False) -> bool:
    """Tell whether a mount that moves to ``path`` meets its name with another owner or another user.

    ``moving`` are mounts that move along; with ``own`` the user of the RUN owns the cache there.
    """
    mount, user = place.mount, place.run.scope.user
    joined = _joined(mount)
    if own:
        joined |= {"uid": str(user.uid)} | ({} if user.gid is None else {"gid": str(user.gid)})
    along = [other.mount for other in moving]
    for run, other in place.dockerfile.caches:
        if other is mount or other in along or other.key is None or mount.key is None:
            continue
        if other.key.namespace != mount.key.namespace or other.key.name.key != (mount.id or path):
            continue
        if _joined(other) != joined or users_differ((place, Place(place.dockerfile, run, other))):
            return True
    return False


def _joined(mount: Mount) -> dict[str, str]:
    """Return what joins the key of a mount besides its name, as it is expanded."""
    names = ("from", "source", *(option.name for option in mount.owner_options))
    return {name: mount.options[name].value.text for name in names if name in mount.options}
