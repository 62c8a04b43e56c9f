"""What a user sees: the VSIX installed in the real VS Code, driven in a browser."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from tests.editors.conftest import ROOT, Drive

KEPT = {"story-2-hover": "squiggle", "story-4-quick-fix": "quick-fix", "minutes-map": "map"}
"""Pictures of the stories that the READMEs and the walkthrough show, and their names there."""


def keep(shots: Path) -> None:
    """Renew the pictures that are shown, where that is asked for."""
    if folder := os.environ.get("CACHEKEY_SCREENSHOTS"):
        for name, kept in KEPT.items():
            if (made := shots / f"{name}.png").exists():
                shutil.copyfile(made, ROOT / folder / f"{kept}.png")


def test_squiggle_problem_hover_fix_disk_and_undo(drive: Drive, shots: Path) -> None:
    for picture in shots.glob("story-*.png"):
        picture.unlink()
    output = drive("story.mjs")
    assert "fixed on disk" in output
    assert "undone on disk" in output
    # Nothing of the picture that the README begins with is cut.
    assert "the hover is seen whole: true" in output
    assert len(list(shots.glob("story-*.png"))) == 6
    keep(shots)


def test_the_first_minutes_have_no_dead_end(drive: Drive, shots: Path) -> None:
    output = drive("minutes.mjs")
    assert "checked with nothing open" in output
    assert "the code opens the rule's page" in output
    assert "mended by Enter" in output
    assert "the map is drawn" in output
    keep(shots)


def test_without_python_the_user_is_told_once_and_helped(drive: Drive) -> None:
    output = drive("no-python.mjs")
    assert "the setting is open" in output
    assert "the squiggle comes without a restart" in output


def test_dev_containers_are_explained_and_their_recipes_leave_nothing(
    drive: Drive, shots: Path
) -> None:
    output = drive("devcontainers.mjs")
    assert "compose hover" in output
    assert output.count("pressed and clean") == 5
    assert len(list(shots.glob("devcontainers-*.png"))) >= 4


def test_one_window_of_a_users_day(drive: Drive) -> None:
    output = drive("window.mjs")
    # Everything is ticked, and everything shown changes something.
    assert re.search(r"rename: [2-9] boxes, empty: \[\]", output)
    assert re.search(r"everywhere: [3-9] boxes, empty: \[\]", output)
    for line in ("renamed", "one directory in every file", "fixed by the palette", "fixed on save"):
        assert line in output
    assert "a link opens the rule's page" in output


def said(output: str, what: str) -> str:
    """Return what a driver has said of something."""
    found = re.search(rf"s  {what}: (.*)", output)
    assert found is not None, output
    return found[1]


def test_a_day_of_writing(drive: Drive) -> None:
    output = drive("day.mjs")
    for line in ("silenced, and undone", "typed in calm", "a lens adds the mount"):
        assert line in output
    assert "renamed where it is included from" in output
    assert "restarted by the message's button" in output
    assert "underlined while typing: 0" in output
    # One message, and it has a way out.
    (told,) = json.loads(said(output, "told of crashes"))
    assert "Restart" in told
    # At most seven entries for one finding, and the fix stands first.
    entries = json.loads(said(output, "entries"))
    assert len(entries) <= 7
    # What fits python comes first; another distribution's package manager does not come at all.
    offers = json.loads(said(output, "after RUN"))
    assert "for pip" in offers[0]
    assert not any("apk" in offer for offer in offers)
