"""A volume's new name, wherever the same volume is meant, and nowhere else."""

from __future__ import annotations

import pytest
from cachekey.assist.rename import name_at
from cachekey.kinds import kind_of
from cachekey.text import apply_edits
from cachekey.workspace.project import Project

COMPOSE = """\
services:
  app:
    image: debian:13
    volumes:
      - uv-cache:/cache/uv
      - type: volume
        source: uv-cache
        target: /other
      - ./uv-cache:/src
volumes:
  uv-cache:
  pip:
"""
CONTAINER = """\
{
  "dockerComposeFile": ["../compose.yml"], "service": "app",
  "mounts": ["type=volume,source=uv-cache,target=/third"]
}
"""
IMAGE = '{"image": "debian:13", "mounts": ["type=volume,source=uv-cache,target=/c"]}\n'


def rename(files: dict[str, str], at: str, new: str) -> tuple[dict[str, str], int]:
    """Rename what stands at ``file#text``; return the texts that have changed, and the joins."""
    path, part = at.split("#")
    project = Project(read=files.get)
    for name, text in files.items():
        project.survey(name, text)
    # Of an unknown name an editor's language says what it is.
    project.add(path, files[path], kind_of(path) or "compose")
    name = name_at(project, path, files[path].index(part))
    assert name is not None
    done = name.write(new)
    assert not done.refusal, done.refusal
    paths = sorted({edit.path for edit in done.edits})
    by_path = {path: [item.edit for item in done.edits if item.path == path] for path in paths}
    return {path: apply_edits(files[path], by_path[path]) for path in paths}, done.joins


STARTS = ["compose.yml#uv-cache:/", "compose.yml#uv-cache\n", "compose.yml#uv-cache:\n"]


@pytest.mark.parametrize("at", [*STARTS, ".devcontainer/devcontainer.json#uv-cache"])
def test_compose_and_devcontainer_together(at: str) -> None:
    files = {"compose.yml": COMPOSE, ".devcontainer/devcontainer.json": CONTAINER}
    files |= {"compose.prod.yml": COMPOSE, "other/compose.yml": COMPOSE}
    files["image/.devcontainer.json"] = IMAGE
    changed, joins = rename(files, at, "uv-2")
    new = COMPOSE.replace("uv-cache", "uv-2").replace("./uv-2", "./uv-cache")
    assert changed == {
        "compose.yml": new,
        "compose.prod.yml": new,
        ".devcontainer/devcontainer.json": CONTAINER.replace("uv-cache", "uv-2"),
    }
    assert joins == 0


def test_what_the_engine_knows_by_one_name() -> None:
    named = COMPOSE.replace("  uv-cache:\n", "  cache:\n    name: uv-cache\n").replace(
        "- uv-cache:/cache", "- cache:/cache"
    )
    outside = COMPOSE.replace("  uv-cache:\n", "  uv-cache:\n    external: true\n")
    command = '"initializeCommand": "docker volume create uv-cache && mkdir ./uv-cache", "mounts"'
    alone = CONTAINER.replace("=/third", "=/third,external=true").replace('"mounts"', command)
    files = {
        "a/compose.yml": named,
        "b/compose.yml": outside,
        "c/compose.yml": COMPOSE,
        "c/.devcontainer/devcontainer.json": alone,
        "d/compose.yml": COMPOSE,
        ".devcontainer.json": IMAGE,
    }
    changed, _ = rename(files, ".devcontainer.json#uv-cache", "uv-2")
    every = COMPOSE.replace("uv-cache", "uv-2").replace("./uv-2", "./uv-cache")
    assert changed == {
        # The service's own uv-cache is the project's.
        "a/compose.yml": named.replace("name: uv-cache", "name: uv-2"),
        "b/compose.yml": every.replace("  uv-2:\n", "  uv-2:\n    external: true\n"),
        "c/compose.yml": every,
        "c/.devcontainer/devcontainer.json": alone.replace("uv-cache", "uv-2").replace(
            "./uv-2", "./uv-cache"
        ),
        ".devcontainer.json": IMAGE.replace("uv-cache", "uv-2"),
    }


def test_a_name_that_is_taken_joins_and_is_declared_once() -> None:
    files = {"compose.yml": COMPOSE, ".devcontainer/devcontainer.json": CONTAINER}
    changed, joins = rename(files, "compose.yml#uv-cache:/", "pip")
    assert joins == 1
    assert changed["compose.yml"].endswith("volumes:\n  pip:\n")
    assert "source=pip" in changed[".devcontainer/devcontainer.json"]


def test_compose_files_of_two_folders_that_are_used_together() -> None:
    own = "services:\n  app:\n    volumes: [uv-cache:/x]\n"
    container = CONTAINER.replace('"../compose.yml"', '"../compose.yml", "compose.yml"')
    files = {"compose.yml": COMPOSE, ".devcontainer/compose.yml": own}
    files[".devcontainer/devcontainer.json"] = container
    changed, _ = rename(files, ".devcontainer/compose.yml#uv-cache", "uv-2")
    assert set(changed) == set(files)


INSIDE = [
    "inner/compose.yml#uv-cache",
    "e/base.yml#uv-cache",
    ".devcontainer/devcontainer.json#uv-",
]


@pytest.mark.parametrize("at", ["compose.yml#uv-cache:\n", *INSIDE])
def test_what_an_included_or_extended_file_says(at: str) -> None:
    base = "include: [inner/compose.yml]\nservices:\n  app:\n    extends: {file: e/base.yml, service: b}\n"
    files = {
        "compose.yml": base + "volumes:\n  uv-cache:\n",
        "inner/compose.yml": "services:\n  x:\n    volumes: [uv-cache:/x]\n",
        "e/base.yml": "services:\n  b:\n    image: debian\n    volumes: ['uv-cache:/x']\n",
        ".devcontainer/devcontainer.json": CONTAINER,
        "other/compose.yml": "services:\n  b:\n    volumes: ['uv-cache:/x']\nvolumes:\n  uv-cache:\n",
    }
    changed, _ = rename(files, at, "uv-2")
    assert {path: text for path, text in changed.items() if "uv-cache" in text} == {}
    # Another project has a volume of its own by that name.
    assert set(changed) == set(files) - {"other/compose.yml"}


@pytest.mark.parametrize(
    ("new", "why"),
    [("x", "takes no volume"), ("a b", "takes no volume"), ("1.5", "no text in YAML")],
)
def test_what_is_no_name(new: str, why: str) -> None:
    project = Project(read={"compose.yml": COMPOSE}.get)
    project.add("compose.yml", COMPOSE)
    name = name_at(project, "compose.yml", COMPOSE.index("uv-cache:\n"))
    assert name is not None
    assert why in name.write(new).refusal


def test_variables_are_no_names() -> None:
    text = COMPOSE.replace("uv-cache:/cache", "uv-${X}:/cache")
    project = Project(read={"compose.yml": text}.get)
    project.add("compose.yml", text)
    assert name_at(project, "compose.yml", text.index("uv-${X}")) is None
