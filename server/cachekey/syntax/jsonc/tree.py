"""The tree of a devcontainer.json: values with exact spans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cachekey.record import record
from cachekey.text import Mapped, Source, Span

Kind = Literal["object", "array", "string", "number", "literal"]


@record(frozen=True, eq=False, repr=False)
class Node:
    """One value of the file."""

    kind: Kind
    span: Span
    """The whole value, quotes and braces included."""
    text: Mapped | None = None
    """A string's decoded text; ``None`` for other kinds."""
    value: bool | float | None = None
    """A number's or literal's value."""
    members: tuple[Member, ...] = ()
    elements: tuple[Element, ...] = ()
    closed: bool = True
    """False when the closing quote, brace or bracket is missing."""

    def member(self, name: str) -> Member | None:
        """Return the member that counts for ``name``: the last one that has a value."""
        for member in reversed(self.members):
            if member.key.text == name and member.value is not None:
                return member
        return None

    def get(self, name: str) -> Node | None:
        """Return the value of member ``name``."""
        member = self.member(name)
        return member.value if member else None

    def string(self, name: str) -> Mapped | None:
        """Return the text of member ``name`` when it is a string."""
        value = self.get(name)
        return value.text if value else None

    def effective(self) -> Iterator[Member]:
        """Yield the members that count, duplicates and members without a value left out."""
        last = {member.key.text: member for member in self.members if member.value is not None}
        yield from last.values()


@record(frozen=True, eq=False, repr=False)
class Member:
    """A property of an object; ``value`` is ``None`` when none can be read."""

    key: Mapped
    key_span: Span
    """The key with its quotes."""
    value: Node | None
    comma: Span | None

    @property
    def span(self) -> Span:
        """Return the span of key and value, the comma left out."""
        return Span(self.key_span.start, self.value.span.end if self.value else self.key_span.end)


@record(frozen=True, eq=False, repr=False)
class Element:
    """An element of an array."""

    value: Node
    comma: Span | None

    @property
    def span(self) -> Span:
        """Return the span of the value, the comma left out."""
        return self.value.span


@record(frozen=True, eq=False)
class JsoncTree:
    """A file's tree; ``root`` is ``None`` when nothing in the file is a value."""

    source: Source
    root: Node | None
    comments: tuple[Span, ...]
    """Comments with their delimiters, in source order."""
    skipped: tuple[Span, ...]
    """Words that are no JSON and were passed over."""
    torn: bool = False
    """A string has no closing quote, or a name no colon, also where nothing reads it."""

    def at(self, offset: int) -> tuple[Node | Member, ...]:
        """Return the chain of nodes and members that hold ``offset``, outermost first."""
        chain: list[Node | Member] = []
        node = self.root
        while node is not None and node.span.contains(offset):
            chain.append(node)
            inner: Node | None = None
            for member in node.members:
                if member.span.contains(offset):
                    chain.append(member)
                    inner = member.value
                    break
            else:
                held = (e.value for e in node.elements if e.span.contains(offset))
                inner = next(held, None)
            node = inner if inner is not None and inner.span.contains(offset) else None
        return tuple(chain)

    def strings(self) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Yield every string value that counts, with the keys that lead to it (``*`` in arrays)."""
        stack: list[tuple[tuple[str, ...], Node]] = [((), self.root)] if self.root else []
        while stack:
            path, node = stack.pop()
            if node.kind == "string":
                yield path, node
            below = [((*path, m.key.text), m.value) for m in node.effective() if m.value]
            below += [((*path, "*"), element.value) for element in node.elements]
            stack += reversed(below)
