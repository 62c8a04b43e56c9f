"""Which functions of a RUN's scripts are called: what stands in the others never runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cachekey.syntax.shell.parse import Block, Command, Script

Chain = tuple[tuple[Script, Command], ...]
"""The scripts that a command stands in with its command there, innermost first."""


class Functions:
    """The functions that are defined, and where their names are said."""

    def __init__(self) -> None:
        self._defined: set[str] = set()
        self._said: dict[str, set[str | None]] = {}
        """By name, the functions in which it is said; None: outside of all."""
        self._surely: dict[str | None, list[str]] = {}
        """The functions that one of them calls whenever it runs itself, without a condition."""
        self._bodies: dict[str, Block] = {}
        self._unsure: set[str] = set()
        """Functions that are defined more than once, or may end before their last command."""

    def define(self, names: Iterable[str]) -> None:
        """Note the functions of a script, in front of its commands."""
        self._defined.update(names)

    def name(self, texts: Iterable[str | None], place: Chain) -> None:
        """Note a command's words: whoever says a function's name may call it (`trap tidy EXIT`)."""
        for text in texts if self._defined else ():
            if text in self._defined and text is not None:
                self._said.setdefault(text, set()).add(_around(place))

    def call(self, name: str, place: Chain) -> None:
        """Note a call of a function by a command that runs under no condition within its own function."""
        inside = [command.function for _, command in place if command.function]
        if len(inside) < 2 and not any(command.conditional_here for _, command in place):
            self._surely.setdefault(_around(place), []).append(name)

    def enter(self, name: str, command: Command, ends: bool) -> None:
        """Note a command of a function, and whether that may end there (`[ -n "$KEEP" ] && return`)."""
        body = next(block for block in command.block.outward if block.kind == "function")
        if ends or self._bodies.setdefault(name, body) is not body:
            self._unsure.add(name)

    def called(self) -> frozenset[str]:
        """Return the functions that are called from outside of all, be it through others."""
        by_place: dict[str | None, list[str]] = {}
        for name, places in self._said.items():
            for place in places:
                by_place.setdefault(place, []).append(name)
        return _reached(by_place)

    def surely_called(self) -> frozenset[str]:
        """Return those of them that are called whatever happens, and run to their end."""
        return _reached(self._surely) - self._unsure


def runs(place: Chain, called: frozenset[str]) -> bool:
    """Tell whether a command stands in no function but those that are called."""
    return all(command.function is None or command.function in called for _, command in place)


def _reached(calls: Mapping[str | None, Sequence[str]]) -> frozenset[str]:
    """Return what is reached from outside of all functions, by calls that stand in one of them each."""
    alive: set[str | None] = {None}
    waiting: list[str | None] = [None]
    while waiting:
        for name in calls.get(waiting.pop(), ()):
            if name not in alive:
                alive.add(name)
                waiting.append(name)
    return frozenset(name for name in alive if name is not None)


def _around(place: Chain) -> str | None:
    return next((command.function for _, command in place if command.function), None)
