"""What in a JSONC file is right in JSON5 only; the json5 package judges and decodes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from cachekey.budget import kept
from cachekey.record import record
from cachekey.syntax.jsonc.tree import JsoncTree
from cachekey.text import Span

_SINGLE = re.compile(r"'(?:[^'\\\r\n]|\\(?:\r\n|[\s\S]))*'")
_KEY = re.compile(r"[A-Za-z_$][\w$]*(?=\s*:)")
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|\d*\.?\d*(?:[eE][+-]?\d+)?|Infinity|NaN)")
_ONLY_JSON5 = re.compile(r"\\(?:x[0-9a-fA-F]{2}|[0v']|\r\n|[\r\n])")
_SKIPPED = "JSON has no single quotes: the Dev Containers tools skip what stands in them"
_NUMBERS = "JSON has no number of this form: the Dev Containers tools read 0, or none"
_NAMES = "JSON has no names without quotes: the Dev Containers tools skip this name"
_ESCAPE = "JSON has no such escape: the Dev Containers tools drop it from the string"
_LONGEST = 2000
"""json5 takes some 24 microseconds a character: nothing longer is handed to it."""


@record(frozen=True)
class Json5Part:
    """One place, what it means, and the JSON that means the same."""

    span: Span
    json: str
    message: str


def json5_parts(tree: JsoncTree) -> Iterator[Json5Part]:
    """Yield the places in source order; nothing for a file that is JSON with comments."""
    # What stands in front of the file's value belongs to none.
    text, done = tree.source.text, tree.root.span.start if tree.root is not None else 0
    suspects = [*tree.skipped, *_escapes(tree)]
    for span in sorted(suspects):
        if span.start < done:
            continue
        part = _part(text, span)
        if part is not None:
            done = part.span.end
            yield part


def _escapes(tree: JsoncTree) -> Iterator[Span]:
    """Find double-quoted strings with an escape that JSON does not have."""
    if "\\" not in tree.source.text:
        return
    for _, node in tree.strings():
        if node.closed and _ONLY_JSON5.search(tree.source.slice(node.span)):
            yield node.span


def _part(text: str, span: Span) -> Json5Part | None:
    first = text[span.start]
    if first == '"':
        return _value(text, span, _ESCAPE)
    if first == "'":
        match = _SINGLE.match(text, span.start)
        if match is None:
            return None
        return _value(text, Span(*match.span()), _SKIPPED)
    key = _KEY.match(text, span.start)
    if key is not None:
        name = _decode(f"{{{key.group()}: 0}}")
        if not isinstance(name, dict):
            return None
        written = json.dumps(next(iter(name)), ensure_ascii=False)
        return Json5Part(Span(*key.span()), written, _NAMES)
    start = span.start - 1 if first in "xX" and text[span.start - 1] == "0" else span.start
    match = _NUMBER.match(text, start)
    if match is None or match.end() == start or not _in_value(text, start):
        return None
    return _value(text, Span(*match.span()), _NUMBERS)


def _in_value(text: str, offset: int) -> bool:
    """Tell whether a value may begin at ``offset``."""
    before = text[max(0, offset - 200) : offset].rstrip()
    return before[-1:] in (":", ",", "[")


def _value(text: str, span: Span, message: str) -> Json5Part | None:
    value = _decode(text[span.start : span.end])
    if not isinstance(value, (str, int, float)) or value in (float("inf"), float("-inf")):
        return None
    if value != value:
        return None
    return Json5Part(span, json.dumps(value, ensure_ascii=False), message)


@kept(256)
def _decode(text: str) -> Any:
    """Decode a JSON5 value; ``None`` when it is none, which JSON5's null is not asked for here."""
    if len(text) > _LONGEST:
        return None
    import json5

    try:
        return json5.loads(text)
    except (ValueError, RecursionError):
        return None
