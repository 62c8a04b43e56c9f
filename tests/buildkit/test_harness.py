"""The harness itself: it skips, clears up and answers as it says."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from . import builders, kinds, proof, session, setup, standin
from .builders import UnavailableError


def test_every_case_is_in_the_table() -> None:
    counted = {group for groups in proof.FACTS for group in groups}
    assert {case.group for case in session.ALL} <= counted


def test_table_is_up_to_date() -> None:
    assert proof.FILE.read_text(encoding="utf-8") == proof.table(), "run `make proof`"


def test_a_file_of_any_kind_builds() -> None:
    text = (
        "# syntax=docker/dockerfile:1\nARG TAG=3.12\nFROM python:${TAG} AS a\n"
        "RUN useradd --uid 1234 bob\nUSER bob\nCOPY pyproject.toml src/ /app/\n"
        "RUN --mount=type=cache,target=/c,uid=1234 touch /c/x && echo RES w wrote\n"
        "FROM a\nRUN --mount=type=bind,source=uv.lock,target=/uv.lock uv sync && cd /app\n"
    )
    try:
        built = builders.builds(text)
    except UnavailableError as error:
        pytest.skip(str(error))
    assert built.ok, built.log
    assert built.labels == {"w": "wrote"}


def test_a_failing_file_does_not() -> None:
    try:
        built = builders.builds("FROM debian\nRUN --mount=type=cache,targt=/c true\n")
    except UnavailableError as error:
        pytest.skip(str(error))
    assert not built.ok
    assert built.error == "unexpected key 'targt' in 'targt=/c' (did you mean target?)"


def test_sources_of_the_context() -> None:
    text = (
        'FROM x\nCOPY --chown=1 a b/ /c/\nADD ["d e", "/f"]\nCOPY --from=x g h\n'
        "RUN --mount=source=i,target=/i --mount=from=x,source=j,target=/j true\nCOPY $K l\n"
    )
    assert standin.sources(text) == {"a", "b/", "d e", "i"}


def test_leftovers_of_a_killed_run_are_cleared() -> None:
    """Its daemon is stopped, its folder goes, and nothing else is touched."""
    if not Path("/proc/self/mounts").exists():
        pytest.skip("needs /proc")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    prefix = f"{kinds.PREFIX}{ended.pid}-"
    stale = Path(tempfile.mkdtemp(prefix=prefix, dir=kinds.place()))
    mine = Path(tempfile.mkdtemp(prefix=f"{kinds.PREFIX}{os.getpid()}-"))
    waiting = "import sys, time; time.sleep(600)"
    daemon = subprocess.Popen([sys.executable, "-c", waiting, str(stale)])
    stranger = subprocess.Popen([sys.executable, "-c", waiting])
    try:
        (stale / "daemon.pid").write_text(str(daemon.pid), encoding="utf-8")
        (stale / "other.pid").write_text(str(stranger.pid), encoding="utf-8")
        kinds.clear_leftovers()
        assert not stale.exists()
        assert mine.exists()
        assert not kinds.alive(daemon.pid)
        assert stranger.poll() is None
    finally:
        for process in (daemon, stranger):
            process.kill()
            process.wait()
        mine.rmdir()


def test_a_missing_builder_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup, "BIN", tmp_path)
    monkeypatch.setattr(setup, "STATUS", tmp_path / "status.json")
    reason = setup.unready("buildkit")
    assert reason is not None
    assert "buildkitd" in reason
    assert "make builders" in reason


def test_setup_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup, "HOME", tmp_path)
    monkeypatch.setattr(setup, "BIN", tmp_path)
    monkeypatch.setattr(setup, "STATUS", tmp_path / "status.json")
    monkeypatch.setattr(setup, "go", lambda: str(tmp_path / "no-go"))
    monkeypatch.setattr(setup, "PACKAGES", {name: {} for name in setup.NAMES})
    assert setup.main(["oracle"]) == 0
    assert setup.unready("oracle") is not None
    assert "no-go" in str(setup.unready("oracle"))


def test_complaint_is_cut_to_the_builders_words() -> None:
    log = (
        "#1 DONE\nfailed to solve with frontend dockerfile.v0: failed to create LLB definition: "
        "dockerfile parse error line 5: invalid value x for uid\n"
    )
    assert kinds.complaint(log) == "invalid value x for uid"
