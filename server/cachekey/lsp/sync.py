"""The text of a document after the changes that an editor tells.

Each key is told at once, and alone: a client that must tell the whole text holds it back while somebody
types (VS Code for a quarter of a second behind the last key), and what is typed then looks like a pause.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.text import index_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cachekey.text import Encoding

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


def changed_text(
    text: str, changes: Sequence[types.TextDocumentContentChangeEvent], encoding: Encoding
) -> str:
    """Return a text after changes, each of which counts from what the one before has left.

    A range is the client's, in code units of ``encoding``; what lies outside is clamped. The lines are
    kept apart, so that thousands of changes (*Replace All*) cost what they touch.
    """
    lines = [text]
    whole = True
    for change in changes:
        if not isinstance(change, types.TextDocumentContentChangePartial):
            lines, whole = [change.text], True
            continue
        if whole:
            lines, whole = _lines(lines[0]), False
        _apply(lines, change.range, change.text, encoding)
    return "".join(lines)


def _lines(text: str) -> list[str]:
    """Part a text into lines with their ends; the last one, which may be empty, has none."""
    if "\r" not in text:
        *ended, last = text.split("\n")
        return [*(f"{line}\n" for line in ended), last]
    found = _LINES.findall(text)
    # At the end of a text without a last line end the pattern finds nothing once more.
    return found[:-1] if len(found) > 1 and found[-2][-1:] not in ("\r", "\n") else found


def _apply(lines: list[str], where: types.Range, text: str, encoding: Encoding) -> None:
    first, head = _place(lines, where.start, encoding)
    last, tail = _place(lines, where.end, encoding)
    if (last, tail) < (first, head):
        last, tail = first, head
    # A line feed that comes behind a carriage return makes one line end with it.
    begin = max(0, first - 1)
    before = "".join(lines[begin:first]) + lines[first][:head]
    parted = _lines(before + text + lines[last][tail:])
    if last + 1 < len(lines):
        # The end of the last line opens no line of its own: the next one is there.
        parted.pop()
    lines[begin : last + 1] = parted


def _place(lines: list[str], position: types.Position, encoding: Encoding) -> tuple[int, int]:
    """Return the line and the index in it."""
    if position.line >= len(lines):
        return len(lines) - 1, len(lines[-1])
    line = max(0, position.line)
    return line, index_of(lines[line].rstrip("\r\n"), position.character, encoding)
