"""The editor's process: a server whose editor has gone without a word goes, too."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

EVERY = 3.0
"""Seconds between two looks."""

_SYNCHRONIZE = 0x00100000
_STILL_RUNNING = 0x102


class Watch:
    """Looks after a process and calls ``gone`` once it has ended.

    A process that cannot be seen from the start lives elsewhere, behind a container's wall or on
    another machine: nothing can be told of it.
    """

    def __init__(self, process: object, gone: Callable[[], None]) -> None:
        self._gone = gone
        if isinstance(process, int) and process > 0 and alive(process):
            self._plan(process)

    def _plan(self, process: int) -> None:
        asyncio.get_running_loop().call_later(EVERY, self._look, process)

    def _look(self, process: int) -> None:
        if alive(process):
            self._plan(process)
        else:
            self._gone()


def alive(process: int) -> bool:
    """Tell whether a process of this system runs."""
    if os.name == "nt":
        return _alive_on_windows(process)
    try:
        # The signal 0 is only asked for, never sent.
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _alive_on_windows(process: int) -> bool:
    # os.kill would end it: Windows knows no signal 0.
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 -- only Windows has the name
    handle = kernel.OpenProcess(_SYNCHRONIZE, False, process)
    if not handle:
        return False
    try:
        return bool(kernel.WaitForSingleObject(handle, 0) == _STILL_RUNNING)
    finally:
        kernel.CloseHandle(handle)
