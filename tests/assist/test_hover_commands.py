"""What a hover says of a dev container's commands is said of that command, and of nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cachekey.assist.hover import hover

from tests.checking.test_promise import look

CONFIG = ".devcontainer/devcontainer.json"
IMAGE = "mcr.microsoft.com/devcontainers/javascript-node:20"


def said(container: Mapping[str, object], name: str) -> str:
    """Return what a hover says at a property."""
    text = json.dumps({"image": IMAGE, **container})
    project, _ = look({CONFIG: text})
    found = hover(project, CONFIG, text.index(f'"{name}"') + 1)
    return str(found.markdown) if found is not None else ""


def test_what_cannot_be_read_is_told_where_it_is_called() -> None:
    container = {"onCreateCommand": "npm ci", "postCreateCommand": "make setup"}
    assert "Could not be read: make" in said(container, "postCreateCommand")
    assert "Could not be read" not in said(container, "onCreateCommand")


def test_nothing_runs_as_root_by_sudo_that_is_not_there() -> None:
    command = {"postCreateCommand": "sudo chown -R node /cache"}
    assert "As root: chown" in said(command, "postCreateCommand")
    bare = said({**command, "image": "node:20", "remoteUser": "node"}, "postCreateCommand")
    assert "As root" not in bare
    assert "It asks for sudo, which the user may not use" in bare


def test_what_runs_on_the_host_says_so() -> None:
    told = said({"initializeCommand": "mkdir -p ~/.cache/uv"}, "initializeCommand")
    assert "runs on the host" in told
    assert "cmd.exe" in told
