"""Processes that a test interrupts."""

from __future__ import annotations

import signal


def heard() -> None:
    """Let a new process hear an interrupt; a shell that starts the tests in the background lets it not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
