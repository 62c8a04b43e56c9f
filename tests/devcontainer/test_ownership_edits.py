"""The command that gives a volume to the container's user: a folder's name stays a name in it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from cachekey.checking import engine
from cachekey.text import apply_edits
from cachekey.workspace.project import Project

PATH = ".devcontainer/devcontainer.json"
NAMES = (
    "uv",
    "a b",
    'say "x"',
    "`touch x`",
    "back\\slash",
    "it's",
    "a;touch x",
    "a&&b",
    "*",
    "é",
)


def command(name: str) -> str:
    """Return what the fix of a volume in a folder of this name runs."""
    text = json.dumps(
        {
            "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
            "remoteUser": "vscode",
            "containerEnv": {"UV_CACHE_DIR": f"/cache/{name}", "UV_LINK_MODE": "copy"},
            "mounts": [{"type": "volume", "source": "uv", "target": f"/cache/{name}"}],
            "postCreateCommand": "uv sync",
        }
    )
    project = Project(read={PATH: text}.get)
    project.add(PATH, text)
    (finding,) = (item for item in engine.check(project, PATH) if item.code == "CK702")
    (fix, *_) = (fix for fix in finding.fixes if fix.edits)
    after = json.loads(apply_edits(text, [item.edit for item in fix.edits]))
    return str(after["postCreateCommand"])


@pytest.mark.parametrize("name", NAMES)
def test_a_shell_reads_the_name_that_was_meant(name: str, tmp_path: Path) -> None:
    first, _, _ = command(name).rpartition(" && ")
    assert first.startswith("sudo chown -R $(id -u):$(id -g) ")
    shown = first.replace("sudo chown -R $(id -u):$(id -g) ", "printf %s ")
    said = subprocess.run(
        ["sh", "-c", shown], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert said.stdout == f"/cache/{name}"
    assert list(tmp_path.iterdir()) == []
