"""``cachekey diff REV``: caches that are born, renamed, split, joined or lost, and what starts empty once."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from cachekey.cli import main

PIP = "RUN --mount=type=cache,id={},target=/root/.cache/pip pip install {}\n"
BASE = "FROM python:3.13\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def commit(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x")


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["diff", "HEAD", *arguments, "--format", "json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found = ask(capsys)
    return {name: value for name, value in found.items() if value and name != "version"}


def test_nothing_changes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(folder, Dockerfile=BASE + PIP.format("pip", "x"))
    (folder / "Dockerfile").write_text(BASE + "RUN true\n" + PIP.format("pip", "y"))
    assert told(capsys) == {}


def test_renamed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(folder, Dockerfile=BASE + PIP.format("pip", "x"))
    (folder / "Dockerfile").write_text(BASE + PIP.format("pip-2", "x"))
    place = {"path": "Dockerfile", "line": 1}
    assert told(capsys) == {
        "renamed": [{"from": "pip", "to": "pip-2", "mounts": [place]}],
        "cold": [{**place, "key": "pip-2"}],
    }


def test_split_and_joined(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two, parted = (BASE + PIP.format("pip", "x") + PIP.format(name, "y") for name in ("pip", "q"))
    commit(folder, Dockerfile=two)
    (folder / "Dockerfile").write_text(parted)
    places = [{"path": "Dockerfile", "line": 1}, {"path": "Dockerfile", "line": 2}]
    assert told(capsys) == {
        "split": [{"from": "pip", "to": ["pip", "q"], "mounts": places}],
        "cold": [{"path": "Dockerfile", "line": 2, "key": "q"}],
    }
    commit(folder)
    (folder / "Dockerfile").write_text(two)
    assert told(capsys) == {"joined": [{"from": ["pip", "q"], "to": "pip", "mounts": places}]}


def test_a_mount_that_was_put_in_front_is_no_other_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two RUNs with a mount each became one RUN with two: what is new is new, nothing splits."""
    run = "RUN --mount=type=cache,target={} {}go build ./x\n"
    text = "FROM golang:1.25\n" + run.format("/go/pkg/mod", "") * 2
    commit(folder, Dockerfile=text)
    both = run.format("/root/.cache", "--mount=type=cache,target=/go/pkg/mod ")
    (folder / "Dockerfile").write_text("FROM golang:1.25\n" + both)
    found = told(capsys)
    assert found.keys() == {"born", "cold"}
    assert found["born"] == ["/root/.cache"]


def test_born_and_lost_with_their_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(folder, Dockerfile=BASE + PIP.format("old", "x"))
    (folder / "Dockerfile").unlink()
    (folder / "Containerfile").write_text(BASE + PIP.format("new", "x"))
    assert told(capsys) == {
        "born": ["new"],
        "lost": ["old"],
        "cold": [{"path": "Containerfile", "line": 1, "key": "new"}],
    }


def test_a_build_argument_renames(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compose = "services: {{a: {{build: {{context: ., args: {{V: {}}}}}}}}}\n"
    text = BASE + "ARG V=x\n" + PIP.format("pip-$V", "x")
    commit(folder, Dockerfile=text, **{"compose.yaml": compose.format("slim")})
    (folder / "compose.yaml").write_text(compose.format("full"))
    (renamed,) = told(capsys)["renamed"]  # type: ignore[misc]
    assert (renamed["from"], renamed["to"]) == ("pip-slim", "pip-full")


def test_only_what_is_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a").mkdir()
    commit(folder, Dockerfile=BASE + PIP.format("pip", "x"))
    (folder / "Dockerfile").write_text(BASE + PIP.format("pip-2", "x"))
    assert ask(capsys, "a")["renamed"] == []


def test_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(folder, Dockerfile=BASE + PIP.format("pip", "x"))
    (folder / "Dockerfile").write_text(BASE + PIP.format("`<b>`", "x"))
    assert main(["diff", "HEAD", "--format", "markdown"]) == 0
    said = capsys.readouterr().out
    assert "is called `` `<b>` `` now" in said
    assert main(["diff", "HEAD"]) == 0
    assert "Starts empty once: Dockerfile:2" in capsys.readouterr().out


def test_no_revision_and_no_repository(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(folder, Dockerfile=BASE)
    assert main(["diff", "nothing"]) == 2
    assert "there is no revision 'nothing'" in capsys.readouterr().err
    assert main(["diff", "--output=/tmp/x"]) == 2
    capsys.readouterr()
    monkeypatch.chdir(folder.parent)
    (folder.parent / "Dockerfile").write_text(BASE)
    assert main(["diff", "HEAD", "Dockerfile"]) == 2
    assert "no git repository" in capsys.readouterr().err


def test_what_is_left_out_of_archives_is_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(
        folder,
        **{".gitattributes": "* export-ignore\n* filter=x\n"},
        Dockerfile=BASE + PIP.format("pip", "x"),
    )
    (folder / "Dockerfile").write_text(BASE)
    assert told(capsys) == {"lost": ["pip"]}
