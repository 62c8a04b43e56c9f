"""What is offered for a cache is one name for all its mounts, and nothing that a workflow would lose."""

from __future__ import annotations

from cachekey.assist.refactor import refactorings
from cachekey.text import Span

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


def test_nor_does_it_start_empty_under_a_new_name() -> None:
    named = {"Dockerfile": TEXT.replace("cache,target", "cache,id=uv,target")}
    entry = WORKFLOW.replace('"/root/.cache/uv"', '{"id": "uv", "target": "/root/.cache/uv"}')
    assert any(title.startswith("Start with an empty cache") for title in titles(named))
    carried = titles({**named, ".github/workflows/image.yml": entry})
    assert not any(title.startswith("Start with an empty cache") for title in carried)


def test_nor_does_one_that_is_carried_for_another_file() -> None:
    entry = WORKFLOW.replace("action@v6", "action@v6\n        with: {file: app/Dockerfile}")
    files = {"Dockerfile": TEXT, "app/Dockerfile": TEXT, ".github/workflows/image.yml": entry}
    assert not any(title.startswith("Name this cache") for title in titles(files))
    del files["app/Dockerfile"]
    assert any(title.startswith("Name this cache") for title in titles(files))


def test_two_caches_of_a_tool_get_two_directories() -> None:
    mounts = "--mount=type=cache,target={} --mount=type=cache,target=/root/.cache/go-build"
    both = f"FROM golang:1.25\nRUN {mounts} go build ./...\n"
    kept = [
        title.split(":")[0]
        for title in titles({"Dockerfile": both.format("/go/pkg/mod")})
        if title.startswith("Keep")
    ]
    assert kept == [
        "Keep the Go cache in /cache/go in every file",
        "Keep the Go cache in /cache/go-build in every file",
    ]


def test_one_cache_is_offered_one_name() -> None:
    text = f"FROM python:3.13\nENV UV_LINK_MODE=copy\n{MOUNT}./unknown\n{MOUNT}uv sync\n"
    names = {title for title in titles({"Dockerfile": text}) if title.startswith("Name this")}
    assert names == {"Name this cache: add id=uv-cache to lines 3 and 4"}
