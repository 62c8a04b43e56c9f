"""Flags before an instruction's arguments, and the plain word splitting of ENV and its kin."""

from __future__ import annotations

import re

from cachekey.syntax.dockerfile.go import ASCII_SPACE, SPACE, bytes_like_space
from cachekey.syntax.dockerfile.mapping import cut, span_of
from cachekey.syntax.dockerfile.tree import Flag
from cachekey.text import Mapped

_PLAIN = re.compile(r"[!#-&(-\[\]-_a-~\x00-\x08\x0e-\x1f\x7f]+")
"""A run in which no quote, escape character or blank (not even half of one) can stand."""
PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
"""What a template engine fills in before the builder sees the file: ``{{ name }}``, ``{% if a %}``."""
_CLOSES = {"{{": "}}", "{%": "%}"}
_LONGEST_PLACEHOLDER = 200


def split_flags(text: Mapped, start: int, escape: str) -> tuple[tuple[Flag, ...], int]:
    """Read the flags of ``text`` from index ``start`` on.

    Returns them and the index of the arguments. Flags end at the first word without ``--``, and
    at a bare ``--``, which belongs to neither side.
    """
    flags: list[Flag] = []
    chars, at, stop = text.text, start, len(text.text)
    while True:
        while at < stop and chars[at] in ASCII_SPACE:
            at += 1
        if not chars.startswith("--", at):
            return tuple(flags), at
        begin = at
        ranges, at = _flag_word(chars, at, escape)
        word = _gather(text, ranges)
        if word.text == "--":
            return tuple(flags), at
        equals = word.text.find("=")
        name_end = equals if equals >= 0 else len(word.text)
        name = cut(word, min(2, name_end), name_end)
        value = cut(word, equals + 1, len(word.text)) if equals >= 0 else None
        flags.append(Flag(span_of(text, begin, at), name, value))


def _gather(text: Mapped, ranges: list[tuple[int, int]]) -> Mapped:
    if len(ranges) == 1:
        return cut(text, *ranges[0])
    return Mapped.join(cut(text, start, stop) for start, stop in ranges)


def _flag_word(chars: str, at: int, escape: str) -> tuple[list[tuple[int, int]], int]:
    """Read one word; returns the index ranges that make up its value, and where it ends."""
    ranges: list[tuple[int, int]] = []
    begin, stop = at, len(chars)
    quote = ""
    while at < stop:
        plain = _PLAIN.match(chars, at)
        if plain:
            _extend(ranges, at, plain.end())
            at = plain.end()
            continue
        char = chars[at]
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif not quote and char in ASCII_SPACE:
            behind = _behind_placeholder(chars, begin, at)
            if behind is None:
                break
            _extend(ranges, at, behind)
            at = behind
            continue
        else:
            if char == escape:
                at += 1
                if at == stop:
                    break
            _extend(ranges, at, at + 1)
            if not quote and chars[at] > "\x7f" and bytes_like_space(chars[at]):
                return ranges, at + 1
        at += 1
    return ranges, at


def _behind_placeholder(chars: str, begin: int, at: int) -> int | None:
    """Return where a template's placeholder ends that holds the blank at ``at``; None without one.

    The builder would end the word there; but this text never gets there as it is.
    """
    start = max(chars.rfind(mark, begin, at) for mark in _CLOSES)
    if start < 0:
        return None
    close = _CLOSES[chars[start : start + 2]]
    if chars.find(close, start, at) >= 0:
        return None
    end = chars.find(close, at, start + _LONGEST_PLACEHOLDER)
    return end + 2 if end >= 0 else None


def _extend(ranges: list[tuple[int, int]], start: int, stop: int) -> None:
    if ranges and ranges[-1][1] == start:
        ranges[-1] = (ranges[-1][0], stop)
    else:
        ranges.append((start, stop))


def _word_tokens(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(
        rf"(?P<space>[{SPACE}]+)"
        rf"|\"[^\"{mark}]*(?:{mark}.[^\"{mark}]*)*\"?"
        rf"|'[^']*'?"
        rf"|{mark}."
        rf"|(?P<tail>{mark})"
        rf"|[^{SPACE}\"'{mark}]+",
        re.DOTALL,
    )


_SPECIAL = re.compile(r"[\"'\\`]")
_WORD = re.compile(rf"[^{SPACE}]+")
_WORD_TOKENS = {escape: _word_tokens(escape) for escape in "\\`"}


def split_words(text: Mapped, escape: str) -> list[Mapped]:
    """Split at blanks outside of quotes; quotes and escapes stay in the words.

    This is how BuildKit takes ENV, LABEL and ARG apart before it expands anything. A lone escape
    character at the very end is dropped.
    """
    if not _SPECIAL.search(text.text):
        return [cut(text, *match.span()) for match in _WORD.finditer(text.text)]
    words: list[Mapped] = []
    start = end = 0
    for token in _WORD_TOKENS[escape].finditer(text.text):
        if token.lastgroup == "space":
            if end > start:
                words.append(cut(text, start, end))
            start = end = token.end()
        elif token.lastgroup != "tail":
            end = token.end()
    if end > start:
        words.append(cut(text, start, end))
    return words
