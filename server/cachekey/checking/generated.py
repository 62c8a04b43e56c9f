"""Files that somebody's program writes: nobody mends them by hand, so nothing is said about them."""

from __future__ import annotations

import re
from itertools import takewhile

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
    return bool(_MADE.search(_comment_around(text, found.end())))


def _comment_around(text: str, at: int) -> str:
    """Return the comment that a place stands in: what is said may fill several of its lines."""
    before = text[:at].splitlines()
    behind = text[at : at + _HEAD].splitlines()
    lines = [
        *takewhile(_is_comment, reversed(before[:-1])),
        *(before[-1:] + behind[:1]),
        *takewhile(_is_comment, behind[1:]),
    ]
    return "\n".join(lines)


def _is_comment(line: str) -> bool:
    return line.strip()[:2] == "//" or line.strip()[:1] in ("", "#")
