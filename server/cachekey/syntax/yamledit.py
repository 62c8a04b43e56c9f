"""Edits of a YAML file: one value, entry or item changes, and the rest stands as it is.

What aliases and merges bring in from elsewhere is never changed: a place that is not written where it
counts has no edit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from cachekey.syntax.yaml import YamlNode
from cachekey.text import Edit, Source, Span

_PLAIN = re.compile(
    r"(?:[A-Za-z0-9_./]|\$\{\{)(?:[^\s#:\\\"'{},\[\]&*!|>%@`]|:(?=[^\s,])|[{}]| (?!#))*\Z"
)
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "~", "")


def in_flow(mapping: YamlNode) -> bool:
    """Tell whether a collection is written in brackets."""
    return mapping.source.text[mapping.span.start : mapping.span.start + 1] in ("{", "[")


def member(mapping: YamlNode, name: str) -> tuple[YamlNode, YamlNode] | None:
    """Return key and value that are written in this mapping itself."""
    for key, value in mapping.members if mapping.kind == "mapping" else ():
        if key.text is not None and key.text.text == name:
            return (key, value) if value.span.start >= key.span.end else None
    return None


def set_text(mapping: YamlNode, name: str, text: str) -> Edit | None:
    """Give a mapping the entry ``name``: its value is written anew, or the entry comes in front."""
    found = member(mapping, name)
    if found is None:
        if name in mapping.entries or not mapping.members:
            # It is merged in from elsewhere, or nothing shows how this mapping is written.
            return None
        flow = in_flow(mapping)
        first = mapping.members[0][0].span.start
        first = first if flow else _above_comments(mapping.source, first)
        behind = ", " if flow else mapping.source.newline + " " * _column(mapping.source, first)
        shown = f"{name}: {written(text, mapping.source, first, flow)}"
        return Edit(Span(first, first), shown + behind)
    key, value = found
    if value.kind != "scalar":
        return None
    start, stop = value.span.start, end_of(value)
    shown = _in_style(value, text) or written(
        text, mapping.source, key.span.start, in_flow(mapping)
    )
    if start == stop:
        return Edit(Span(key.span.end, start), f": {shown}")
    return Edit(Span(start, stop), shown)


def _above_comments(source: Source, key: int) -> int:
    """Return where an entry goes that comes in front of a key: the comment above the key stays with it."""
    column, line, place = _column(source, key), source.line_of(key), key
    if source.line_text(line)[:column].strip():
        # The key of an item, behind its dash.
        return key
    while line > 0:
        line -= 1
        text = source.line_text(line)
        if not text.startswith("#", column) or text[:column].strip():
            break
        place = source.line_starts[line] + column
    return place


def remove(mapping: YamlNode, name: str) -> Edit | None:
    """Take an entry out of a mapping that has others."""
    found = member(mapping, name)
    if found is None or len(mapping.members) < 2:
        return None
    keys = [key.span.start for key, _ in mapping.members]
    number = keys.index(found[0].span.start)
    if number + 1 < len(keys):
        return Edit(Span(keys[number], keys[number + 1]), "")
    return Edit(Span(end_of(mapping.members[number - 1][1]), end_of(found[1])), "")


def written(text: str, source: Source, key: int, flow: bool) -> str:
    """Write a value behind a key that begins at ``key``: plain, quoted, or as a block."""
    if "\n" in text and not flow:
        indent = " " * (_column(source, key) + 2)
        lines = text.rstrip("\n").split("\n")
        body = source.newline.join(f"{indent}{line}".rstrip() for line in lines)
        return f"|{source.newline}{body}"
    if _is_plain(text, flow):
        return text
    if "'" in text or "\n" in text or not text.isprintable():
        return json.dumps(text, ensure_ascii=False)
    return f"'{text}'"


def _is_plain(text: str, flow: bool) -> bool:
    if flow and any(char in text for char in "{}[],"):
        return False
    number = re.fullmatch(r"[\d.eE_+-]+", text)
    return bool(_PLAIN.match(text)) and text.lower() not in _WORDS and not number


def _in_style(value: YamlNode, text: str) -> str | None:
    """Write a text in the way the value is written now; None where that cannot hold it."""
    before = value.source.slice(Span(value.span.start, end_of(value)))
    if before.startswith('"'):
        return json.dumps(text, ensure_ascii=False)
    if before.startswith("'"):
        return "'" + text.replace("'", "''") + "'" if "\n" not in text else None
    if before.startswith(("|", ">")):
        head, _, body = before.partition("\n")
        first = next((line for line in body.split("\n") if line.strip()), "")
        indent = first[: len(first) - len(first.lstrip(" "))]
        if not indent or re.search(r"\d", head.partition("#")[0]):
            return None
        # Folding would make other lines of it.
        lines = text.rstrip("\n").split("\n")
        shown = value.source.newline.join(f"{indent}{line}".rstrip() for line in lines)
        return f"{head.replace('>', '|', 1).rstrip()}{value.source.newline}{shown}"
    return None


def end_of(node: YamlNode) -> int:
    """Return where a node's last character ends: a block's span goes on to the next token."""
    text = node.source.slice(node.span)
    if text.startswith(("{", "[", '"', "'")):
        return node.span.end
    return node.span.start + len(text.rstrip())


def _column(source: Source, offset: int) -> int:
    return offset - source.line_starts[source.line_of(offset)]


# -- items of a sequence ----------------------------------------------------------------------------


def regions(sequence: YamlNode) -> list[Span] | None:
    """Return the lines of each item of a block, comments above it included; None for brackets."""
    source = sequence.source
    if in_flow(sequence) or not sequence.elements:
        return None
    starts: list[int] = []
    for item in sequence.elements:
        dash = _dash(source, item)
        if dash is None:
            return None
        line = source.line_of(dash)
        blank = source.text[source.line_starts[line] : dash]
        # A deeper comment is the end of a script in the item above.
        while line > 0 and starts and source.line_text(line - 1).startswith(f"{blank}#"):
            line -= 1
        starts.append(source.line_starts[line])
    last = source.line_of(end_of(sequence.elements[-1]))
    stop = source.line_starts[last + 1] if last + 1 < len(source.line_starts) else len(source.text)
    ends = [*starts[1:], stop]
    spans = [Span(start, end) for start, end in zip(starts, ends, strict=True)]
    return spans if all(span.start < span.end for span in spans) else None


def _dash(source: Source, item: YamlNode) -> int | None:
    """Return where the dash of an item stands: on its line, or on one of its own above."""
    before = source.text[: item.span.start].rstrip(" \r\n")
    at = len(before) - 1
    own = before.endswith("-") and not source.text[
        source.line_starts[source.line_of(max(at, 0))] : at
    ].strip(" ")
    return at if own else None


def move(sequence: YamlNode, numbers: Sequence[int], before: int) -> list[Edit] | None:
    """Move items in front of another one, in their order; None where the lines cannot be told."""
    spans = regions(sequence)
    if spans is None or before >= len(spans):
        return None
    source = sequence.source
    texts = [source.slice(spans[number]) for number in numbers]
    moved = "".join(
        text if text.endswith(("\n", "\r")) else text + source.newline for text in texts
    )
    at = spans[before].start
    return [Edit(Span(at, at), moved), *(Edit(spans[number], "") for number in numbers)]


def insert_items(sequence: YamlNode, before: int, items: Sequence[Sequence[str]]) -> Edit | None:
    """Insert items, each as its lines without dash and indentation, in front of another one.

    They are as far apart as the two items there: by a blank line, or by none.
    """
    spans = regions(sequence)
    if spans is None or before >= len(spans):
        return None
    source = sequence.source
    start = sequence.elements[before].span.start
    dash = _dash(source, sequence.elements[before])
    if dash is None:
        return None
    # The dash may have a line of its own.
    line = source.text[source.line_starts[source.line_of(dash)] : start]
    blank = " " * _column(source, start)
    gap = source.newline if _is_apart(source, spans, before) else ""
    text = "".join(
        "".join(
            f"{blank if number else line}{shown}{source.newline}"
            for number, shown in enumerate(lines)
        )
        + gap
        for lines in items
    )
    return Edit(Span(spans[before].start, spans[before].start), text)


def _is_apart(source: Source, spans: Sequence[Span], before: int) -> bool:
    """Tell whether a blank line stands between an item and its neighbour in front, or else behind."""
    number = before or 1
    if number >= len(spans):
        return False
    return not source.line_text(source.line_of(spans[number].start) - 1).strip()
