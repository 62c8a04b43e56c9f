"""What was found in one text of one document, as the client is told it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsprotocol import types

    from cachekey.finding import Finding
    from cachekey.text import Source


@dataclass(frozen=True, eq=False)
class Analysis:
    """What was found in one text of one document."""

    source: Source
    version: int
    findings: tuple[Finding, ...]
    diagnostics: tuple[types.Diagnostic, ...]
    kept: dict[tuple[int, int], bool] = field(default_factory=dict)
    """For fixes that were tried, by the numbers of the finding and the fix: whether they are offered."""

    @cached_property
    def result_id(self) -> str:
        """Return what is equal exactly when version, text and diagnostics are."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (self.source.text, repr((self.version, self.diagnostics))):
            digest.update(part.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()
