"""What tests of the live commands share: builders as Cachekey finds them, and the command itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cachekey.builder.buildah import Buildah, folders
from cachekey.builder.buildctl import Buildctl
from cachekey.builder.docker import Docker
from cachekey.builder.join import Joined, join
from cachekey.builder.places import Place, places
from cachekey.builder.source import Source
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings

from . import builders, setup
from .kinds import Builder, UnavailableError

NAMESPACE = "BUILDKIT_CACHE_MOUNT_NS"


def running(name: str) -> Builder:
    """The builder, or a skipped test; its client is found by name from now on, as users have it."""
    if str(setup.BIN) not in os.environ["PATH"].split(":"):
        os.environ["PATH"] = f"{setup.BIN}:{os.environ['PATH']}"
    try:
        return builders.builder(name)
    except UnavailableError as error:
        pytest.skip(str(error))


def environment(on: Builder) -> dict[str, str]:
    """An environment in which Cachekey finds this builder by itself."""
    names = ("BUILDKIT_HOST", "BUILDX_BUILDER", "DOCKER_HOST", "DOCKER_CONTEXT", "TMPDIR")
    clean = {name: value for name, value in os.environ.items() if name not in names}
    clean["DOCKER_CONFIG"] = str(on.folder)
    if on.name == "buildkit":
        clean["BUILDKIT_HOST"] = f"unix://{on.folder}/s.sock"
    elif on.name == "docker":
        clean["DOCKER_HOST"] = f"unix://{on.folder}/s.sock"
    else:
        clean["TMPDIR"] = str(on.folder)
    return clean


def source(on: Builder, wanted: list[Place]) -> Source:
    """The builder as the room asks it."""
    host = f"unix://{on.folder}/s.sock"
    if on.name == "docker":
        return Docker(host, host, "test")
    if on.name == "buildkit":
        return Buildctl(host, "test")
    found = Buildah(folders({"TMPDIR": str(on.folder)}), "test")
    found.expect(wanted)
    return found


def mounts(
    dockerfile: str, engine: str = "buildkit", args: Mapping[str, str] | None = None
) -> list[Place]:
    """The places of a file."""
    given = dict(args or {})
    namespace = given.pop(NAMESPACE, "")
    project = Project(Settings(build_args=given, namespace=namespace, engine=engine))
    document = project.add("Dockerfile", dockerfile)
    return list(places(document)) if document is not None else []


def joined(on: Builder, wanted: list[Place]) -> Joined:
    """What is there, joined with what is wanted."""
    return join(source(on, wanted).usage(), wanted)


def command(
    folder: Path, env: Mapping[str, str], *arguments: str, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "cachekey", *arguments],
        cwd=folder,
        env=dict(env),
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )


def document(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON that a run has written."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
