"""Rules in the list of a comment that silences findings: ``# cachekey: ignore[…]``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachekey.assist.completion_devcontainer import Proposal
from cachekey.rules import ALL
from cachekey.text import Source, Span

_LIST = re.compile(
    r"(?:#|//|/\*)\s*cachekey\s*:\s*ignore(?:-file)?\s*\[(?P<codes>[^\]]*)\Z", re.IGNORECASE
)
_WORD = re.compile(r"[^\s,]*\Z")
_LONGEST = 60


def complete_codes(source: Source, offset: int) -> Iterator[Proposal]:
    """Offer every rule at ``offset``, where a list of rules is being written."""
    start = source.line_starts[source.line_of(offset)]
    found = _LIST.search(source.text[start:offset])
    if found is None:
        return
    # A code is short: of a long line only the end is looked at.
    begun = _WORD.search(found["codes"][-_LONGEST:])
    typed = begun.group() if begun else ""
    span = Span(offset - len(typed), offset)
    for rule in ALL:
        yield Proposal(rule.code, rule.code, span, "value", f"{rule.name}: {rule.summary}")
