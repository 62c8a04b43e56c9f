"""Folders of a home that the engine makes for root, because a mount lies below them.

Where the folders that lead to a mount are missing in the image, the runtime makes them: root's, mode
0755, whoever owns what is mounted. The user may then write to the mount and to nothing beside it
(opencontainers/runc ``libcontainer/rootfs_linux.go``, which makes every mount point as root).
"""

from __future__ import annotations

import posixpath

from cachekey.commands.effects import effects_of
from cachekey.commands.invocation import Invocation
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.imageowner import owner_in_image
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.ownership import stays_roots
from cachekey.devcontainer.paths import covers
from cachekey.record import remembered

_SHARED = frozenset((".cache", ".config", ".local", ".local/share", ".local/state"))
"""Folders of a home in which any program may keep something."""


def made_for_root(mount: RuntimeMount, container: Container) -> tuple[str, ...]:
    """Return the folders of the user's home that are root's because this mount lies below, the topmost first.

    Nothing in the image makes them, and nothing that was read gives the topmost away. A command that
    owns the mount alone leaves them as they are.
    """
    place, home = container.place(mount), container.home
    if place is None or home is None or container.user is None or container.user.root:
        return ()
    if not covers(home, place) or mount.opaque or container.document.feature:
        return ()
    if mount.type == "cache":
        # With it no container starts; what mends that makes another mount of it.
        return ()
    folder = home
    for name in place[len(home) :].strip("/").split("/")[:-1]:
        folder = posixpath.join(folder, name)
        owner = owner_in_image(folder, container)
        if owner == "missing":
            return _down(folder, place) if _stays(folder, mount, container) else ()
        if owner != "user":
            return ()
    return ()


def _down(folder: str, place: str) -> tuple[str, ...]:
    """Return the folders from one to the one around a place."""
    found = [folder]
    for name in place[len(folder) :].strip("/").split("/")[:-1]:
        found.append(posixpath.join(found[-1], name))
    return tuple(found)


def _stays(folder: str, mount: RuntimeMount, container: Container) -> bool:
    mounted = (container.place(other) for other in container.mounts)
    if any(path is not None and covers(path, folder) for path in mounted):
        # It is made in what is mounted there, as whoever that belongs to.
        return False
    below = folder[len(container.home or "") :].strip("/")
    if below in _SHARED and _others_write(container):
        return False
    return stays_roots(folder, container, mount)


@remembered
def _others_write(container: Container) -> bool:
    """Tell whether something of the image's making may have put a file of its own into a shared folder.

    A feature of which that is not known, or a program that the Dockerfile runs as the user.
    """
    for use in container.features:
        known = use.known
        if known is None or not known.leaves_homes or any(use.said(name) for name in known.unless):
            return True
    return any(
        _as_user(item, step.run.scope.user.is_root) and _keeps_things(item, container)
        for step in container.steps
        if step.run is not None
        for item in step.run.commands.items
    )


def _as_user(item: Invocation, root: bool | None) -> bool:
    return root is not True if item.user is None else item.user not in ("root", "0")


def _keeps_things(item: Invocation, container: Container) -> bool:
    """Tell whether a program is one of which nobody knows what it keeps at home.

    What the data knows of a tool has been looked at with the folder's owner.
    """
    known = any(True for _ in container.knowledge.commands_for(item.program or ""))
    return effects_of(item) is None and not known and not item.shown
