"""What a cache mount is for, and who may write to it: the questions that several rules ask."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from cachekey.finding import FileEdit
from cachekey.knowledge.records import CacheDir, Kind, Tool
from cachekey.model.dockerfile import Dockerfile, Run
from cachekey.model.mounts import Mount
from cachekey.model.project import Place, Project
from cachekey.model.scope import User
from cachekey.model.tooluses import ToolUse, meant
from cachekey.mountedit import append_command, set_option, set_options
from cachekey.record import record
from cachekey.text import Edit, Span

_ASKS_FOR_ROOT = re.compile(r"\b(?:sudo|doas|gosu|su-exec|setpriv|runuser|su)\b")
_AWKWARD = re.compile(r"""[/\s,"'\\`]""")
_OPENS = re.compile(r"\b(?:chmod|chown|chgrp|setfacl|umask)\b")


@record(frozen=True)
class Purpose:
    """A directory of a tool that one mount holds."""

    use: ToolUse
    cache: CacheDir

    @property
    def tool(self) -> Tool:
        """Return the tool."""
        return self.use.tool

    @property
    def key(self) -> tuple[str, str]:
        """Return by what two mounts hold the same thing."""
        return (self.use.tool.id, self.cache.role)

    @property
    def is_download(self) -> bool:
        """Tell whether it is a download cache, which projects may share."""
        return self.cache.kind is Kind.DOWNLOAD


@lru_cache(maxsize=1024)
def purpose_of(run: Run, mount: Mount) -> Purpose | None:
    """Tell which tool's directory a mount is meant to hold; None when no command of the RUN tells.

    A mount counts when the tool surely uses it, or when its target looks like the tool's directory
    below whatever home.
    """
    target = mount.directory
    if target is None:
        return None
    for use in run.uses:
        for directory in use.directories:
            if directory.path is not None and directory.relation(target) in ("exact", "part"):
                return Purpose(use, directory.cache)
    for use, directory in meant(target, run.uses):
        return Purpose(use, directory.cache)
    return None


def same_cache(project: Project, path: str, mount: Mount) -> list[Place]:
    """Return the mounts of one document that have the key of ``mount``, in file order."""
    assert mount.key is not None
    return [place for place in project.sharing(mount.key) if place.path == path]


def project_id(project: Project, mount: Mount) -> str:
    """Return an id that names the project, and the whole directory where it has two of that name."""
    folder = mount.directory or mount.target.text
    name = posixpath.basename(folder).strip(".") or "build"
    if name == "cache":
        parent = posixpath.basename(posixpath.dirname(folder)).strip(".")
        name = f"{parent}-{name}" if parent else name
    for document in project.documents.values():
        for _, other in document.caches if isinstance(document, Dockerfile) else ():
            if other.key is None or mount.key is None or other.key.identity == mount.key.identity:
                continue
            if posixpath.basename(other.directory or "") == posixpath.basename(folder):
                name = folder.strip("/.").replace("/", "-")
    return f"{project.name}-{_AWKWARD.sub('-', name)}"


def rename(project: Project, path: str, mount: Mount, name: str) -> list[FileEdit]:
    """Return the edits that give a cache an ``id`` in each mount of the document that has its key.

    Whoever takes something out of the cache in a later RUN must still find it there.
    """
    return [
        FileEdit(place.path, set_option(place.mount, "id", name))
        for place in same_cache(project, path, mount)
    ]


def script_text(run: Run) -> str:
    """Return everything a RUN says to its shell."""
    return run.text


def writer(run: Run) -> User | None:
    """Return the user as whom a RUN writes; None when a command may change it."""
    return None if _ASKS_FOR_ROOT.search(script_text(run)) else run.scope.user


def opens_up(run: Run, directory: str | None) -> bool:
    """Tell whether a RUN changes owner or mode of what it leaves in ``directory``.

    Any chmod or chown whose words cannot be read counts.
    """
    if not _OPENS.search(script_text(run)):
        return False
    for item in run.commands.items:
        if item.program == "umask":
            return True
        if item.program in ("chmod", "chown", "chgrp", "setfacl"):
            for word in item.args:
                value = item.resolve(word, globs=True)
                if value is None or directory is None or _near(directory, value):
                    return True
    return not run.commands.complete


def _near(directory: str, path: str) -> bool:
    path = path.rstrip("/*") or "/"
    return directory == path or directory.startswith(f"{path}/") or path.startswith(f"{directory}/")


def users_differ(places: Iterable[Place]) -> bool:
    """Tell whether root and another user, or two users, write what these mounts hold."""
    users = [writer(place.run) for place in places if not place.mount.readonly]
    known = {(user.uid if user.uid is not None else user.name) for user in users if user}
    return len(known - {None}) > 1


def is_guest(place: Place) -> bool:
    """Tell whether the RUN surely runs as somebody else than root."""
    user = writer(place.run)
    return user is not None and user.is_root is False


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
    edits: list[FileEdit] = []
    command = ""
    for place in places:
        edits += in_file(place.dockerfile, set_options(place.mount, **owner_of(user)))
        if is_guest(place) or opens_up(place.run, place.mount.directory):
            continue
        target = folder or place.mount.directory
        command = f"chmod -R 0777 {target}"
        edit = append_command(place.dockerfile, place.run, command) if target else None
        if edit is None:
            return None
        edits += in_file(place.dockerfile, [edit])
    return edits, command


def in_file(dockerfile: Dockerfile, edits: Iterable[Edit]) -> list[FileEdit]:
    """Place edits in a Dockerfile."""
    return [FileEdit(dockerfile.path, edit) for edit in edits]


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
