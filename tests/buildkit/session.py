"""What one test session has run and proven so far."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from . import cases
from .bench import Bench, Outcome
from .builders import NAMES, UnavailableError, builder
from .cases import Case
from .kinds import Built, Request

ALL = [*cases.recorded(), *cases.own()]
BENCHES = {name: Bench(name, ALL) for name in NAMES}


@dataclass
class Tally:
    """Cases that agreed, and those that did not, on one builder."""

    proven: set[str] = field(default_factory=set)
    disagreed: set[str] = field(default_factory=set)
    version: str = ""
    reason: str = ""

    def count(self, case: str, agreed: bool) -> None:
        """Notes one case."""
        (self.proven if agreed else self.disagreed).add(case)


TALLIES: dict[str, Tally] = {}
_started = threading.Lock()
_threads: dict[str, threading.Thread] = {}


def tally(name: str) -> Tally:
    """The tally of a builder, made when first asked for."""
    return TALLIES.setdefault(name, Tally())


def ran(name: str) -> Bench:
    """The bench of a builder when all cases are run; the first question sets all builders to work."""
    with _started:
        if not _threads:
            for other, bench in BENCHES.items():
                _threads[other] = threading.Thread(target=bench.run, daemon=True)
                _threads[other].start()
    _threads[name].join()
    return BENCHES[name]


def outcome(name: str, case: Case) -> Outcome:
    """What a builder did with a case."""
    bench = ran(name)
    found = tally(name)
    found.version = bench.version
    try:
        return bench.outcome(case)
    except UnavailableError as error:
        found.reason = str(error)
        pytest.skip(str(error))


def built(name: str, dockerfile: str) -> tuple[Tally, Built]:
    """What one Dockerfile came to on a builder, and the builder's tally."""
    found = tally(name)
    try:
        running = builder(name)
    except UnavailableError as error:
        found.reason = str(error)
        pytest.skip(str(error))
    found.version = running.version
    done = running.build(Request(dockerfile))
    assert done.ok, done.log[-3000:]
    return found, done


def summary() -> list[str]:
    """Who took part, for a person."""
    lines = []
    for name, found in TALLIES.items():
        if found.reason:
            lines.append(f"{name}: did NOT take part: {found.reason} (recorded results stood in)")
            continue
        what = f"{len(found.proven)} cases proven, {len(found.disagreed)} disagreements"
        bench = BENCHES.get(name)
        spent = f", built in {bench.seconds:.0f} s" if bench and bench.seconds else ""
        lines.append(f"{name} {found.version}: {what}{spent}")
        lines += [f"  disagreed: {case}" for case in sorted(found.disagreed)]
    return lines
