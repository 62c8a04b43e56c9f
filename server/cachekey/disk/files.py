"""Reading files, as exactly as they are written; :mod:`cachekey.disk.writing` writes them.

Paths are absolute and ``/``-separated on every system, with a lower-case drive letter on Windows.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from dataclasses import dataclass

from cachekey.text import Span

LARGEST = 20_000_000
"""Bytes; a larger file is no Dockerfile, and is not read."""

_DRIVE = re.compile(r"[A-Za-z]:")


def absolute(path: str) -> str:
    """Return the absolute, normalised spelling of a path that is used everywhere."""
    path = os.path.abspath(path)
    if os.sep == "\\":
        path = path.replace("\\", "/")
    if _DRIVE.match(path):
        path = path[0].lower() + path[1:]
    return path


def inside(path: str, root: str) -> bool:
    """Tell whether ``path``, links resolved, lies at or below ``root``."""
    real, top = absolute(os.path.realpath(path)), absolute(os.path.realpath(root))
    return real == top or real.startswith(top.rstrip("/") + "/")


def is_folder(path: str) -> bool:
    """Tell whether ``path`` is a folder, or a link to one."""
    return os.path.isdir(path)


START = Span(0, 0)


@dataclass(frozen=True)
class Problem:
    """Something about a file that a human should know; becomes a CK002 finding."""

    message: str
    span: Span = START


@dataclass(frozen=True)
class File:
    """What was read; ``text`` is ``None`` when there is nothing to check in it.

    Bytes that are no UTF-8 stand in ``text`` as lone surrogates, so that writing gives them back.
    """

    path: str
    text: str | None
    encoding: str = "utf-8"
    problems: tuple[Problem, ...] = ()
    failed: bool = False
    """The system refused to read it: an I/O error, not a matter of its contents."""

    @property
    def data(self) -> bytes:
        """Return the bytes of the file."""
        return encode(self.text or "", self.encoding)


def decode(path: str, data: bytes) -> File:
    """Turn a file's bytes into text: UTF-8, or UTF-16 with a byte order mark.

    The byte order mark stays in the text as U+FEFF.
    """
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            text = data.decode(encoding, "replace")
            if encode(text, encoding) != data:
                return File(path, None, problems=(Problem("the file is not valid UTF-16"),))
            return _texts(File(path, text, encoding))
    try:
        return _texts(File(path, data.decode("utf-8")))
    except UnicodeDecodeError as error:
        text = data.decode("utf-8", "surrogateescape")
        at = len(data[: error.start].decode("utf-8"))
        message = f"the file is not UTF-8: byte 0x{data[error.start]:02X}"
        return _texts(File(path, text, problems=(Problem(message, Span(at, at + 1)),)))


def _texts(file: File) -> File:
    if file.text is None or "\0" not in file.text:
        return file
    at = file.text.index("\0")
    return File(file.path, None, problems=(Problem(f"the file is binary: NUL at offset {at}"),))


def encode(text: str, encoding: str = "utf-8") -> bytes:
    """Turn text back into the bytes that :func:`decode` took."""
    errors = "surrogateescape" if encoding == "utf-8" else "surrogatepass"
    return text.encode(encoding, errors)


def read(path: str, root: str | None = None) -> File:
    """Read a file; with ``root``, only if it lies inside, links resolved.

    Devices and named pipes are never opened for long: reading them could wait for ever.
    """
    try:
        if root is not None and not inside(path, root):
            return _unread(path, f"it lies outside of {root}")
        data = content(path)
    except OSError as error:
        return _unread(path, reason(error), failed=True)
    except ValueError as error:
        return _unread(path, str(error))
    return decode(path, data)


def content(path: str) -> bytes:
    """Return a file's bytes; raises ``OSError``, and ``ValueError`` for what is not worth reading."""
    # O_NONBLOCK: a FIFO that takes the file's place between two calls must not hang the reader.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    before = os.stat(path)
    if stat.S_ISDIR(before.st_mode):
        raise ValueError("it is a folder")
    if not stat.S_ISREG(before.st_mode):
        raise ValueError("it is not a regular file")
    descriptor = os.open(path, flags | getattr(os, "O_NOCTTY", 0))
    with open(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a regular file")
        if status.st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 1_000_000} MB")
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // 1_000_000} MB")
    return data


def _unread(path: str, why: str, *, failed: bool = False) -> File:
    return File(path, None, problems=(Problem(f"the file cannot be read: {why}"),), failed=failed)


def reason(error: OSError) -> str:
    """Return what the system says about an error, without number and path."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
