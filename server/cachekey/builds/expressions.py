"""What an expression of a GitHub workflow comes to, as far as the files tell.

Names, literals, comparisons and the two operators that choose: ``a == 'x' && 'this' || 'that'``.
Functions are not called. Source: GitHub's *Evaluate expressions in workflows and actions*.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cachekey.builds.invocation import Said
from cachekey.builds.values import UNKNOWN, Outcome
from cachekey.text import Span

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*(?:\.[\w-]+)*)|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<op>&&|\|\||==|!=|[!()]))"
)
_DEEPEST = 20
_WORDS = {"true": True, "false": False, "null": ""}
_NOTHING = Outcome(UNKNOWN)


def value_of(text: str, scope: Mapping[str, Said], span: Span) -> Said:
    """Return what an expression comes to; its text is None when nobody can tell.

    ``text`` is what stands between the braces; ``scope`` holds known values by name (``inputs.x``).
    """
    tokens = _tokens(text)
    reader = _Reader(tokens, scope) if tokens is not None else None
    found = reader.choice(0) if reader is not None else _NOTHING
    known = reader is not None and reader.at == len(reader.tokens) and found.known
    return Said(found.text if known else None, span.fixed, found.open if known else frozenset())


def _tokens(text: str) -> list[tuple[str, str]] | None:
    found: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            return None
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


class _Reader:
    """Reads tokens from the weakest operator to the strongest; what it cannot read it leaves."""

    def __init__(self, tokens: list[tuple[str, str]], scope: Mapping[str, Said]) -> None:
        self.tokens, self.at = tokens, 0
        self._scope = scope

    def _takes(self, *operators: str) -> str | None:
        if self.at < len(self.tokens) and self.tokens[self.at] in [("op", op) for op in operators]:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def choice(self, depth: int) -> Outcome:
        """``a || b`` is ``a`` where that is anything, and ``b`` elsewhere."""
        found = self._both(depth)
        while self._takes("||"):
            other = self._both(depth)
            truth = _truth(found)
            found = _NOTHING if truth is None else (found if truth else other).with_open(found.open)
        return found

    def _both(self, depth: int) -> Outcome:
        """``a && b`` is ``b`` where ``a`` is anything, and ``a`` elsewhere."""
        found = self._compared(depth)
        while self._takes("&&"):
            other = self._compared(depth)
            truth = _truth(found)
            found = _NOTHING if truth is None else (other if truth else found).with_open(found.open)
        return found

    def _compared(self, depth: int) -> Outcome:
        found = self._single(depth)
        operator = self._takes("==", "!=")
        if operator is None:
            return found
        other = self._single(depth)
        opened = found.open | other.open
        if found.text is None or other.text is None or type(found.value) is not type(other.value):
            return Outcome(UNKNOWN, opened)
        # Texts are compared without regard to case.
        same = found.text.lower() == other.text.lower()
        return Outcome(same == (operator == "=="), opened)

    def _single(self, depth: int) -> Outcome:
        if depth > _DEEPEST or self.at >= len(self.tokens):
            # Something is missing: whatever was read is no answer.
            self.at = len(self.tokens) + 1
            return _NOTHING
        if self._takes("!"):
            inner = self._single(depth + 1)
            truth = _truth(inner)
            return Outcome(UNKNOWN if truth is None else not truth, inner.open)
        if self._takes("("):
            inner = self.choice(depth + 1)
            return inner if self._takes(")") else _NOTHING
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "text":
            return Outcome(text[1:-1].replace("''", "'"))
        if kind == "number":
            return Outcome(float(text))
        said = self._scope.get(text) if kind == "name" else None
        if said is not None and said.text is not None:
            return Outcome(said.text, said.open)
        return Outcome(_WORDS[text]) if text in _WORDS else _NOTHING


def _truth(outcome: Outcome) -> bool | None:
    # An input may be the word or the value.
    if not outcome.known or outcome.value in ("true", "false"):
        return None
    return bool(outcome.value)
