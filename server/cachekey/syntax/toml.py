"""Where things stand in a TOML file: the spans of keys and values, for messages and small edits.

``tomllib`` gives values without positions. This scanner gives positions without values; it is only
asked about files that ``tomllib`` has read, so it may trust their shape, yet it never raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cachekey.record import record
from cachekey.text import Source, Span

KeyPath = tuple["str | int", ...]
"""Keys from the file's root; an integer is an index into an array."""

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\r\n]*")
_MULTILINE_BASIC = re.compile(r'"""(?:\\.|(?!""").)*"{3,5}', re.DOTALL)
_MULTILINE_LITERAL = re.compile(r"'''(?:(?!''').)*'{3,5}", re.DOTALL)
_BASIC = re.compile(r'"(?:\\.|[^"\\\n])*"?')
_LITERAL = re.compile(r"'[^'\n]*'?")
_STRINGS = (_MULTILINE_BASIC, _MULTILINE_LITERAL, _BASIC, _LITERAL)
_ESCAPES = {'"': '"', "\\": "\\", "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_DEEP = 64


@record(frozen=True)
class Entry:
    """One key with its value, one array element, or one table header (``value`` is the header)."""

    path: KeyPath
    key: Span
    value: Span
    header: bool = False


@dataclass
class _Scanner:
    text: str
    entries: list[Entry] = field(default_factory=list)
    counts: dict[KeyPath, int] = field(default_factory=dict)

    def file(self) -> None:
        at, table = 0, ()  # type: tuple[int, KeyPath]
        if self.text.startswith("\ufeff"):
            at = 1
        while True:
            at = self._skip(_BLANK, at)
            if at >= len(self.text):
                return
            before = at
            if self.text[at] == "[":
                at, table = self._header(at)
            else:
                at = self._pair(at, table, 0)
            # A line that is no TOML at all must not stop the scan.
            if at == before:
                end = self.text.find("\n", at)
                at = len(self.text) if end < 0 else end

    def _skip(self, pattern: re.Pattern[str], at: int) -> int:
        match = pattern.match(self.text, at)
        return match.end() if match else at

    def _header(self, at: int) -> tuple[int, KeyPath]:
        start = at
        many = self.text.startswith("[[", at)
        at, keys, _ = self._keys(at + (2 if many else 1))
        at = min(len(self.text), at + (2 if many else 1))
        path: KeyPath = keys
        if many:
            number = self.counts.get(keys, 0)
            self.counts[keys] = number + 1
            path = (*keys, number)
        self.entries.append(Entry(path, Span(start, at), Span(start, at), header=True))
        return at, path

    def _keys(self, at: int) -> tuple[int, tuple[str, ...], Span]:
        """Read a dotted key; the span is that of its last part."""
        keys: list[str] = []
        last = Span(at, at)
        while True:
            at = self._skip(_SPACE, at)
            start = at
            if self.text[at : at + 1] in {'"', "'"}:
                at = self._string(at)
                keys.append(_unquote(self.text[start:at]))
            else:
                at = self._skip(_BARE, at)
                keys.append(self.text[start:at])
            last = Span(start, at)
            at = self._skip(_SPACE, at)
            if self.text[at : at + 1] != ".":
                return at, tuple(keys[:_DEEP]), last
            at += 1

    def _pair(self, at: int, table: KeyPath, depth: int) -> int:
        at, keys, span = self._keys(at)
        if self.text[at : at + 1] != "=":
            return at
        path = (*table, *keys)
        start = self._skip(_SPACE, at + 1)
        number = len(self.entries)
        end = self._value(start, path, depth)
        self.entries.insert(number, Entry(path, span, Span(start, end)))
        return end

    def _string(self, at: int) -> int:
        for pattern in _STRINGS:
            if match := pattern.match(self.text, at):
                return match.end()
        return at + 1

    def _value(self, at: int, path: KeyPath, depth: int) -> int:
        first = self.text[at : at + 1]
        if first in {'"', "'"} and first:
            return self._string(at)
        if first == "[" and depth < _DEEP:
            return self._items(at + 1, path, depth)
        if first == "{" and depth < _DEEP:
            return self._inline(at + 1, path, depth)
        end = self._skip(_SCALAR, at)
        return at + len(self.text[at:end].rstrip())

    def _items(self, at: int, path: KeyPath, depth: int) -> int:
        number = 0
        while True:
            at = self._skip(_BLANK, at)
            if at >= len(self.text) or self.text[at] == "]":
                return min(len(self.text), at + 1)
            before = at
            if self.text[at] == ",":
                at += 1
                continue
            at = self._value(at, (*path, number), depth + 1)
            self.entries.append(Entry((*path, number), Span(before, at), Span(before, at)))
            number += 1
            if at == before:
                return at

    def _inline(self, at: int, path: KeyPath, depth: int) -> int:
        while True:
            at = self._skip(_BLANK, at)
            if at >= len(self.text) or self.text[at] == "}":
                return min(len(self.text), at + 1)
            before = at
            at = at + 1 if self.text[at] == "," else self._pair(at, path, depth + 1)
            if at == before:
                return at


def _unquote(text: str) -> str:
    if text.startswith("'"):
        return text.strip("'")
    inner = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
    inner = re.sub(
        r"\\u([0-9A-Fa-f]{4})|\\U00([0-9A-Fa-f]{6})",
        lambda match: _character(match.group(1) or match.group(2)),
        inner,
    )
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match.group(1), match.group()), inner)


def _character(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if number <= 0x10FFFF else "\ufffd"


def entries(source: Source) -> tuple[Entry, ...]:
    """List the keys, array elements and table headers of a TOML file in file order."""
    scanner = _Scanner(source.text)
    scanner.file()
    return tuple(scanner.entries)


class Places:
    """Where the keys of one TOML file stand."""

    def __init__(self, source: Source) -> None:
        self._known: dict[KeyPath, Entry] = {}
        listed = entries(source)
        for entry in listed:
            self._known.setdefault(entry.path, entry)
        for entry in listed:
            for length in range(1, min(len(entry.path), _DEEP)):
                self._known.setdefault(entry.path[:length], entry)

    def find(self, path: KeyPath) -> Entry | None:
        """Return the entry at ``path``, else the nearest one that holds it, else nothing.

        A table made by dotted keys only (``a.b = 1`` makes ``a``) stands where the first of them does.
        """
        while path:
            if path in self._known:
                return self._known[path]
            path = path[:-1]
        return None
