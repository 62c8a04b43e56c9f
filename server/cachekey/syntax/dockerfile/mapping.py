"""Short cuts for mapped text in one piece, which most instructions are."""

from __future__ import annotations

from cachekey.text import Mapped, Span


def cut(text: Mapped, start: int, stop: int) -> Mapped:
    """Slice ``text``; the indexes must lie inside it."""
    if len(text.pieces) > 1:
        return text.slice(start, stop)
    if start >= stop:
        return text.slice(start, start)
    base = text.pieces[0][1]
    return Mapped(text.text[start:stop], ((0, base + start),), base + stop, text.anchor)


def span_of(text: Mapped, start: int, stop: int) -> Span:
    """Return the file span of the non-empty index range ``[start, stop)``."""
    if len(text.pieces) > 1:
        return text.span(start, stop)
    base = text.pieces[0][1]
    return Span(base + start, base + stop, text.anchor)
