"""Edits of whole caches: one id, one owner, for every mount that has the key."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import Scope, User
from cachekey.dockerfile.place import Place
from cachekey.dockerfile.purpose import is_guest, opens_up
from cachekey.edits.everywhere import everywhere, places_of
from cachekey.edits.mount import append_command, remove_options, set_option, set_options
from cachekey.finding import FileEdit, Reach, Wish
from cachekey.text import Edit, Span

if TYPE_CHECKING:
    from cachekey.workspace.project import Project
    from cachekey.workspace.summary import CacheMount

_SAYS_UID = re.compile(r"(?i)uid|user_?id")
_SAYS_GID = re.compile(r"(?i)gid|group_?id")
_AWKWARD = re.compile(r"""[/\s,"'\\`]""")


def wish_for(mount: Mount, path: str) -> Wish:
    """Wish for an id that names the project, and the whole directory where it has two of that name."""
    folder = mount.directory or mount.target.text
    name = posixpath.basename(folder).strip(".") or "build"
    if name == "cache":
        parent = posixpath.basename(posixpath.dirname(folder)).strip(".")
        name = f"{parent}-{name}" if parent else name
    longer = folder.strip("/.").replace("/", "-")
    identity = mount.key.identity if mount.key is not None else None
    plain, full = (_AWKWARD.sub("-", text) for text in (name, longer))
    return Wish(plain, full, posixpath.basename(folder), identity, path)


def reach_of(*mounts: Mount, folder: str | None = None) -> Reach:
    """Return what a fix changes that changes the caches of these mounts, in ``folder`` or everywhere."""
    keys = [mount.key.identity for mount in mounts if mount.key is not None]
    return Reach(tuple(dict.fromkeys(keys)), folder=folder)


def rename(project: Project, reach: Reach, name: str) -> Iterator[FileEdit]:
    """Yield the edits that give a cache an ``id`` in each mount that has its key.

    Whoever takes something out of the cache in a later RUN must still find it there.
    """
    return everywhere(project, reach, lambda place: [set_option(place.mount, "id", name)])


def shared_ownership(
    places: Sequence[Place], folder: str | None = None
) -> tuple[list[FileEdit], str] | None:
    """Return the edits that let root and one other user write one cache, and root's new command.

    The other user owns the directory of a new volume, and every RUN of root opens what it leaves
    there. ``folder`` is where the cache is to be mounted, if the same fix moves it. None when there
    are several other users, or when a command cannot be appended.
    """
    guests = [place for place in places if is_guest(place)]
    if len({place.run.scope.user.uid for place in guests}) != 1:
        return None
    user = guests[0].run.scope.user
    if user.uid is None and len({place.mount.uid for place in places}) > 1:
        # Whose number it is nobody knows: the owners that are written stay apart.
        return None
    edits: list[FileEdit] = []
    command = ""
    for place in places:
        edits += in_file(place.path, set_options(place.mount, **owner_of(user, place.run.scope)))
        if place.mount.readonly or is_guest(place) or opens_up(place.run, place.mount.directory):
            continue
        target = folder or place.mount.directory
        command = f"chmod -R 0777 {target}"
        edit = append_command(place.dockerfile, place.run, command) if target else None
        if edit is None:
            return None
        edits += in_file(place.path, [edit])
    return edits, command


def differ(one: CacheMount, two: CacheMount) -> bool:
    """Tell whether two mounts hold different things, as far as their tools and places tell."""
    a, b = one.use, two.use
    if a is not None and b is not None:
        return (a.tool, a.role, a.part) != (b.tool, b.role, b.part)
    folders = {posixpath.basename(mount.directory or mount.key.name) for mount in (one, two)}
    return len(folders) > 1


JOINS = ("from", "uid", "gid", "mode")
"""Options that join the key."""


def says_else(first: Mount, second: Mount, name: str) -> bool:
    """Tell whether two mounts give an option different values, as expanded."""
    a, b = first.value(name), second.value(name)
    return (a.text if a else None) != (b.text if b else None)


def align(model: Mount, changed: Mount) -> Iterator[Edit]:
    """Yield the edits that give a mount the owner and the base of another one."""
    names = _aligned(model, changed)
    extra = [name for name in names if name in changed.options and name not in model.options]
    yield from remove_options(changed, *extra)
    wanted = {
        name: model.options[name].value.text
        for name in names
        if name in model.options and says_else(model, changed, name)
    }
    yield from set_options(changed, **wanted)


def options_of(mount: Mount, changed: Mount) -> str:
    """Return what :func:`align` gives another mount, as it is expanded; empty without any."""
    return ",".join(
        f"{name}={mount.options[name].value.text}"
        for name in _aligned(mount, changed)
        if name in mount.options
    )


def _aligned(model: Mount, changed: Mount) -> tuple[str, ...]:
    """Name the options that are taken over; a directory of another base need not be in this one."""
    return ("from", "source", *JOINS[1:]) if says_else(model, changed, "from") else JOINS


def in_file(path: str, edits: Iterable[Edit]) -> list[FileEdit]:
    """Place edits in a file."""
    return [FileEdit(path, edit) for edit in edits]


def placed(path: str, write: Callable[[], Iterable[Edit | FileEdit]]) -> Iterator[FileEdit]:
    """Place what has no file yet in ``path``."""
    for edit in write():
        yield edit if isinstance(edit, FileEdit) else FileEdit(path, edit)


def owner_of(user: User, scope: Scope) -> dict[str, object]:
    """Return the mount options that make a new volume belong to ``user``; empty when unknown.

    A number that only an ARG tells may be another one in the next build: the variable is written.
    """
    if user.uid is None:
        return {}
    options: dict[str, object] = {"uid": _argument(user.uid, _SAYS_UID, scope)}
    if user.gid is not None:
        options["gid"] = _argument(user.gid, _SAYS_GID, scope)
        if options["gid"] == user.gid and user.gid == user.uid:
            # Without a group of its own the user's has the same number.
            options["gid"] = options["uid"]
    return options


def _argument(number: int, says: re.Pattern[str], scope: Scope) -> object:
    for name, variable in scope.variables.items():
        if variable.origin == "arg" and variable.value.text == str(number) and says.search(name):
            return f"${{{name}}}"
    return number


def merge_edits(edits: Iterable[FileEdit]) -> tuple[FileEdit, ...]:
    """Drop repeated edits and join insertions at one place, so that all can be applied together."""
    joined: dict[tuple[str, Span], str] = {}
    for item in dict.fromkeys(edits):
        place = (item.path, item.edit.span)
        joined[place] = joined.get(place, "") + item.edit.text
    return tuple(FileEdit(path, Edit(span, text)) for (path, span), text in joined.items())


def name_for(label: str, suffix: object) -> str:
    """Make an id out of a key and what tells its user: ``uv-cache-app``."""
    return f"{_AWKWARD.sub('-', label.strip('/.'))}-{suffix}"


def share(project: Project, reach: Reach, name: str, model: CacheMount) -> Iterator[FileEdit]:
    """Give every mount of the caches one id, and the owner of the mount whose cache it is to be.

    Whatever their RUNs call: what was one cache stays one.
    """
    own = Reach((model.key.identity,))
    first = next((place.mount for place in places_of(project, own)), None)
    if first is None:
        return

    def edits(place: Place) -> list[Edit]:
        return [set_option(place.mount, "id", name), *align(first, place.mount)]

    yield from merge_edits(everywhere(project, reach, edits))


def one_for_each(places: Sequence[Place], name: str) -> list[FileEdit] | None:
    """Return the edits that give each user a cache of their own; None where one of them may be root."""
    edits: list[FileEdit] = []
    for place in places:
        user = place.run.scope.user
        if user.is_root is None:
            return None
        edit = set_option(place.mount, "id", f"{name}-{user.name or user.uid}")
        edits.append(FileEdit(place.path, edit))
        if user.is_root is False:
            owner = owner_of(user, place.run.scope)
            edits += in_file(place.path, set_options(place.mount, **owner))
    return edits
