"""Two files change places in one step, where the system can do that.

Renaming over a file loses what somebody saved there a moment ago. What changed places can still be
looked at, and put back.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from functools import lru_cache

_HERE = -100
"""Linux' AT_FDCWD: paths are relative to the working directory."""
_SWAP = 2
"""RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS."""
_CANNOT = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EXDEV}
"""What a system, or the file system of a folder, says that cannot do it."""


def exchange(one: str, other: str) -> bool:
    """Let two files of one folder change places; false where that cannot be done, nothing is done then."""
    call = _call()
    if call is None:
        return False
    code = call(os.fsencode(one), os.fsencode(other))
    if code in _CANNOT:
        return False
    if code:
        raise OSError(code, os.strerror(code), other)
    return True


@lru_cache(maxsize=1)
def _call() -> Callable[[bytes, bytes], int] | None:
    """Return the system's function; it returns 0 or the number of an error."""
    if sys.platform not in {"linux", "darwin"}:
        return None
    try:
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            rename = library.renameat2
        else:
            rename = library.renamex_np
    except (ImportError, OSError, AttributeError):
        return None

    def call(one: bytes, other: bytes) -> int:
        if sys.platform == "linux":
            failed = rename(_HERE, one, _HERE, other, _SWAP)
        else:
            failed = rename(one, other, _SWAP)
        return ctypes.get_errno() if failed else 0

    return call
