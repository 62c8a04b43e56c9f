"""The Dev Containers CLI judges what we make of a devcontainer.json: folder, mounts, variables.

`make builders` installs it. It asks Docker whether a container runs already; a stand-in says no.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of

from tests.buildkit.setup import BIN, DEVCONTAINER, unready
from tests.support.checking import make_project

IMAGE: dict[str, Any] = {"image": "debian:13"}
CONFIGS: dict[str, dict[str, Any]] = {
    "plain": IMAGE,
    "folder": {**IMAGE, "workspaceFolder": "/w", "workspaceMount": "source=a,target=/w"},
    "folder by name": {**IMAGE, "workspaceFolder": "/src/${localWorkspaceFolderBasename}"},
    "mounts": {
        **IMAGE,
        "mounts": [
            "source=${localWorkspaceFolderBasename}-x,target=/x,type=volume",
            "source=y,target=${containerWorkspaceFolder}/.venv",
            {"type": "volume", "source": "z", "target": "${containerWorkspaceFolder}/z"},
        ],
    },
    "one string": {**IMAGE, "mounts": "source=y,target=${containerWorkspaceFolder}/y"},
    "variables": {
        **IMAGE,
        "containerEnv": {
            "A": "${containerWorkspaceFolder}/a",
            "B": "${localWorkspaceFolderBasename}",
            "C": "${containerWorkspaceFolderBasename}",
            "D": "$HOME ${unknown} ~",
        },
    },
    "users": {**IMAGE, "containerUser": "a", "remoteUser": "b"},
    "commands": {
        **IMAGE,
        "postCreateCommand": "ls ${containerWorkspaceFolder}",
        "onCreateCommand": ["ls", "${containerWorkspaceFolderBasename}"],
    },
    "build": {"build": {"dockerfile": "Dockerfile", "args": {"A": "${containerWorkspaceFolder}"}}},
    "features": {**IMAGE, "features": {"./local": {}}},
    "compose": {"dockerComposeFile": "compose.yml", "service": "app"},
    "compose and folder": {
        "dockerComposeFile": ["compose.yml"],
        "service": "app",
        "workspaceFolder": "/w/${localWorkspaceFolderBasename}",
        "mounts": ["source=v,target=${containerWorkspaceFolder}/v,type=volume"],
    },
}
COMPOSE = "services: { app: { image: 'debian:13' } }\n"


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """The CLI of the Dev Containers."""
    reason = unready("devcontainers")
    if reason is not None:
        pytest.skip(f"Dev Containers CLI: {reason}")


def truth(folder: Path, docker: Path) -> dict[str, Any]:
    """Return what the CLI reads."""
    command = [str(DEVCONTAINER), "read-configuration", "--workspace-folder", str(folder)]
    done = subprocess.run(
        [*command, "--docker-path", str(docker), "--docker-compose-path", str(BIN / "compose")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def target(mount: str | dict[str, str]) -> str:
    """Return the target of a mount as the CLI writes it."""
    if isinstance(mount, dict):
        return mount["target"]
    return dict(field.split("=", 1) for field in mount.split(","))["target"]


def known(container: Container, text: str) -> str:
    """Return a text of the file filled in as our model does it."""
    entry = next(item for item in container.document.env if item.name == text)
    assert entry.value is not None
    return container.environment.fill(entry.value).text


@pytest.mark.parametrize("name", CONFIGS)
def test_our_model_says_what_the_cli_reads(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    if "dockerComposeFile" in config and (reason := unready("compose")) is not None:
        pytest.skip(f"Docker Compose: {reason}")
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    docker.chmod(0o755)
    # Our paths begin at the folder that holds the opened one, whose name is then known to both.
    files = {
        "shop/.devcontainer/devcontainer.json": json.dumps(config),
        "shop/.devcontainer/compose.yml": COMPOSE,
        "shop/.devcontainer/Dockerfile": "FROM debian:13\n",
        "shop/.devcontainer/local/devcontainer-feature.json": '{"id": "local", "version": "1.0.0"}',
        "shop/.devcontainer/local/install.sh": "true\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    said = truth(tmp_path / "shop", docker)
    project = make_project(files)
    document = project.documents["shop/.devcontainer/devcontainer.json"]
    assert isinstance(document, Devcontainer)
    container = container_of(document, project)

    assert container.folder == said["workspace"]["workspaceFolder"]
    theirs = said["configuration"]
    mounts = theirs.get("mounts", [])
    listed = [mounts] if isinstance(mounts, str) else mounts
    places = [container.place(mount) for mount in document.mounts if mount.origin == "mounts"]
    assert places == [target(mount) for mount in listed]
    for variable, text in theirs.get("containerEnv", {}).items():
        assert known(container, variable) == text
