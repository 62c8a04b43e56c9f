"""Docker's and Microsoft's language servers, as their extensions start them."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from dataclasses import asdict, dataclass, field
from json import dumps
from pathlib import Path
from typing import Any

import pytest

from tests.buildkit import live, setup
from tests.editors.conftest import HERE, ROOT, make
from tests.support.judges import judge

CLIENT = ROOT / "client-vscode"


@dataclass(frozen=True)
class OtherServer:
    """How a server is started: its command line, and what it is told."""

    name: str
    command: str
    args: list[str]
    options: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


def microsofts() -> OtherServer:
    """The server of Microsoft's extension, which reads a Dockerfile by itself."""
    if (node := shutil.which("node")) is None:
        pytest.skip("node is not installed")
    package = "dockerfile-language-server-nodejs"
    program = judge("docker-langserver-0.15.0") / "node_modules" / package / "bin/docker-langserver"
    return OtherServer("Microsoft", node, [str(program), "--stdio"])


def dockers(folder: Path) -> OtherServer:
    """The server of Docker's extension, with buildx and a builder that say what they refuse."""
    program = judge("docker-language-server-0.20.1")
    if (reason := setup.unready("buildx")) is not None:
        pytest.skip(f"buildx: {reason}")
    on = live.running("buildkit")
    empty = folder / "empty"
    empty.mkdir()
    environment = {
        "PATH": f"{HERE / 'beside'}{os.pathsep}{os.environ['PATH']}",
        "CACHEKEY_BUILDX": str(setup.BIN / "buildx"),
        "CACHEKEY_EMPTY": str(empty),
        "BUILDX_BUILDER": "beside",
        "BUILDX_CONFIG": str(folder / "buildx"),
        "DOCKER_CONFIG": str(folder / "docker"),
        "HOME": str(folder),
    }
    subprocess.run(
        [str(setup.BIN / "buildx"), "create", "--name", "beside", "--driver", "remote", on.address],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
    )
    options = {"telemetry": "off"}
    return OtherServer("Docker", str(program), ["start", "--stdio"], options, environment)


def extension(servers: list[OtherServer], to: Path) -> Path:
    """Pack an extension by the name of Docker's that starts these servers."""
    make("client-vscode/node_modules/.package-lock.json")
    bundled = to.with_suffix(".cjs")
    bundle = ["--bundle", "--platform=node", "--external:vscode", f"--outfile={bundled}"]
    modules = CLIENT / "node_modules"
    subprocess.run(
        [modules / ".bin" / "esbuild", HERE / "beside" / "main.cjs", *bundle],
        env={**os.environ, "NODE_PATH": str(modules)},
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(to, "w") as archive:
        archive.write(HERE / "beside" / "package.json", "extension/package.json")
        archive.write(bundled, "extension/main.cjs")
        archive.writestr("extension/servers.json", dumps([asdict(server) for server in servers]))
    return to
