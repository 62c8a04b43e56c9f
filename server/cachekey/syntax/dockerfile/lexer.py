"""BuildKit's word lexer: quotes, escapes, variables with their operators, here-document words.

It is a shell's lexer with BuildKit's own habits, and those are kept: which operators there are,
when an error is raised and how it is worded, what an unclosed brace means. A value that the file
does not tell stays in the result as a symbol.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from cachekey.record import record
from cachekey.syntax.dockerfile.go import SPACE
from cachekey.syntax.dockerfile.pattern import PatternError, TooCostlyError, replace, trim

MAX_DEPTH = 40
"""Nested substitutions that are followed; far beyond any real file, well within Python's stack."""

_NO_CHAR = "\ufffd"
_SPECIAL = "@*#?-$!0"
_PLAIN = {escape: re.compile(rf"[^$'\"<}}/{re.escape(escape)}{SPACE}]+") for escape in "\\`"}
_SPACES = re.compile(rf"[{SPACE}]+")
_BARE_SYMBOL = re.compile(r"\$\{(\w+)\}")


class Chunk(NamedTuple):
    """A part of a value: literal text, or a symbol with the unresolved variables in it."""

    text: str
    names: frozenset[str] | None


Value = list[Chunk]


class MaybeUnset(list[Chunk]):
    """The value of a variable that may as well not be set at all."""


class LexError(Exception):
    """What BuildKit says about a word that it cannot process."""


class TooDeepError(Exception):
    """Substitutions are nested deeper than ``MAX_DEPTH``."""


@record(frozen=True)
class RawWord:
    """A word and its place in the lexed text, as indexes ``[start, end)``."""

    value: tuple[Chunk, ...]
    start: int
    end: int

    @property
    def text(self) -> str:
        """The word with symbols as they are written."""
        return text_of(self.value)


def text_of(value: list[Chunk] | tuple[Chunk, ...]) -> str:
    """Return a value's text, symbols as they are written."""
    return value[0].text if len(value) == 1 else "".join(chunk.text for chunk in value)


def names_of(value: list[Chunk] | tuple[Chunk, ...]) -> frozenset[str]:
    """Return the unresolved variables of a value."""
    # The chunks of one variable share one set, which may be as long as they are many.
    sets = {id(chunk.names): chunk.names for chunk in value if chunk.names is not None}
    return frozenset().union(*sets.values())


def _literal(text: str) -> Value:
    return [Chunk(text, None)] if text else []


def _is_symbolic(value: Value) -> bool:
    return any(chunk.names is not None for chunk in value)


def _is_empty(value: Value) -> bool | None:
    """Tell whether a value is empty; ``None`` when its symbols leave that open."""
    if any(chunk.text for chunk in value if chunk.names is None):
        return False
    return None if _is_symbolic(value) else True


def _symbol(value: Value, operator: str, word: Value) -> Value:
    """Write down a substitution that cannot be decided, with what is known filled in."""
    text = text_of(value)
    bare = _BARE_SYMBOL.fullmatch(text) if len(value) == 1 else None
    name = bare.group(1) if bare else text
    return [Chunk(f"${{{name}{operator}{text_of(word)}}}", names_of([*value, *word]))]


def _given_up(name: str, value: Value, operator: str, word: Value) -> Value:
    """Leave a pattern unmatched that could take too long: the variable counts as unknown."""
    text = f"${{{text_of(value)}{operator}{text_of(word)}}}"
    return [Chunk(text, frozenset((name,)))]


def _free(_steps: int) -> None:
    """Let patterns cost nothing."""


class Lexer:
    """One pass over one text; ``get`` returns a variable's value, ``None`` when it is not set."""

    def __init__(
        self,
        text: str,
        get: Callable[[str], Value | None],
        escape: str = "\\",
        *,
        raw_quotes: bool = False,
        raw_escapes: bool = False,
        skip_unset: bool = False,
        effort: Callable[[int], None] | None = None,
    ) -> None:
        self.text = text
        # BuildKit's scanner drops a byte order mark at the start.
        self.at = 1 if text.startswith("\ufeff") else 0
        self.get = get
        self.escape = escape
        self.raw_quotes = raw_quotes
        self.raw_escapes = raw_escapes
        self.skip_unset = skip_unset
        self.effort = effort or _free
        self.depth = 0
        self.buffer: Value = []
        self.plain = _PLAIN[escape]

    # -- the two entries -------------------------------------------------------------------

    def word(self) -> Value:
        """Process the whole text as one word."""
        return self._until("", self.raw_escapes)

    def words(self) -> list[RawWord]:
        """Process the whole text and split the result at blanks that were not quoted."""
        found: list[RawWord] = []
        start = self.at
        self.buffer = []

        def flush(end: int) -> None:
            if self.buffer:
                found.append(RawWord(tuple(self.buffer), start, end))
                self.buffer = []

        while self.at < len(self.text):
            before = self.at
            char = self.text[before]
            if char in SPACE:
                flush(before)
                self.at += 1
                continue
            # A substitution with a word of its own empties the buffer: BuildKit does the same.
            value = self._next()
            if not self.buffer:
                start = before
            if char != "$":
                self.buffer += value
                continue
            for chunk in value:
                pieces = [chunk.text] if chunk.names else _SPACES.split(chunk.text)
                for number, piece in enumerate(pieces):
                    if number:
                        flush(self.at)
                        start = before
                    if piece:
                        self.buffer.append(Chunk(piece, chunk.names))
        flush(len(self.text))
        return found

    # -- the parts of a word ---------------------------------------------------------------

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += len(char)
        return char

    def _until(self, stop: str, raw_escapes: bool) -> Value:
        """Process up to ``stop``, or with an empty ``stop`` to the end."""
        saved, self.raw_escapes = self.raw_escapes, raw_escapes
        self.buffer = []
        out: Value = []
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeepError
        while self.at < len(self.text):
            if self.text[self.at] == stop:
                self.at += 1
                break
            out += self._next()
        else:
            if stop:
                raise LexError(f"unexpected end of statement while looking for matching {stop}")
        self.depth -= 1
        self.raw_escapes = saved
        return out

    def _next(self) -> Value:
        plain = self.plain.match(self.text, self.at)
        if plain:
            self.at = plain.end()
            return [Chunk(plain.group(), None)]
        char = self.text[self.at]
        if char == "$":
            return self._dollar()
        if char == "'":
            return self._single_quote()
        if char == '"':
            return self._double_quote()
        if char == "<":
            return self._possible_heredoc()
        self.at += 1
        if char != self.escape:
            return [Chunk(char, None)]
        return _literal((char if self.raw_escapes else "") + self._take())

    def _possible_heredoc(self) -> Value:
        start = self.at
        self.at += 1
        if self._peek() == "<":
            self.at += 1
            while self._peek() in ("\t", "\r", " "):
                self.at += 1
        return [Chunk(self.text[start : self.at], None)]

    def _single_quote(self) -> Value:
        close = self.text.find("'", self.at + 1)
        if close < 0:
            self.at = len(self.text)
            raise LexError("unexpected end of statement while looking for matching single-quote")
        start, self.at = self.at, close + 1
        return _literal(
            self.text[start : close + 1] if self.raw_quotes else self.text[start + 1 : close]
        )

    def _double_quote(self) -> Value:
        out: Value = []
        quote = self._take()
        if self.raw_quotes:
            out.append(Chunk(quote, None))
        while self.at < len(self.text):
            plain = self.plain.match(self.text, self.at)
            if plain:
                self.at = plain.end()
                out.append(Chunk(plain.group(), None))
                continue
            if self._peek() == "$":
                out += self._dollar()
                continue
            char = self._take()
            if char == '"':
                if self.raw_quotes:
                    out.append(Chunk(char, None))
                return out
            if char == self.escape:
                out += self._escape_in_quotes()
            else:
                out.append(Chunk(char, None))
        raise LexError("unexpected end of statement while looking for matching double-quote")

    def _escape_in_quotes(self) -> Value:
        kept = self.escape if self.raw_escapes else ""
        following = self._peek()
        if not following:
            return _literal(kept)
        # Only these can be escaped here; in front of anything else the character stays.
        if following in ('"', "$", self.escape):
            self.at += 1
            return _literal(kept + following)
        return _literal(kept + self.escape)

    # -- variables -------------------------------------------------------------------------

    def _name(self) -> str:
        start = self.at
        while self.at < len(self.text):
            char = self.text[self.at]
            if self.at == start and char.isdecimal():
                while self._peek().isdecimal():
                    self.at += 1
                break
            if self.at == start and char in _SPECIAL:
                self.at += 1
                break
            if not (char.isalpha() or char.isdecimal() or char == "_"):
                break
            self.at += 1
        return self.text[start : self.at]

    def _dollar(self) -> Value:
        self.at += 1
        if self._peek() == "{":
            self.at += 1
            return self._braced()
        name = self._name()
        if not name:
            return [Chunk("$", None)]
        value = self.get(name)
        if value is None:
            return _literal("$" + name) if self.skip_unset else []
        return value

    def _braced(self) -> Value:
        first = self._peek()
        if not first:
            raise LexError("syntax error: missing '}'")
        if first in "{}:":
            raise LexError("syntax error: bad substitution")
        name = self._name()
        operator = self._take()
        if operator == "}":
            value = self.get(name)
            if value is None:
                return _literal(f"${{{name}}}") if self.skip_unset else []
            return value
        if operator == ":":
            return self._modified(name, ":", self._take())
        if operator and operator in "+-?#%":
            return self._modified(name, "", operator)
        if operator == "/":
            return self._replaced(name)
        raise LexError(f"unsupported modifier ({operator or _NO_CHAR}) in substitution")

    def _inner(self, stop: str, raw_escapes: bool, message: str) -> Value:
        try:
            return self._until(stop, raw_escapes)
        except LexError:
            if self.at >= len(self.text):
                raise LexError(message) from None
            raise

    def _modified(self, name: str, colon: str, operator: str) -> Value:
        written = colon + (operator or _NO_CHAR)
        trims = operator in ("#", "%")
        if colon and trims:
            raise LexError(f"unsupported modifier ({written}) in substitution")
        word = self._inner("}", trims, "syntax error: missing '}'")
        value = self.get(name)
        if value is None and self.skip_unset:
            return _literal(f"${{{name}{written}{text_of(word)}}}")
        if trims:
            return self._trimmed(name, value or [], operator, word)
        if operator not in ("-", "+", "?"):
            raise LexError(f"unsupported modifier ({written}) in substitution")
        missing: bool | None = value is None
        if isinstance(value, MaybeUnset):
            missing = None
        elif value is not None and colon:
            missing = _is_empty(value)
        if operator == "?" and missing:
            state = "unset" if value is None else "empty"
            raise LexError(f"{name}: {text_of(word) or f'is not allowed to be {state}'}")
        value = value or []
        if operator == "?":
            # A symbol stands for a build that goes on, so the check has passed.
            return value
        if missing is None:
            return _symbol(value, written, word)
        if operator == "-":
            return word if missing else value
        return [] if missing else word

    def _trimmed(self, name: str, value: Value, operator: str, word: Value) -> Value:
        if _is_symbolic(value) or _is_symbolic(word):
            return _symbol(value, operator, word)
        pattern = text_of(word)
        greedy = pattern.startswith(operator)
        try:
            return _literal(
                trim(
                    text_of(value),
                    pattern[greedy:],
                    self.effort,
                    suffix=operator == "%",
                    greedy=greedy,
                )
            )
        except TooCostlyError:
            return _given_up(name, value, operator, word)
        except PatternError as error:
            raise LexError(str(error)) from None

    def _replaced(self, name: str) -> Value:
        everywhere = self._peek() == "/"
        self.at += everywhere
        pattern = self._inner("/", True, "syntax error: missing '/' in ${}")
        replacement = self._inner("}", True, "syntax error: missing '}'")
        value = self.get(name)
        if value is None and self.skip_unset:
            return _literal(f"${{{name}/{text_of(pattern)}/{text_of(replacement)}}}")
        value = value or []
        operator = "//" if everywhere else "/"
        rest = [*pattern, Chunk("/", None), *replacement]
        if _is_symbolic(value) or _is_symbolic(rest):
            return _symbol(value, operator, rest)
        try:
            return _literal(
                replace(
                    text_of(value),
                    text_of(pattern),
                    text_of(replacement),
                    self.effort,
                    everywhere=everywhere,
                )
            )
        except TooCostlyError:
            return _given_up(name, value, operator, rest)
        except PatternError as error:
            raise LexError(str(error)) from None
