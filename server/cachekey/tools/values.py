"""Answers to what a tool sees: a value and where it comes from, or why nobody can know."""

from __future__ import annotations

from cachekey.record import record
from cachekey.text import Span


@record(frozen=True)
class Known:
    """A value and where it comes from."""

    text: str
    because: str
    span: Span | None = None
    variable: str = ""
    from_image: bool = False
    weak: bool = False
    """From a file of the project, which may or may not be in the image at this point."""


@record(frozen=True)
class NotKnown:
    """Nobody can tell, and why."""

    reason: str
