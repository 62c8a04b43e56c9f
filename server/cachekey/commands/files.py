"""The files of the build context that a RUN is followed into: scripts, and what names scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from cachekey.commands.familiar import is_familiar, names_other_language, wraps_tool
from cachekey.text import Mapped

_LONGEST = 100_000
"""Characters of a file that is read."""
_MOST = 12
"""Files that one RUN is followed into."""

Scripts = Callable[[str, Mapped], "Mapped | None"]
"""Gives the text of a file of the image by its absolute path, where the build context tells it; the
other is the word that calls it."""


class Followed:
    """Opens the files that one RUN calls: only so many, none within itself, nothing but text."""

    def __init__(
        self, scripts: Scripts | None, ships: Callable[[str], str | None] | None = None
    ) -> None:
        self._scripts, self._ships = scripts, ships
        self._open: list[str] = []
        self.started: str | None = None
        """The script that is being read and was started, not sourced: its ``$0``."""
        self._read = 0

    def first(self, paths: Iterable[str], caller: Mapped) -> tuple[str, Mapped] | None:
        """Return path and text of the first of these files that there is, if it can be read."""
        for path in paths if self._scripts is not None else ():
            if path in self._open or self._read >= _MOST or wraps_tool(path):
                return None
            text = self._scripts(path, caller) if self._scripts is not None else None
            if text is None:
                continue
            if len(text) > _LONGEST or "\0" in text.text or names_other_language(text.text):
                return None
            self._read += 1
            return path, text
        return None

    def has(self, paths: Iterable[str], caller: Mapped) -> bool:
        """Tell whether the build context tells of one of these files."""
        scripts = self._scripts
        return scripts is not None and any(scripts(path, caller) is not None for path in paths)

    def shipped(self, name: str) -> str | None:
        """Return where the script of a bare name lies that is none of a common program."""
        return None if self._ships is None or is_familiar(name) else self._ships(name)

    def is_open(self, name: str) -> bool:
        """Tell whether a file, or a script of one, is being read."""
        return name in self._open

    @contextmanager
    def inside(self, name: str, started: bool = False) -> Iterator[None]:
        """Remember that a file is being read."""
        before = self.started
        self.started = name if started else before
        self._open.append(name)
        yield
        self._open.pop()
        self.started = before
