"""The layer in front of dockerfile-parse: what each line is, before anything is split.

dockerfile-parse knows no here-documents, no blank lines inside continuations, no backquote as
continuation, and no columns. So every line is classified here, and the splitter is handed a text
of as many lines in which those things are gone: comments, directives and the bodies of
here-documents are blank lines, lines inside an instruction say only whether it goes on.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import accumulate

from cachekey.syntax.dockerfile.directives import DIRECTIVES, DirectiveBlock
from cachekey.syntax.dockerfile.go import SPACE
from cachekey.syntax.dockerfile.heredoc import Marker, MarkerError, find_markers
from cachekey.syntax.dockerfile.mapping import cut
from cachekey.syntax.dockerfile.statement import KEYWORDS, Frame, may_hold_heredocs
from cachekey.syntax.dockerfile.tree import Comment, Heredoc, SyntaxProblem
from cachekey.text import Anchor, Mapped, Source, Span

_PYTHON_SPACE = "\x1c\x1d\x1e\x1f"
"""Blanks for Python's regular expressions that are none for BuildKit."""
_JOINED_LINES = 400
"""Lines of one instruction behind which the splitter sees comments: it adds up lines slowly."""
_LINE_LIMIT = 65535
"""Bytes of a line that BuildKit's scanner takes, line end not counted."""
_LOOKS_LIKE_START = re.compile(rf"(?:{'|'.join(sorted(KEYWORDS))})[ \t]")


class Lines:
    """A file cut at ``\\n`` (BuildKit knows no other line end), every line classified."""

    def __init__(
        self,
        source: Source,
        directives: tuple[str, ...] = DIRECTIVES,
        escape: str | None = None,
    ) -> None:
        """Read lines; with ``escape`` given, no comment at the top is a directive."""
        text = source.text
        self.source = source
        self.rows = text.split("\n")
        self.starts = list(accumulate((len(row) + 1 for row in self.rows), initial=0))
        if text.startswith("\ufeff"):
            self.rows[0] = self.rows[0][1:]
            self.starts[0] = 1
        if not self.rows[-1]:
            self.rows.pop()
        self.lone_returns = "\r" in text and text.count("\r") > text.count("\r\n")
        self.block = DirectiveBlock(source, self.rows, self.starts, directives)
        self.escape = escape or self.block.escape
        self.kept: list[tuple[int, int] | None] = [None] * len(self.rows)
        """Offsets of what a line gives to its instruction."""
        self.anchors: dict[int, Anchor] = {}
        """From where places in an instruction count, by its first row."""
        self.normal = ["\n"] * len(self.rows)
        """The lines for the splitter."""
        self.frames: dict[int, Frame] = {}
        """Instructions with here-documents, by their first row."""
        self.firsts: set[int] = set()
        self.comments: list[Comment] = []
        self.problems = self.block.problems
        self._index: dict[tuple[str, bool], list[int]] | None = None
        number = 0
        while number < len(self.rows):
            number = self._top(number)

    def joined(self, first: int, last: int) -> Mapped:
        """Put together what the rows from ``first`` to ``last`` say, trimmed."""
        text = self.source.text
        anchor = self.anchors[first]
        base = anchor.at
        only = self.kept[first]
        if first == last and only is not None:
            start, end = only
            chars = text[start:end].rstrip(SPACE)
            if chars and chars[0] not in SPACE:
                start -= base
                return Mapped(chars, ((0, start),), start + len(chars), anchor)
        texts: list[str] = []
        pieces: list[tuple[int, int]] = []
        length, end = 0, self.starts[first]
        for kept in self.kept[first : last + 1]:
            if kept is None or kept[0] == kept[1]:
                continue
            start, end = kept
            texts.append(text[start:end])
            pieces.append((length, start - base))
            length += end - start
        chars = "".join(texts)
        end -= base
        whole = Mapped(chars, tuple(pieces) or ((0, end),), end, anchor)
        left = length - len(chars.lstrip(SPACE))
        right = len(chars.rstrip(SPACE))
        return whole if (left, right) == (0, length) else cut(whole, min(left, right), right)

    def row_end(self, number: int) -> int:
        """Return the offset behind a row, its line end not counted."""
        return self.starts[number] + len(self.rows[number].rstrip("\r"))

    def _top(self, number: int) -> int:
        """Read one line outside of instructions, or a whole instruction; returns the next row."""
        row = self.rows[number]
        body = row.lstrip(SPACE)
        if len(row) > _LINE_LIMIT // 4:
            self._check_length(number)
        if not body or number in self.block.rows:
            return number + 1
        if body[0] == "#":
            self._comment(number, body, inside=False)
            return number + 1
        begin = self.starts[number] + len(row) - len(body)
        text, goes_on = self._cut(body.rstrip("\r"))
        self.firsts.add(number)
        self.anchors[number] = Anchor(self.starts[number], number)
        self.kept[number] = (begin, begin + len(text))
        self.normal[number] = _first_line(text, goes_on)
        last = self._continue(number) if goes_on else number
        mark = "<<" in text if last == number else "<<" in self.joined(number, last).text
        return self._heredocs(number, last) + 1 if mark else last + 1

    def _cut(self, text: str) -> tuple[str, bool]:
        """Take a line's continuation mark away; tells whether it had one."""
        short = text.rstrip(" \t")
        if short[-1:] != self.escape or short[-2:-1] == self.escape:
            return text, False
        return short[:-1], True

    def _continue(self, first: int) -> int:
        """Read the lines that continue the instruction of row ``first``; returns its last row."""
        number = first
        goes_on = True
        while goes_on and number + 1 < len(self.rows):
            number += 1
            row = self.rows[number]
            if len(row) > _LINE_LIMIT // 4:
                self._check_length(number)
            self.normal[number] = "\\\n" if number - first < _JOINED_LINES else "#\n"
            body = row.lstrip(SPACE)
            if not body:
                continue
            if body[0] == "#":
                self._comment(number, body, inside=True)
                continue
            text, goes_on = self._cut(row.rstrip("\r"))
            self.kept[number] = (self.starts[number], self.starts[number] + len(text))
        if number == first:
            text = self.source.text[slice(*(self.kept[first] or (0, 0)))]
            self.normal[first] = _first_line(text, goes_on=False)
        else:
            self.normal[number] = ".\n"
        return number

    def _comment(self, number: int, body: str, inside: bool) -> None:
        start = self.starts[number] + len(self.rows[number]) - len(body)
        text = body.rstrip(SPACE)
        self.comments.append(Comment(Span(start, start + len(text)), text[1:].strip(SPACE), inside))

    def _check_length(self, number: int) -> None:
        row = self.rows[number]
        if len(row.encode("utf-8", "surrogatepass")) > _LINE_LIMIT:
            start = self.starts[number]
            message = f"dockerfile line greater than max allowed size of {_LINE_LIMIT}"
            self.problems.append(SyntaxProblem(Span(start, start + len(row)), message))

    # -- here-documents ----------------------------------------------------------------------

    def _heredocs(self, first: int, last: int) -> int:
        """Read the bodies that belong to an instruction; returns its last row."""
        text = self.joined(first, last)
        if not may_hold_heredocs(text, self.escape):
            return last
        try:
            markers = find_markers(text.text)
        except MarkerError as error:
            self.problems.append(SyntaxProblem(text.span(), str(error)))
            return last
        found: list[Heredoc] = []
        end = None
        for marker in markers:
            place = text.span(marker.start, marker.end)
            heredoc, last = self._body(marker, place, last, text.anchor)
            found.append(heredoc)
            end = heredoc.end.end if heredoc.end else self.row_end(last)
            if heredoc.end is None:
                message = f"unterminated heredoc: no line says {marker.name}"
                self.problems.append(SyntaxProblem(heredoc.marker, message))
                break
        if found:
            self.frames[first] = Frame(first, last, end, tuple(found))
        return last

    def _body(self, marker: Marker, place: Span, row: int, anchor: Anchor) -> tuple[Heredoc, int]:
        """Read one body behind ``row``; returns it and the last row that belongs to it."""
        number = row + 1
        close = self._find_end(marker, number)
        stop = self._resume(number) if close is None else close
        end = None
        if close is not None:
            name_end = self.row_end(close)
            name_end -= anchor.at
            end = Span(name_end - len(marker.name), name_end, anchor)
        body = self._content(number, stop, marker.strip_tabs, anchor)
        heredoc = Heredoc(
            marker.name, marker.strip_tabs, marker.expand, marker.fd, place, body, end
        )
        return heredoc, stop if close is not None else stop - 1

    def _content(self, first: int, stop: int, strip_tabs: bool, anchor: Anchor) -> Mapped:
        start, end = self._row_start(first), self._row_start(stop)
        if not strip_tabs:
            return self._plain(start, end, anchor)
        parts: list[Mapped] = []
        for number in range(first, stop):
            row = self.rows[number]
            begin = self.starts[number] + len(row) - len(row.lstrip("\t"))
            parts.append(self._plain(begin, self._row_start(number + 1), anchor))
        return Mapped.join(parts, start)

    def _plain(self, start: int, stop: int, anchor: Anchor) -> Mapped:
        at = anchor.at
        return Mapped(self.source.text[start:stop], ((0, start - at),), stop - at, anchor)

    def _row_start(self, number: int) -> int:
        return self.starts[number] if number < len(self.rows) else len(self.source.text)

    def _find_end(self, marker: Marker, number: int) -> int | None:
        """Return the row that closes a here-document, looking from row ``number`` on."""
        if self._index is None:
            for row in range(number, len(self.rows)):
                line = self.rows[row].rstrip("\r")
                if (line.lstrip("\t") if marker.strip_tabs else line) == marker.name:
                    return row
            # The search ran through the whole rest: make sure that this happens only once.
            self._index = self._line_index()
        rows = self._index.get((marker.name, marker.strip_tabs), [])
        at = bisect_left(rows, number)
        return rows[at] if at < len(rows) else None

    def _line_index(self) -> dict[tuple[str, bool], list[int]]:
        index: dict[tuple[str, bool], list[int]] = {}
        for number, row in enumerate(self.rows):
            line = row.rstrip("\r")
            index.setdefault((line, False), []).append(number)
            index.setdefault((line.lstrip("\t"), True), []).append(number)
        return index

    def _resume(self, number: int) -> int:
        """Return the row at which reading goes on behind a body that nothing closes.

        BuildKit gives up there. An editor should not: the next line that starts like an
        instruction is taken for one, so that the rest of the file is still looked at.
        """
        while number < len(self.rows) and not _LOOKS_LIKE_START.match(self.rows[number]):
            number += 1
        return number


def _first_line(text: str, goes_on: bool) -> str:
    """Write an instruction's first line so that the splitter takes it for one."""
    if text and text[0] in _PYTHON_SPACE:
        text = f".{text}"
    if goes_on:
        return f"{text}\\\n"
    if "\\" in text:
        text = text.rstrip(SPACE + _PYTHON_SPACE + "\\")
    return f"{text or '.'}\n"
