"""Edits of a JSONC file in place: comments, order, indentation and comma style are kept.

Every function returns edits of the file as it is; several results can be applied together as long
as they touch different entries.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from cachekey.syntax.jsonc.parse import quote
from cachekey.syntax.jsonc.tree import Element, Member, Node
from cachekey.text import Edit, Source, Span

Entry = Member | Element

_INDENT = re.compile(r"[ \t]*")
_COMMENT = re.compile(r"//[^\r\n]*|/\*[\s\S]*?(?:\*/|\Z)")
_REST = re.compile(r"[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/[ \t]*(?=[\r\n]|\Z))?")


def indentation(source: Source, offset: int) -> str:
    """Return the blanks at the beginning of the line that holds ``offset``."""
    line = source.line_text(source.line_of(offset))
    match = _INDENT.match(line)
    return match.group() if match else ""


def indent_unit(source: Source, root: Node) -> str:
    """Return one step of the file's indentation; two blanks when it shows none."""
    outer = len(indentation(source, root.span.start))
    for entry in _entries(root):
        if _own_line(source, entry.span.start):
            return indentation(source, entry.span.start)[outer:] or "  "
    return "  "


def one_line(source: Source, node: Node) -> bool:
    """Tell whether a container's entries stand on the line of its opening brace."""
    entries = _entries(node)
    stop = entries[0].span.start if entries else node.span.end
    return "\n" not in source.text[node.span.start : stop].replace("\r", "\n")


def render(source: Source, root: Node, value: object, indent: str) -> str:
    """Write strings, lists and dicts as JSON that continues at ``indent``.

    Objects take one line each when the file's root does, several lines otherwise; lists of one
    entry always take one.
    """
    step, newline = indent_unit(source, root), source.newline
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        items = [f"{quote(k)}: {render(source, root, v, indent + step)}" for k, v in value.items()]
        left, right = "{", "}"
    elif isinstance(value, list):
        items = [render(source, root, item, indent + step) for item in value]
        left, right = "[", "]"
    else:
        raise TypeError(f"cannot write {type(value).__name__} here")
    flat = one_line(source, root) or (isinstance(value, list) and len(items) < 2)
    if not items:
        return left + right
    if flat:
        blank = " " if left == "{" else ""
        return left + blank + ", ".join(items) + blank + right
    inner = newline + indent + step
    return left + inner + ("," + inner).join(items) + newline + indent + right


def insert(
    source: Source, root: Node, node: Node, text: str, after: int | None = None
) -> tuple[Edit, ...]:
    """Insert an entry behind entry number ``after`` (-1: as the first; None: as the last).

    ``text`` is the entry without comma; continuation lines in it must already be indented. Nothing
    is inserted where the container holds only what no reader takes for an entry.
    """
    entries = _entries(node)
    if not entries:
        filled = _fill(source, root, node, text)
        return () if filled is None else (filled,)
    position = len(entries) - 1 if after is None else after
    if position < 0:
        return (_at_front(source, node, entries, text),)
    previous = entries[position]
    last = position == len(entries) - 1
    if previous.comma is None:
        at, comma, closing = previous.span.end, True, "" if last else ","
    else:
        at, comma, closing = previous.comma.end, False, ","
    if one_line(source, node):
        return (Edit(Span(at, at), f"{',' if comma else ''} {text}{closing}"),)
    line = source.newline + _entry_indent(source, root, node)
    place = _behind_comment(source, at)
    if not comma:
        return (Edit(Span(place, place), f"{line}{text}{closing}"),)
    if place == at:
        return (Edit(Span(at, at), f",{line}{text}{closing}"),)
    return (Edit(Span(at, at), ","), Edit(Span(place, place), f"{line}{text}{closing}"))


def set_member(
    source: Source, root: Node, node: Node, name: str, value: object, after: int | None = None
) -> tuple[Edit, ...]:
    """Give an object the member ``name``: replace its value, or insert it."""
    present = node.member(name)
    if present is not None and present.value is not None:
        indent = indentation(source, present.key_span.start)
        return (replace(present.value, render(source, root, value, indent)),)
    indent = "" if one_line(source, node) else _entry_indent(source, root, node)
    text = f"{quote(name)}: {render(source, root, value, indent)}"
    return insert(source, root, node, text, after)


def remove(source: Source, node: Node, entries: Sequence[Entry]) -> tuple[Edit, ...]:
    """Delete entries of one container with their commas and, where they fill them, their lines."""
    every = _entries(node)
    # Thousands of entries may each be removed by a fix of its own: nothing here goes through all.
    gone = sorted({bisect_left(every, entry.span.start, key=_start) for entry in entries})
    if len(gone) == len(every):
        return (Edit(node.span, "{}" if node.kind == "object" else "[]"),)
    edits: list[Edit] = []
    kept = len(every) - 1
    for number in reversed(gone):
        if number == kept:
            kept -= 1
    comma = every[kept].comma
    if kept < len(every) - 1 and every[-1].comma is None and comma is not None:
        edits.append(Edit(comma, ""))
    for number in gone:
        entry = every[number]
        end = entry.comma.end if entry.comma else entry.span.end
        start = entry.span.start
        behind = _behind_comment(source, end)
        if _own_line(source, start) and _line_ends(source, behind):
            first = source.line_starts[source.line_of(start)]
            edits.append(Edit(Span(first, _next_line(source, behind)), ""))
        elif number + 1 < len(every) and number < kept:
            edits.append(Edit(Span(start, every[number + 1].span.start), ""))
        else:
            edits.append(Edit(Span(_back(source, start), end), ""))
    return tuple(edits)


def replace(node: Node, text: str) -> Edit:
    """Replace a value by ``text``, which is JSON."""
    return Edit(node.span, text)


def _start(entry: Entry) -> int:
    return entry.span.start


def _entries(node: Node) -> tuple[Entry, ...]:
    return node.members or node.elements


def _fill(source: Source, root: Node, node: Node, text: str) -> Edit | None:
    """Put the first entry into an empty container; comments in it stay. None where rubbish is in it."""
    end = node.span.end - 1 if node.closed else node.span.end
    inside = source.text[node.span.start + 1 : end]
    if not inside.strip():
        blank = " " if node.kind == "object" else ""
        span = Span(node.span.start + 1, end)
        if "\n" not in inside and (node is not root or not inside):
            return Edit(span, f"{blank}{text}{blank}")
        outer = indentation(source, node.span.start)
        line = source.newline + outer
        return Edit(span, f"{line}{indent_unit(source, root)}{text}{line}")
    if _COMMENT.sub("", inside).strip():
        return None
    place = end - (len(inside) - len(inside.rstrip()))
    line = source.newline + indentation(source, node.span.start)
    closing = "" if "\n" in source.text[place:end] else line
    return Edit(Span(place, place), f"{line}{indent_unit(source, root)}{text}{closing}")


def _at_front(source: Source, node: Node, entries: tuple[Entry, ...], text: str) -> Edit:
    first = entries[0]
    if one_line(source, node):
        return Edit(Span(first.span.start, first.span.start), f"{text}, ")
    at = _behind_comment(source, node.span.start + 1)
    line = source.newline + indentation(source, first.span.start)
    return Edit(Span(at, at), f"{line}{text},")


def _entry_indent(source: Source, root: Node, node: Node) -> str:
    for entry in _entries(node):
        if _own_line(source, entry.span.start):
            return indentation(source, entry.span.start)
    return indentation(source, node.span.start) + indent_unit(source, root)


def _own_line(source: Source, offset: int) -> bool:
    """Tell whether only blanks stand before ``offset`` on its line."""
    return not source.text[source.line_starts[source.line_of(offset)] : offset].strip(" \t")


def _behind_comment(source: Source, offset: int) -> int:
    """Return the place behind a comment that follows on the line, when nothing else does."""
    match = _REST.match(source.text, offset)
    end = match.end() if match else offset
    if not _line_ends(source, end):
        return offset
    return offset if not source.text[offset:end].strip() else _trimmed(source, offset, end)


def _trimmed(source: Source, start: int, end: int) -> int:
    return start + len(source.text[start:end].rstrip())


def _line_ends(source: Source, offset: int) -> bool:
    end = source.line_span(source.line_of(offset)).end
    return not source.text[offset:end].strip(" \t")


def _next_line(source: Source, offset: int) -> int:
    line = source.line_of(offset)
    if line + 1 < len(source.line_starts):
        return source.line_starts[line + 1]
    return len(source.text)


def _back(source: Source, offset: int) -> int:
    """Return where the blanks before ``offset`` begin."""
    while offset > 0 and source.text[offset - 1] in " \t\r\n":
        offset -= 1
    return offset
