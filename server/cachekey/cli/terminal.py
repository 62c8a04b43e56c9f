"""The standard streams: UTF-8 whatever the locale, colour and progress where they belong."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TextIO

from cachekey.markup.terminal import Output, output, terminal, together

PATIENCE = 0.7
"""Seconds after which a scan shows how far it is."""

_PIECE = 1 << 16
"""Characters that are written at a time."""
_BAR = 24
_REFRESH = 0.1


class UsageError(Exception):
    """The command line is wrong; the text is one line for the user."""


def write(stream: TextIO, text: Output) -> None:
    """Write text as UTF-8, even when the locale knows ASCII only."""
    write_bytes(stream, text.encode("utf-8", "backslashreplace"))


def write_all(stream: TextIO, parts: Iterable[Output]) -> None:
    """Write a long text piece by piece, never holding all of it."""
    waiting: list[Output] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size > _PIECE:
            write(stream, together(*waiting))
            waiting.clear()
            size = 0
    write(stream, together(*waiting))


def write_bytes(stream: TextIO, data: bytes) -> None:
    """Write bytes as they are."""
    stream.flush()
    stream.buffer.write(data)
    stream.buffer.flush()


class Sink:
    """Where a report goes: a stream as it comes, or a file that is there whole or not at all."""

    def __init__(self, stream: TextIO, path: str | None = None) -> None:
        self.stream = stream
        self._path = path
        self._parts: list[Output] = []

    def put(self, text: Output) -> None:
        """Take one part."""
        self.put_all([text])

    def put_all(self, parts: Iterable[Output]) -> None:
        """Take parts one after the other."""
        if self._path is None:
            write_all(self.stream, parts)
        else:
            self._parts += parts

    def close(self) -> str | None:
        """Put the file in its place; return why that was not done, if it was not."""
        if self._path is None:
            return None
        from cachekey.disk.writing import put

        data = together(*self._parts).encode("utf-8", "backslashreplace")
        return put(self._path, data)


def complain(message: str) -> None:
    """Write one line to stderr; nothing happens when nobody listens there."""
    line = terminal(f"cachekey: {' '.join(message.split())}")
    with suppress(OSError, ValueError, AttributeError):
        write(sys.stderr, output([line]))


def wants_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Tell whether to colour what goes to ``stream``: see no-color.org and force-color.org."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR", "0") not in {"", "0"}:
        return True
    if not stream.isatty() or environment.get("TERM") == "dumb":
        return False
    return _escapes(stream)


def _escapes(stream: TextIO) -> bool:
    """Tell whether a terminal understands ANSI escapes."""
    return os.name != "nt" or _teach_console(_STDERR if stream is sys.stderr else _STDOUT)


_STDOUT, _STDERR = -11, -12
"""STD_OUTPUT_HANDLE and STD_ERROR_HANDLE of the Console API."""


def _teach_console(number: int) -> bool:
    """Make a console of Windows understand ANSI escapes; tell whether it does."""
    import ctypes

    # ENABLE_VIRTUAL_TERMINAL_PROCESSING is 4.
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 -- only Windows has the name
    handle, mode = kernel.GetStdHandle(number), ctypes.c_uint32()
    if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
        return False
    return bool(kernel.SetConsoleMode(handle, mode.value | 4))


class Progress:
    """A bar on stderr, drawn only when the work takes long and a terminal is there to see it."""

    def __init__(self, stream: TextIO | None = None, patience: float = PATIENCE) -> None:
        self._stream = stream or sys.stderr
        self._next = time.monotonic() + patience
        self._drawn = False
        try:
            self._live = bool(self._stream.isatty()) and _escapes(self._stream)
        except (AttributeError, ValueError):
            self._live = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """Note that ``done`` of ``total`` steps are done."""
        if not self._live or total <= 0:
            return
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _REFRESH
        full = min(_BAR, _BAR * done // total)
        bar = "#" * full + "." * (_BAR - full)
        self._draw(f"\r\x1b[K{what} [{bar}] {done}/{total}")

    def clear(self) -> None:
        """Take the bar away."""
        if self._drawn:
            self._draw("\r\x1b[K")
            self._drawn = False

    def _draw(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
            self._drawn = True
        except (OSError, ValueError):
            self._live = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()
