"""How much is measured: everything, or what three minutes allow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes, repetitions and limits of one run."""

    sizes: tuple[int, ...] = (125, 500, 2_000, 10_000)
    """Files of the trees that are checked alone; the last is also the workspace of the server."""
    many: int = 10_000
    compared: int = 1_000
    """Files of the tree that is checked beside the peers."""
    compared_runs: int = 3
    compared_seconds: float = 90
    """No further run of all begins then."""
    repeat_seconds: float = 15
    """A check that takes less in all is repeated, at most three times."""
    check_seconds: float = 150
    """A check that takes more processor time is stopped."""
    rounds: int = 4
    edits: int = 60
    requests: int = 40
    long_edits: int = 16
    long_rounds: int = 2
    series_seconds: float = 60
    """A series of steps ends then, when all servers have taken the last one."""
    proofs: int = 3
    index_seconds: float = 300
    """A first index is given up then."""


FULL = Plan()
QUICK = Plan(
    sizes=(125, 500, 2_000),
    many=2_000,
    compared=500,
    compared_runs=1,
    repeat_seconds=3,
    check_seconds=30,
    rounds=2,
    edits=40,
    requests=20,
    long_edits=6,
    long_rounds=1,
    series_seconds=15,
    proofs=1,
    index_seconds=120,
)
