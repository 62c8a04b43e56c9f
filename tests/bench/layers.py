"""Where the time of one file goes, layer by layer, inside one process: processor time in milliseconds.

    python -m tests.bench.layers [TIMES]

This module alone knows the inside of Cachekey; the rest of the benchmark uses its faces.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

from cachekey.builder.join import join
from cachekey.builder.places import Place, places
from cachekey.builder.records import Builder, Usage, UsageRecord
from cachekey.checking import engine
from cachekey.dockerfile.scoping import BuildOptions
from cachekey.dockerfile.stages import read_dockerfile
from cachekey.knowledge import Knowledge
from cachekey.syntax.dockerfile.parse import parse
from cachekey.text import Source
from cachekey.workspace.project import Project

from tests.bench import corpus
from tests.bench.processes import run

_FILES = 40
_STARTS = 7


def measure(times: int = 80) -> dict[str, float]:
    """Return milliseconds by layer, each with those above it; files of 93 lines, data already loaded."""
    texts = [corpus.dockerfile(number, corpus.SUBJECT_LINES) for number in range(_FILES)]
    knowledge = Knowledge()
    options = BuildOptions({})

    def syntax(text: str) -> None:
        parse(Source(text))

    def model(text: str) -> None:
        read_dockerfile("Dockerfile", Source(text), options, knowledge, lambda path: None)

    def rules(text: str) -> None:
        project = Project()
        project.add("Dockerfile", text)
        engine.check(project, "Dockerfile")

    for text in texts[: min(times, _FILES)]:
        rules(text)
    return {
        "syntax": _median(syntax, cycle(texts), times),
        "and model": _median(model, cycle(texts), times),
        "and rules": _median(rules, cycle(texts), times),
    }


def joining(records: int = 5_000, files: int = 1_000) -> dict[str, float]:
    """Return milliseconds to join a builder's records with the mounts of many files."""
    project = Project()
    wanted: list[Place] = []
    for number in range(files):
        text = f"FROM debian:13\nRUN --mount=type=cache,id=a{number},target=/c true\n"
        document = project.add(f"{number}/Dockerfile", text)
        assert document is not None
        wanted += places(document)
    there = tuple(
        UsageRecord(
            str(number),
            "exec.cachemount",
            f'cached mount /c from exec /bin/sh -c true with id "/a{number}"',
            1,
        )
        for number in range(records)
    )
    usage = Usage(Builder("", "buildkitd", "0.34.2", ""), there, ())
    begin = time.process_time()
    found = join(usage, wanted)
    taken = (time.process_time() - begin) * 1e3
    assert not found.missing
    return {f"join {records:,} records with {files:,} files": taken}


def starts() -> dict[str, float]:
    """Return milliseconds of processor time until small commands have ended."""
    commands = {
        "python -c pass": ("-c", "pass"),
        "cachekey --version": ("-m", "cachekey", "--version"),
    }
    return {name: _start(command) for name, command in commands.items()}


def _start(command: tuple[str, ...]) -> float:
    costs = [run((sys.executable, *command), Path.cwd(), 30) for _ in range(_STARTS)]
    return statistics.median(cost.cpu for cost in costs) * 1e3


def _median(action: Callable[[str], None], texts: Iterator[str], times: int) -> float:
    taken = []
    for _ in range(times):
        text = next(texts)
        begin = time.process_time()
        action(text)
        taken.append((time.process_time() - begin) * 1e3)
    return statistics.median(taken)


def in_new_process() -> dict[str, float]:
    """Measure in a process of its own, so that nothing else is in its memory."""
    command = [sys.executable, "-m", "tests.bench.layers"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return {str(name): float(value) for name, value in json.loads(done.stdout).items()}


if __name__ == "__main__":
    print(json.dumps({**measure(), **joining(), **starts()}))
