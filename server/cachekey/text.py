"""Exact text: spans in code-point offsets, line index, editor columns, edits.

Everything below the faces speaks in *offsets*: indexes into the Python string that holds the file,
that is, Unicode code points. Lines, columns and their encodings exist only here and at the edge.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Literal, NamedTuple

from cachekey.record import cached_property, record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Encoding = Literal["utf-8", "utf-16", "utf-32"]
"""The three position encodings of LSP 3.17; columns count code units of the chosen one."""

# LSP 3.17 knows three line ends only; str.splitlines would also split at form feed and U+2028.
_LINE_END = re.compile(r"\r\n|\n|\r")


class Anchor:
    """Where a part of a file stands that moves as a whole when text in front of it changes.

    Places in the part count from the anchor, so that whatever was found out about the part holds
    when it has moved. Only whoever reads a changed text again moves anchors.
    """

    __slots__ = ("at", "line")

    def __init__(self, at: int = 0, line: int = 0) -> None:
        self.at, self.line = at, line

    def move(self, by: int, lines: int) -> None:
        """Move the part by so many characters and lines."""
        self.at += by
        self.line += lines


FIXED = Anchor()
"""The beginning of a file, for places that do not move."""


class Span:
    """A half-open range ``[start, end)`` of code-point offsets of a file."""

    __slots__ = ("_anchor", "_end", "_start")

    def __init__(self, start: int, end: int, anchor: Anchor = FIXED) -> None:
        """Make a span; ``start`` and ``end`` count from the anchor."""
        self._start, self._end, self._anchor = start, end, anchor

    @property
    def start(self) -> int:
        """Return the offset of the first character."""
        return self._anchor.at + self._start

    @property
    def end(self) -> int:
        """Return the offset behind the last character."""
        return self._anchor.at + self._end

    @property
    def fixed(self) -> Span:
        """Return the span as it is now, whatever moves later."""
        return Span(self.start, self.end)

    def to(self, other: Span) -> Span:
        """Return the span from the beginning of this one to the end of ``other``, if that lies behind."""
        anchor = self._anchor
        return Span(self._start, max(self._end, other.end - anchor.at), anchor)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Span):
            return NotImplemented
        return self.start == other.start and self.end == other.end

    def __lt__(self, other: Span) -> bool:
        return (self.start, self.end) < (other.start, other.end)

    def __hash__(self) -> int:
        return hash((self.start, self.end))

    def __iter__(self) -> Iterator[int]:
        return iter((self.start, self.end))

    def __repr__(self) -> str:
        return f"Span({self.start}, {self.end})"

    def __reduce__(self) -> tuple[type[Span], tuple[int, int]]:
        # In another process nothing moves.
        return Span, (self.start, self.end)

    def contains(self, offset: int) -> bool:
        """Tell whether a cursor at ``offset`` touches this span; both ends count."""
        return self.start <= offset <= self.end

    def covers(self, other: Span) -> bool:
        """Tell whether ``other`` lies inside this span."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        """Tell whether two spans share a character; an empty span overlaps only strictly inside."""
        return self.start < other.end and other.start < self.end


class Position(NamedTuple):
    """A zero-based line and a zero-based column counted in some encoding's code units."""

    line: int
    character: int


@record(frozen=True, eq=False)
class Source:
    """One file's text and its line index."""

    text: str

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets at which lines begin; a final line end opens one more, empty, line."""
        return (0, *(match.end() for match in _LINE_END.finditer(self.text)))

    def line_of(self, offset: int) -> int:
        """Return the zero-based line that holds ``offset``."""
        return bisect_right(self.line_starts, offset) - 1

    def line_span(self, line: int) -> Span:
        """Return the span of a line without its line end."""
        start = self.line_starts[line]
        end = self.line_starts[line + 1] if line + 1 < len(self.line_starts) else len(self.text)
        while end > start and self.text[end - 1] in "\r\n":
            end -= 1
        return Span(start, end)

    def line_text(self, line: int) -> str:
        """Return a line without its line end."""
        return self.slice(self.line_span(line))

    def slice(self, span: Span) -> str:
        """Return the text of ``span``."""
        return self.text[span.start : span.end]

    @property
    def newline(self) -> str:
        """Return the line end that this file uses first, ``\\n`` when it has none."""
        match = _LINE_END.search(self.text)
        return match.group() if match else "\n"

    def position(self, offset: int, encoding: Encoding = "utf-16") -> Position:
        """Turn an offset into a line and a column in ``encoding``; offsets are clamped to the text."""
        offset = max(0, min(offset, len(self.text)))
        line = self.line_of(offset)
        return Position(line, _units(self.text[self.line_starts[line] : offset], encoding))

    def offset(self, position: Position, encoding: Encoding = "utf-16") -> int:
        """Turn an editor position into an offset; a column behind the line's end means its end."""
        if position.line >= len(self.line_starts):
            return len(self.text)
        span = self.line_span(max(0, position.line))
        return span.start + index_of(self.slice(span), position.character, encoding)


def index_of(line: str, column: int, encoding: Encoding) -> int:
    """Return the index of a column, in code units of ``encoding``, clamped to a line without its end."""
    if column <= 0:
        return 0
    if encoding == "utf-32" or line.isascii():
        return min(column, len(line))
    units = 0
    for index, char in enumerate(line):
        if units >= column:
            return index
        units += _units(char, encoding)
    return len(line)


def _units(text: str, encoding: Encoding) -> int:
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-16":
        return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)
    return len(text.encode("utf-8", "surrogatepass"))


@record(frozen=True, slots=True)
class Where:
    """A place in a file whose text is not at hand: enough for every editor's columns."""

    line: int
    """Zero-based."""
    head: str
    """The line's text up to the end of the place."""
    width: int
    """Code points of the place within ``head``."""


def where_of(source: Source, span: Span) -> Where:
    """Return a place in a form that needs no text; of several lines the first."""
    line = source.line_of(span.start)
    full = source.line_span(line)
    end = min(span.end, full.end)
    return Where(line, source.text[full.start : end], max(0, end - span.start))


@record(frozen=True, eq=False)
class Mapped:
    """A string put together from pieces of a file, that knows where each character came from.

    Joining continuation lines or dropping quotes leaves text that is not contiguous in the file:
    ``pieces`` holds, for each contiguous run, its index in ``text`` and its offset in the file.
    """

    text: str
    pieces: tuple[tuple[int, int], ...]
    """Pairs (index in ``text``, offset from the anchor), ascending; the first index is 0."""
    stop: int
    """Offset from the anchor right behind the last character."""
    anchor: Anchor = FIXED

    @property
    def end(self) -> int:
        """Return the offset in the file right behind the last character, where it would go on."""
        return self.anchor.at + self.stop

    @property
    def places(self) -> Iterator[tuple[int, int]]:
        """Yield for each contiguous run its index in ``text`` and its offset in the file."""
        return ((index, self.anchor.at + offset) for index, offset in self.pieces)

    exact = True
    """Each character has a place of its own in the file, so that an edit can reach it."""

    @classmethod
    def plain(cls, source: Source, span: Span) -> Mapped:
        """Map one contiguous span of ``source``."""
        return cls(source.slice(span), ((0, span.start),), span.end)

    def standing(self, text: str, start: int, stop: int) -> Mapped:
        """Map ``text`` that stands for the characters from ``start`` to ``stop`` of this one."""
        place = self.span(start, stop)
        at = self.anchor.at
        return Mapped(text, ((0, place.start - at),), place.end - at, self.anchor)

    @classmethod
    def join(cls, parts: Iterable[Mapped], at: int = 0) -> Mapped:
        """Concatenate mapped strings; ``at`` is the file offset of the result when it is empty."""
        parts = iter(parts)
        texts: list[str] = []
        pieces: list[tuple[int, int]] = []
        length, end = 0, None
        anchor: Anchor | None = None
        for part in parts:
            if not part.exact:
                return part.joined("".join([*texts, part.text, *(rest.text for rest in parts)]))
            anchor = anchor or part.anchor
            if not part.text:
                continue
            shift = part.anchor.at - anchor.at
            for index, offset in part.pieces:
                if pieces and pieces[-1][1] + (length + index - pieces[-1][0]) == offset + shift:
                    continue
                pieces.append((length + index, offset + shift))
            texts.append(part.text)
            length += len(part.text)
            end = part.stop + shift
        anchor = anchor or FIXED
        at -= anchor.at
        return cls("".join(texts), tuple(pieces) or ((0, at),), at if end is None else end, anchor)

    def offset(self, index: int) -> int:
        """Return the file offset of character ``index``; the length maps to ``end``."""
        return self.anchor.at + self._offset(index)

    def _offset(self, index: int) -> int:
        if index >= len(self.text):
            return self.stop
        if len(self.pieces) == 1:
            return self.pieces[0][1] + index
        piece = self.pieces[bisect_right(self.pieces, (index, _FAR)) - 1]
        return piece[1] + index - piece[0]

    def span(self, start: int = 0, stop: int | None = None) -> Span:
        """Return the file span from character ``start`` to character ``stop`` (exclusive)."""
        if stop is None:
            stop = len(self.text)
        if stop <= start:
            at = self._offset(start)
            return Span(at, at, self.anchor)
        if len(self.pieces) == 1 and stop <= len(self.text):
            base = self.pieces[0][1]
            return Span(base + start, base + stop, self.anchor)
        return Span(self._offset(start), self._offset(stop - 1) + 1, self.anchor)

    def slice(self, start: int, stop: int | None = None) -> Mapped:
        """Return the characters from ``start`` to ``stop`` (exclusive) with their mapping."""
        stop = len(self.text) if stop is None else min(stop, len(self.text))
        if start >= stop:
            at = self._offset(stop)
            return Mapped("", ((0, at),), at, self.anchor)
        if len(self.pieces) == 1:
            base = self.pieces[0][1]
            return Mapped(self.text[start:stop], ((0, base + start),), base + stop, self.anchor)
        first = bisect_right(self.pieces, (start, _FAR)) - 1
        pieces = [(0, self._offset(start))]
        for index, offset in self.pieces[first + 1 :]:
            if index >= stop:
                break
            pieces.append((index - start, offset))
        return Mapped(self.text[start:stop], tuple(pieces), self._offset(stop - 1) + 1, self.anchor)

    def index_at(self, offset: int) -> int | None:
        """Return the index of the character that stands at file ``offset``, if there is one."""
        offset -= self.anchor.at
        for number, (index, start) in enumerate(self.pieces):
            last = self.pieces[number + 1][0] if number + 1 < len(self.pieces) else len(self.text)
            if start <= offset < start + last - index:
                return index + offset - start
        return None

    def joined(self, text: str) -> Mapped:
        """Return another text at the place of this one; for those that are not exact."""
        return Mapped(text, self.pieces, self.stop, self.anchor)

    def __len__(self) -> int:
        return len(self.text)

    def __str__(self) -> str:
        return self.text


@record(frozen=True, eq=False)
class Elsewhere(Mapped):
    """A text of another file, which stands as a whole for one place of this one: no edit reaches it.

    ``pieces`` holds the start of that place, ``stop`` its end.
    """

    path: str = ""
    """The file that it is from."""
    place: tuple[int, Span] | None = None
    """Line (zero-based) and place in that file; None: it is all of it."""

    exact = False

    @classmethod
    def of(cls, text: str, path: str, place: Mapped) -> Elsewhere:
        """Let the text of ``path`` stand at a place of the file."""
        return cls(text, ((0, place.pieces[0][1]),), place.stop, place.anchor, path)

    def _offset(self, index: int) -> int:
        return self.stop if index >= len(self.text) else self.pieces[0][1]

    def span(self, start: int = 0, stop: int | None = None) -> Span:
        """Return the whole place."""
        return Span(self.pieces[0][1], self.stop, self.anchor)

    def slice(self, start: int, stop: int | None = None) -> Mapped:
        """Return the characters from ``start`` to ``stop`` (exclusive), at the same place."""
        return self.joined(self.text[start:stop])

    def joined(self, text: str) -> Elsewhere:
        """Return another text at the same place."""
        return Elsewhere(text, self.pieces, self.stop, self.anchor, self.path, self.place)


_FAR = 1 << 62


@record(frozen=True, order=True)
class Edit:
    """Replace ``span`` (code-point offsets of the file's present text) by ``text``."""

    span: Span
    text: str


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Apply disjoint edits to ``text``.

    Edits that insert at one offset keep their order. Raises ``ValueError`` when edits overlap.
    """
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda item: (item.span.start, item.span.end)):
        if edit.span.start < at:
            raise ValueError(f"edits overlap at offset {edit.span.start}")
        parts += (text[at : edit.span.start], edit.text)
        at = edit.span.end
    return "".join((*parts, text[at:]))


def changed(before: str, after: str) -> tuple[Span, Span]:
    """Return the parts of two texts, each in its own offsets, outside of which they are the same.

    Whole pieces are compared, not characters: it is asked at every key.
    """
    shorter = min(len(before), len(after))
    low, high = 0, shorter
    while low < high:
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    start, low, high = low, 0, shorter - low
    while low < high:
        middle = (low + high + 1) // 2
        if (
            before[len(before) - middle : len(before) - low]
            == after[len(after) - middle : len(after) - low]
        ):
            low = middle
        else:
            high = middle - 1
    return Span(start, len(before) - low), Span(start, len(after) - low)
