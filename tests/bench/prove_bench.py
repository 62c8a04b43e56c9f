"""What ``cachekey prove`` takes beside the very builds that it runs, by turns on a real buildkitd."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cachekey.builder.build import NAMESPACE, BuildRequest
from cachekey.builder.buildctl import Buildctl
from cachekey.builder.probe import probed
from cachekey.dockerfile.records import Dockerfile
from cachekey.workspace.project import Project

from tests.bench.measures import Measures
from tests.bench.plan import Plan
from tests.buildkit import builders, setup

RUNS = 3
STEPS = 4
COLD, WARM = 4, 2
"""Seconds of each step: 32 s of sleep in three builds, and what the builder takes itself."""
HEAD = """\
FROM scratch AS base
COPY busybox /bin/busybox
RUN ["/bin/busybox","sh","-c","for a in sh sleep test touch; do /bin/busybox ln -s busybox /bin/$a; done"]
FROM base
"""
STEP = f"RUN --mount=type=cache,target=/c/@ test -e /c/@/x && sleep {WARM} || sleep {COLD}; touch /c/@/x\n"
TEXT = HEAD + "".join(STEP.replace("@", str(number)) for number in range(STEPS))


def measure(measures: Measures, plan: Plan, folder: Path) -> None:
    """Put down what a proof takes, and what the same builds take by themselves."""
    try:
        on = builders.builder("buildkit")
    except builders.UnavailableError as error:
        measures.problems["prove.cachekey"] = str(error)
        return
    place = folder / "prove"
    (place / ".git").mkdir(parents=True)
    shutil.copy(on.context / "busybox", place / "busybox")
    (place / "Dockerfile").write_text(TEXT, encoding="utf-8")
    address = f"unix://{on.folder}/s.sock"
    os.environ["PATH"] = f"{setup.BIN}:{os.environ['PATH']}"
    ways: dict[str, Callable[[int], None]] = {
        "builds": lambda turn: _builds(place, address, turn),
        "cachekey": lambda turn: _prove(place, address),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    worked: dict[str, list[float]] = {name: [] for name in ways}
    try:
        # The first build of all makes the layers in front.
        _builds(place, address, -1)
        for turn in range(plan.proofs):
            for name, way in ways.items():
                begin, cpu = time.monotonic(), _cpu()
                way(turn)
                taken[name].append(time.monotonic() - begin)
                worked[name].append(_cpu() - cpu)
    finally:
        builders.close_all()
    for name in ways:
        measures.set(f"prove.{name}.wall", statistics.median(taken[name]))
        measures.set(f"prove.{name}.cpu", statistics.median(worked[name]))
    added = [one - other for one, other in zip(taken["cachekey"], taken["builds"], strict=True)]
    measures.set("prove.added", statistics.median(added))
    own, others = (measures.values[f"prove.{name}.cpu"] for name in ("cachekey", "builds"))
    measures.set("prove.cpu", own - others)
    measures.notes["prove.added"] = ", ".join(f"{seconds:.2f}" for seconds in added)


def _cpu() -> float:
    """Processor time of the clients so far; the builder's own is not in it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _prove(place: Path, address: str) -> None:
    command = [sys.executable, "-m", "cachekey", "prove", ".", "--builder", address]
    env = {**os.environ, "XDG_CACHE_HOME": str(place / "notes")}
    subprocess.run(
        [*command, "--runs", str(RUNS)], cwd=place, env=env, check=True, capture_output=True
    )


def _builds(place: Path, address: str, turn: int) -> None:
    """What a user would run by hand: the same files, the same client, a namespace, and no question."""
    model = Project().add("Dockerfile", TEXT)
    assert isinstance(model, Dockerfile)
    source, name = Buildctl(address, "bench"), f"bench{turn}"
    request = BuildRequest(str(place), str(place / "probed"), {NAMESPACE: name})
    (place / "probed").mkdir(exist_ok=True)
    for number in range(1 if turn < 0 else RUNS):
        text = probed(model, f"{name}-{number}")
        (place / "probed/Dockerfile").write_text(text, encoding="utf-8")
        subprocess.run([*source.building(request)], check=True, capture_output=True)
