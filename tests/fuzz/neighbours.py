"""The files that stand beside a Dockerfile: what builds it, what runs it, what it runs.

Each is tried in a small workspace, since what it says shows in the findings of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from tests.fuzz.bakery import bake, bake_json
from tests.fuzz.recipes import justfile, makefile, package, shell_script
from tests.fuzz.yamls import compose, gitlab, workflow

COMPOSE = "compose.yaml"
BAKE = "docker-bake.hcl"
BAKE_JSON = "docker-bake.json"
WORKFLOW = ".github/workflows/build.yml"
GITLAB = ".gitlab-ci.yml"
MAKEFILE = "Makefile"
JUSTFILE = "justfile"
SCRIPT = "build.sh"
PACKAGE = "package.json"

COMMENTED = (COMPOSE, BAKE, WORKFLOW, GITLAB, MAKEFILE, JUSTFILE, SCRIPT)
"""Files in which ``#`` begins a comment."""

_DOCKERFILE = """FROM node:22 AS s0
ARG A
ARG B
RUN --mount=type=cache,id=npm-$A,target=/root/.npm npm run build && npm test
RUN --mount=type=cache,id=$B,target=/root/.cache/pip pip install x
FROM s0 AS s1
RUN --mount=type=cache,target=/root/.cache/uv ./build.sh
"""
_API = """FROM node:22
ARG A=a
RUN --mount=type=cache,id=npm-$A,target=/root/.npm npm ci
"""
_DEVCONTAINER = """{
  "dockerComposeFile": "../compose.yaml", "service": "app", "remoteUser": "root",
  "postCreateCommand": "npm run build"
}
"""
_ACTION = """inputs: {tag: {default: a}}
runs:
  using: composite
  steps:
    - uses: docker/setup-buildx-action@v3
    - run: docker build --build-arg A=${{ inputs.tag }} .
      shell: bash
"""
BESIDE: Mapping[str, str] = {
    "Dockerfile": _DOCKERFILE,
    "api/Dockerfile": _API,
    ".devcontainer/devcontainer.json": _DEVCONTAINER,
    "action.yml": _ACTION,
    "compose.yaml": "services: {app: {build: {context: ., args: {A: c}}}}\n",
    "package.json": '{"scripts": {"build": "npm ci", "test": "pip install y"}}\n',
}
"""The workspace that a file of these kinds is tried in."""

KINDS: Mapping[str, tuple[str, Callable[[Random], str]]] = {
    "a compose file": (COMPOSE, compose),
    "a Bake file": (BAKE, bake),
    "a Bake file in JSON": (BAKE_JSON, bake_json),
    "a workflow": (WORKFLOW, workflow),
    "a GitLab pipeline": (GITLAB, gitlab),
    "a Makefile": (MAKEFILE, makefile),
    "a justfile": (JUSTFILE, justfile),
    "a script": (SCRIPT, shell_script),
    "a package.json": (PACKAGE, package),
}
"""The path of each kind and its grammar."""
