"""Makes small workspaces out of the pieces of which real ones are made: any seed gives the same again.

Several Dockerfiles with stages, users, owners, ids, relative targets and `from=`, beside compose and
devcontainer files. They are odd on purpose: two files want one id, one file has two users.
"""

from __future__ import annotations

import random

_TOOLS = (
    ("pip install -r requirements.txt", ".cache/pip", "pip"),
    ("uv sync --frozen", ".cache/uv", "uv-cache"),
    ("npm ci", ".npm", "npm"),
    ("go build ./...", ".cache/go-build", "go-build"),
    ("poetry install", ".cache/pypoetry", "poetry"),
    ("yarn install --frozen-lockfile", ".cache/yarn", "yarn"),
)
_SYSTEM = (
    ("apt-get update && apt-get install -y git", ("/var/cache/apt", "/var/lib/apt/lists")),
    ("cargo build --release", ("/usr/local/cargo/registry", "/usr/local/cargo/git", "target")),
    ("go mod download", ("/go/pkg/mod", "/root/.cache/go-build")),
    ("make all", ("build", "/root/.cache")),
    ("apk add git", ("/var/cache/apk",)),
)
_BASES = ("debian:13", "python:3.13-slim", "node:22", "golang:1.25", "rust:1.90", "alpine:3.22")
_OWNERS = (
    "",
    "",
    "",
    "",
    ",uid=1000,gid=1000",
    ",uid=1000",
    ",mode=0777",
    ",uid=0",
    ",uid=$UID_ARG",
)
_FOLDERS = ("", "api/", "web/", "deploy/")


def workspace(seed: int) -> dict[str, str]:
    """Return the files of a workspace by path."""
    chance = random.Random(seed)
    files: dict[str, str] = {}
    folders = chance.sample(_FOLDERS, chance.choice((1, 1, 2, 3)))
    for folder in folders:
        files[f"{folder}Dockerfile"] = dockerfile(chance)
    if chance.random() < 0.2:
        files[f"{folders[0]}Dockerfile.dev"] = dockerfile(chance)
    if chance.random() < 0.2:
        files[".devcontainer/devcontainer.json"] = _devcontainer(chance, folders[0])
    if chance.random() < 0.2:
        files["compose.yaml"] = _compose(chance, folders)
    return files


def dockerfile(chance: random.Random) -> str:
    """Return one Dockerfile with at least one cache mount."""
    lines = ["# syntax=docker/dockerfile:1"]
    for number in range(chance.choice((1, 1, 2, 3))):
        before = [f"s{n}" for n in range(number)]
        base = chance.choice(before) if before and chance.random() < 0.4 else chance.choice(_BASES)
        lines += [f"FROM {base} AS s{number}", *_stage(chance, before)]
    return "\n".join(lines) + "\n"


def _stage(chance: random.Random, before: list[str]) -> list[str]:
    lines = ["ARG UID_ARG=1000"]
    if chance.random() < 0.5:
        lines.append("WORKDIR /src")
    if chance.random() < 0.3:
        lines.append("ENV UV_LINK_MODE=copy")
    home = "/root"
    for _ in range(chance.choice((1, 2, 3))):
        if chance.random() < 0.25:
            lines += ["RUN useradd --create-home --uid 1000 app", "USER app"]
            home = "/home/app"
        lines.append(_run(chance, home, before))
        if chance.random() < 0.15:
            lines.append("COPY . .")
    return lines


def _run(chance: random.Random, home: str, before: list[str]) -> str:
    if chance.random() < 0.35:
        command, targets = chance.choice(_SYSTEM)
        chosen = chance.sample(targets, chance.randint(1, len(targets)))
        name = chance.choice(("", "", "shared", "cache", "build"))
        mounts = [_mount(chance, target, name, before) for target in chosen]
    else:
        command, folder, name = chance.choice(_TOOLS)
        home = chance.choice((home, home, home, "/root", "/home/node", "/cache"))
        target = chance.choice((f"{home}/{folder}",) * 4 + (folder, f"{home}/.cache", "/tmp/cache"))
        name = chance.choice(("", "", "", name, "shared", "uv-cache"))
        mounts = [_mount(chance, target, name, before)]
    clean = " && rm -rf /root/.cache" if chance.random() < 0.05 else ""
    return f"RUN {' '.join(mounts)} \\\n    {command}{clean}"


def _mount(chance: random.Random, target: str, name: str, before: list[str]) -> str:
    written = "type=cache"
    if name:
        written += f",id={name}"
    written += f",target={target}" + chance.choice(_OWNERS)
    if before and chance.random() < 0.05:
        written += f",from={chance.choice(before)}"
    if chance.random() < 0.15:
        written += f",sharing={chance.choice(('locked', 'private', 'shared'))}"
    return f"--mount={written}"


def _devcontainer(chance: random.Random, folder: str) -> str:
    mount = chance.choice(
        (
            "type=cache,target=/root/.cache/uv",
            "type=volume,source=uv-cache,target=/home/vscode/.cache/uv",
            "type=bind,source=${localEnv:CACHE},target=/cache",
        )
    )
    return (
        f'{{\n  "build": {{"dockerfile": "../{folder}Dockerfile"}},\n'
        f'  "remoteUser": "vscode",\n  "mounts": ["{mount}"],\n'
        '  "postCreateCommand": "uv sync"\n}\n'
    )


def _compose(chance: random.Random, folders: list[str]) -> str:
    lines = ["services:"]
    for number, folder in enumerate(folders):
        lines += [f"  s{number}:", f"    build: ./{folder}"]
        if chance.random() < 0.5:
            lines += ["    volumes:", "      - npm:/root/.npm"]
    return "\n".join(lines) + "\n"
