"""Writing files: the old text or the new one, never half of it, and never over somebody's newer text."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from cachekey.disk import journal
from cachekey.disk.exchange import exchange
from cachekey.disk.files import content, reason
from cachekey.disk.lock import LOCKS, lock

_CHANGED = "it has changed since it was read"
_PREFIX, _SUFFIX = ".cachekey-", ".tmp"
_IN_PLACE_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV}
"""What is said of a folder that takes no new file, and of a file that is mounted by itself."""
_MOMENT = 0.003
"""Seconds between the two looks at what was taken away."""


def write(path: str, old: bytes, new: bytes) -> str | None:
    """Replace a file whose bytes are still ``old``; return why it was not done, if it was not.

    The new text appears at once and whole; mode and owner stay, and a link keeps pointing at it. A
    file that has several names, or whose folder takes no new files, is written in place, with a copy
    elsewhere until it is done.
    """
    target = os.path.realpath(path)
    try:
        status = os.stat(target)
        if content(target) != old:
            return _CHANGED
        if not os.access(target, os.W_OK):
            return reason(PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        if status.st_nlink == 1 and _can_be_given(status):
            with suppress(_InPlaceError):
                return _replace(target, old, new, status)
        return _overwrite(target, old, new)
    except OSError as error:
        return reason(error)
    except ValueError as error:
        return str(error)


def put(path: str, data: bytes) -> str | None:
    """Give a file this content, whatever it held; return why it was not done, if it was not.

    The file is there whole or as it was. What is no regular file (a pipe, a terminal) is written to.
    """
    target = os.path.realpath(path)
    try:
        if os.path.exists(target):
            if os.path.isfile(target):
                return write(target, content(target), data)
            with open(target, "wb") as stream:
                stream.write(data)
            return None
        descriptor, name = tempfile.mkstemp(_SUFFIX, _PREFIX, os.path.dirname(target))
        try:
            # As any new file: mkstemp gives it to nobody else.
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
            with open(descriptor, "wb") as stream:
                stream.write(data)
            os.replace(name, target)
        except BaseException:
            _remove(name)
            raise
    except OSError as error:
        return reason(error)
    return None


def tidy(folders: Iterable[str]) -> None:
    """Take away what runs that were killed have left in folders; what a living one has in hand stays."""
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX):
                    _take_away(entry)


def _take_away(entry: os.DirEntry[str]) -> None:
    with suppress(OSError):
        if not entry.is_file(follow_symlinks=False):
            return
        descriptor = os.open(entry.path, os.O_RDONLY)
        try:
            free = lock(descriptor)
        finally:
            os.close(descriptor)
        if free:
            os.unlink(entry.path)


# -- a new file in the old one's place ------------------------------------------------------------


class _InPlaceError(Exception):
    """A file that cannot be replaced, only written to."""


def _can_be_given(status: os.stat_result) -> bool:
    """Tell whether a new file can have the old one's owner."""
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        return True
    groups = {os.getegid(), *os.getgroups()}
    return status.st_uid == os.geteuid() and status.st_gid in groups


def _replace(target: str, old: bytes, new: bytes, status: os.stat_result) -> str | None:
    folder = os.path.dirname(target)
    with ExitStack() as stack:
        with _speaking_of_the_place():
            descriptor, name = tempfile.mkstemp(_SUFFIX, _PREFIX, folder)
            stack.callback(_remove, name)
            in_hand = stack.enter_context(ExitStack())
            in_hand.callback(os.close, descriptor)
            if LOCKS:
                # Nobody tidies up what is in hand: the new file, and the one that makes way for it.
                held = os.open(target, os.O_RDONLY)
                in_hand.callback(os.close, held)
                lock(descriptor)
                lock(held)
            _dress(name, target, status)
        journal.write_all(descriptor, new)
        os.fsync(descriptor)
        if not LOCKS:
            in_hand.close()
        if content(target) != old:
            return _CHANGED
        with _speaking_of_the_place():
            done = _swap(name, target, old, new)
    _sync(folder)
    return None if done else _CHANGED


def _remove(name: str) -> None:
    with suppress(OSError):
        os.unlink(name)


@contextmanager
def _speaking_of_the_place() -> Iterator[None]:
    """Turn errors that speak of the place, and not of the file, into :class:`_InPlaceError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _IN_PLACE_ONLY:
            raise _InPlaceError from error
        raise


def _swap(name: str, target: str, old: bytes, new: bytes) -> bool:
    """Put the file ``name`` in the place of ``target``; false when that held somebody's newer text.

    That text is in its place again then.
    """
    if not exchange(name, target):
        os.replace(name, target)
        return True
    taken = content(name)
    if taken == old:
        # Who had opened the old file just then writes to it a moment later.
        time.sleep(_MOMENT)
        taken = content(name)
    if taken == old:
        return True
    put_in = new
    for _ in range(100):
        exchange(name, target)
        if content(name) == put_in:
            break
        # It was saved once more meanwhile, and the last word counts.
        put_in, taken = taken, content(name)
    return False


def _dress(name: str, target: str, status: os.stat_result) -> None:
    """Give a new file the owner, the mode and the attributes of the one whose place it takes."""
    if hasattr(os, "chown"):
        os.chown(name, status.st_uid, status.st_gid)
    shutil.copystat(target, name)
    os.chmod(name, stat.S_IMODE(status.st_mode))


def _sync(folder: str) -> None:
    """Make sure that the file's new name outlives a power cut, where folders can be told to."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# -- the old file with new bytes ------------------------------------------------------------------


def _overwrite(target: str, old: bytes, new: bytes) -> str | None:
    flags = os.O_RDWR | getattr(os, "O_BINARY", 0)
    descriptor = os.open(target, flags)
    try:
        with journal.kept(target, old, new):
            if content(target) != old:
                return _CHANGED
            try:
                _fill(descriptor, old, new)
            except OSError:
                _fill_back(descriptor, old)
                raise
    finally:
        os.close(descriptor)
    return None


def _fill(descriptor: int, old: bytes, new: bytes) -> None:
    # What makes the file longer comes first: if there is no room for it, nothing has changed.
    os.lseek(descriptor, len(old), os.SEEK_SET)
    journal.write_all(descriptor, new[len(old) :])
    os.lseek(descriptor, 0, os.SEEK_SET)
    journal.write_all(descriptor, new[: len(old)])
    os.ftruncate(descriptor, len(new))
    os.fsync(descriptor)


def _fill_back(descriptor: int, old: bytes) -> None:
    os.ftruncate(descriptor, len(old))
    os.lseek(descriptor, 0, os.SEEK_SET)
    journal.write_all(descriptor, old)
    os.fsync(descriptor)
