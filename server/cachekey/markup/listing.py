"""Rich text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from cachekey.markup.rich import Piece, Rich, written
from cachekey.markup.terminal import Output, Terminal, line, output
from cachekey.markup.visible import one_line


def listing(found: Sequence[Rich]) -> Output:
    """Write a first line and below it a list of the others, with the marks that Markdown has."""
    head, *rest = found
    below = (line("- {}", _line(item)) for item in rest)
    return output([_line(head), Terminal(""), *below])


def _line(text: Rich) -> Terminal:
    return Terminal(written(text, _piece, "**"))


def _piece(piece: Piece) -> str:
    shown = one_line(piece.text)
    return f"`{shown}`" if piece.kind == "code" else shown
