"""Text with code, weight and links in it, put together before anybody knows what will show it.

A template is ours, what is put into it is the workspace's: ``rich("**Cache `{}`**, {}", key, why)``
reads as Markdown, and its values are text only, whatever they hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal

from cachekey.record import record, replace

_MARK = re.compile(r"(\*\*|`|\{\})")


@record(frozen=True)
class Piece:
    """A part of a line that is shown in one way."""

    text: str
    kind: Literal["ours", "text", "code", "link"]
    """``ours`` is prose of this program, ``text`` prose from anywhere."""
    bold: bool = False
    target: str = ""
    """The URI of a link."""


@record(frozen=True)
class Rich:
    """A line of pieces."""

    pieces: tuple[Piece, ...] = ()


def rich(template: str, *values: str | Rich) -> Rich:
    """Fill the ``{}`` of a template that holds ``**bold**`` and `` `code` ``.

    The template must be a literal. A value between backticks is code, any other a piece of prose, or
    a line of its own that is put in as it is.
    """
    waiting = iter(values)
    pieces: list[Piece] = []
    code: list[str] | None = None
    bold = False
    for part in _MARK.split(template):
        if part == "`":
            if code is not None:
                pieces.append(Piece("".join(code), "code", bold))
            code = [] if code is None else None
        elif code is not None:
            code.append(str(next(waiting)) if part == "{}" else part)
        elif part == "**":
            bold = not bold
        elif part == "{}":
            pieces += _put_in(next(waiting), bold)
        elif part:
            pieces.append(Piece(part, "ours", bold))
    return Rich(tuple(pieces))


def _put_in(value: str | Rich, bold: bool) -> tuple[Piece, ...]:
    if isinstance(value, Rich):
        return tuple(replace(piece, bold=piece.bold or bold) for piece in value.pieces)
    return (Piece(value, "text", bold),) if value else ()


def lines(*templates: str) -> tuple[Rich, ...]:
    """Return a line for each template; they are literals without ``{}``."""
    return tuple(rich(template) for template in templates)


def link(text: str, uri: str) -> Rich:
    """Name a place that can be opened. ``uri`` is ours: nobody else's text may choose it."""
    return Rich((Piece(text, "link", target=uri),))


def joined(separator: str, parts: Iterable[Rich]) -> Rich:
    """Put lines behind each other; the separator is a literal."""
    pieces: list[Piece] = []
    for part in parts:
        if pieces:
            pieces.append(Piece(separator, "ours"))
        pieces += part.pieces
    return Rich(tuple(pieces))


def written(line: Rich, write: Callable[[Piece], str], mark: str) -> str:
    """Write a line piece by piece, with a mark around each run of bold ones; for exits only."""
    parts: list[str] = []
    bold = False
    for piece in line.pieces:
        if piece.bold != bold:
            parts.append(mark)
        bold = piece.bold
        parts.append(write(piece))
    return "".join([*parts, mark if bold else ""])
