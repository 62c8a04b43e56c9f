"""What is offered for a cache is one name for all its mounts, and nothing that a workflow would lose."""

from __future__ import annotations

import json

import pytest
from cachekey.assist.refactor import refactorings
from cachekey.finding import Fix
from cachekey.text import Span, apply_edits

from tests.checking.test_promise import look

WORKFLOW = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: reproducible-containers/buildkit-cache-dance@v3
        with:
          cache-map: '{"uv": "/root/.cache/uv"}'
      - uses: docker/build-push-action@v6
"""
MOUNT = "RUN --mount=type=cache,target=/root/.cache/uv "
TEXT = f"FROM python:3.13\nENV UV_LINK_MODE=copy\n{MOUNT}uv sync\n"


def titles(files: dict[str, str]) -> list[str]:
    project, _ = look(files)
    found = refactorings(project, "Dockerfile", Span(0, len(files["Dockerfile"])))
    return [fix.title for fix in found]


def test_a_cache_that_a_workflow_carries_keeps_its_key() -> None:
    alone = titles({"Dockerfile": TEXT})
    assert any(title.startswith("Name this cache") for title in alone)
    assert any(title.startswith("Keep the uv cache in") for title in alone)
    carried = titles({"Dockerfile": TEXT, ".github/workflows/image.yml": WORKFLOW})
    assert carried == [title for title in alone if title.startswith("Add # syntax")]


@pytest.mark.parametrize(
    ("image", "target", "command", "offered"),
    [
        ("python:3.13", "/root/.cache/uv", "uv sync", True),
        ("python:3.13", "/c", "uv --cache-dir /c sync", False),
        ("node:22", "/root/.npm", "npm ci", True),
        ("node:22", "/c", "npm ci --cache /c", False),
        ("node:22", "~/.npm", "npm ci", False),
        ("python:3.13", "$NONE/root/.cache/uv", "uv sync", False),
    ],
)
def test_one_directory_is_offered_where_the_variable_counts(
    image: str, target: str, command: str, offered: bool
) -> None:
    """A flag of the command is stronger; what is not meant as it is written is another finding's."""
    text = f"FROM {image}\nRUN --mount=type=cache,target={target} {command}\n"
    found = [title for title in titles({"Dockerfile": text}) if title.startswith("Keep the ")]
    assert bool(found) == offered


def test_nor_does_it_start_empty_under_a_new_name() -> None:
    named = {"Dockerfile": TEXT.replace("cache,target", "cache,id=uv,target")}
    entry = WORKFLOW.replace('"/root/.cache/uv"', '{"id": "uv", "target": "/root/.cache/uv"}')
    assert any(title.startswith("Start with an empty cache") for title in titles(named))
    carried = titles({**named, ".github/workflows/image.yml": entry})
    assert not any(title.startswith("Start with an empty cache") for title in carried)


def test_one_cache_is_offered_one_name() -> None:
    text = f"FROM python:3.13\nENV UV_LINK_MODE=copy\n{MOUNT}./unknown\n{MOUNT}uv sync\n"
    names = {title for title in titles({"Dockerfile": text}) if title.startswith("Name this")}
    assert names == {"Name this cache: add id=uv-cache to lines 3 and 4"}


CONFIG = ".devcontainer/devcontainer.json"
NODE = {"ghcr.io/devcontainers/features/node:1": {}}


def recipes(container: dict[str, object], **files: str) -> tuple[str, dict[str, Fix]]:
    """Return the text of a dev container, and what is offered for it by title."""
    text = json.dumps({"image": "mcr.microsoft.com/devcontainers/base:ubuntu", **container})
    project, _ = look(
        {**{name.replace("_", "."): said for name, said in files.items()}, CONFIG: text}
    )
    found = refactorings(project, CONFIG, Span(0, len(text)))
    return text, {fix.title: fix for fix in found}


def needed(container: dict[str, object], **files: str) -> str | None:
    start = "Mount the caches that this project needs: "
    _, offered = recipes(container, **files)
    found = [title.removeprefix(start) for title in offered if title.startswith(start)]
    return found[0] if found else None


def test_of_a_features_tools_a_project_needs_those_that_it_calls_for() -> None:
    uv = {"uv_lock": "version = 1\n", "package_json": "{}"}
    called = {"features": NODE, "postCreateCommand": "npm ci && uv sync"}
    assert needed(called, **uv) == "npm, uv"
    assert needed({"features": NODE}) == "npm, pnpm, Yarn 1"


def test_a_cache_for_compilers_is_offered_where_something_calls_it() -> None:
    rust: dict[str, object] = {"postCreateCommand": "cargo build"}
    _, plain = recipes(rust)
    assert any("Cargo" in title for title in plain)
    assert not any("ccache" in title for title in plain)
    _, wrapped = recipes({**rust, "containerEnv": {"RUSTC_WRAPPER": "sccache"}})
    assert "Share the sccache cache by a volume" in wrapped


def test_the_host_has_what_the_tools_variable_names() -> None:
    text, offered = recipes({"postCreateCommand": "yarn"}, yarn_lock="# yarn lockfile v1\n")
    fix = offered["Share the Yarn 1 cache with the host"]
    after = json.loads(apply_edits(text, [item.edit for item in fix.edits]))
    # Yarn itself makes the v6 in it, on the host and in the container.
    assert after["containerEnv"] == {"YARN_CACHE_FOLDER": "/cache/yarn"}
    source = "source=${localEnv:HOME}${localEnv:USERPROFILE}/.cache/yarn,"
    assert after["mounts"] == [f"type=bind,{source}target=/cache/yarn"]
