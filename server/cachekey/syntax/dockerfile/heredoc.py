"""Where here-documents open: the ``<<NAME`` words of an instruction."""

from __future__ import annotations

import re

from cachekey.record import record
from cachekey.syntax.dockerfile.go import SPACE, go_quote
from cachekey.syntax.dockerfile.lexer import Lexer, LexError, RawWord, TooDeepError

_MARKER = re.compile(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]+)")
_SIMPLE_NAME = re.compile(r"[\w.-]+")
_NEEDS_LEXER = re.compile(r"[$'\"\\\ufeff]")
_PLAIN_WORD = re.compile(rf"(?:<<[\t\r ]*|<|[^<{SPACE}]+)+")
"""A word without quotes and variables; blanks behind ``<<`` belong to it."""
_FD_MAX = 2**64 - 1


class MarkerError(Exception):
    """A here-document's name that BuildKit cannot read."""


@record(frozen=True)
class Marker:
    """An opened here-document; ``start`` and ``end`` are indexes into the instruction's text."""

    name: str
    strip_tabs: bool
    expand: bool
    fd: int
    start: int
    end: int


def find_markers(text: str) -> list[Marker]:
    """Return the here-documents that an instruction's joined text opens, in order.

    Raises ``MarkerError`` for a name with a quote or brace left open.
    """
    try:
        words = _words(text)
    except (LexError, TooDeepError):
        # BuildKit ignores this error: an instruction with an open quote opens nothing.
        return []
    markers: list[Marker] = []
    for written, start, end in words:
        match = _MARKER.fullmatch(written)
        name = _name(match.group(3)) if match else None
        if match is None or name is None:
            continue
        markers.append(
            Marker(
                name=name[0],
                strip_tabs=bool(match.group(2)),
                expand=name[1],
                fd=_descriptor(match.group(1)),
                start=start + match.end(1),
                end=end,
            )
        )
    return markers


def _words(text: str) -> list[tuple[str, int, int]]:
    if _NEEDS_LEXER.search(text):
        lexed = _lex(text, raw_quotes=True, raw_escapes=True)
        return [(word.text, word.start, word.end) for word in lexed]
    return [(match.group(), *match.span()) for match in _PLAIN_WORD.finditer(text)]


def _lex(text: str, *, raw_quotes: bool, raw_escapes: bool = False) -> list[RawWord]:
    # Always the backslash, whatever the escape directive says: BuildKit does it so.
    return Lexer(
        text,
        lambda name: None,
        raw_quotes=raw_quotes,
        raw_escapes=raw_escapes,
        skip_unset=True,
    ).words()


def _name(written: str) -> tuple[str, bool] | None:
    """Remove a name's quotes; tells as well whether there were none, so that the body expands."""
    if _SIMPLE_NAME.fullmatch(written):
        return written, True
    try:
        words = _lex(written, raw_quotes=False)
        raw = _lex(written, raw_quotes=True)
    except LexError as error:
        raise MarkerError(f"failed to process {go_quote(written)}: {error}") from None
    except TooDeepError:
        return None
    if len(words) != 1:
        return None
    if len(raw) != 1:
        raise MarkerError(f"internal lexing of heredoc produced inconsistent results: {written}")
    return words[0].text, _quotes(words[0].text) == _quotes(raw[0].text)


def _quotes(text: str) -> int:
    return text.count("'") + text.count('"')


def _descriptor(digits: str) -> int:
    digits = digits.lstrip("0")
    return min(int(digits or "0"), _FD_MAX) if len(digits) <= 20 else _FD_MAX
