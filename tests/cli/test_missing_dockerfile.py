"""What is not there is told on the command line as in an editor."""

from __future__ import annotations

from pathlib import Path

import pytest
from cachekey.cli import main


def test_a_dockerfile_that_nobody_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".devcontainer"
    folder.mkdir()
    (folder / "devcontainer.json").write_text('{ "build": { "dockerfile": "Dockerfile" } }\n')
    monkeypatch.chdir(tmp_path)
    assert main(["check", "."]) == 1
    assert "CK710" in capsys.readouterr().out
    (folder / "Dockerfile").write_text("FROM ubuntu:24.04\n")
    assert main(["check", "."]) == 0
