"""Texts that broke an invariant once, as short as they can be; each stands for its kind."""

from __future__ import annotations

import pytest
from cachekey.finding import Safety

from tests.fuzz.grammar import DEVCONTAINER, DOCKERFILE
from tests.fuzz.invariants import ALONE, check, fixes_mend, hold_all
from tests.fuzz.neighbours import BESIDE, COMPOSE

APP = "FROM debian:13\nRUN useradd --create-home --uid 1000 app\n"
CACHE = "RUN --mount=type=cache"

DOCKERFILES = {
    "a surrogate in a target": f"FROM node:22\n{CACHE},target=/root/.npm\ud800 npm ci\n",
    "a blank in a target": "FROM node:22\nRUN --mount='type=cache,target=/rootRUN /.npm' npm ci\n",
    "the root as a tool's cache": f"FROM debian:13\n{CACHE},target=/root/.npm npm ci\n"
    f"{CACHE},target=/cache/npm npm ci --cache /;cache/npm\n",
    "an id that another owner has": f"{APP}{CACHE},id=uv-cache,target=/cache/uv \\\n"
    "    UV_CACHE_DIR=/cache/uv uv sync\n"
    f"USER app\n{CACHE},id=uv-cache,target=/cace/uv UV_CACHE_DIR=/cache/uv uv sync\n",
    "an id that root writes": f"{APP}{CACHE},id=uv,target=/home/app/.cache/uv,uid=1000,gid=1000 uv \n"
    f"USER app\n{CACHE},id=uv,target=/root/.cache/uv uv sync\n",
    "a flag that ends within a character": f"{APP}USER app\n"
    f"{CACHE},id=uv\ud800-cache,target=/cache/uv UV_CACHE_DIR=/cache/uv uv sync\n",
    "one slip twice in a mount": "FROM debian:13\n"
    "RUN --mo\\unt=type=cache, target=/root/.nche, target=/root/.npm npm ci\n",
    "one slip four times in a mount": f"FROM debian:13\n{CACHE}{',id=a,=type=cache' * 4},ype=cache,id=a,",
    "two clean-ups in a here-document": f"FROM debian:13\n{CACHE},target=/var/cache/apt <<E\n"
    "apt-get update\napt-get install -y curl\napt-get clean\napt-get clean\nE\n",
    "three mounts with a slash at their end": "FROM python:3.13\n"
    f"RUN {'--mount=type=cache,target=/root/.cache/pip/ ' * 3}pip install x\n",
    "a half-typed flag": "FROM node:22\nRUN --mou=type=cache,target=/root/.npm npm ci\n",
    "npm under sudo": "FROM node:22\nRUN useradd -u 1001 app\nUSER app\n"
    f"{CACHE},target=/home/app/.npm sudo npm ci\n",
    "a quote that nobody closed": f"FROM debian:13\n{CACHE},id='",
    "a variable that is set twice": "FROM debian:13\nENV CCACHE_DISABLE=1\nENV CCACHE_DISABLE=1\n"
    f"WORKDIR /s\nRUN cmake -B b -DCMAKE_CXX_COMPILER_LAUNCHER=ccache\n"
    f"{CACHE},target=/root/.cache/ccache cmake --build b\n",
}
DEVCONTAINERS = {
    "a comma in a variable": '{"image": "debian:12", "containerEnv": {"UV_CACHE_DIR": "/c,ache/uv"}}',
    "a brace too much": '{\n  "image": "node:22",\n  "containerEnv": {{ "npm_config_store_dir": "/pnpm" },\n'
    '  "mounts": ["source=pnpm-store,target=/pnpm,type=volume"],\n  "postCreateCommand": "pnpm install"\n}\n',
    "a word in front of a key": '{\n  "image": "debian:12",\n  "containerEnv": { 0"UV_CACHE_DIR": "x" },\n'
    '  "mounts": ["source=uv-cache,target=/cache/uv"],\n  "postCreateCommand": "uv sync"\n}\n',
    "quotes around the whole file": "'{'image': 'x', 'service': 'app'}",
    "a line end in a volume's name": '{"image": "debian:13", "mounts": '
    '["type=volume,source=a\\nb,target=/x"], "containerEnv": {"UV_CACHE_DIR": "/a\\n/b"}}',
    "a string that goes on in the next line": '{"image": "debian:13", "mounts": '
    '["type=cache,source=a,\\\n target=/x"]}',
    "an escape that nobody finished": '{"image": "debian:13", "mounts": ["type=cache,source=\\u00"]}',
    "a mount in braces twice": '{\n  "image": "ubuntu:24.04",\n  "mounts": [\n    {\n{\n'
    '      "target": "/cache/uv" // wheels\n    }\n  ]\n}\n',
}
COMPOSES = {
    "a variable for a volume": '{"services": {"app": {"image": "x", "volumes": '
    '[{"type": "cache", "source": "${A:-v}", "target": "/x"}]}}, "volumes": {"npm": null}}',
    "a file in braces without volumes": '{"services": {"app": {"image": "x", "volumes": '
    '["npm:/root/.npm:z"]}}, "name": "p"}',
}
TEXTS = {
    **{name: (DOCKERFILE, text, ALONE) for name, text in DOCKERFILES.items()},
    **{name: (DEVCONTAINER, text, ALONE) for name, text in DEVCONTAINERS.items()},
    **{name: (COMPOSE, text, BESIDE) for name, text in COMPOSES.items()},
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_fell_holds(name: str) -> None:
    path, text, beside = TEXTS[name]
    hold_all(path, text, beside)
    fixes_mend(path, text, beside)
    assert check(path, text, beside), "a text without findings shows nothing"


def test_a_mount_is_not_moved_unasked_to_the_name_of_another_base() -> None:
    text = f"FROM debian:13\nWORKDIR /w\n{CACHE},from=debian,source=/x apt-get update\n"
    text += f"{CACHE},target=/var/lib/apt $A\n"
    fixes = [fix for item in check(DOCKERFILE, text) if item.code == "CK107" for fix in item.fixes]
    assert [(fix.title, fix.safety) for fix in fixes] == [("Mount /var/lib/apt", Safety.UNSAFE)]
