"""What earlier commands leave for a tool: words they had, links they made, settings they stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cachekey.commands.effect import inside
from cachekey.commands.effects import effects_of

if TYPE_CHECKING:
    from cachekey.commands.read import Invocation

LINKERS = ("ln", "link")
NOTHING = object()
"""No value is stored, which is another thing than one that nobody knows."""


class Earlier:
    """The invocations in front of one, found by their words."""

    def __init__(self, items: Iterable[Invocation] = ()) -> None:
        self.items = list(items)
        self._places: dict[str, list[int]] = {}
        self._read = 0
        self._links: dict[int, tuple[tuple[str, str], ...]] = {}

    def having(self, word: str, stop: int) -> Iterator[Invocation]:
        """Yield those among the first ``stop`` that have the word, alone or in front of a ``=``.

        The nearest comes first.
        """
        for number in range(self._read, len(self.items)):
            for text in self.items[number].texts:
                if text:
                    places = self._places.setdefault(text.partition("=")[0], [])
                    if not places or places[-1] != number:
                        places.append(number)
        self._read = len(self.items)
        for number in reversed(self._places.get(word, ())):
            if number < stop:
                yield self.items[number]

    def followed(self, path: str, stop: int) -> str:
        """Return where a path leads by the links that the first ``stop`` have made; the last one counts."""
        for number in range(stop - 1, -1, -1):
            if self.items[number].program not in LINKERS:
                continue
            if number not in self._links:
                self._links[number] = tuple(_links(self.items[number]))
            for name, target in self._links[number]:
                if inside(path, name):
                    return target + path[len(name) :]
        return path


def _links(item: Invocation) -> Iterator[tuple[str, str]]:
    for effect in effects_of(item) or ():
        if effect.kind == "links" and effect.path and effect.to:
            yield effect.to, effect.path


def stored_value(words: tuple[str | None, ...], head: tuple[str, ...], last: str) -> object:
    """Return the value in ``config set KEY VALUE``, ``KEY=VALUE``, ``NAME@VALUE`` alike; None: not known.

    The name belongs to the last: there may be others, and it tells whose version it is.
    """
    count = len(head)
    if words[:count] != head or len(words) <= count:
        return NOTHING
    rest = words[count:]
    key = last.rstrip("=")
    if rest[0] == key and not last.endswith("="):
        return rest[1] if len(rest) > 1 else NOTHING
    for word in rest:
        if word is None:
            return None
        if last.endswith("@") and word.startswith(last):
            return word
        if word.startswith(key + "="):
            return word[len(key) + 1 :]
    return NOTHING
