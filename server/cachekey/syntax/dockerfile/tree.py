"""The records of a read Dockerfile; offsets are code points, lines count from zero."""

from __future__ import annotations

from cachekey.record import record
from cachekey.text import Anchor, Mapped, Source, Span


@record(frozen=True)
class SyntaxProblem:
    """Something that BuildKit's parser refuses."""

    span: Span
    message: str


@record(frozen=True)
class Directive:
    """A parser directive at the top of the file: ``# syntax=``, ``# escape=`` or ``# check=``."""

    name: str
    """Lower-cased name."""
    value: Mapped
    span: Span
    """From the comment mark to the last character of the value."""


@record(frozen=True)
class Comment:
    """A comment line."""

    span: Span
    """From ``#`` to the last character that is not a blank."""
    text: str
    """What stands behind ``#``, without blanks around it."""
    inside: bool
    """Between the continuation lines of an instruction."""


@record(frozen=True)
class Flag:
    """A ``--name=value`` word between an instruction's keyword and its arguments.

    ``name`` and ``value`` are what BuildKit's splitter hands on: quotes are gone, one level of
    escapes is gone, and every character still knows where it stands in the file.
    """

    span: Span
    """The whole word as written, ``--`` and quotes included."""
    name: Mapped
    value: Mapped | None
    """``None`` when the word has no ``=``."""


@record(frozen=True)
class Heredoc:
    """One here-document of a RUN, COPY or ADD."""

    name: str
    strip_tabs: bool
    expand: bool
    """No part of the name was quoted: variables in the body are expanded."""
    fd: int
    marker: Span
    """``<<-"EOF"`` as written, without the descriptor's digits."""
    body: Mapped
    """The lines up to the terminator with their line ends; leading tabs are gone with ``<<-``."""
    end: Span | None
    """The name on the line that closes the body; ``None`` when nothing closes it."""


@record(frozen=True)
class Instruction:
    """One instruction, over all its lines."""

    keyword: str
    """Upper-cased."""
    keyword_span: Span
    span: Span
    """Keyword to last character, terminators of here-documents included, no final line end."""
    anchor: Anchor
    """What all its places count from; ``line`` is its first line."""
    more_lines: int
    """How many lines it goes on for behind the first."""
    flags: tuple[Flag, ...]
    args: Mapped
    """What follows the flags: continuations joined, comment and blank lines dropped, trimmed."""
    json: tuple[Mapped, ...] | None
    """The decoded strings of the exec form; ``None`` for every other form."""
    heredocs: tuple[Heredoc, ...]
    inner: Instruction | None
    """The instruction behind ONBUILD; it shares the lines and here-documents of its parent."""
    implied: bool = False
    """It does not stand in the file: the FROM of a file that has none."""

    @property
    def first_line(self) -> int:
        """Return its first line."""
        return self.anchor.line

    @property
    def last_line(self) -> int:
        """Return its last line, terminators of here-documents included."""
        return self.anchor.line + self.more_lines


@record(frozen=True)
class DockerfileTree:
    """A whole file; every part in file order."""

    source: Source
    directives: tuple[Directive, ...]
    escape: str
    """The escape and continuation character: a backslash or a backquote."""
    instructions: tuple[Instruction, ...]
    comments: tuple[Comment, ...]
    problems: tuple[SyntaxProblem, ...]
