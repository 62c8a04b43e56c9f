"""Whether the work grows in step with the text: twice the text, twice the calls.

Calls of functions are counted, not time: the same number on every machine. What a rule does twice for
each pair of lines shows as four times the calls.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from tests.fuzz.constructs import CONSTRUCTS
from tests.fuzz.invariants import calls, check

START = 16
STEEP = 2.7
"""Twice the text may take so many times the additional work; a square takes four times."""


def work(path: str, text: str) -> None:
    """Do what a report with all fixes does."""
    for finding in check(path, text):
        for fix in finding.fixes:
            len(fix.edits)


def steepness(path: str, make: Callable[[int], str], start: int = START) -> float:
    """Return how much more the second doubling of a construct costs than the first one."""
    work(path, make(4))
    made = [
        calls(lambda size=size: work(path, make(size))) for size in (start, 2 * start, 4 * start)
    ]
    return (made[2] - made[1]) / max(made[1] - made[0], 50)


def steep(names: Iterable[str], start: int = START) -> dict[str, float]:
    """Return the constructs whose cost grows faster than they do."""
    found = {name: round(steepness(*CONSTRUCTS[name], start), 2) for name in names}
    return {name: ratio for name, ratio in found.items() if ratio > STEEP}


if __name__ == "__main__":
    wanted = sys.argv[1:] or list(CONSTRUCTS)
    for name in wanted:
        print(name, steep([name]) or "", flush=True)
