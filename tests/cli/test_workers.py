"""Many files: the same output whatever the number of processes, and whatever happens to one of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from cachekey.cli.workers import CHUNK, WORTH, WorkerLostError, Workers

from tests.support.interrupts import heard

MANY = WORTH + 2 * CHUNK
TEXTS = (
    "FROM python:3.13\nRUN --mount=type=cache,target=/root/.cache/pip pip install x\n",
    "FROM python:3.13\nRUN --mount=type=cache,id=pip,target=/root/.cache/pip pip install x\n",
    "FROM python:3.13\nRUN --mount=type=cache,taget=/x pip install x\n",
    "FROM rust:1\nWORKDIR /app\nRUN --mount=type=cache,target=/app/target cargo build\n",
    "FROM node:22\n# cachekey: ignore[CK503]\nRUN npm ci\n# cachekey: ignore\nRUN true\n",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(MANY):
        folder = tmp_path / f"s{number:03}"
        folder.mkdir()
        (folder / "Dockerfile").write_text(TEXTS[number % len(TEXTS)])
    container = tmp_path / ".devcontainer"
    container.mkdir()
    (container / "devcontainer.json").write_text(
        '{"build": {"dockerfile": "Dockerfile", "args": {"WHO": "me"}}, "mounts": ["type=cache"]}'
    )
    (container / "Dockerfile").write_text(
        "FROM python:3.13\nARG WHO\nRUN --mount=type=cache,id=$WHO,target=/root/.cache/pip"
        " pip install x\n"
    )
    return tmp_path


class Circle:
    """Refers to itself, as models do."""

    living = 0

    def __init__(self) -> None:
        self.itself = self
        Circle.living += 1

    def __del__(self) -> None:
        Circle.living -= 1


def circling() -> Callable[[Iterable[int]], Iterable[int]]:
    def work(items: Iterable[int]) -> Iterable[int]:
        for _ in items:
            for _ in range(1_000):
                Circle()
            yield Circle.living

    return work


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "cachekey", "check", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_the_output_does_not_depend_on_the_number_of_processes(tree: Path, form: str) -> None:
    one, two, five = (run("--format", form, "--jobs", n, folder=tree) for n in ("1", "2", "5"))
    assert one.returncode == 1
    assert one.stderr == b""
    assert one.stdout == two.stdout == five.stdout
    assert one.stdout.count(b"CK601") >= MANY // len(TEXTS)


def test_a_worker_keeps_no_file_that_is_done() -> None:
    living = list(Workers(2, circling).results(list(range(MANY))))
    assert len(living) == MANY
    assert max(living) < 10_000


def test_many_files_are_told_as_few_are(tree: Path) -> None:
    """What is mapped and reduced says of a file what is said of it when its model is at hand."""
    many = json.loads(run("--format", "json", folder=tree).stdout)["findings"]
    alone = [
        "s000/Dockerfile",
        "s001/Dockerfile",
        "s003/Dockerfile",
        "s008/Dockerfile",
        ".devcontainer",
    ]
    few = json.loads(run("--format", "json", *alone, folder=tree).stdout)["findings"]
    local = [item for item in few if item["code"] != "CK101"]
    assert local
    for item in local:
        assert item in many


def test_who_builds_a_file_is_known_to_the_end(tree: Path) -> None:
    """A process goes on to know who builds what behind the files that say so, which it checks, too."""
    (tree / ".github/workflows").mkdir(parents=True)
    (tree / ".github/workflows/ci.yml").write_text(
        "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n"
        "    steps: [{run: docker build .devcontainer}, {run: docker build s000}]\n"
    )
    for jobs in ("1", "2"):
        found = run("--format", "json", "--select", "CK505", "--jobs", jobs, folder=tree).stdout
        paths = {item["path"] for item in json.loads(found)["findings"]}
        assert paths == {".devcontainer/Dockerfile", "s000/Dockerfile"}


def test_fixes_of_many_files_are_applied_to_a_fixpoint(tree: Path) -> None:
    run("--fix", "--jobs", "2", folder=tree)
    again = run("--fix", "--jobs", "1", folder=tree)
    assert b"Fixed" not in again.stdout
    fixed = (tree / "s003/Dockerfile").read_text()
    assert f"type=cache,id={tree.name.lower()}-s003-target,target" in fixed


def test_a_number_of_processes_that_is_none(tmp_path: Path) -> None:
    done = run("--jobs", "0", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(b"cachekey: --jobs takes a number from 1, not '0'")


# -- workers --------------------------------------------------------------------------------------


def double(parent: int, marker: str) -> object:
    """Make work that ends its own process at the item -1: once, if ``marker`` names a file to make."""

    def work(items: Iterable[int]) -> Iterable[int]:
        for item in items:
            if item == -1 and os.getpid() != parent and not os.path.exists(marker):
                if marker:
                    Path(marker).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield 2 * item

    return work


ITEMS = [*range(CHUNK + 3), -1, *range(WORTH)]


def test_what_a_killed_process_had_to_do_is_done_again(tmp_path: Path) -> None:
    workers: Workers[int, int] = Workers(2, double, os.getpid(), str(tmp_path / "died"))
    assert list(workers.results(ITEMS)) == [2 * item for item in ITEMS]


def test_a_second_death_at_one_place_is_told() -> None:
    workers: Workers[int, int] = Workers(2, double, os.getpid(), "")
    results = []
    with pytest.raises(WorkerLostError):
        results.extend(workers.results(ITEMS))
    assert results == [2 * item for item in ITEMS[: len(results)]]
    assert -2 not in results


def test_an_interrupted_run_stops_at_once(tree: Path) -> None:
    for number in range(3000):
        (tree / f"x{number}").mkdir()
        (tree / f"x{number}/Dockerfile").write_text(TEXTS[0] + "RUN pip install y\n" * 40)
    command = [sys.executable, "-m", "cachekey", "check", "--jobs", "2"]
    process = subprocess.Popen(
        command,
        cwd=tree,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heard,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until = time.monotonic() + 60
    while not children.read_text().split():
        assert time.monotonic() < until
        time.sleep(0.02)
    workers = children.read_text().split()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors == b"cachekey: interrupted\n"
    for worker in workers:
        assert not Path(f"/proc/{worker}").exists()
