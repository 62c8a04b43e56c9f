"""What a cache mount is for, and who may write to it: the questions that several rules ask."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import User
from cachekey.dockerfile.place import Place
from cachekey.dockerfile.records import Run
from cachekey.knowledge.records import CacheDir, Kind, Tool
from cachekey.record import record, remembered
from cachekey.tools.uses import ToolUse, meant

_ASKS_FOR_ROOT = re.compile(r"\b(?:sudo|doas|gosu|su-exec|setpriv|runuser|su)\b")
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


@remembered
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
