"""Which functions of a RUN's scripts are called: what stands in the others never runs."""

from __future__ import annotations

from collections.abc import Iterable

from cachekey.syntax.shell.parse import Command, Script

Chain = tuple[tuple[Script, Command], ...]
"""The scripts that a command stands in with its command there, innermost first."""


class Functions:
    """The functions that are defined, and where their names are said."""

    def __init__(self) -> None:
        self._defined: set[str] = set()
        self._said: dict[str, set[str | None]] = {}
        """By name, the functions in which it is said; None: outside of all."""

    def define(self, names: Iterable[str]) -> None:
        """Note the functions of a script, in front of its commands."""
        self._defined.update(names)

    def name(self, texts: Iterable[str | None], place: Chain) -> None:
        """Note a command's words: whoever says a function's name may call it (`trap tidy EXIT`)."""
        for text in texts if self._defined else ():
            if text in self._defined and text is not None:
                self._said.setdefault(text, set()).add(_around(place))

    def called(self) -> frozenset[str]:
        """Return the functions that are called from outside of all, be it through others."""
        alive: set[str | None] = {None}
        waiting: list[str | None] = [None]
        by_place: dict[str | None, list[str]] = {}
        for name, places in self._said.items():
            for place in places:
                by_place.setdefault(place, []).append(name)
        while waiting:
            for name in by_place.get(waiting.pop(), ()):
                if name not in alive:
                    alive.add(name)
                    waiting.append(name)
        return frozenset(name for name in alive if name is not None)


def runs(place: Chain, called: frozenset[str]) -> bool:
    """Tell whether a command stands in no function but those that are called."""
    return all(command.function is None or command.function in called for _, command in place)


def _around(place: Chain) -> str | None:
    return next((command.function for _, command in place if command.function), None)
