"""What is asked of all Dockerfiles of a workspace at once, kept up to date document by document."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cachekey.dockerfile.place import Place
    from cachekey.dockerfile.records import Dockerfile

Extract = Callable[["Dockerfile"], "Iterable[tuple[Hashable, Place]]"]
"""Tells which places of a Dockerfile are found under which keys."""


class Index:
    """Places by key and document. A change costs the entries of the document that changed."""

    def __init__(self, extract: Extract) -> None:
        self._extract = extract
        self._places: dict[Hashable, dict[str, list[Place]]] = {}
        self._keys: dict[str, set[Hashable]] = {}

    def put(self, document: Dockerfile) -> None:
        """Take in a document, in the place of an earlier state of it."""
        self.drop(document.path)
        keys = self._keys.setdefault(document.path, set())
        for key, place in self._extract(document):
            keys.add(key)
            self._places.setdefault(key, {}).setdefault(document.path, []).append(place)

    def drop(self, path: str) -> None:
        """Forget a document; nothing happens when it is not there."""
        for key in self._keys.pop(path, ()):
            places = self._places[key]
            del places[path]
            if not places:
                del self._places[key]

    def get(self, key: Hashable) -> Mapping[str, list[Place]]:
        """Return the places with ``key`` by document."""
        return self._places.get(key, {})
