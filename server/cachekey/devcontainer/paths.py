"""Paths inside the workspace, and the folder that a devcontainer.json opens."""

from __future__ import annotations

import posixpath


def within(folder: str | None, written: str | None) -> str | None:
    """Resolve a relative path from a folder; ``None`` when it is absolute or leads out.

    Documents may lie beside the working directory, so that a folder itself may begin with ``..``.
    """
    if folder is None or not written or written.startswith(("/", "~", "\\")) or ":" in written:
        return None
    path = posixpath.normpath(posixpath.join(folder, written))
    if _climbs(path) > _climbs(posixpath.normpath(folder)):
        return None
    return "" if path == "." else path


def workspace_root(path: str) -> str:
    """Return the folder that a devcontainer.json opens."""
    folder = posixpath.dirname(path)
    for name in (posixpath.basename(folder), posixpath.basename(posixpath.dirname(folder))):
        if name == ".devcontainer":
            return folder[: folder.rindex(".devcontainer")].rstrip("/")
    return folder


def covers(outer: str, path: str) -> bool:
    """Tell whether a cleaned path is ``outer`` or lies below it."""
    return path == outer or path.startswith(outer.rstrip("/") + "/")


def _climbs(path: str) -> int:
    """Count the ``..`` in front of a cleaned relative path."""
    return sum(1 for part in path.split("/") if part == "..")
