"""A file that starts builds is read once, however many files there are and whoever asks for its model."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from cachekey.builds.invocation import BuildFile
from cachekey.builds.places import Read
from cachekey.builds.read import read_build_file
from cachekey.cli.checker import Checker
from cachekey.cli.loading import Input, load
from cachekey.cli.workers import WORTH
from cachekey.text import Source
from cachekey.workspace import project

WORKFLOW = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps: [{run: docker build service}]
"""
DOCKERFILE = "FROM python:3.13\nRUN --mount=type=cache,target=/root/.cache/pip pip install x\n"


@pytest.mark.parametrize("count", [2, WORTH])
def test_each_is_read_once(tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()

    def counted(path: str, source: Source, other: Read) -> BuildFile:
        read[path] += 1
        return read_build_file(path, source, other)

    monkeypatch.setattr(project, "read_build_file", counted)
    for number in range(count):
        folder = tmp_path / (f"service{number}" if number else "service")
        folder.mkdir()
        (folder / "Dockerfile").write_text(DOCKERFILE)
    workflow = tmp_path / ".github/workflows/ci.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(WORKFLOW)
    (tmp_path / "docker-bake.hcl").write_text('target "default" { context = "service" }\n')
    space = load(Input([str(tmp_path)]))
    findings = Checker(space).check()
    assert any(one.code == "CK505" and one.path == "service/Dockerfile" for one in findings)
    assert read == {".github/workflows/ci.yml": 1, "docker-bake.hcl": 1}


def test_a_model_made_from_a_summary_is_what_reading_gives() -> None:
    files = {"service/Dockerfile": DOCKERFILE, ".github/workflows/ci.yml": WORKFLOW}
    space = project.Project(read=files.get)
    path = ".github/workflows/ci.yml"
    space.survey(path, WORKFLOW)
    made, read = space.recall(path, WORKFLOW), read_build_file(path, Source(WORKFLOW), files.get)
    assert isinstance(made, BuildFile)
    assert space.documents[path] is made
    for name in ("path", "invocations", "dances", "reads", "looks", "missed", "spent"):
        assert getattr(made, name) == getattr(read, name)
    assert made.source.text == read.source.text
    assert space.recall("service/Dockerfile", DOCKERFILE) is None
