"""The value of ``--mount``: one CSV record, read as BuildKit reads it."""

from __future__ import annotations

from cachekey.record import record
from cachekey.syntax.dockerfile.mapping import cut
from cachekey.syntax.dockerfile.tree import SyntaxProblem
from cachekey.text import Mapped, Span

__all__ = ["Field", "MountFlag", "SyntaxProblem", "parse_mount"]

_BARE_QUOTE = 'bare " in non-quoted-field'
_QUOTE = 'extraneous or missing " in quoted-field'


@record(frozen=True)
class Field:
    """One option; an empty field, as between two commas, has an empty name."""

    span: Span
    """The field as written, CSV quotes included."""
    name: Mapped
    """What stands before the first ``=``, as written."""
    key: str
    """The lower-cased name: option names are case-insensitive."""
    value: Mapped | None
    """What stands behind the first ``=``; ``None`` for a bare option."""


@record(frozen=True)
class MountFlag:
    """A mount's options in written order."""

    fields: tuple[Field, ...]
    problem: SyntaxProblem | None
    """What makes the record unreadable; ``fields`` then holds what can be told apart anyway."""


class _CsvError(Exception):
    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


def parse_mount(value: Mapped) -> MountFlag:
    """Split the flag's value (quotes and escapes of the Dockerfile already removed)."""
    text = value.text
    if text.endswith("\n"):
        value = value.slice(0, len(text) - (2 if text.endswith("\r\n") else 1))
        text = value.text
    if not text:
        return MountFlag((), SyntaxProblem(value.span(), "failed to parse csv mounts: EOF"))
    fields: list[Field] = []
    at = 0
    problem: SyntaxProblem | None = None
    while at >= 0:
        try:
            # Behind a mistake the quotes mean nothing: who would look for the end of each of them
            # might go through all the rest each time.
            parts, stop = _field(text, at) if problem is None else _plain_field(text, at)
        except _CsvError as error:
            problem = _problem(value, error)
            parts, stop = _plain_field(text, at)
        fields.append(_option(value, at, stop, parts))
        at = stop + 1 if stop < len(text) else -1
    return MountFlag(tuple(fields), problem)


def _plain_field(text: str, at: int) -> tuple[list[tuple[int, int]], int]:
    stop = text.find(",", at)
    stop = len(text) if stop < 0 else stop
    return [(at, stop)], stop


def _field(text: str, at: int) -> tuple[list[tuple[int, int]], int]:
    """Read one field; returns the index ranges of its content, and the index of its comma."""
    if not text.startswith('"', at):
        parts, stop = _plain_field(text, at)
        quote = text.find('"', at, stop)
        if quote >= 0:
            raise _CsvError(quote, _BARE_QUOTE)
        return parts, stop
    parts = []
    at += 1
    while True:
        quote = text.find('"', at)
        if quote < 0:
            raise _CsvError(at, _QUOTE)
        following = text[quote + 1 : quote + 2]
        if following == '"':
            parts.append((at, quote + 1))
            at = quote + 2
        elif following in ("", ","):
            parts.append((at, quote))
            return parts, quote + 1
        else:
            raise _CsvError(quote, _QUOTE)


def _option(value: Mapped, start: int, stop: int, parts: list[tuple[int, int]]) -> Field:
    if len(parts) == 1:
        content = cut(value, *parts[0])
    else:
        content = Mapped.join((cut(value, *part) for part in parts), value.offset(parts[0][0]))
    equals = content.text.find("=")
    name = content if equals < 0 else cut(content, 0, equals)
    return Field(
        value.span(start, stop),
        name,
        name.text.lower(),
        None if equals < 0 else cut(content, equals + 1, len(content.text)),
    )


def _problem(value: Mapped, error: _CsvError) -> SyntaxProblem:
    # Go counts bytes, and BuildKit's flag splitter has by then turned each byte of a non-ASCII
    # character into a character of its own, which takes two bytes.
    column = 1 + sum(
        1 if char < "\x80" else 2 * len(char.encode("utf-8", "surrogatepass"))
        for char in value.text[: error.index]
    )
    return SyntaxProblem(
        value.span(error.index, min(error.index + 1, len(value.text))),
        f"failed to parse csv mounts: parse error on line 1, column {column}: {error}",
    )
