"""Which files a living process has in hand: a lock that the system takes away with the process."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    LOCKS = False
    """Windows neither renames nor deletes a file that somebody has open: it needs no lock."""

    def lock(descriptor: int) -> bool:
        """Take a file in hand until it is closed; false when another process has it."""
        return True
else:
    import fcntl

    LOCKS = True

    def lock(descriptor: int) -> bool:
        """Take a file in hand until it is closed; false when another process has it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # A file system without locks: nobody can tell.
            return True
        return True
