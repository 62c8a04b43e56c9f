"""What an HCL expression of a Bake file comes to, as far as the file itself tells.

A variable has its default, and a value made with it is marked: whoever runs Bake may set the variable.
Functions are not run: what they give is not known. Source: buildx ``bake/hclparser``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cachekey.budget import LONGEST_VALUE
from cachekey.record import record
from cachekey.syntax.hcl.parse import Expr
from cachekey.text import Span

_MOST_STEPS = 20_000
"""Expressions that are worked out for one file."""
_DEEPEST = 40
"""Variables whose defaults speak of each other."""

_NOTHING: frozenset[str] = frozenset()


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()
"""What nobody can tell before the build starts."""


@record(frozen=True, slots=True)
class Outcome:
    """A value: text, number, bool, None, a list or a dict of outcomes, or UNKNOWN."""

    value: object
    open: frozenset[str] = _NOTHING
    """Variables that had their defaults and could have other values."""
    span: Span | None = None
    """Where the value is written; None for one of another file."""

    @property
    def known(self) -> bool:
        """Tell whether there is a value."""
        return self.value is not UNKNOWN

    @property
    def text(self) -> str | None:
        """Return the value as Bake writes it into a text; None for what is no text."""
        value = self.value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value) if isinstance(value, str | int | float) else None

    def with_open(self, names: frozenset[str]) -> Outcome:
        """Return the value when more variables had a say in it."""
        return Outcome(self.value, self.open | names, self.span) if names - self.open else self

    def elsewhere(self) -> Outcome:
        """Return the value as one of another file."""
        value = self.value
        if isinstance(value, list):
            value = [item.elsewhere() for item in value]
        elif isinstance(value, dict):
            value = {name: item.elsewhere() for name, item in value.items()}
        return Outcome(value, self.open)


_UNTOLD = Outcome(UNKNOWN)


class Evaluator:
    """Works out expressions of one set of Bake files."""

    def __init__(
        self,
        defaults: Mapping[str, Expr | None],
        attributes: Mapping[str, Expr],
        given: Mapping[str, Outcome] | None = None,
    ) -> None:
        """Take the variables with their defaults, the attributes of the files, what a caller sets."""
        self._defaults, self._attributes = defaults, attributes
        given = given or {}
        self._known = {name: value for name, value in given.items() if name in defaults}
        self._asked: list[str] = []
        self._left = _MOST_STEPS

    def of(self, expr: Expr, local: Mapping[str, Outcome] | None = None) -> Outcome:
        """Return the value of an expression; ``local`` holds the values of a matrix."""
        self._left -= 1
        if self._left < 0:
            return _UNTOLD
        work = _WORK.get(expr.kind)
        found = _UNTOLD if work is None else work(self, expr, local or {})
        return Outcome(found.value, found.open, expr.span)

    def variable(self, name: str) -> Outcome:
        """Return the value of a variable or of an attribute of the file."""
        if name in self._known:
            return self._known[name]
        if name in self._asked or len(self._asked) > _DEEPEST:
            return _UNTOLD
        self._asked.append(name)
        if name in self._defaults:
            default = self._defaults[name]
            found = self.of(default) if default is not None else Outcome("")
            found = found.with_open(frozenset((name,)))
        elif name in self._attributes:
            found = self.of(self._attributes[name])
        else:
            found = _UNTOLD
        self._asked.pop()
        self._known[name] = found
        return found

    # -- kinds of expressions -------------------------------------------------------------------

    def _literal(self, expr: Expr, local: Mapping[str, Outcome]) -> Outcome:
        return Outcome(expr.value)

    def _name(self, expr: Expr, local: Mapping[str, Outcome]) -> Outcome:
        name = str(expr.value)
        return local[name] if name in local else self.variable(name)

    def _template(self, expr: Expr, local: Mapping[str, Outcome]) -> Outcome:
        found = [self.of(item, local) for item in expr.items]
        texts = [one.text for one in found]
        opened = _NOTHING.union(*(one.open for one in found))
        whole = "".join(text for text in texts if text is not None)
        if None in texts or len(whole) > LONGEST_VALUE:
            return Outcome(UNKNOWN, opened)
        return Outcome(whole, opened)

    def _list(self, expr: Expr, local: Mapping[str, Outcome]) -> Outcome:
        return Outcome([self.of(item, local) for item in expr.items])

    def _object(self, expr: Expr, local: Mapping[str, Outcome]) -> Outcome:
        found: dict[str, Outcome] = {}
        for key, value in zip(expr.items[::2], expr.items[1::2], strict=True):
            name = self.of(key, local).text
            if name is None:
                return _UNTOLD
            found[name] = self.of(value, local)
        return Outcome(found)

    def _if(self, expr: Expr, local: Mapping[str, Outcome]) -> Outcome:
        condition = self.of(expr.items[0], local)
        truth = _truth(condition)
        if truth is None:
            return Outcome(UNKNOWN, condition.open)
        return self.of(expr.items[1 if truth else 2], local).with_open(condition.open)

    def _index(self, expr: Expr, local: Mapping[str, Outcome]) -> Outcome:
        whole, key = (self.of(item, local) for item in expr.items)
        opened = whole.open | key.open
        found: Outcome = _UNTOLD
        if isinstance(whole.value, dict) and key.text in whole.value:
            found = whole.value[key.text]
        if isinstance(whole.value, list) and isinstance(key.value, int):
            if 0 <= key.value < len(whole.value):
                found = whole.value[key.value]
        return found.with_open(opened)

    def _unary(self, expr: Expr, local: Mapping[str, Outcome]) -> Outcome:
        inner = self.of(expr.items[0], local)
        if expr.value == "!":
            truth = _truth(inner)
            return Outcome(UNKNOWN if truth is None else not truth, inner.open)
        if isinstance(inner.value, int | float) and not isinstance(inner.value, bool):
            return Outcome(-inner.value, inner.open)
        return Outcome(UNKNOWN, inner.open)

    def _binary(self, expr: Expr, local: Mapping[str, Outcome]) -> Outcome:
        left, right = (self.of(item, local) for item in expr.items)
        opened = left.open | right.open
        operator = str(expr.value)
        if operator in ("&&", "||"):
            return Outcome(_joined(operator, _truth(left), _truth(right)), opened)
        if not (left.known and right.known) or operator not in ("==", "!="):
            return Outcome(UNKNOWN, opened)
        same = _plain(left) == _plain(right)
        return Outcome(same == (operator == "=="), opened)


def _joined(operator: str, left: bool | None, right: bool | None) -> object:
    decisive = operator == "||"
    if decisive in (left, right):
        return decisive
    return UNKNOWN if None in (left, right) else not decisive


def _truth(outcome: Outcome) -> bool | None:
    value = outcome.value
    if isinstance(value, bool):
        return value
    # HCL takes the words for the values.
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def _plain(outcome: Outcome) -> object:
    """Return a value that compares as HCL compares: types count, but for kinds of numbers."""
    value = outcome.value
    if isinstance(value, list):
        return ("list", tuple(_plain(item) for item in value))
    if isinstance(value, dict):
        return ("dict", tuple(sorted((name, repr(_plain(item))) for name, item in value.items())))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return ("number" if number else type(value).__name__, value)


_Work = Callable[[Evaluator, Expr, Mapping[str, Outcome]], Outcome]
_WORK: dict[str, _Work] = {
    "literal": Evaluator._literal,
    "name": Evaluator._name,
    "template": Evaluator._template,
    "list": Evaluator._list,
    "object": Evaluator._object,
    "if": Evaluator._if,
    "index": Evaluator._index,
    "unary": Evaluator._unary,
    "binary": Evaluator._binary,
}
"""``call`` and ``opaque`` are not here: nobody runs functions."""
