"""Takes commands and words out of a script and leaves the rest of the file byte for byte.

A command goes with one of its connectors, and with the lines and line continuations that only it
needed. Comment lines stay, also those between the command and its connector. One that speaks of cleaning up
goes with the command below it, where no other command follows there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from cachekey.syntax.shell.tree import Block, Command, Item, Word
from cachekey.text import Edit, Mapped, Source, Span

_COMMENT_LINE = re.compile(r"[ \t]*#")
_BACKQUOTE_ESCAPES = re.compile(
    r"(?:[ \t]*#[^\n]*\n)*?[ \t]*#[ \t]*escape[ \t]*=[ \t]*`", re.IGNORECASE
)
_COMMENT_LINES = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_CLEANING = re.compile(
    r"[ \t]*#(?![^\n]*(?:&&|[;\\])\s*\Z).*\b(?:clean|remov|delet|purg|tidy)", re.IGNORECASE
)
"""A comment on cleaning up; what ends like a command is one that somebody has switched off."""
_HARMLESS = frozenset(("true", ":"))
_KEPT_BLOCKS = frozenset(("script", "subshell", "group", "body", "function"))


def removal(commands: Sequence[Command], source: Source) -> Edit | None:
    """Return the edit that deletes exactly these commands of one block, each right behind the one before.

    None when they cannot go: when the result of one is asked for (a condition, left of ``||``, in a
    pipeline), when it answers for another's failure (right of ``||``), or when nothing would be left of
    their block.
    """
    block = commands[0].block
    items = block.items
    for number, command in enumerate(commands, commands[0].index):
        if number >= len(items) or items[number].command is not command:
            return None
        if any(redirect.is_document for redirect in command.redirects):
            return None
    between = items[commands[0].index + 1 : commands[-1].index + 1]
    if any(item.connector in ("||", "&") for item in between):
        return None
    if block.kind not in _KEPT_BLOCKS or len(items) <= len(commands):
        return None
    tokens = _tokens(items, commands[0].index, commands[-1].index, source, block)
    if tokens is None or not _whole(block.source, source, tokens):
        return None
    return _cut(source, block.source, tokens)


class _Tokens(NamedTuple):
    """What goes: commands and one connector more than stand between them, as file offsets."""

    start: int
    stop: int
    next_start: int | None
    """Where the following command starts, when the connector in front of that goes."""


def _tokens(
    items: list[Item], first: int, last: int, source: Source, block: Block
) -> _Tokens | None:
    """Choose the connector that goes with the commands."""
    item = items[first]
    following = items[last + 1] if last + 1 < len(items) else None
    if following is not None and following.connector == "||" and item.connector != "&&":
        # `clean || true`: the fallback is for this command alone, and goes along.
        if not _is_harmless(following):
            return None
        last += 1
        following = items[last + 1] if last + 1 < len(items) else None
        if following is not None and following.connector == "||":
            return None
    tail = block.tail[0] if block.tail else ""
    before, after = item.connector, following.connector if following else tail
    if before == "||" or "&" in (before, after):
        return None
    text = block.source
    if _takes_next(before, after, _begins_line(source, text.offset(item.start))) and following:
        stop = items[last].stop if following.connector == "\n" else following.connector_stop
        next_start = _place(text, source, following.start)
        return _Tokens(_place(text, source, item.start), _end(text, stop), next_start)
    if not before:
        return None
    start, stop = item.connector_start, items[last].stop
    if before == "\n":
        # A line end as connector goes with the line, and a `;` behind it has no use any more.
        start = item.start
        if following is None and block.tail and tail == ";":
            stop = block.tail[2]
    return _Tokens(_place(text, source, start), _end(text, stop), None)


def _takes_next(before: str, after: str, begins_line: bool) -> bool:
    """Tell whether the connector behind a command goes with it rather than the one in front."""
    if not before:
        return True
    if after == "||" or (before == "&&" and after in (";", "\n")):
        return False
    if before in (";", "\n") and after == "&&":
        return True
    return begins_line


def _is_harmless(item: Item) -> bool:
    command = item.command
    return (
        command is not None
        and len(command.words) == 1
        and not command.assignments
        and command.words[0].written in _HARMLESS
    )


def _place(text: Mapped, source: Source, index: int) -> int:
    """Return where a character stands, the backslash that escapes it in the file included."""
    offset = text.offset(index)
    escaped = offset > 0 and source.text[offset - 1] == "\\"
    if escaped and (index == 0 or text.offset(index - 1) != offset - 1):
        return offset - 1
    return offset


def _end(text: Mapped, stop: int) -> int:
    return text.offset(stop - 1) + 1 if stop else text.offset(0)


def _whole(text: Mapped, source: Source, tokens: _Tokens) -> bool:
    """Tell whether what goes is no half of an escape or of a quoted text."""
    stop = tokens.stop if tokens.next_start is None else tokens.next_start
    before: int | None = None
    for number, (index, offset) in enumerate(text.places):
        more = number + 1 < len(text.pieces)
        size = (text.pieces[number + 1][0] if more else len(text.text)) - index
        if offset + size > tokens.start and offset < stop:
            if source.text[offset : offset + size] != text.text[index : index + size]:
                return False
            if before is not None:
                gap = _COMMENT_LINES.sub("", source.text[before:offset])
                if "'" in gap or '"' in gap:
                    return False
            before = offset + size
        elif offset >= stop:
            break
    return True


# -- lines ------------------------------------------------------------------------------------


def _before_blanks(text: str, offset: int) -> int:
    """Step back over blanks; one behind a backslash belongs to a word."""
    while offset and text[offset - 1] in " \t" and text[offset - 2 : offset - 1] != "\\":
        offset -= 1
    return offset


def _begins_line(source: Source, offset: int) -> bool:
    start = source.line_starts[source.line_of(offset)]
    return not source.text[start:offset].strip(" \t")


class _Lines:
    """Looks at the lines of a file the way the Dockerfile's reader does."""

    def __init__(self, source: Source, script: Mapped) -> None:
        self.source = source
        self.script = script
        self.ends = "\\`" if _BACKQUOTE_ESCAPES.match(source.text) else "\\"

    def start(self, offset: int) -> int:
        return self.source.line_starts[self.source.line_of(offset)]

    def next_start(self, offset: int) -> int:
        line = self.source.line_of(offset)
        starts = self.source.line_starts
        return starts[line + 1] if line + 1 < len(starts) else len(self.source.text)

    def continuation(self, line: int) -> int | None:
        """Return where the blanks in front of a line's continuation mark begin, if it has one."""
        span = self.source.line_span(line)
        text = self.source.slice(span).rstrip(" \t")
        if not text or text[-1] not in self.ends:
            return None
        if self.script.index_at(span.start + len(text) - 1) is not None:
            # The shell's own escape: it counts backslashes, and no blank may stand behind.
            odd = (len(text) - len(text.rstrip("\\"))) % 2
            if not odd or len(text) < span.end - span.start:
                return None
        return span.start + len(text[:-1].rstrip(" \t"))

    def continues(self, offset: int) -> bool:
        """Tell whether only a line continuation stands behind ``offset``."""
        line = self.source.line_of(offset)
        rest = self.source.text[offset : self.source.line_span(line).end].strip(" \t")
        return len(rest) == 1 and rest in self.ends and self.continuation(line) is not None

    def is_comment(self, line: int) -> bool:
        return _COMMENT_LINE.match(self.source.line_text(line)) is not None

    def comments(self, start: int, stop: int) -> str:
        """Return the comment lines that lie wholly between two offsets, with their line ends."""
        source = self.source
        kept = []
        for line in range(source.line_of(start) + 1, source.line_of(stop)):
            # A line that starts with `#` within a quoted text is no comment.
            if self.is_comment(line) and self.is_dropped(line):
                start = source.line_starts[line]
                kept.append(source.text[start : self.next_start(start)])
        return "".join(kept)

    def is_dropped(self, line: int) -> bool:
        """Tell whether the Dockerfile's reader leaves a comment or blank line out of the script."""
        span = self.source.line_span(line)
        first = span.end - len(self.source.slice(span).lstrip(" \t"))
        return self.script.index_at(first) is None

    def reasons(self, line: int) -> int:
        """Return the first of the comment lines right above that say why a line cleans up, or it itself."""
        while line > 0 and _CLEANING.match(self.source.line_text(line - 1)):
            line -= 1
        return line

    def stands_last(self, offset: int) -> bool:
        """Tell whether a comment or the end of the script stands below the line at ``offset``."""
        line = self.source.line_of(offset) + 1
        if line >= len(self.source.line_starts):
            return True
        return bool(self.source.line_text(line).strip()) and (
            self.is_comment(line) or self.is_dropped(line)
        )

    def previous_code(self, line: int) -> int:
        """Return the nearest line above that the script has something from."""
        line -= 1
        while line > 0 and self._is_idle(line) and self.is_dropped(line):
            line -= 1
        return line

    def _is_idle(self, line: int) -> bool:
        return self.is_comment(line) or not self.source.line_text(line).strip()


def _cut(source: Source, script: Mapped, tokens: _Tokens) -> Edit | None:
    lines = _Lines(source, script)
    text = source.text
    start, stop = tokens.start, tokens.stop
    comments = lines.comments(start, stop)
    line_end = source.line_span(source.line_of(stop)).end
    rest = text[stop:line_end]
    continues = lines.continues(stop)
    ends = not rest.strip(" \t")
    if _begins_line(source, start):
        line_start = lines.start(start)
        first_line = source.line_of(start)
        above = lines.previous_code(first_line) if first_line else 0
        continued = lines.continuation(above) if first_line else None
        if continues or (ends and continued is None):
            return _whole_lines(source, lines, line_start, stop, comments)
        if ends and continued is not None:
            return _last_lines(source, lines, continued, line_start, stop, comments)
        go_on = stop + len(rest) - len(rest.lstrip(" \t"))
        return Edit(Span(line_start, go_on), comments + text[line_start:start])
    if tokens.next_start is not None:
        return _head(source, lines, tokens)
    start = _before_blanks(text, start)
    if not comments:
        return Edit(Span(start, stop), "")
    if ends:
        first = source.line_starts[lines.reasons(source.line_of(stop))]
        kept = lines.comments(start, first).rstrip("\r\n")
        return Edit(Span(start, stop), source.newline + kept if kept else "")
    if continues:
        after = lines.next_start(stop)
        return Edit(Span(start, after), text[stop:after] + comments)
    return None


def _whole_lines(
    source: Source, lines: _Lines, line_start: int, stop: int, comments: str
) -> Edit | None:
    after = lines.next_start(stop)
    if after == len(source.text) and not source.text.endswith("\n"):
        # The last line of a file without a final line end takes the one above it along.
        line_start = max(source.line_span(source.line_of(line_start) - 1).end, 0)
        return Edit(Span(line_start, after), "")
    if lines.stands_last(stop):
        line_start = source.line_starts[lines.reasons(source.line_of(line_start))]
    return Edit(Span(line_start, after), comments)


def _last_lines(
    source: Source, lines: _Lines, continued: int, line_start: int, stop: int, comments: str
) -> Edit:
    """Cut at the end of an instruction: the line above must not go on any more."""
    mark_end = source.line_span(source.line_of(continued)).end
    first = source.line_starts[lines.reasons(source.line_of(line_start))]
    between = source.text[mark_end : max(mark_end, first)] + comments
    if not between.strip():
        between = ""
    return Edit(Span(continued, stop), between.rstrip("\r\n"))


def _head(source: Source, lines: _Lines, tokens: _Tokens) -> Edit:
    """Cut what stands first behind something else on its line (``RUN rm x && \\``)."""
    assert tokens.next_start is not None
    comments = lines.comments(tokens.start, tokens.next_start)
    if not comments:
        return Edit(Span(tokens.start, tokens.next_start), "")
    if lines.continues(tokens.stop):
        # The line goes on, and comments follow: `RUN \` is a legal line.
        stop = tokens.stop
        while source.text[stop : stop + 1] in (" ", "\t"):
            stop += 1
        kept = lines.comments(tokens.start, tokens.stop)
        if not kept:
            return Edit(Span(tokens.start, stop), "")
        return Edit(
            Span(tokens.start, lines.next_start(stop)),
            source.text[stop : lines.next_start(stop)] + kept,
        )
    number = source.line_of(tokens.start)
    mark = lines.continuation(number)
    begin = mark if mark is not None else tokens.start
    line = source.text[begin : lines.next_start(tokens.start)]
    indent = source.text[lines.start(tokens.next_start) : tokens.next_start]
    indent = indent[: len(indent) - len(indent.lstrip(" \t"))]
    return Edit(Span(tokens.start, tokens.next_start), line.lstrip(" \t") + comments + indent)


# -- words ------------------------------------------------------------------------------------


def remove_word(word: Word, source: Source) -> Edit | None:
    """Return the edit that deletes a word and the blank, or its continuation line, in front of it.

    None for a word that is none of the file: a variable's value, or a script's.
    """
    if not word.removable:
        return None
    text = source.text
    start, stop = _place(word.source, source, word.start), word.span.end
    if stop > start and text[stop - 1] == "\\" != word.written[-1]:
        # The exec form's escape of the last character takes two places.
        stop += 1
    lines = _Lines(source, word.source)
    line = source.line_of(start)
    line_end = source.line_span(source.line_of(stop)).end
    rest = text[stop:line_end].strip(" \t")
    if not _begins_line(source, start) or line == 0:
        start = _before_blanks(text, start)
        if text[stop : stop + 1] in (" ", "\t") and start and text[start - 1] in "\r\n":
            stop += 1
        return Edit(Span(start, stop), "")
    if lines.continues(stop):
        return Edit(Span(lines.start(start), lines.next_start(stop)), "")
    continued = lines.continuation(lines.previous_code(line))
    if not rest and continued is not None:
        return _last_lines(source, lines, continued, lines.start(start), stop, "")
    while text[stop : stop + 1] in (" ", "\t"):
        stop += 1
    return Edit(Span(start, stop), "")
