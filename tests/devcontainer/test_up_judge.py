"""The Dev Containers CLI makes real containers, and our model of each equals what it has made.

User, home, folder, mounts, variables, and for every volume whether the user may write to it. Each
container is made in a real engine from images that stand for the public ones (`live.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.ownership import unwritable
from cachekey.devcontainer.parents import made_for_root
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.workspace.project import Project

from tests.buildkit.builders import UnavailableError
from tests.devcontainer.live import DevEngine, Up, dev_engine
from tests.support.checking import make_project

BASE = "mcr.microsoft.com/devcontainers/base:ubuntu"
APP = """FROM debian:13
RUN useradd -m -u 1234 app
RUN mkdir -p /own /cache/uv && chown -R app /own /cache
RUN mkdir -p /roots
RUN mkdir -p /open && chmod 1777 /open
"""


def volumes(*places: str) -> list[str]:
    """Mount strings of named volumes, one a place."""
    return [
        f"type=volume,source=${{localWorkspaceFolderBasename}}-{number},target={place}"
        for number, place in enumerate(places)
    ]


def service(**said: Any) -> dict[str, Any]:
    """A service of a compose file that stays alive; the engine gives no network."""
    return {"network_mode": "none", "command": "sleep infinity", **said}


def composed(folder: str = "/w", **said: Any) -> dict[str, Any]:
    """A devcontainer.json of the service `app`."""
    return {
        "dockerComposeFile": "compose.yml",
        "service": "app",
        "workspaceFolder": folder,
        **said,
    }


def built(**said: Any) -> dict[str, Any]:
    """A devcontainer.json that builds a Dockerfile."""
    return {"build": {"dockerfile": "Dockerfile"}, **said}


@dataclass(frozen=True)
class Case:
    """One configuration: the devcontainer.json and the files beside it."""

    config: dict[str, Any]
    files: dict[str, Any] = field(default_factory=dict)
    """By path below ``.devcontainer``; what is no text is written as JSON, which YAML is, too."""
    silent: tuple[str, ...] = ()
    """Places of which we say nothing though nobody may write there: an image might have them."""


CASES = {
    "metadata": Case(
        {"image": BASE, "mounts": volumes("/cache/uv", "/home/vscode/.cache", "/tmp/x")},
        silent=("/tmp/x",),
    ),
    "root": Case({"image": "debian:13", "mounts": volumes("/cache/uv", "/root/.cache")}),
    "by-name": Case(
        {
            "image": "node:22",
            "remoteUser": "node",
            "mounts": volumes("/home/node/.npm", "${containerWorkspaceFolder}/node_modules"),
        }
    ),
    "container-user": Case(
        {"image": "node:22", "containerUser": "node", "mounts": volumes("/cache/npm")}
    ),
    "metadata-wins": Case({"image": BASE, "containerUser": "root", "mounts": volumes("/cache/uv")}),
    "run-args-user": Case(
        {"image": "node:22", "runArgs": ["--user", "node"], "mounts": volumes("/cache/npm")}
    ),
    "dockerfile": Case(
        built(remoteUser="app", mounts=volumes("/own", "/roots", "/open", "/none", "/cache/uv")),
        {"Dockerfile": APP},
    ),
    "dockerfile-user": Case(
        built(mounts=volumes("/own", "/roots/x")), {"Dockerfile": f"{APP}USER app\n"}
    ),
    "by-number": Case(
        built(remoteUser="1234", mounts=volumes("/own", "/none")), {"Dockerfile": APP}
    ),
    "target": Case(
        {
            "build": {"dockerfile": "Dockerfile", "target": "dev", "args": {"WHO": "app"}},
            "mounts": [*volumes("/late", "/own"), "source=nocopy,target=/open,volume-nocopy"],
        },
        {
            "Dockerfile": f"{APP}FROM scratch AS other\nFROM base AS dev\n".replace(
                "FROM debian:13\n", "FROM debian:13 AS base\n", 1
            )
            + "ARG WHO\nRUN mkdir /late && chown $WHO /late\nUSER $WHO\nFROM dev\nUSER root\n"
        },
    ),
    "folder": Case(
        {
            "image": BASE,
            "workspaceMount": "source=${localWorkspaceFolder},target=/src/app,type=bind",
            "workspaceFolder": "/src/app",
            "mounts": volumes("${containerWorkspaceFolder}/.venv", "/src/cache"),
        }
    ),
    "variables": Case(
        {
            "image": BASE,
            "containerEnv": {
                "UV_CACHE_DIR": "/cache/uv",
                "A": "${containerWorkspaceFolder}/a",
                "B": "$HOME ~",
                "C": "${localWorkspaceFolderBasename}",
            },
            "remoteEnv": {
                "C": "${containerEnv:C}:/more",
                "D": "${containerEnv:UV_CACHE_DIR}/d",
                "A": "remote",
                "G": "${containerEnv:HOME}/g",
                "H": "${containerEnv:NONE:default}",
            },
            "runArgs": ["-e", "E=e", "--env=F=f", "-v", "run-args-volume:/run-args"],
            "mounts": volumes("/cache/uv"),
        }
    ),
    "handed-over": Case(
        {
            "image": BASE,
            "mounts": volumes("/cache/uv", "/cache/other", "/home/vscode/.npm"),
            "onCreateCommand": "bash .devcontainer/own.sh",
            "postCreateCommand": {
                "npm": "sudo chown vscode:vscode ~/.npm",
                "not this": ["true", "sudo chown vscode /cache/other"],
            },
        },
        {"own.sh": '#!/bin/bash\nset -e\ncd /cache && sudo chown -R "$(id -u)" uv\n'},
    ),
    "folders-on-the-way": Case(
        {
            "image": BASE,
            "mounts": volumes("/home/vscode/.local/share/direnv", "/home/vscode/.npm"),
            "postCreateCommand": "sudo chown vscode ~/.npm ~/.local/share/direnv",
        }
    ),
    "folders-handed-over": Case(
        {
            "image": BASE,
            "mounts": volumes("/home/vscode/.local/share/direnv"),
            "postCreateCommand": "sudo chown -R vscode ~/.local",
        }
    ),
    "feature": Case(
        {"image": BASE, "features": {"./local": {}}, "mounts": volumes("/cache/uv")},
        {
            "local/devcontainer-feature.json": {
                "id": "local",
                "version": "1.0.0",
                "containerEnv": {"LOCAL": "set"},
                "mounts": [
                    {"type": "volume", "source": "feature-volume", "target": "/feature/cache"}
                ],
            },
            "local/install.sh": "#!/bin/sh\necho nothing\n",
        },
    ),
    "compose": Case(
        composed(
            remoteUser="vscode",
            mounts=["type=volume,source=more,target=/more"],
            containerEnv={"A": "a"},
        ),
        {
            "compose.yml": {
                "services": {
                    "app": service(
                        image=BASE,
                        volumes=["..:/w", "modules:/w/node_modules", "/anonymous"],
                        environment={"UV_CACHE_DIR": "/cache/uv"},
                    )
                },
                "volumes": {"modules": {}},
            }
        },
    ),
    "compose-user": Case(
        composed(),
        {
            "compose.yml": {
                "services": {
                    "app": service(
                        build={"context": ".", "target": "dev", "network": "host"},
                        user="app",
                        volumes=[
                            "..:/w",
                            "own:/own",
                            "none:/none",
                            {
                                "type": "volume",
                                "source": "nocopy",
                                "target": "/open",
                                "volume": {"nocopy": True},
                            },
                            {"type": "tmpfs", "target": "/quick"},
                        ],
                    )
                },
                "volumes": {"own": {}, "none": {}, "nocopy": {}},
            },
            "Dockerfile": APP.replace("debian:13", "debian:13 AS dev") + "FROM scratch\n",
        },
    ),
    "compose-two-files": Case(
        composed("/w", dockerComposeFile=["compose.yml", "over/more.yml"]),
        {
            "compose.yml": {
                "services": {
                    "base": service(image="node:22", environment=["A=1", "B=2"]),
                    "app": {"extends": "base", "volumes": ["..:/w", "one:/one"]},
                },
                "volumes": {"one": {}},
            },
            "over/more.yml": {
                "services": {
                    "app": {
                        "user": "node",
                        "environment": {"B": "3"},
                        "volumes": ["two:/home/node"],
                    }
                },
                "volumes": {"two": {}},
            },
        },
    ),
}


@pytest.fixture(scope="module")
def engine() -> DevEngine:
    """The engine and its CLI."""
    try:
        return dev_engine()
    except UnavailableError as error:
        pytest.skip(str(error))


def written(case: Case, name: str, root: Path) -> dict[str, str]:
    """Write a case to the disk, below a folder of its own, and return its files by path."""
    texts = {"devcontainer.json": case.config, **case.files}
    files = {
        f"up-{name}/.devcontainer/{path}": said if isinstance(said, str) else json.dumps(said)
        for path, said in texts.items()
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return files


def modelled(files: dict[str, str], name: str) -> tuple[Project, Container]:
    """Return our model of it."""
    project = make_project(files)
    document = project.documents[f"up-{name}/.devcontainer/devcontainer.json"]
    assert isinstance(document, Devcontainer)
    return project, container_of(document, project)


def our_mounts(container: Container) -> set[tuple[str, str | None]]:
    """Types and targets of what our model mounts, the workspace and the features' included."""
    found = {(str(item.type), container.place(item)) for item in container.mounts}
    found |= {("volume", item.target) for use in container.features for item in use.known.mounts}
    own = {item.origin for item in container.document.mounts}
    if not container.document.compose and "workspaceMount" not in own:
        found.add(("bind", container.folder))
    return found


@pytest.mark.parametrize("name", CASES)
def test_our_model_is_what_up_has_made(engine: DevEngine, name: str, tmp_path: Path) -> None:
    case = CASES[name]
    files = written(case, name, tmp_path)
    _, container = modelled(files, name)
    up: Up = engine.up(tmp_path / f"up-{name}")
    mounted = up.mounts
    places = {
        place: item
        for item in container.mounts
        if item.type == "volume" and (place := container.place(item)) is not None
    }
    roots = {folder for item in places.values() for folder in made_for_root(item, container)}
    environment, writable = up.look([*places, *roots])
    up.remove()

    assert container.unread == ()
    assert container.user is not None
    assert container.folder == up.said["remoteWorkspaceFolder"]
    ours = (container.user.name, container.home)
    assert ours == (up.said["remoteUser"], environment["HOME"])
    assert our_mounts(container) == mounted
    names = {entry.name for entry in container.document.env}
    if container.service is not None:
        names |= set(container.service.environment)
    names |= {name for use in container.features if use.known for name in use.known.env}
    variables = {name: container.environment.lookup(name) for name in names}
    assert variables == {name: environment.get(name) for name in names}
    assert [folder for folder in roots if writable.pop(folder)] == []
    assert len(roots) == (2 if name == "folders-on-the-way" else 0)
    said = {place: unwritable(item, container) is None for place, item in places.items()}
    for place in case.silent:
        assert said.pop(place)
        assert not writable.pop(place)
    assert said == writable
