"""From which folder the relative paths of a build count, where the file that starts it does not say.

A script or a Bake file may be run from its own folder or from one above. The Dockerfile tells: a folder
counts in which the paths lead to one. Where several do, the nearest to the file is taken only when it
is the one in which the builder would find the file by itself.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence

from cachekey.devcontainer.paths import within
from cachekey.record import record

Read = Callable[[str], "str | None"]
"""Gives the text of a file of the workspace, or None."""

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|[\w-]+:[^/]|-\Z|\{\{", re.IGNORECASE)
_MOST_LOOKS = 400
"""Files that are looked for on behalf of one file."""


class Looker:
    """Reads other files for one file, and remembers which."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._texts: dict[str, str | None] = {}
        self._there: dict[str, bool] = {}

    def text(self, path: str) -> str | None:
        """Return the text of a file of the workspace; None without one, or when too many were read."""
        if path not in self._texts:
            if len(self._texts) >= _MOST_LOOKS:
                return None
            self._texts[path] = self._read(path)
        return self._texts[path]

    def is_there(self, path: str) -> bool:
        """Tell whether there is a file; what it says does not matter."""
        if path not in self._there:
            if len(self._there) >= _MOST_LOOKS:
                return False
            self._there[path] = self._read(path) is not None
        return self._there[path]

    @property
    def asked(self) -> tuple[str, ...]:
        """Return the files whose texts were read, or that are not there to be read."""
        return tuple(self._texts)

    @property
    def looked_for(self) -> tuple[str, ...]:
        """Return the files of which only matters whether they are there."""
        return tuple(self._there)

    @property
    def missed(self) -> tuple[str, ...]:
        """Return those of both that are not there: what is read rests on that."""
        unread = (path for path, text in self._texts.items() if text is None)
        return (*unread, *(path for path, there in self._there.items() if not there))


@record(frozen=True, slots=True)
class Place:
    """Where a build finds its files, in paths of the workspace."""

    folder: str | None
    dockerfile: str | None


def place(base: str | None, context: str | None, file: str | None, *, beside: bool) -> Place:
    """Resolve the context and the Dockerfile of a build that starts in the folder ``base``.

    ``file`` is relative to the context when ``beside`` (compose, Bake), else to ``base``; None is the
    builder's default name in the context.
    """
    if base is None or context is None or _REMOTE.match(context):
        return Place(None, None)
    folder = within(base, context or ".")
    if file is None:
        found = within(folder, "Dockerfile")
    else:
        found = within(folder if beside else base, file)
    return Place(folder, found)


def bases(path: str) -> Iterator[str]:
    """Yield the folders that a file may be run from: its own and those above."""
    folder = posixpath.dirname(path)
    while True:
        yield folder
        if not folder or folder.startswith(".."):
            return
        folder = posixpath.dirname(folder)


def settle(
    looker: Looker, candidates: Sequence[str], own: bool, resolve: Callable[[str], Place]
) -> Place:
    """Return the one place where there is a Dockerfile; the first of several only with ``own``."""
    found: list[Place] = []
    for base in candidates:
        tried = resolve(base)
        if tried.dockerfile is not None and looker.is_there(tried.dockerfile):
            if tried not in found:
                found.append(tried)
    if len(found) == 1 or (found and own):
        return found[0]
    return Place(None, None) if found or not own else resolve(candidates[0])
