"""The cache map: every mount and cache is in it, what is broken is broken, hostile text stays text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from cachekey.cli import main
from cachekey.report import map_svg, map_text
from cachekey.report.map_data import as_data, caches_of
from cachekey.workspace.project import Project

ONE = """\
FROM python:3.13 AS build
RUN --mount=type=cache,target=/root/.cache/uv uv sync
RUN --mount=type=cache,id=pip,target=/root/.cache/pip pip install x
"""
TWO = """\
FROM python:3.13
RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv uv sync
RUN --mount=type=cache,id=pip,target=/root/.cache/pip pip install x
"""
HOSTILE = """\
FROM python:3.13
RUN --mount=type=cache,id=<script>alert(1)</script>"];click,target=/x true
"""


def caches(**files: str):
    project = Project()
    for name, text in files.items():
        project.add(f"{name}/Dockerfile", text)
    return caches_of(project.index, project.index)


def test_who_shares_and_who_does_not() -> None:
    found = {item["key"]: item for item in as_data(caches(a=ONE, b=TWO), str)["caches"]}
    assert set(found) == {"/root/.cache/uv", "pip", "uv-cache"}
    assert found["pip"]["tools"] == ["pip"]
    assert [mount["path"] for mount in found["pip"]["mounts"]] == ["a/Dockerfile", "b/Dockerfile"]
    assert found["pip"]["broken"] == []
    assert [item["key"] for item in found["uv-cache"]["broken"]] == ["/root/.cache/uv"]
    assert found["/root/.cache/uv"]["mounts"] == [
        {"path": "a/Dockerfile", "line": 1, "stage": "build", "user": "root"}
    ]


def _tags(text: str, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(text).iter(f"{{http://www.w3.org/2000/svg}}{tag}"))


def test_the_picture_holds_every_mount_and_cache() -> None:
    picture = map_svg.svg(caches(a=ONE, b=TWO), str, lambda mount: f"#{mount.line}")
    assert len(_tags(picture, "a")) == 4
    assert len(_tags(picture, "g")) == 3
    kinds = [(item.get("class") or "").split()[0] for item in _tags(picture, "path")]
    assert kinds.count("line") == 4
    assert kinds.count("broken") == 1


@pytest.mark.parametrize("files", [0, 3, 100])
def test_nothing_lies_on_something_else(files: int) -> None:
    found = caches(**{f"f{number}": ONE.replace("pip,", f"p{number},") for number in range(files)})
    picture = map_svg.svg(found, str, lambda mount: "#")
    for side in (True, False):
        rows = [
            int(item.get("y") or 0)
            for item in _tags(picture, "text")
            if item.get("class") != "head" and (int(item.get("x") or 0) < 500) == side
        ]
        assert len(rows) == len(set(rows))


def test_the_light_theme_of_high_contrast_has_dark_ink() -> None:
    """VS Code gives it both classes, so that a rule for the dark one alone must say so."""
    page = map_svg.page(caches(one=ONE), str, lambda mount: mount.path)
    rules = re.findall(r"([^{}]*vscode-[^{}]*)\{\s*--ink: *(#\w+)", page)
    dark, light = rules
    assert "vscode-dark" in dark[0]
    assert "vscode-high-contrast:not(.vscode-high-contrast-light)" in dark[0]
    assert "vscode-high-contrast-light svg" in light[0]
    assert int(dark[1][1:3], 16) > 0x80 > int(light[1][1:3], 16)


LONG = """\
FROM node:22 AS a-stage-whose-name-is-longer-than-any-column-of-a-picture
USER node
RUN --mount=type=cache,target=/home/node/of/a/very/long/path/which/nobody/types,uid=1000 npm ci
RUN --mount=type=cache,target=/home/node/.npm,uid=1000,gid=1000 npm ci
RUN --mount=type=cache,target=/root/.npm npm ci
"""


def test_long_names_stay_in_their_columns() -> None:
    """A letter of 14 pixels in a sans serif is about 7.5 wide; the dashes of what is broken are seen."""
    picture = map_svg.svg(caches(a=LONG, b=ONE, c=TWO), str, lambda mount: "#")
    _, _, width, _ = (int(one) for one in (ET.fromstring(picture).get("viewBox") or "").split())
    assert width <= 880
    breaks = [int((item.get("d") or "").split()[1]) for item in _tags(picture, "path")]
    for item in _tags(picture, "text"):
        shown = 7.5 * len(item.text or "")
        begin = int(item.get("x") or 0)
        if item.get("class") == "mount":
            assert begin - shown >= 0
        else:
            assert begin + shown <= max(breaks)


def test_a_filter_knows_files_keys_and_tools() -> None:
    page = map_svg.page(caches(a=ONE, b=TWO), str, lambda mount: "#")
    (field,) = re.findall(r'placeholder="([^"]*)"', page)
    assert field == "key, tool or file"
    assert page.count('data-file="a/Dockerfile"') == 3
    assert page.count('data-key="uv-cache"') == 3
    assert page.count('data-tools="uv"') == 2


def test_hostile_text_is_text() -> None:
    found = caches(a=HOSTILE)
    page = map_svg.page(found, str, lambda mount: "#")
    assert page.count("<script>") == 1
    assert "alert(1)&lt;/script&gt;" in page
    chart = map_text.mermaid(found, str)
    assert '"]' not in chart.replace('"]\n', "").replace('"])\n', "")
    assert "<script>" not in chart


def test_the_page_loads_nothing_and_runs_its_own_script_only() -> None:
    page = map_svg.page(caches(a=ONE), str, lambda mount: "#")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in page
    assert "default-src &#39;none&#39;" in page
    for style in re.findall(r"<style>(.*?)</style>", page, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"&#39;sha256-{digest}&#39;" in page
    assert "unsafe-inline" not in page
    assert not re.search(r"(?:src|href)=.https?:", page)


@pytest.mark.parametrize("kind", ["text", "svg", "html", "mermaid", "json"])
def test_the_command(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text(ONE)
    assert main(["map", "--format", kind]) == 0
    said = capfd.readouterr().out
    assert "/root/.cache/uv" in said
    if kind == "json":
        assert json.loads(said)["version"] == 1
    if kind == "svg":
        assert "Dockerfile#L2" in said
