"""Whether the work grows in step with the text: twice the text, twice the calls.

Calls of functions are counted, not time: the same number on every machine. What a rule does twice for
each pair of lines shows as four times the calls.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

from tests.fuzz import constructs, neighbourly
from tests.fuzz.invariants import calls, check
from tests.fuzz.neighbours import BESIDE, KINDS

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
    *("bake matrix", "disabled env many", "json volumes chowns", "json volumes no chowns"),
}
"""What rules do for each pair of RUNs or mounts: a square by nature, and ended by the budget."""
CONSTRUCTS = constructs.CONSTRUCTS | neighbourly.CONSTRUCTS
NEIGHBOURS = frozenset(path for path, _ in KINDS.values())
MOST_CALLS = 40_000_000
"""What a file may cost at the worst, all fixes made: seconds."""
START = 16
STEEP = 2.7
"""Twice the text may take so many times the additional work; a square takes four times."""


LONG = 30_000
"""Characters of a text whose time is taken: a pattern that goes back and forth makes no calls."""
MOST_SECONDS = 6.0
"""Of the processor; what is linear takes a tenth of that, a square of patterns minutes."""


def work(path: str, text: str) -> None:
    """Do what a report with all fixes does."""
    beside = BESIDE if path in NEIGHBOURS else {}
    for finding in check(path, text, beside):
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


def slow(names: Iterable[str]) -> dict[str, float]:
    """Return the constructs of which a long text takes seconds, where nothing ends it earlier."""
    found: dict[str, float] = {}
    for name in names:
        path, make = CONSTRUCTS[name]
        text = make(max(1, LONG * 100 // len(make(100))))
        start = time.process_time()
        work(path, text)
        found[name] = round(time.process_time() - start, 2)
    return {name: seconds for name, seconds in found.items() if seconds > MOST_SECONDS}


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
            found = steep([name]) | slow([name])
        broken.update(found)
        print(f"{name}: {found or 'fine'}", flush=True)
    sys.exit(bool(broken))
