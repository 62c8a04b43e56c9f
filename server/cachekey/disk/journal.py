"""Copies of files that are being written in place, and what they are good for after a crash.

A file that cannot be replaced is half old and half new for a moment. Both texts are on disk before
that begins and until it is over, in a folder of the user's own.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cachekey.disk.lock import lock

_SUFFIX = ".copy"


@contextmanager
def kept(path: str, old: bytes, new: bytes) -> Iterator[None]:
    """Keep both texts of ``path`` on disk while the block runs; raises ``OSError`` if nowhere can be.

    The copy goes away unless the block fails and leaves the file half written.
    """
    descriptor, name = _create()
    whole = False
    try:
        lock(descriptor)
        write_all(descriptor, _written(path, old, new))
        os.fsync(descriptor)
        yield
        whole = True
    finally:
        os.close(descriptor)
        if whole or _content(path) in (None, old, new):
            _remove(name)


def restore() -> list[str]:
    """Give every file its old text back that a crash has left half written; return their paths."""
    restored: list[str] = []
    for folder in _folders():
        if not _ours(folder):
            continue
        for entry in sorted(os.listdir(folder)):
            if entry.endswith(_SUFFIX):
                restored += _restore_one(os.path.join(folder, entry))
    return restored


def _restore_one(name: str) -> list[str]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        with open(name, "r+b") as stream:
            if not lock(stream.fileno()):
                return []
            path, old, new = _read(stream.read())
        now = _content(path)
        if now is not None and now not in (old, new) and _half(now, old, new):
            # What somebody has written since is not touched.
            overwrite(path, old)
            _remove(name)
            return [path]
    _remove(name)
    return []


def overwrite(path: str, data: bytes) -> None:
    """Write a file's bytes in place and onto the disk."""
    with open(path, "r+b", buffering=0) as stream:
        write_all(stream.fileno(), data)
        stream.truncate(len(data))
        os.fsync(stream.fileno())


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data`` where the file stands."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _half(now: bytes, old: bytes, new: bytes) -> bool:
    """Tell whether every byte is the old or the new one in its place: an interrupted write."""
    if not min(len(old), len(new)) <= len(now) <= max(len(old), len(new)):
        return False
    return all(byte in (old[at : at + 1] + new[at : at + 1]) for at, byte in enumerate(now))


def _written(path: str, old: bytes, new: bytes) -> bytes:
    texts = {"old": base64.b64encode(old).decode(), "new": base64.b64encode(new).decode()}
    return json.dumps({"path": path, **texts}).encode()


def _read(data: bytes) -> tuple[str, bytes, bytes]:
    found = json.loads(data)
    return found["path"], base64.b64decode(found["old"]), base64.b64decode(found["new"])


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return None


def _remove(name: str) -> None:
    with suppress(OSError):
        os.unlink(name)


# -- where copies are -----------------------------------------------------------------------------


def _folders() -> Iterator[str]:
    """Yield the folders in which copies may be, the one that outlives a restart first."""
    home = os.path.expanduser("~")
    state = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_STATE_HOME")
    if state or os.path.isabs(home):
        yield os.path.join(state or os.path.join(home, ".local", "state"), "cachekey")
    user = os.geteuid() if hasattr(os, "geteuid") else "user"
    yield os.path.join(tempfile.gettempdir(), f"cachekey-{user}")


def _ours(folder: str) -> bool:
    """Tell whether a folder is there and nobody else can put anything into it."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _create() -> tuple[int, str]:
    problem = OSError("there is no place to keep a copy")
    for folder in _folders():
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            if _ours(folder):
                return tempfile.mkstemp(_SUFFIX, "", folder)
        except OSError as error:
            problem = error
    raise problem
