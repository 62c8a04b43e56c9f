"""JSON with comments, read as tolerantly as the Dev Containers tools read it, with exact spans.

The tree that comes out holds what those tools would keep of a broken file: unknown words are
skipped, a missing value drops its property, an unclosed brace ends with the file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Literal

from cachekey.syntax.jsonc.tree import Element, JsoncTree, Member, Node
from cachekey.text import Mapped, Source, Span

MAX_DEPTH = 200
"""Containers nested deeper than this are scanned but not kept: no reader needs them."""

# Token shapes of jsonc-parser's scanner: only space and tab are blanks, a raw line end cuts a
# string, a word of unknown characters is skipped as a whole. A backslash takes a line end with it,
# CRLF as well as LF, where jsonc-parser takes the CR alone.
_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r\n]+)
  | (?P<comment>//[^\r\n]*|/\*[\s\S]*?(?:\*/|\Z))
  | (?P<string>"(?:[^"\\\r\n]|\\(?:\r\n|[\s\S]))*(?P<close>"?))
  | (?P<number>-?[0-9](?:(?<=0)|[0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?)
  | (?P<punct>[{}\[\]:,])
  | (?P<word>[^\s{}\[\]:,"/]+)
  | (?P<other>[\s\S])
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{0,4})|(\r\n|[\s\S])|\Z)")
_SIMPLE = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}


def span_in(text: Mapped, start: int = 0, stop: int | None = None) -> Span:
    """Return the file span of a part of a decoded string, its escapes covered whole."""
    stop = len(text) if stop is None else min(stop, len(text))
    return Span(text.offset(start), text.offset(max(start, stop)))


def decode(source: Source, span: Span) -> Mapped:
    """Decode what stands between a string's quotes; bad escapes vanish as in jsonc-parser."""
    raw = source.slice(span)
    if "\\" not in raw:
        return Mapped(raw, ((0, span.start),), span.end)
    parts: list[str] = []
    pieces: list[tuple[int, int]] = []
    length, at = 0, 0

    def add(text: str, offset: int) -> None:
        nonlocal length
        if text:
            pieces.append((length, offset))
            parts.append(text)
            length += len(text)

    matches = list(_ESCAPE.finditer(raw))
    number = 0
    while number < len(matches):
        match = matches[number]
        add(raw[at : match.start()], span.start + at)
        char, at = _unescape(match), match.end()
        if "\ud800" <= char <= "\udbff" and number + 1 < len(matches):
            following = matches[number + 1]
            low = _unescape(following)
            if following.start() == at and "\udc00" <= low <= "\udfff":
                char = (char + low).encode("utf-16", "surrogatepass").decode("utf-16")
                at, number = following.end(), number + 1
        add(char, span.start + match.start())
        number += 1
    add(raw[at:], span.start + at)
    return Mapped("".join(parts), tuple(pieces) or ((0, span.end),), span.end)


def _unescape(match: re.Match[str]) -> str:
    if (digits := match.group(1)) is not None:
        return chr(int(digits, 16)) if len(digits) == 4 else ""
    return _SIMPLE.get(match.group(2) or "", "")


def quote(text: str) -> str:
    """Write ``text`` as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def escape(text: str) -> str:
    """Write ``text`` as it stands between the quotes of a JSON string."""
    return quote(text)[1:-1]


@dataclass
class _Frame:
    """A container that is being read."""

    kind: Literal["object", "array"]
    start: int
    members: list[Member] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    key: re.Match[str] | None = None
    """The name whose value is being read."""

    @property
    def stops(self) -> tuple[str, str]:
        """Return the tokens up to which an error is skipped."""
        return ("}" if self.kind == "object" else "]", ",")

    def comma(self, span: Span) -> None:
        """Give the last entry its comma."""
        if self.members and self.members[-1].comma is None:
            last = self.members[-1]
            self.members[-1] = Member(last.key, last.key_span, last.value, span)
        elif self.elements and self.elements[-1].comma is None:
            self.elements[-1] = Element(self.elements[-1].value, span)


class _Reader:
    """One pass over a file, with jsonc-parser's way of recovering from errors (``parser.ts``)."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.comments: list[Span] = []
        self.skipped: list[Span] = []
        self.torn = False
        self.root: Node | None = None
        self.stack: list[_Frame] = []
        self.at = 0
        self.token: re.Match[str] | None = None
        """The current token; ``None`` at the end of the file."""
        self.mark = ""
        """The current token if it is punctuation, ``"`` for a string, ``v`` for another value."""

    def read(self) -> JsoncTree:
        """Read the first value; comments behind it are collected as well."""
        self.next()
        self.value()
        while self.stack:
            self.step(self.stack[-1])
        while self.token is not None:
            self.next()
        return self.tree(self.root)

    def tree(self, root: Node | None) -> JsoncTree:
        """Return what was read, with this root."""
        comments, skipped = tuple(self.comments), tuple(self.skipped)
        return JsoncTree(self.source, root, comments, skipped, self.torn)

    def next(self) -> None:
        """Go to the next token that means something; unknown words are passed over."""
        text = self.source.text
        while match := _TOKEN.match(text, self.at):
            self.at = match.end()
            kind, word = match.lastgroup, match.group()
            if kind == "blank":
                continue
            if kind == "comment":
                self.comments.append(Span(*match.span()))
            elif kind == "punct":
                self.token, self.mark = match, word
                return
            elif kind == "string":
                self.token, self.mark = match, '"'
                self.torn = self.torn or not match.group("close")
                return
            elif kind == "number" or word in _WORDS:
                self.token, self.mark = match, "v"
                return
            elif self.root is None or self.stack:
                self.skipped.append(Span(*match.span()))
        self.token, self.mark = None, ""

    def skip(self, stops: tuple[str, str]) -> None:
        """Pass over tokens up to one of ``stops``."""
        while self.token is not None and self.mark not in stops:
            self.next()

    def step(self, frame: _Frame) -> None:
        """Read one entry of a container, or its end."""
        token = self.token
        if token is None or self.mark == frame.stops[0]:
            self.close(frame)
            return
        if self.mark == ",":
            frame.comma(Span(*token.span()))
            self.next()
            if self.mark == frame.stops[0]:
                return
        if frame.kind == "object":
            self.property(frame)
        elif not self.value():
            self.skip(frame.stops)

    def property(self, frame: _Frame) -> None:
        """Read a name and, up to its first character, the value."""
        if self.mark != '"':
            self.skip(frame.stops)
            return
        frame.key = self.token
        words = len(self.skipped)
        self.next()
        self.torn = self.torn or self.mark != ":" or len(self.skipped) > words
        if self.mark == ":":
            self.next()
            if self.value():
                return
        self.name_alone(frame)
        self.skip(frame.stops)

    def name_alone(self, frame: _Frame) -> None:
        """Keep a name whose value cannot be read, so that editors can complete it."""
        if frame.key is not None:
            key, span = self.string(frame.key)
            frame.members.append(Member(key, span, None, None))
            frame.key = None

    def value(self) -> bool:
        """Read a value, of a container the opening only; tell whether there is one."""
        token, mark = self.token, self.mark
        if token is None or mark in ("}", "]", ",", ":"):
            return False
        if mark in ("{", "["):
            kind: Literal["object", "array"] = "object" if mark == "{" else "array"
            if len(self.stack) >= MAX_DEPTH:
                self.pass_over(kind, token.start())
                return True
            self.stack.append(_Frame(kind, token.start()))
            self.next()
            return True
        if mark == '"':
            text, span = self.string(token)
            node = Node("string", span, text, closed=bool(token.group("close")))
        else:
            node = _plain(token)
        self.next()
        self.place(node)
        return True

    def pass_over(self, kind: Literal["object", "array"], start: int) -> None:
        """Pass over a container that is nested too deep to be of use to anybody."""
        depth, end = 0, start
        while self.token is not None:
            end = self.token.end()
            depth += (self.mark in ("{", "[")) - (self.mark in ("}", "]"))
            self.next()
            if not depth:
                break
        self.place(Node(kind, Span(start, end), closed=not depth))

    def string(self, token: re.Match[str]) -> tuple[Mapped, Span]:
        """Decode a string token."""
        start, end = token.span()
        inside = Span(start + 1, end - 1 if token.group("close") else end)
        return decode(self.source, inside), Span(start, end)

    def close(self, frame: _Frame) -> None:
        """End a container, at its bracket or at the end of the file."""
        self.stack.pop()
        token = self.token
        end = token.end() if token is not None else len(self.source.text)
        if token is not None:
            self.next()
        members, elements = tuple(frame.members), tuple(frame.elements)
        span, closed = Span(frame.start, end), token is not None
        self.place(Node(frame.kind, span, members=members, elements=elements, closed=closed))

    def place(self, node: Node) -> None:
        """Hand a finished value to the container around it."""
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        if frame.kind == "array":
            frame.elements.append(Element(node, None))
        elif frame.key is not None:
            key, span = self.string(frame.key)
            frame.members.append(Member(key, span, node, None))
            frame.key = None


def _plain(token: re.Match[str]) -> Node:
    word, span = token.group(), Span(*token.span())
    if word in _WORDS:
        return Node("literal", span, value=_WORDS[word])
    # Like jsonc-parser, read of an unfinished number (`1.5e`) what is finished.
    number = _NUMBER.match(word)
    return Node("number", span, value=float(number.group()) if number else 0.0)


def parse(source: Source) -> JsoncTree:
    """Read a file; never raises, takes linear time, and stops at the end of the first value."""
    return _Reader(source).read()


def parse_members(source: Source) -> JsoncTree | None:
    """Read a file of bare members as if braces stood around them; ``None`` for any other text."""
    reader = _Reader(source)
    reader.next()
    if reader.token is None or reader.mark != '"':
        return None
    reader.stack.append(_Frame("object", reader.token.start()))
    while reader.stack:
        reader.step(reader.stack[-1])
    root = reader.root
    if root is None or not any(member.value is not None for member in root.members):
        return None
    return reader.tree(root)
