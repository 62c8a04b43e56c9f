"""Rich text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from cachekey.markup.manual import BOLD, CODE
from cachekey.markup.rich import Piece, Rich, written
from cachekey.markup.terminal import Output, Style, Terminal, joined, line, output, terminal
from cachekey.markup.visible import one_line


def listing(found: Sequence[Rich], style: Style) -> Output:
    """Write a first line and below it a list of the others: painted, or with Markdown's marks."""
    head, *rest = found
    write = partial(_painted, style=style) if style.colour else _marked
    below = (line("• {}" if style.colour else "- {}", write(item)) for item in rest)
    return output([write(head), Terminal(""), *below])


def _painted(text: Rich, style: Style) -> Terminal:
    return joined("", (_paint(piece, style) for piece in text.pieces))


def _paint(piece: Piece, style: Style) -> Terminal:
    codes = [BOLD] * piece.bold + [CODE] * (piece.kind == "code")
    return style(terminal(piece.text), ";".join(codes)) if codes else terminal(piece.text)


def _marked(text: Rich) -> Terminal:
    return Terminal(written(text, _piece, "**"))


def _piece(piece: Piece) -> str:
    shown = one_line(piece.text)
    return f"`{shown}`" if piece.kind == "code" else shown
