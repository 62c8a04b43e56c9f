"""``make bench``: what the promises of speed and memory come to today. Nothing passes or fails.

    python -m tests.bench.run [--quick] [--only check|server|layers|prove ...] [--keep TITLE] [--again]

Prints the report, and writes a whole one to RESULTS.md beside this file. ``--keep`` also puts the run into
``history/``, so that later ones stand beside it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import cli_bench, layers, lsp_bench, machine, peers, prove_bench, report
from tests.bench.measures import Measures
from tests.bench.plan import FULL, QUICK, Plan

HERE = Path(__file__).parent
HISTORY = HERE / "history"
LAST = peers.CACHE / "last.json"
PARTS = ("check", "server", "layers", "prove")


def main() -> int:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller trees, fewer rounds")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--keep", metavar="TITLE", help="keep this run to compare later ones with")
    parser.add_argument("--again", action="store_true", help="report the last run, measure nothing")
    options = parser.parse_args()
    whole = set(options.only) == set(PARTS)
    if not options.again:
        measures = _measure(QUICK if options.quick else FULL, options.only)
        measures.save(LAST, "whole" if whole else "in part")
    said, measures = Measures.load(LAST)
    past = [Measures.load(path) for path in sorted(HISTORY.glob("*.json"))]
    text = report.render(measures, past)
    if said == "whole":
        (HERE / "RESULTS.md").write_text(text, encoding="utf-8")
    if options.keep:
        slug = re.sub(r"\W+", "-", options.keep.lower()).strip("-")
        measures.save(HISTORY / f"{len(past):02}-{slug}.json", options.keep)
    print(text)
    return 0


def _measure(plan: Plan, parts: Sequence[str]) -> Measures:
    measures = Measures(about=machine.describe())
    begin, loads = time.monotonic(), [machine.load()]
    with tempfile.TemporaryDirectory() as name:
        for part in parts:
            print(f"bench: {part}, load {loads[-1]:.1f}", file=sys.stderr, flush=True)
            try:
                _part(part, measures, plan, Path(name).resolve())
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                # What was measured before is not lost for it.
                print(f"bench: {part} failed: {error}", file=sys.stderr, flush=True)
                measures.about[f"{part} failed"] = type(error).__name__
            loads.append(machine.load())
    measures.about["load"] = ", ".join(f"{load:.1f}" for load in loads)
    measures.about["large workspace"] = f"{plan.many:,} files; largest tree {plan.sizes[-1]:,}"
    measures.about["took"] = f"{time.monotonic() - begin:.0f} s{', quick' if plan is QUICK else ''}"
    return measures


def _part(part: str, measures: Measures, plan: Plan, folder: Path) -> None:
    if part == "check":
        cli_bench.measure(measures, plan, folder)
    elif part == "server":
        lsp_bench.measure(measures, plan, folder)
    elif part == "prove":
        prove_bench.measure(measures, plan, folder)
    else:
        for layer, taken in layers.in_new_process().items():
            measures.set(report.LAYERS + layer, taken)


if __name__ == "__main__":
    sys.exit(main())
