"""What every kind of builder can be asked; a kind is one module."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from cachekey.builder.build import BuildRequest
from cachekey.builder.history import PastBuild
from cachekey.builder.programs import run
from cachekey.builder.records import Builder, BuilderError, Usage

_AT_ONCE = 1000
"""Records that one command removes: its line has an end."""


class Source(ABC):
    """One builder that was found and has answered."""

    builder: Builder

    @abstractmethod
    def usage(self) -> Usage:
        """Ask for all records and the collector's rules; raises ``BuilderError``."""

    @abstractmethod
    def prune(self, record: str) -> Sequence[str]:
        """Return the command line that removes one record. It is shown, not run."""

    def building(self, request: BuildRequest) -> Sequence[str]:
        """Return the command line of a build; raises ``BuilderError`` where none can be proven."""
        raise BuilderError(
            f"prove needs BuildKit: {self.builder.name} has no namespaces that keep caches apart"
        )

    def remove(self, records: Sequence[str]) -> None:
        """Remove records now, with few commands; raises ``BuilderError``.

        A filter of Docker and buildx has one value, and an id's is a regular expression.
        """
        for start in range(0, len(records), _AT_ONCE):
            ids = "|".join(map(re.escape, records[start : start + _AT_ONCE]))
            run(self.prune(f"^({ids})$"), self.builder.name)

    def builds_in(self, namespace: str) -> list[datetime | None] | None:
        """Return when the latest build in a cache namespace ended, None for one that goes on.

        There may be earlier ones in the list. None in its place: the builder tells of no past builds.
        """
        return None

    def history(self, most: int) -> list[PastBuild] | None:
        """Return the latest builds that the builder remembers, newest first; None: it tells none."""
        return None
