"""``cachekey ci``: which builds lose their caches, what carries them, and the map that would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cachekey.cli import main

DOCKERFILE = """\
FROM python:3.13 AS build
RUN --mount=type=cache,id=uv,target=/cache,uid=1000,gid=1000 uv --cache-dir /cache sync
RUN --mount=type=cache,target=/root/.npm npm ci
FROM alpine AS tools
RUN echo
FROM build
"""
WORKFLOW = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: reproducible-containers/buildkit-cache-dance@v3
        with:
          cache-map: '{"npm": "/root/.npm"}'
      - uses: docker/build-push-action@v6
      - name: Tools
        uses: docker/build-push-action@v6
        with: {target: tools}
  kept:
    runs-on: self-hosted
    steps: [{run: docker build .}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/ci.yml").write_text(WORKFLOW)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["ci", *arguments, "--format", "json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_builds_and_mounts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = ask(capsys)
    rows = [
        (build["name"], build["runner"], build["note"], [
            (mount["line"], mount["key"], mount["survives"], mount["carriedBy"])
            for mount in build["mounts"]
        ])
        for build in document["builds"]  # type: ignore[attr-defined]
    ]  # fmt: skip
    dance = "image/reproducible-containers/buildkit-cache-dance"
    uv = "uv:uid=1000,gid=1000,mode=0755"
    assert rows == [
        ("image/docker/build-push-action", "fresh", None, [
            (1, uv, False, None), (2, "/root/.npm", True, dance)
        ]),
        ("image/Tools", "fresh", "it comes to no cache mount", []),
        ("kept/step 1", "kept", None, [(1, uv, True, None), (2, "/root/.npm", True, None)]),
    ]  # fmt: skip


def test_maps(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = ask(capsys)["maps"]  # type: ignore[misc]
    assert [(item["line"], item["key"]) for item in found["problems"]] == [
        (5, "uv:uid=1000,gid=1000,mode=0755")
    ]


def test_the_map_that_carries_everything(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = ask(capsys)["cacheMap"]
    assert made == {
        "cache-mounts/uv": {"target": "/cache", "id": "uv", "uid": 1000, "gid": 1000},
        "cache-mounts/root-.npm": "/root/.npm",
    }
    path = folder / ".github/workflows/ci.yml"
    path.write_text(WORKFLOW.replace('{"npm": "/root/.npm"}', json.dumps(made)))
    document = ask(capsys)
    assert document["maps"][0]["problems"] == []  # type: ignore[index]
    mounts = document["builds"][0]["mounts"]  # type: ignore[index]
    assert all(mount["survives"] for mount in mounts)


def test_a_dockerfile_s_builds_stand_elsewhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "other").mkdir()
    (folder / "other/Dockerfile").write_text("FROM a\n")
    assert len(ask(capsys, "Dockerfile")["builds"]) == 3  # type: ignore[arg-type]
    assert ask(capsys, "other")["builds"] == []


def test_text_and_yaml(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ci"]) == 0
    said = capsys.readouterr().out
    assert "Dockerfile:2  uv:uid=1000,gid=1000,mode=0755:  lost" in said
    assert "it comes to no cache mount" in said
    assert main(["ci", "--write-map"]) == 0
    import yaml

    steps = yaml.safe_load(capsys.readouterr().out)
    assert json.loads(steps[1]["with"]["cache-map"])["cache-mounts/root-.npm"] == "/root/.npm"
