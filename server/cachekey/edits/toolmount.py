"""Edits that let a mount hold the directory of a tool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.coverage import Wanted, linked, surely_idle
from cachekey.dockerfile.idle import candidates, is_another_runs
from cachekey.dockerfile.lost import is_read_later
from cachekey.dockerfile.place import Place, same_cache
from cachekey.dockerfile.purpose import users_differ, writer
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.caches import owner_of
from cachekey.edits.mount import add_flags, is_mountable, is_plain, set_option, set_options
from cachekey.knowledge.records import Kind
from cachekey.record import remembered
from cachekey.text import Edit
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse, meant
from cachekey.workspace.index import Index

ToMount = tuple[str, UsedDirectory]
"""What to mount, and the tool's directory that lies there."""


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


def spread(dockerfile: Dockerfile, mount: Mount, paths: Sequence[str]) -> Edit:
    """Return the edit that repeats a mount for each further path."""
    flag, value = dockerfile.source.slice(mount.span), mount.options["target"].span
    start, end = value.start - mount.span.start, value.end - mount.span.start
    more = (f"{flag[:start]}{path}{flag[end:]}" for path in paths)
    return add_flags(dockerfile, mount.span.end, *more)


def retarget(run: Run, mount: Mount, path: str) -> list[Edit] | None:
    """Return the edits that move a mount to ``path`` and let its user own a new cache there.

    None when the RUN's user is not root and neither the file nor the mount tells its number: then the cache
    would only trade one defect for another.
    """
    user = writer(run)
    if not is_mountable(path):
        return None
    edits = [set_option(mount, "target", path)]
    if user is None or user.is_root is None or user.is_root or mount.is_open:
        return edits
    owner = owner_of(user, run.scope)
    if not owner:
        # Who has written a number knows whose it is.
        return edits if "uid" in mount.options and mount.uid != 0 else None
    if mount.uid != user.uid:
        edits += set_options(mount, **owner)
    return edits


def companions(dockerfile: Dockerfile, mount: Mount, path: str) -> list[Place]:
    """Return the other mounts of the same cache that are as idle, and whose tool keeps it in ``path``.

    So are those of RUNs in which that tool does not run at all.
    """
    places = same_cache(dockerfile, mount) if mount.key is not None else ()
    return [
        place
        for place in places
        if place.mount is not mount
        and (surely_idle(place.run, place.mount) or _only_meant(place.run, place.mount))
        and (
            path in [item.path for item in candidates(place.run, place.mount)][:1]
            or is_another_runs(dockerfile, place.run, place.mount)
        )
    ]


def _only_meant(run: Run, mount: Mount) -> bool:
    """Tell whether nothing but its name speaks for a mount: what its tool starts is unknown (`uv run x`)."""
    folder = mount.directory
    if folder is None or not run.commands.complete or run.effects.mentions(folder):
        return False
    return not linked(run, folder) and any(True for _ in meant(folder, run.uses))


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


def moved_along(
    document: Dockerfile,
    mount: Mount,
    target: str,
    more: Sequence[str],
    along: Sequence[Place],
) -> Iterator[Edit]:
    """Yield the edits that repeat the mount for ``more`` places, and those of other mounts.

    Other mounts of the same cache that are as idle move ``along``: they stay one cache.
    """
    if more:
        yield spread(document, mount, more)
    for place in along:
        yield from retarget(place.run, place.mount, target) or ()


def may_move(
    document: Dockerfile, run: Run, mount: Mount, item: Wanted, along: Sequence[Place]
) -> bool:
    """Tell whether moving the mounts trades nothing: a later step must not read what is a layer's now.

    Build output needs an id that names the project, or others would share it.
    """
    if item.directory.cache.kind is not Kind.DOWNLOAD and not mount.id:
        return False
    moving = sorted([run, *(place.run for place in along)], key=lambda one: one.span.start)
    # Of each stage, what stands behind the first.
    first = {document.stage_of(one).index: one for one in reversed(moving)}
    return not any(is_read_later(document, one, item.path, moving) for one in first.values())


def leaves_others(index: Index, path: str, mount: Mount, along: Sequence[Place]) -> bool:
    """Tell whether a mount that moves gets another key than mounts which stay, in any file."""
    if mount.id or mount.key is None:
        return False
    moving = {mount.span.fixed, *(place.mount.span.fixed for place in along)}
    return any(
        other.path != path or other.span not in moving
        for other in index.sharing(mount.key.identity)
    )


def _joined(mount: Mount) -> dict[str, str]:
    """Return what joins the key of a mount besides its name, as it is expanded."""
    names = ("from", "source", *(option.name for option in mount.owner_options))
    return {name: mount.options[name].value.text for name in names if name in mount.options}


def owner_here(run: Run) -> dict[str, object] | None:
    """Return the options that give a new cache to the RUN's user; None when it is not known."""
    user = writer(run)
    if user is None or user.is_root is None:
        return None
    return {} if user.is_root else owner_of(user, run.scope) or None


@remembered
def _named(document: Dockerfile) -> dict[str, list[tuple[Run, Mount]]]:
    """Return the mounts that name the cache of a place, by the place: a new one is the same cache."""
    found: dict[str, list[tuple[Run, Mount]]] = {}
    for run, mount in document.caches:
        if mount.directory and mount.value("id") is not None:
            found.setdefault(mount.directory, []).append((run, mount))
    return found


def _owns(run: Run) -> dict[str, str]:
    """Return what joins the key of a mount that is written for the RUN's user, as it is expanded."""
    user = writer(run)
    if user is None or user.is_root is not False:
        return {}
    numbers = {"uid": user.uid, "gid": user.gid}
    return {name: str(number) for name, number in numbers.items() if number is not None}


def _name_here(path: str, run: Run, document: Dockerfile) -> tuple[str, Mount] | None:
    """Return the id of the cache that the file has for a place, as it is written in this RUN, and its mount.

    Variables in it must mean the same here: those of this stage that nothing has set anew. What else joins
    the key must be what a mount for the RUN's user has.
    """
    for other, mount in _named(document).get(path, ()):
        ident = mount.value("id")
        if ident is None or _joined(mount) != _owns(run):
            continue
        if not ident.used:
            if is_plain(mount.id):
                return mount.id, mount
            continue
        written = document.source.slice(mount.options["id"].span)
        mine, theirs = run.scope.variables, other.scope.variables
        same = all(name in mine and mine[name] == theirs.get(name) for name in ident.used)
        if run.stage == other.stage and same and is_plain(written):
            return written, mount
    return None


def flags_for(run: Run, places: Sequence[ToMount], document: Dockerfile) -> list[str]:
    """Write the mounts that hold directories of a tool, in the caches that the file has for these places."""
    flags = []
    for path, item in places:
        name, named = _name_here(path, run, document) or ("", None)
        options = ["type=cache", *([f"id={name}"] if named else []), f"target={path}"]
        if named and "sharing" in named.options:
            options.append(f"sharing={named.sharing}")
        elif item.cache.sharing == "locked":
            options.append("sharing=locked")
        options += [f"{name}={value}" for name, value in (owner_here(run) or {}).items()]
        flags.append(f"--mount={','.join(options)}")
    return flags
