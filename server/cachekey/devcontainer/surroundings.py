"""What a judgement on a devcontainer.json may ask of the files around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cachekey.devcontainer.read import Devcontainer
    from cachekey.dockerfile.records import Dockerfile
    from cachekey.knowledge import Knowledge
    from cachekey.text import Source


class HasSource(Protocol):
    """A document of any kind."""

    @property
    def source(self) -> Source:
        """Return its text."""


class Surroundings(Protocol):
    """The workspace, as far as a dev container needs it."""

    @property
    def knowledge(self) -> Knowledge:
        """Return what is known about tools and images."""

    def dockerfile_of(self, document: Devcontainer, /) -> Dockerfile | None:
        """Return the Dockerfile that a devcontainer.json builds, if it lies in the workspace."""

    @property
    def documents(self) -> Mapping[str, HasSource]:
        """Return the documents that are open or known, by path."""

    def composers(self, path: str, /) -> Iterator[Devcontainer]:
        """Yield the dev containers that name a compose file."""

    def read(self, path: str, /) -> str | None:
        """Return the text of another file of the workspace, or None."""
