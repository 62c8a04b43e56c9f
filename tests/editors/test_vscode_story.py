"""What a user sees: the VSIX installed in the real VS Code, driven in a browser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.editors.conftest import ROOT, Drive

KEPT = {"hover": "squiggle.png", "quick-fix": "quick-fix.png"}
"""Pictures of the story that the README shows, and their names there."""


def test_squiggle_problem_hover_fix_disk_and_undo(drive: Drive, shots: Path) -> None:
    for picture in shots.glob("story-*.png"):
        picture.unlink()
    output = drive("story.mjs")
    assert "fixed on disk" in output
    assert "undone on disk" in output
    pictures = {path.stem.split("-", 2)[2]: path for path in shots.glob("story-*.png")}
    assert len(pictures) == 6
    if folder := os.environ.get("CACHEKEY_SCREENSHOTS"):
        for name, kept in KEPT.items():
            shutil.copyfile(pictures[name], ROOT / folder / kept)


def test_the_first_minutes_have_no_dead_end(drive: Drive, shots: Path) -> None:
    output = drive("minutes.mjs")
    assert "checked with nothing open" in output
    assert "the code opens the rule's page" in output
    assert "mended by Enter" in output
    assert "the map is drawn" in output


def test_without_python_the_user_is_told_once_and_helped(drive: Drive) -> None:
    output = drive("no-python.mjs")
    assert "the setting is open" in output
    assert "the squiggle comes without a restart" in output


def test_dev_containers_are_explained_and_their_recipes_leave_nothing(
    drive: Drive, shots: Path
) -> None:
    output = drive("devcontainers.mjs")
    assert "compose hover" in output
    assert output.count("pressed and clean") == 3
    assert len(list(shots.glob("devcontainers-*.png"))) >= 4
