"""Edits of whole caches: one id, one owner, for every mount that has the key."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import User
from cachekey.dockerfile.place import Place, same_cache
from cachekey.dockerfile.purpose import is_guest, opens_up
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits.mount import append_command, set_option, set_options
from cachekey.finding import FileEdit, Wish
from cachekey.text import Edit, Span

_AWKWARD = re.compile(r"""[/\s,"'\\`]""")


def wish_for(mount: Mount) -> Wish:
    """Wish for an id that names the project, and the whole directory where it has two of that name."""
    folder = mount.directory or mount.target.text
    name = posixpath.basename(folder).strip(".") or "build"
    if name == "cache":
        parent = posixpath.basename(posixpath.dirname(folder)).strip(".")
        name = f"{parent}-{name}" if parent else name
    longer = folder.strip("/.").replace("/", "-")
    identity = mount.key.identity if mount.key is not None else None
    plain, full = (_AWKWARD.sub("-", text) for text in (name, longer))
    return Wish(plain, full, posixpath.basename(folder), identity)


def rename(dockerfile: Dockerfile, mount: Mount, name: str) -> list[FileEdit]:
    """Return the edits that give a cache an ``id`` in each mount of the document that has its key.

    Whoever takes something out of the cache in a later RUN must still find it there.
    """
    return [
        FileEdit(place.path, set_option(place.mount, "id", name))
        for place in same_cache(dockerfile, mount)
    ]


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
    if not owner_of(user) and len({place.mount.uid for place in places}) > 1:
        # Whose number it is nobody knows: the owners that are written stay apart.
        return None
    edits: list[FileEdit] = []
    command = ""
    for place in places:
        edits += in_file(place.path, set_options(place.mount, **owner_of(user)))
        if is_guest(place) or opens_up(place.run, place.mount.directory):
            continue
        target = folder or place.mount.directory
        command = f"chmod -R 0777 {target}"
        edit = append_command(place.dockerfile, place.run, command) if target else None
        if edit is None:
            return None
        edits += in_file(place.path, [edit])
    return edits, command


def in_file(path: str, edits: Iterable[Edit]) -> list[FileEdit]:
    """Place edits in a file."""
    return [FileEdit(path, edit) for edit in edits]


def placed(path: str, write: Callable[[], Iterable[Edit | FileEdit]]) -> Iterator[FileEdit]:
    """Place what has no file yet in ``path``."""
    for edit in write():
        yield edit if isinstance(edit, FileEdit) else FileEdit(path, edit)


def owner_of(user: User) -> dict[str, object]:
    """Return the mount options that make a new volume belong to ``user``; empty when unknown."""
    if user.uid is None:
        return {}
    options: dict[str, object] = {"uid": user.uid}
    return options | ({"gid": user.gid} if user.gid is not None else {})


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
