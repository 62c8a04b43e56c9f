"""Records of a shell script as it stands in a ``RUN``: words, commands, and what encloses them.

Positions named ``start`` and ``stop`` are indexes into the script's :class:`~cachekey.text.Mapped`;
every ``span`` is in code-point offsets of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Literal, NamedTuple

from cachekey.budget import LONGEST_VALUE
from cachekey.record import cached_property, record
from cachekey.text import Mapped, Span

Lookup = Callable[[str], "str | None"]
"""Gives a variable's value; ``None`` when it is not known (be it unset or unknowable)."""

PartKind = Literal["text", "var", "var:", "glob", "tilde", "hole"]


_SPLIT = re.compile(r"[ \t\n*?\[]")
_NAMED = re.compile(r"([A-Za-z_][\w.\-]*)=", re.ASCII)


class Part(NamedTuple):
    """A piece of a word, for expansion.

    ``text`` holds: the decoded characters (``text``, ``glob``), the variable's name (``var``; ``var:``
    where an empty value would be replaced by something else), the user's name (``tilde``), or
    nothing (``hole``: a substitution or an operator whose result the file does not tell).
    """

    kind: PartKind
    start: int
    stop: int
    text: str
    quoted: bool


@record(frozen=True, eq=False)
class Word:
    """One word of a command, as written."""

    source: Mapped
    start: int
    stop: int
    parts: tuple[Part, ...] | None = None
    """``None`` for a word without quotes, escapes and expansions."""

    @property
    def removable(self) -> bool:
        """Tell whether it is a word of the file by itself, so that an edit may take it out."""
        return self.source.exact

    @cached_property
    def span(self) -> Span:
        """The word in the file, quotes included."""
        return self.source.span(self.start, self.stop)

    @property
    def raw(self) -> Mapped:
        """The word as written, with its mapping."""
        return self.source.slice(self.start, self.stop)

    @property
    def written(self) -> str:
        """The characters as written, quotes included."""
        return self.source.text[self.start : self.stop]

    @cached_property
    def text(self) -> str | None:
        """The literal value, quotes removed; ``None`` when an expansion or a glob stands in it."""
        return self.resolve(_nothing)

    @cached_property
    def pattern(self) -> str | None:
        """Like :attr:`text`, with glob characters left standing (``/var/lib/apt/lists/*``)."""
        return self.resolve(_nothing, globs=True)

    @cached_property
    def quoted(self) -> bool:
        """Tell whether any of it stands in quotes."""
        return self.parts is not None and any(part.quoted for part in self.parts)

    def resolve(self, lookup: Lookup, *, globs: bool = False) -> str | None:
        """Return the value with variables taken from ``lookup``; ``None`` when it cannot be told.

        An unquoted variable whose value the shell would split or drop makes it untellable, and so
        does a value that makes it absurdly long. With ``globs``, unquoted ``* ? [`` are kept as they
        are instead.
        """
        if self.parts is None:
            return self.source.text[self.start : self.stop]
        result: list[str] = []
        left = max(LONGEST_VALUE, self.stop - self.start)
        for part in self.parts:
            value = _value(part, lookup, globs)
            if value is None:
                return None
            left -= len(value)
            if left < 0:
                # `A=$A$A` doubles with every command.
                return None
            result.append(value)
        text = "".join(result)
        if not text and self.parts and not self.quoted:
            return None
        return text

    def beginning(self, lookup: Lookup) -> str:
        """Return the value up to what cannot be told: ``/cache/`` of ``/cache/$TOOL``."""
        known: list[str] = []
        for part in self.parts or ():
            value = _value(part, lookup, globs=False)
            if value is None or len(value) > LONGEST_VALUE:
                break
            known.append(value)
        return "".join(known)

    def split_assignment(self) -> tuple[str, Word] | None:
        """Tell name and value of ``NAME=value``, as it stands behind ``export`` and ``env``."""
        match = _NAMED.match(self.source.text, self.start, self.stop)
        if match is None:
            return None
        at, parts = match.end(), None
        if self.parts is not None:
            first = self.parts[0] if self.parts else None
            if first is None or first.kind != "text" or first.quoted or first.stop < at:
                return None
            rest = Part("text", at, first.stop, first.text[at - first.start :], False)
            parts = ((rest,) if rest.text else ()) + self.parts[1:]
        return match.group(1), Word(self.source, at, self.stop, parts)

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the names of the variables that it holds."""
        return tuple(part.text for part in self.parts or () if part.kind.startswith("var"))

    @property
    def untellable(self) -> bool:
        """Tell whether not even another shell could read it as written: ``$'a\\n'``, ``{a,b}``."""
        text = self.source.text
        return any(
            part.kind == "hole" and text[part.start : part.start + 1] not in ("$", "`")
            for part in self.parts or ()
        )

    def unquoted(self) -> Mapped:
        """Return the word as another shell would read it: quotes removed, expansions as written."""
        if self.parts is None:
            return self.raw
        pieces: list[Mapped] = []
        for part in self.parts:
            raw = self.source.slice(part.start, part.stop)
            if part.kind == "text" and part.text != raw.text:
                pieces.extend(_decoded(raw, part.text))
            else:
                pieces.append(raw)
        return Mapped.join(pieces, self.source.offset(self.start))


def _nothing(_name: str) -> None:
    return None


def _value(part: Part, lookup: Lookup, globs: bool) -> str | None:
    if part.kind == "text":
        return part.text
    if part.kind == "glob":
        return part.text if globs else None
    if part.kind == "hole":
        return None
    if part.kind == "tilde":
        return None if part.text else lookup("HOME")
    value = lookup(part.text)
    if value is None or (part.kind == "var:" and not value):
        return None
    if not part.quoted and _SPLIT.search(value):
        return None
    return value


def _decoded(raw: Mapped, text: str) -> list[Mapped]:
    """Map ``text``, which is ``raw`` without some backslashes, onto the places of its characters."""
    pieces: list[Mapped] = []
    at = 0
    while text:
        # `text` is a subsequence of `raw`: each run up to the next dropped backslash goes over whole.
        run = raw.text.find("\\", at)
        if run < 0 or len(text) <= run - at:
            pieces.append(raw.slice(at, at + len(text)))
            break
        pieces.append(raw.slice(at, run))
        text = text[run - at :]
        if raw.text.startswith(("\\\n", "\\\r\n"), run):
            at = raw.text.index("\n", run) + 1
            continue
        at = run + 1 if raw.text[run + 1 : run + 2] == text[0] else run
        pieces.append(raw.slice(at, at + 1))
        text = text[1:]
        at += 1
    return pieces


@record(frozen=True, eq=False)
class Assignment:
    """``NAME=value`` in front of a command, or alone."""

    source: Mapped
    start: int
    name: str
    value: Word
    known: bool = True
    """False for arrays, elements and ``+=``: the value alone does not tell the result."""

    @cached_property
    def span(self) -> Span:
        """From the name through the value."""
        return self.source.span(self.start, self.value.stop)


@dataclass(eq=False)
class Redirect:
    """A redirection; the parser fills ``body`` in when it reaches a here-document's text."""

    source: Mapped
    start: int
    operator: str
    """Without the file descriptor: ``>``, ``>>``, ``<<``, ``<<-``, ``<<<``, ``&>`` ..."""
    descriptor: str
    target: Word
    body: Mapped | None = None

    @cached_property
    def span(self) -> Span:
        """From the file descriptor or operator through the target."""
        return self.source.span(self.start, self.target.stop)

    @property
    def is_document(self) -> bool:
        """Tell whether it opens a here-document."""
        return self.operator in ("<<", "<<-")


Connector = Literal["", "&&", "||", ";", "&", "|", "\n"]

BlockKind = Literal["script", "subshell", "group", "condition", "body", "function", "substitution"]


class Item(NamedTuple):
    """One pipeline in a list: where it stands, what joins it to the one before, what it is."""

    start: int
    stop: int
    connector: Connector
    connector_start: int
    connector_stop: int
    command: Command | None
    """The simple command that it consists of; ``None`` for pipelines, negations and compounds."""


@dataclass(eq=False)
class Block:
    """A list of pipelines: a script, a subshell, a branch ... Filled once, by the parser."""

    kind: BlockKind
    source: Mapped
    parent: Block | None
    conditional: bool = False
    """What stands in it may not run, or not just once."""
    apart: bool = False
    """It runs in a process of its own: what it sets and where it changes to ends with it."""
    piped: bool = False
    """It is part of a pipeline."""
    substitution: bool = False
    function: str | None = None
    """The innermost function whose body this is part of."""
    items: list[Item] = field(default_factory=list)
    tail: tuple[Connector, int, int] | None = None
    """The connector behind the last item, with its place, where there is one."""
    loops: bool = False
    """It is what a loop repeats."""
    loop_name: str | None = None
    """The variable that the loop around this body sets."""
    loop_words: tuple[Word, ...] = ()
    """What it is set to, one after the other; nothing where the loop does not say it by words."""

    @property
    def outward(self) -> Iterator[Block]:
        """This block and those around it, innermost first."""
        block: Block | None = self
        while block is not None:
            yield block
            block = block.parent


@record(frozen=True, eq=False)
class Command:
    """A simple command: assignments, words, redirections; ``words[0]`` is what is called."""

    source: Mapped
    start: int
    stop: int
    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    block: Block
    index: int
    """The place of its pipeline among the items of its block."""
    connector: Connector
    connector_start: int
    connector_stop: int
    piped: bool
    """It is one of several commands of a pipeline."""
    guarded: bool
    """Right of ``||``, or behind a test and ``&&``."""

    @cached_property
    def span(self) -> Span:
        """The command in the file, without connectors."""
        return self.source.span(self.start, self.stop)

    @property
    def connector_span(self) -> Span:
        """The connector in front of it; empty for the first command of a list."""
        return self.source.span(self.connector_start, self.connector_stop)

    @cached_property
    def conditional(self) -> bool:
        """Inside if/case/for/while or a function, right of ``||``, or behind a test and ``&&``."""
        if self.guarded:
            return True
        block: Block | None = self.block
        while block is not None:
            if block.conditional:
                return True
            block = block.parent
        return False

    @cached_property
    def conditional_here(self) -> bool:
        """The same within the body of its function: whether it may not run when that is called."""
        around = takewhile(lambda block: block.kind != "function", self.block.outward)
        return self.guarded or any(block.conditional for block in around)

    @cached_property
    def in_pipeline(self) -> bool:
        """Tell whether it, or a compound command around it, is part of a pipeline."""
        if self.piped:
            return True
        block: Block | None = self.block
        while block is not None:
            if block.piped:
                return True
            block = block.parent
        return False

    @cached_property
    def in_subshell(self) -> bool:
        """Tell whether it runs in a process apart from the rest of the script."""
        return self.piped or any(block.apart for block in self.block.outward)

    @property
    def substitution(self) -> bool:
        """Tell whether it stands in ``$(...)``, backticks or ``<(...)``."""
        return self.block.substitution

    @property
    def function(self) -> str | None:
        """The function whose body it is part of: it runs when that is called."""
        return self.block.function


@record(frozen=True, eq=False)
class Script:
    """All simple commands of a text in source order, nested ones included."""

    source: Mapped
    commands: tuple[Command, ...]
    root: Block
    complete: bool
    """False: something could not be read, so "no command here does X" cannot be said."""
    problem: str | None = None
    """What could not be read, for those who ask."""
    functions: frozenset[str] = frozenset()
    """Names of the functions that it defines."""
