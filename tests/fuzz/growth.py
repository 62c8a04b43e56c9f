"""Whether the work grows in step with the text: twice the text, twice the calls.

Calls of functions are counted, not time: the same number on every machine. What a rule does twice for
each pair of lines shows as four times the calls.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from tests.fuzz.constructs import CONSTRUCTS
from tests.fuzz.invariants import calls, check

BOUNDED = {
    *(
        "env unresolved chain",
        "user",
        "user numeric",
        "runs users sharing",
        "runs users",
        "runs apt",
    ),
    *("runs cargo", "runs config", "key collision", "mounts pip uses", "stages chain config", "ln"),
    *("runs npm install", "runs uv pip install", "runs apk add", "runs bun add", "relative"),
    *("disabled env many", "json volumes chowns", "json volumes no chowns"),
}
"""What rules do for each pair of RUNs or mounts: a square by nature, and ended by the budget."""
MOST_CALLS = 40_000_000
"""What a file may cost at the worst, all fixes made: seconds."""
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
    # What other tests have left in caches of names may count once; a square is one every time.
    again = {
        name: steepness(*CONSTRUCTS[name], start) for name, ratio in found.items() if ratio > STEEP
    }
    return {name: found[name] for name, ratio in again.items() if ratio > STEEP}


def worst(path: str, text: str) -> int:
    """Return how many calls a text costs."""
    return calls(lambda: work(path, text))


if __name__ == "__main__":
    broken: dict[str, float] = {}
    for name in sys.argv[1:] or list(CONSTRUCTS):
        path, make = CONSTRUCTS[name]
        if name in BOUNDED:
            made = max(worst(path, make(size)) for size in (400, 4000))
            found = {name: float(made)} if made > MOST_CALLS else {}
        else:
            found = steep([name])
        broken.update(found)
        print(f"{name}: {found or 'fine'}", flush=True)
    sys.exit(bool(broken))
