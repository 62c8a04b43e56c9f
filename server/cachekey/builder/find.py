"""Finds the builder in use as its own clients find it.

In this order: ``--builder``, BUILDX_BUILDER, BUILDKIT_HOST, Docker (the current builder of buildx, else
the context in force), and Buildah's folders. Source: Docker CLI ``cli/command/cli.go`` and
``cli/context/store``; buildx ``store/storeutil``; buildctl's and Buildah's documentation.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cachekey.builder import buildah, programs
from cachekey.builder.buildctl import Buildctl
from cachekey.builder.buildx import Buildx, inspected
from cachekey.builder.docker import Docker
from cachekey.builder.records import BuilderError
from cachekey.builder.source import Source

_SOCKET = "unix:///var/run/docker.sock"
_NOBODY = "the default context"
_PIPE = "npipe:////./pipe/docker_engine"


def find(wanted: str | None, engine: str, environment: Mapping[str, str]) -> Source:
    """Return the builder in use; raises :class:`BuilderError` when none answers.

    ``wanted`` is a name, an address (``unix:///run/buildkit/buildkitd.sock``) or ``buildah``.
    """
    if wanted:
        return _wanted(wanted, environment)
    if engine == "buildah":
        return _buildah("engine = buildah", environment)
    if name := environment.get("BUILDX_BUILDER"):
        return _named(name, "BUILDX_BUILDER", environment)
    if address := environment.get("BUILDKIT_HOST"):
        return Buildctl(address, "BUILDKIT_HOST")
    try:
        return _docker(environment)
    except BuilderError:
        # Whoever names a daemon or a context means that one.
        named = _context(environment)[1] != _NOBODY
        if not named and buildah.folders(environment):
            return _buildah("nothing else answers", environment)
        raise


def _wanted(wanted: str, environment: Mapping[str, str]) -> Source:
    if wanted == "buildah":
        return _buildah("--builder", environment)
    if "://" in wanted:
        return Buildctl(wanted, "--builder")
    return _named(wanted, "--builder", environment)


def _buildah(found: str, environment: Mapping[str, str]) -> Source:
    places = buildah.folders(environment)
    if not places:
        parent = environment.get("TMPDIR") or "/var/tmp"
        raise BuilderError(f"Buildah has kept no cache in {parent} yet")
    return buildah.Buildah(places, found)


def _named(name: str, found: str, environment: Mapping[str, str]) -> Source:
    told = inspected(name)
    if told.get("Driver") == "docker":
        return _daemon(_endpoint(told) or name, found, environment)
    return Buildx(told, found)


def _endpoint(told: Mapping[str, str]) -> str | None:
    return told.get("Endpoint") or None


def _docker(environment: Mapping[str, str]) -> Source:
    """Ask buildx which builder is current, when it is there; else the context's daemon."""
    context, found = _context(environment)
    if _has_buildx(environment):
        try:
            told = inspected()
        except BuilderError:
            told = {}
        if told.get("Driver") not in (None, "", "docker"):
            return Buildx(told, "the current builder of buildx")
    return _daemon(context, found, environment)


def _daemon(context: str, found: str, environment: Mapping[str, str]) -> Source:
    host = environment.get("DOCKER_HOST", "") if context == "default" else ""
    if context == "default":
        host = host or (_PIPE if os.name == "nt" else _SOCKET)
        return Docker(host, host, found)
    host = _host_of(context, environment) or ""
    # What is not a local socket, the client connects to by its own rules.
    return Docker(host if host.startswith("unix://") else "", context, found, context)


def _has_buildx(environment: Mapping[str, str]) -> bool:
    if not programs.has("docker"):
        return False
    plugin = "docker-buildx.exe" if os.name == "nt" else "docker-buildx"
    folders = (
        os.path.join(_config_folder(environment), "cli-plugins"),
        "/usr/local/lib/docker/cli-plugins",
        "/usr/local/libexec/docker/cli-plugins",
        "/usr/lib/docker/cli-plugins",
        "/usr/libexec/docker/cli-plugins",
    )
    return os.name == "nt" or any(os.path.exists(os.path.join(x, plugin)) for x in folders)


def _context(environment: Mapping[str, str]) -> tuple[str, str]:
    """Return the context in force and what says so; DOCKER_HOST stands above contexts."""
    if environment.get("DOCKER_HOST"):
        return "default", "DOCKER_HOST"
    if name := environment.get("DOCKER_CONTEXT"):
        return name, "DOCKER_CONTEXT"
    config = _json(os.path.join(_config_folder(environment), "config.json"))
    name = config.get("currentContext")
    if isinstance(name, str) and name and name != "default":
        return name, f"the current context '{name}'"
    return "default", _NOBODY


def _host_of(context: str, environment: Mapping[str, str]) -> str | None:
    folder = sha256(context.encode("utf-8", "surrogateescape")).hexdigest()
    path = os.path.join(_config_folder(environment), "contexts", "meta", folder, "meta.json")
    ends = _json(path).get("Endpoints")
    docker = ends.get("docker") if isinstance(ends, dict) else None
    host = docker.get("Host") if isinstance(docker, dict) else None
    return host if isinstance(host, str) else None


def _config_folder(environment: Mapping[str, str]) -> str:
    return environment.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")


def _json(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
