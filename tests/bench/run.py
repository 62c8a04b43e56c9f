"""``make bench``: what the promises about speed cost today. Prints figures; nothing passes or fails.

import     wall time of ``cachekey --version`` in a new process, over a bare interpreter
analysis   one 150-line Dockerfile with ten RUNs, in one process after warm-up, with the share per layer
tree       ``cachekey check`` of 1,000 generated Dockerfiles in a new process
server     see lsp_bench.py
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cachekey.checking import engine
from cachekey.dockerfile.stages import BuildOptions, read_dockerfile
from cachekey.knowledge import Knowledge
from cachekey.syntax.dockerfile.parse import parse
from cachekey.text import Source
from cachekey.workspace.project import Project

HERE = Path(__file__).parent
TOOLS = (
    ("/root/.cache/uv", "uv sync --frozen"),
    ("/root/.cache/pip", "pip install -r requirements.txt"),
    ("/root/.npm", "npm ci"),
    ("/go/pkg/mod", "go build -o /bin/app ./..."),
    ("/usr/local/cargo/registry", "cargo build --release && cp target/release/app /bin/"),
    ("/var/cache/apt,sharing=locked", "apt-get update && apt-get install -y git curl"),
)
IMAGES = ("python:3.13-slim", "node:22", "golang:1.25", "rust:1.90", "debian:13")


def dockerfile(seed: int, runs: int = 10) -> str:
    """Make a Dockerfile with ``runs`` RUNs and about fifteen lines for each of them."""
    pick = random.Random(seed)
    lines = ["# syntax=docker/dockerfile:1"]
    for number in range(runs):
        if number % 4 == 0:
            image = pick.choice(IMAGES)
            lines += ["", f"FROM {image} AS s{number}", "ARG TARGETARCH", "WORKDIR /src"]
        target, command = pick.choice(TOOLS)
        lines += [
            "",
            f"# step {number}",
            f"ARG VERSION_{number}=1.{number}",
            f"ENV NAME_{number}=value \\",
            f"    PLACE_{number}=/opt/$VERSION_{number}",
            f"LABEL step.{number}=done",
            f"COPY package{number}.json lock{number}.json ./",
            f"RUN --mount=type=cache,target={target} \\",
            "    set -eux; \\",
            f"    {command} \\",
            "    # a comment in between",
            f"    && echo done-{number}",
            f"COPY --link src{number} /src/{number}",
        ]
    return "\n".join([*lines, "", "EXPOSE 8080", 'CMD ["app"]', ""])


def median_ms(
    action: Callable[[], object], times: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the median time of an action in milliseconds."""
    taken = []
    for _ in range(times):
        start = clock()
        action()
        taken.append((clock() - start) * 1000)
    return statistics.median(taken)


def imports() -> None:
    """Measure the start of the command line."""
    bare = median_ms(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True), 11)
    command = [sys.executable, "-m", "cachekey", "--version"]
    full = median_ms(lambda: subprocess.run(command, check=True, capture_output=True), 11)
    print(f"import     bare python {bare:.0f} ms, cachekey --version {full:.0f} ms")


def analysis() -> None:
    """Measure one file, layer by layer: each line includes those above it."""
    texts = [dockerfile(seed) for seed in range(60)]
    lines = statistics.mean(text.count("\n") for text in texts)
    # Once a process: the data files stay in memory.
    start = time.process_time()
    knowledge = Knowledge()
    knowledge.commands_for("uv")
    knowledge.image("python:3.13")
    taken = (time.process_time() - start) * 1000
    print(f"knowledge  {taken:.1f} ms of CPU for one tool and one image")
    options = BuildOptions({})
    turn = iter(texts * 4)

    def model() -> None:
        read_dockerfile("Dockerfile", Source(next(turn)), options, knowledge, lambda path: None)

    def everything() -> None:
        project = Project()
        project.add("Dockerfile", next(turn))
        engine.check(project, "Dockerfile")

    for _ in range(20):
        everything()
    turn = iter(texts * 4)
    rows = (
        ("syntax", lambda: parse(Source(next(turn)))),
        ("and model", model),
        ("and rules", everything),
    )
    for name, action in rows:
        taken = median_ms(action, 60, time.process_time)
        print(f"analysis   {name:10} {taken:6.2f} ms of CPU  ({lines:.0f} lines, 10 RUNs)")


def tree() -> None:
    """Measure the command line on a thousand files."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1000):
            place = Path(folder, f"project{number}")
            place.mkdir()
            text = dockerfile(number, runs=number % 9 + 2)
            (place / "Dockerfile").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "cachekey", "check", "--format", "json", folder]
        start = time.perf_counter()
        subprocess.run(command, check=False, capture_output=True)
        print(f"tree       1,000 files in {time.perf_counter() - start:.1f} s")


def main() -> int:
    """Measure everything."""
    imports()
    analysis()
    tree()
    sys.stdout.flush()
    return subprocess.run([sys.executable, str(HERE / "lsp_bench.py")], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
