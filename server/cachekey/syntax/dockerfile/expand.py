"""Expansion of variables in an instruction's words, as BuildKit does it.

What the file does not tell stays symbolic: ``cache-${X}`` is a text like any other, and equals
only itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cachekey.budget import LONGEST_VALUE, Budget
from cachekey.record import record
from cachekey.syntax.dockerfile.go import SPACE, go_quote
from cachekey.syntax.dockerfile.lexer import (
    Chunk,
    Lexer,
    LexError,
    MaybeUnset,
    TooDeepError,
    Value,
    names_of,
    text_of,
)

_SPECIAL = {escape: re.compile(rf"[$'\"\ufeff{re.escape(escape)}]") for escape in "\\`"}
_DOLLAR_BRACE = re.compile(r"(?<!\\)(\\*)\$(?=\{)")
_TRAILING_BACKSLASHES = re.compile(r"(?<!\\)\\+\Z")
_NOTHING: frozenset[str] = frozenset()
_OFTEN = 4
"""How many longest values one word may look up."""
_FAST = 50
"""Steps of a pattern that cost as much as one other step: the regular expressions are in C."""


@record(frozen=True)
class Unknown:
    """A variable whose value the file does not tell, nor whether it has one."""

    name: str


@record(frozen=True)
class Expansion:
    """The result of an expansion."""

    text: str
    """The value; what cannot be known stands in it as ``${NAME}`` or ``${NAME:-x}``."""
    unresolved: frozenset[str] = _NOTHING
    """Variables that stand in ``text`` because their value is unknown."""
    undefined: frozenset[str] = _NOTHING
    """Variables that nothing defines."""
    used: frozenset[str] = _NOTHING
    """All variables that were looked up."""
    error: str | None = None
    """BuildKit's complaint; then ``text`` is empty."""
    symbols: tuple[tuple[int, int], ...] = ()
    """Where in ``text`` the unresolved parts stand, as index ranges."""

    @classmethod
    def literal(cls, text: str) -> Expansion:
        """Wrap a text that needs no expansion."""
        return cls(text)

    @property
    def known(self) -> bool:
        """Nothing is left open and nothing went wrong."""
        return not self.unresolved and self.error is None

    @property
    def key(self) -> str:
        """``text`` in a form in which a symbol never equals a literal.

        A literal ``${`` becomes ``\\${``; backslashes in front of any ``${`` are doubled.
        """
        out: list[str] = []
        at = 0
        for start, end in self.symbols:
            before = _DOLLAR_BRACE.sub(r"\1\1\\$", self.text[at:start])
            out.append(_TRAILING_BACKSLASHES.sub(lambda match: match.group() * 2, before))
            out.append(self.text[start:end])
            at = end
        return "".join((*out, _DOLLAR_BRACE.sub(r"\1\1\\$", self.text[at:])))


Lookup = Callable[[str], "str | Expansion | Unknown | None"]
"""A variable's value; ``None`` when nothing defines it."""


class _Scope:
    """Feeds a lexer with values and remembers what it asked for."""

    def __init__(self, lookup: Lookup, text: str, budget: Budget | None) -> None:
        self.lookup, self.budget = lookup, budget
        self.longest = max(LONGEST_VALUE, len(text))
        self.taken = 0
        """Characters of all values so far, also of those that an operator has cut down."""
        self.used: set[str] = set()
        self.undefined: set[str] = set()

    def get(self, name: str) -> Value | None:
        value = self.lookup(name)
        self.used.add(name)
        if value is None:
            self.undefined.add(name)
            return None
        if not isinstance(value, Unknown) and len(_plain(value)) > LONGEST_VALUE:
            # `ENV A=$A$A` doubles one with every line.
            return [Chunk(f"${{{name}}}", frozenset((name,)))]
        self._take(value)
        if isinstance(value, str):
            return [Chunk(value, None)] if value else []
        if isinstance(value, Unknown):
            return MaybeUnset([Chunk(f"${{{value.name}}}", frozenset((value.name,)))])
        return _chunks(value)

    def _take(self, value: str | Expansion | Unknown) -> None:
        length = 0 if isinstance(value, Unknown) else len(_plain(value))
        if self.budget is not None:
            self.budget.spend(1 + length)
        self.taken += length
        if self.taken > _OFTEN * self.longest:
            raise TooDeepError

    def effort(self, steps: int) -> None:
        """Take note of steps that a pattern may need."""
        if self.budget is not None:
            self.budget.spend(steps // _FAST)

    def result(self, value: Value | tuple[Chunk, ...]) -> Expansion:
        symbols: list[tuple[int, int]] = []
        at = 0
        for chunk in value:
            if chunk.names is not None:
                symbols.append((at, at + len(chunk.text)))
            at += len(chunk.text)
        if at > self.longest:
            raise TooDeepError
        return Expansion(
            text_of(value),
            names_of(value),
            frozenset(self.undefined),
            frozenset(self.used),
            symbols=tuple(symbols),
        )

    def failure(self, word: str, error: LexError) -> Expansion:
        message = f"failed to process {go_quote(word)}: {error}"
        return Expansion(
            "", _NOTHING, frozenset(self.undefined), frozenset(self.used), error=message
        )


def _plain(value: str | Expansion) -> str:
    return value if isinstance(value, str) else value.text


def _chunks(value: Expansion) -> Value:
    chunks: Value = []
    at = 0
    for start, end in value.symbols:
        if start > at:
            chunks.append(Chunk(value.text[at:start], None))
        chunks.append(Chunk(value.text[start:end], value.unresolved))
        at = end
    if at < len(value.text):
        chunks.append(Chunk(value.text[at:], None))
    return chunks


def _too_deep(word: str) -> Expansion:
    """Leave a word alone whose substitutions are nested beyond reason."""
    return Expansion(word, frozenset(("",)), symbols=((0, len(word)),))


def expand(
    word: str, lookup: Lookup, escape: str = "\\", budget: Budget | None = None
) -> Expansion:
    """Expand ``word`` to one text: quotes and one level of escapes are removed.

    What the values cost that it takes is spent from ``budget``.
    """
    if not _SPECIAL[escape].search(word):
        return Expansion(word)
    scope = _Scope(lookup, word, budget)
    try:
        return scope.result(Lexer(word, scope.get, escape, effort=scope.effort).word())
    except LexError as error:
        return scope.failure(word, error)
    except TooDeepError:
        return _too_deep(word)


def expand_words(text: str, lookup: Lookup, escape: str = "\\") -> list[Expansion]:
    """Expand ``text`` and split the result at blanks that were not quoted.

    On an error the list holds one expansion that carries it. Each word names the variables of the
    whole text as used.
    """
    if not _SPECIAL[escape].search(text) and "<" not in text:
        return [Expansion(word) for word in re.split(f"[{SPACE}]+", text) if word]
    scope = _Scope(lookup, text, None)
    try:
        words = Lexer(text, scope.get, escape).words()
        return [scope.result(word.value) for word in words]
    except LexError as error:
        return [scope.failure(text, error)]
    except TooDeepError:
        return [_too_deep(text)]
