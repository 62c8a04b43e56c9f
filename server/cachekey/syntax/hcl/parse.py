"""HCL text to blocks, attributes and expressions, each with its span; never raises.

Source: the HCL native syntax specification. What Bake files do not need for the values that decide
a build (splats, for-expressions, function definitions) is an expression that nobody can tell:
``opaque``. An attribute that cannot be read ends with its line, and the rest of the file stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from cachekey.record import cached_property, record
from cachekey.syntax.hcl.tokens import Token, tokens
from cachekey.text import Source, Span

LARGEST = 200_000
"""Characters; a larger file is not read."""
_DEEPEST = 60
"""Brackets and operators within each other."""

Kind = Literal[
    "literal",
    "template",
    "name",
    "list",
    "object",
    "if",
    "call",
    "index",
    "unary",
    "binary",
    "opaque",
]

_BINDS = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4}
_BINDS |= {"+": 5, "-": 5, "*": 6, "/": 6, "%": 6}
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}
_OPENING, _CLOSING = frozenset("{[("), frozenset("}])")


@record(frozen=True, eq=False)
class Expr:
    """An expression.

    ``value`` holds a literal's value, a name, a function's name or an operator; ``items`` the
    operands, elements or pieces; of an object keys and values in turn.
    """

    kind: Kind
    span: Span
    value: object = None
    items: tuple[Expr, ...] = ()

    @cached_property
    def height(self) -> int:
        """Return how many expressions lie in each other: whoever walks them goes so deep."""
        return 1 + max((item.height for item in self.items), default=0)


@record(frozen=True, eq=False)
class Attribute:
    """``name = expression``."""

    name: str
    span: Span
    """The name."""
    value: Expr


@record(frozen=True, eq=False)
class Block:
    """``type "label" { … }``."""

    type: str
    labels: tuple[tuple[str, Span], ...]
    span: Span
    """Type and labels."""
    attributes: Mapping[str, Attribute]
    """By name; of two with one name the later."""
    blocks: tuple[Block, ...]

    @cached_property
    def label(self) -> str:
        """Return the first label, empty without one."""
        return self.labels[0][0] if self.labels else ""


def parse(source: Source) -> Block:
    """Return a file as one block without type and labels."""
    if len(source.text) > LARGEST:
        return Block("", (), Span(0, 0), {}, ())
    parser = _Parser(tokens(source.text))
    return parser.body("", (), Span(0, 0), 0)


class _TooDeepError(Exception):
    """Nobody writes what nests so deeply."""


class _Parser:
    """Recursive descent over tokens; ``at`` is the index of the next one."""

    def __init__(self, found: tuple[Token, ...]) -> None:
        self.tokens = found
        self.at = 0
        self.nested = 0
        """Brackets around: line ends do not count in them."""

    @property
    def next(self) -> Token:
        if self.nested:
            while self.tokens[self.at].kind == "line":
                self.at += 1
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.next
        self.at += token.kind != "end"
        return token

    def body(
        self, kind: str, labels: tuple[tuple[str, Span], ...], span: Span, depth: int
    ) -> Block:
        """Read attributes and blocks up to the closing brace, which is taken."""
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        while (token := self.take()).kind != "end" and token.text != "}":
            if token.kind != "name":
                if token.kind != "line":
                    self.skip_line()
                continue
            place = Span(token.start, token.stop)
            if self.next.text == "=":
                self.take()
                attributes[token.text] = Attribute(token.text, place, self.value())
            else:
                block = self.block(token, depth)
                blocks += [block] if block is not None else []
        return Block(kind, labels, span, attributes, tuple(blocks))

    def block(self, first: Token, depth: int) -> Block | None:
        labels: list[tuple[str, Span]] = []
        stop = first.stop
        while self.next.kind in ("template", "name"):
            token = self.take()
            plain = "".join(piece.text or "" for piece in token.parts)
            text = plain if token.kind == "template" else token.text
            labels.append((text, Span(token.start, token.stop)))
            stop = token.stop
        if self.next.text != "{" or depth > _DEEPEST:
            self.skip_line()
            return None
        self.take()
        return self.body(first.text, tuple(labels), Span(first.start, stop), depth + 1)

    def skip_line(self) -> None:
        """Go to the end of the line, or of the bracket that is open there."""
        depth = 0
        while self.tokens[self.at].kind != "end":
            token = self.tokens[self.at]
            if depth <= 0 and (token.kind == "line" or token.text == "}"):
                return
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
            self.at += 1

    # -- expressions ----------------------------------------------------------------------------

    def value(self) -> Expr:
        """Read an attribute's expression; what is left of its line makes it opaque."""
        first, start = self.at, self.next.start
        try:
            found = self.expression(0)
        except _TooDeepError:
            found = None
        self.nested = 0
        token = self.tokens[self.at]
        if found is not None and (token.kind in ("line", "end") or token.text == "}"):
            return found
        self.at = max(first, self.at if found is not None else first)
        self.skip_line()
        stop = self.tokens[self.at - 1].stop if self.at > first else start
        return Expr("opaque", Span(start, max(start, stop)))

    def expression(self, depth: int) -> Expr:
        condition = self.binary(0, depth)
        if self.next.text != "?":
            return condition
        self.take()
        yes = self.expression(depth + 1)
        if self.next.text != ":":
            return self._opaque(condition, yes)
        self.take()
        no = self.expression(depth + 1)
        return Expr("if", Span(condition.span.start, no.span.end), None, (condition, yes, no))

    def binary(self, least: int, depth: int) -> Expr:
        if depth > _DEEPEST:
            raise _TooDeepError
        left = self.unary(depth)
        while (power := _BINDS.get(self.next.text, 0)) > least and self.next.kind == "op":
            operator = self.take().text
            right = self.binary(power, depth + 1)
            left = Expr("binary", Span(left.span.start, right.span.end), operator, (left, right))
            # A chain lies in itself, link in link, although nothing was opened.
            if left.height > _DEEPEST:
                raise _TooDeepError
        return left

    def unary(self, depth: int) -> Expr:
        token = self.next
        if depth > _DEEPEST:
            raise _TooDeepError
        if token.kind == "op" and token.text in ("!", "-"):
            self.take()
            inner = self.unary(depth + 1)
            return Expr("unary", Span(token.start, inner.span.end), token.text, (inner,))
        return self.trailing(self.term(depth), depth)

    def trailing(self, found: Expr, depth: int) -> Expr:
        """Read ``.name`` and ``[index]`` behind a term; splats are opaque."""
        while self.next.text in (".", "["):
            if found.height > _DEEPEST:
                raise _TooDeepError
            token = self.take()
            if token.text == ".":
                name = self.take()
                span = Span(found.span.start, name.stop)
                if name.kind not in ("name", "number"):
                    found = Expr("opaque", span)
                    continue
                key = Expr("literal", Span(name.start, name.stop), name.text)
                found = Expr("index", span, None, (found, key))
                continue
            items, stop = self.enclosed("]", depth)
            kind: Kind = "index" if len(items) == 1 else "opaque"
            found = Expr(kind, Span(found.span.start, stop), None, (found, *items))
        return found

    def term(self, depth: int) -> Expr:
        token = self.take()
        span = Span(token.start, token.stop)
        if token.kind == "template":
            return self.template(token, span, depth)
        if token.kind == "number":
            return Expr("literal", span, float(token.text) if "." in token.text else _int(token))
        if token.kind == "name":
            if token.text in _WORDS:
                return Expr("literal", span, _WORDS[token.text])
            if self.next.text != "(":
                return Expr("name", span, token.text)
            self.take()
            items, stop = self.enclosed(")", depth)
            return Expr("call", Span(token.start, stop), token.text, items)
        if token.text == "(":
            items, stop = self.enclosed(")", depth)
            return items[0] if len(items) == 1 else Expr("opaque", Span(token.start, stop))
        if token.text == "[":
            if self.next.text == "for":
                return self.comprehension(token)
            items, stop = self.enclosed("]", depth)
            return Expr("list", Span(token.start, stop), None, items)
        if token.text == "{":
            if self.next.text == "for":
                return self.comprehension(token)
            return self.object(token, depth)
        # Nothing that can begin a value: whoever asked finds the line unfinished.
        self.at -= token.kind != "end"
        return Expr("opaque", Span(token.start, token.start))

    def template(self, token: Token, span: Span, depth: int) -> Expr:
        if all(piece.text is not None for piece in token.parts):
            return Expr("literal", span, "".join(piece.text or "" for piece in token.parts))
        pieces = []
        for piece in token.parts:
            if piece.text is not None:
                pieces.append(Expr("literal", span, piece.text))
            else:
                pieces.append(_inner(piece.tokens, span, depth))
        return Expr("template", span, None, tuple(pieces))

    def enclosed(self, closing: str, depth: int) -> tuple[tuple[Expr, ...], int]:
        """Read expressions up to a bracket, which is taken; return them and where it ends."""
        self.nested += 1
        items: list[Expr] = []
        while self.next.text != closing and self.next.kind != "end":
            before = self.at
            items.append(self.expression(depth + 1))
            if self.next.text in (",", "...") or self.at == before:
                self.take()
        self.nested -= 1
        return tuple(items), self.take().stop

    def object(self, opening: Token, depth: int) -> Expr:
        self.nested += 1
        items: list[Expr] = []
        while self.next.text != "}" and self.next.kind != "end":
            before = self.at
            key = self.expression(depth + 1)
            if key.kind == "name":
                key = Expr("literal", key.span, key.value)
            if self.next.text in ("=", ":"):
                self.take()
                items += (key, self.expression(depth + 1))
            if self.next.text == "," or self.at == before:
                self.take()
        self.nested -= 1
        stop = self.take().stop
        return Expr("object", Span(opening.start, stop), None, tuple(items))

    def comprehension(self, opening: Token) -> Expr:
        """Skip ``[for …]`` and ``{for …}`` up to the bracket that closes it."""
        depth, stop = 1, opening.stop
        while depth and self.tokens[self.at].kind != "end":
            token = self.tokens[self.at]
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
            stop = token.stop
            self.at += 1
        return Expr("opaque", Span(opening.start, stop))

    def _opaque(self, *parts: Expr) -> Expr:
        return Expr("opaque", Span(parts[0].span.start, parts[-1].span.end))


def _int(token: Token) -> int | float:
    return int(token.text) if token.text.isdecimal() and len(token.text) < 20 else 0.0


def _inner(found: tuple[Token, ...], span: Span, depth: int) -> Expr:
    """Read the expression of an interpolation."""
    if not found:
        return Expr("opaque", span)
    end = Token("end", "", found[-1].stop, found[-1].stop)
    parser = _Parser((*(token for token in found if token.kind != "line"), end))
    if len(parser.tokens) == 1:
        return Expr("opaque", span)
    inner = parser.expression(depth + 1)
    return inner if parser.next.kind == "end" else Expr("opaque", span)
