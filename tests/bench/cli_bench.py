"""The command line on whole trees: how its costs grow, and how it stands beside its peers."""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tests.bench import corpus, peers
from tests.bench.measures import Measures
from tests.bench.plan import Plan
from tests.bench.processes import Cost, run

CHECK = (sys.executable, "-m", "cachekey", "check")
_CLEAN, _FINDINGS = 0, 1


def measure(measures: Measures, plan: Plan, folder: Path) -> None:
    """Put down what ``check`` takes; trees are made in ``folder`` and stay there."""
    _growth(measures, plan, folder)
    _beside_peers(measures, plan, folder)


def _growth(measures: Measures, plan: Plan, folder: Path) -> None:
    costs: dict[int, Cost] = {}
    for size in plan.sizes:
        tree = folder / f"tree{size}"
        corpus.write_tree(tree, size)
        cost = costs[size] = _repeated(tree, plan)
        stopped = _stopped(cost, f"{size:,} files")
        measures.set(f"check.{size}.cpu", cost.cpu, stopped=stopped)
        measures.set(f"check.{size}.wall", cost.wall, stopped=stopped)
        measures.set(f"check.{size}.peak", cost.peak, stopped=stopped)
        if cost.stopped:
            break  # A larger one would be stopped as well.
    measures.set("check.peak", cost.peak, stopped=stopped)
    growths = {
        f"{small:,} → {large:,}": growth(large / small, costs[large].cpu / costs[small].cpu)
        for small, large in pairwise(costs)
    }
    if growths:
        measures.set("check.growth", max(growths.values()), stopped=stopped)
        measures.notes["check.growth"] = ", ".join(f"{n}: {x:.1f}" for n, x in growths.items())
    whole = [size for size in costs if not costs[size].stopped]
    if len(whole) > 1:
        small, large = whole[-2:]
        extra = costs[large].peak - costs[small].peak
        measures.set("check.per_file", extra * 1024 / (large - small))
        measures.notes["check.per_file"] = f"from {small:,} to {large:,} files"


def _stopped(cost: Cost, what: str) -> str:
    return f"{what}: stopped after {cost.cpu:.0f} s of CPU" if cost.stopped else ""


def growth(files: float, cpu: float) -> float:
    """Return by how much four times the files cost more, when ``files`` times cost ``cpu`` times."""
    return float(cpu ** (math.log(4) / math.log(files)))


def _repeated(tree: Path, plan: Plan) -> Cost:
    """Check a tree up to three times, and return the run with the least processor time."""
    costs: list[Cost] = []
    while len(costs) < 3 and sum(cost.wall for cost in costs) < plan.repeat_seconds:
        costs.append(_run(CHECK, tree, plan))
        if costs[-1].stopped:
            break
    return min(costs, key=lambda cost: cost.cpu)


def _run(command: Sequence[str], tree: Path, plan: Plan) -> Cost:
    cost = run((*command, str(tree)), tree.parent, plan.check_seconds)
    if not cost.stopped and cost.code not in {_CLEAN, _FINDINGS}:
        raise RuntimeError(f"{Path(command[0]).name} ended with {cost.code}")
    return cost


def _beside_peers(measures: Measures, plan: Plan, folder: Path) -> None:
    tree = folder / "compared"
    corpus.write_tree(tree, plan.compared)
    commands: dict[str, Sequence[str]] = {"cachekey": CHECK}
    for name, peer in (("utils", peers.dockerfile_utils()), ("tally", peers.tally())):
        measures.about[peer.name] = peer.version
        if peer.problem:
            measures.problems[f"lint.{name}.rate"] = peer.problem
        else:
            commands[name] = peer.command
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    order, end = list(commands), time.monotonic() + plan.compared_seconds
    for turn in range(plan.compared_runs):
        if turn and time.monotonic() > end:
            break
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            costs[name].append(_run(commands[name], tree, plan))
    for name, taken in costs.items():
        wall = statistics.median(cost.wall for cost in taken)
        measures.set(f"lint.{name}.rate", plan.compared / wall)
        measures.set(f"lint.{name}.cpu", statistics.median(cost.cpu for cost in taken))
        measures.set(f"lint.{name}.peak", max(cost.peak for cost in taken))
        if late := next((cost for cost in taken if cost.stopped), None):
            measures.problems[f"lint.{name}.rate"] = _stopped(late, f"{plan.compared:,} files")
