"""Patterns with ``*``, matched in time linear in the text."""

from __future__ import annotations

import re
from collections.abc import Sequence


def compile_pieces(
    pieces: Sequence[str], *, last: str = ".*", dotall: bool = False
) -> re.Pattern[str]:
    """Compile what stands between the ``*`` of a pattern: regular expressions of a certain length each.

    A piece may be taken where it is found first: if the rest does not fit behind that, it fits nowhere.
    Only the last ``*`` has a choice; ``last`` says which match it takes.
    """
    first, *rest = pieces
    out = [first]
    for number, piece in enumerate(rest[:-1]):
        # What Python calls an atomic group from 3.11 on.
        out.append(f"(?=(?P<p{number}>.*?{piece}))(?P=p{number})")
    if rest:
        out.append(f"{last}{rest[-1]}")
    return re.compile("".join(out), re.DOTALL if dotall else 0)
