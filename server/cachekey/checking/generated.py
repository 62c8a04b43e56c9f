"""Files that somebody's program writes: nobody mends them by hand, so nothing is said about them."""

from __future__ import annotations

import re

_HEAD = 2000
"""Characters at the top of a file in which such a notice stands."""
_NOTICE = re.compile(
    r"^\s*(?:#|//).*\bDO NOT (?:EDIT|MODIFY|CHANGE)\b", re.MULTILINE | re.IGNORECASE
)
_MARKED = re.compile(r"^\s*(?:#|//).*(?<!\S)@generated\b", re.MULTILINE)
"""The word by which tools for reviews know such files."""
_MADE = re.compile(r"(?:\b|auto)(?:generated|written|created|made)\b", re.IGNORECASE)
_VENDORED = frozenset(("vendor", "vendored", "node_modules", "third_party", "third-party"))


def is_generated(path: str, text: str) -> bool:
    """Tell whether a file is vendored, or says at its top that it is generated."""
    if not _VENDORED.isdisjoint(path.split("/")[:-1]):
        return True
    if _MARKED.search(text, 0, _HEAD):
        return True
    found = _NOTICE.search(text, 0, _HEAD)
    if found is None:
        return False
    # The two words may stand on two lines of one comment.
    around = text[max(0, found.start() - 300) : found.end() + 300]
    return bool(_MADE.search(around))
