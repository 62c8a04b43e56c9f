"""What is known about base images, as frozen records; their meaning is the data's schema."""

from __future__ import annotations

from collections.abc import Mapping

from cachekey.knowledge.records import Confidence
from cachekey.record import record


@record(frozen=True)
class User:
    """A user that an image has in its passwd file; None is what the record does not know."""

    name: str
    uid: int | None
    gid: int | None
    home: str | None


@record(frozen=True)
class Ships:
    """A directory that the image fills, so that a mount on it hides something."""

    path: str
    what: str


@record(frozen=True, eq=False)
class Image:
    """A base image: what its variants have in common, or one variant."""

    id: str
    name: str
    source: str
    date: str
    confidence: Confidence
    match: tuple[str, ...]
    """Globs on the full repository (``docker.io/library/python``)."""
    user: str | None
    """The default ``USER`` (name or number); None: not known."""
    home: str | None
    """Home directory of the default user; None: not known."""
    family: str | None
    """debian, ubuntu, alpine, rhel, fedora, suse, arch, wolfi, amazon, busybox, windows."""
    users: tuple[User, ...]
    env: Mapping[str, str | None]
    """Variables that matter to caches; None: set, or perhaps set, to something unknown."""
    facts: Mapping[str, str]
    ships: tuple[Ships, ...]
    own: tuple[str, ...]
    """Directories that are there and that its remote user, or everybody, may write to."""
    lacks: tuple[str, ...]
    """Directories that are surely not there, though one around them is."""
    holds: tuple[str, ...]
    """Directories in which all lies that the image has; () where that is not known."""
    tools: tuple[str, ...]
    """Ids of the tools that people install with in it, the likeliest first: an order, no evidence."""
    workdir: str | None
    note: str

    def user_named(self, name: str) -> User | None:
        """Find a user by name or by number as ``USER`` takes it."""
        if name in {"root", "0"}:
            root = next((user for user in self.users if user.name == "root"), None)
            return root or User("root", 0, 0, "/root")
        for user in self.users:
            if user.name == name or (name.isdigit() and user.uid == int(name)):
                return user
        return None
