"""Hovers of a Dockerfile: every place that decides about a cache has something to say, and not too much."""

from __future__ import annotations

import re

import pytest
from cachekey.assist.hover import hover
from cachekey.markup.markdown import plain_card
from cachekey.rules import ALL
from cachekey.workspace.project import Project

TEXT = """\
# syntax=docker/dockerfile:1
ARG V=3.13
FROM python:$V AS build
ENV UV_CACHE_DIR=/cache/uv
ARG TARGETARCH
RUN useradd -u 1000 app
RUN --mount=type=cache,id=uv-$TARGETARCH,target=/cache/uv uv sync && chmod -R 0777 /cache/uv
WORKDIR /src
USER app
RUN --mount=type=cache,id=uv-$TARGETARCH,target=/cache/uv \\
    --mount=type=cache,id=uv-$TARGETARCH,tagret=/x uv sync
RUN --mount=type=cache,target=.npm npm ci
RUN --mount=type=bind,source=/a,target=/b --mount=type=secret,id=tok true
FROM build AS last
FROM nobody/knows:this
"""


def said(part: str, text: str = TEXT) -> str:
    project = Project()
    project.add("Dockerfile", text)
    found = hover(project, "Dockerfile", text.index(part) + 1)
    return plain_card(found.lines) if found is not None else ""


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ("V=3.13", "Decides the image of Dockerfile:3"),
        ("FROM python", "Runs as root, home /root"),
        ("FROM python", "family debian"),
        ("FROM python", "Known of this image since 20"),
        ("UV_CACHE_DIR", "Moves the cache of uv (downloaded and built wheels) to /cache/uv"),
        (
            "TARGETARCH\nRUN",
            "In the key or target of: Dockerfile:7 uv-${TARGETARCH}, Dockerfile:10",
        ),
        ("WORKDIR", "Dockerfile:12: the target .npm is mounted on /src/.npm"),
        ("USER app", "a mount for this user needs uid=1000"),
        ("USER app", "Mounts of this user: Dockerfile:10 uv-${TARGETARCH}, Dockerfile:12 .npm"),
        ("/a,target=/b", "Bind: /a of the build context on /b, read-only"),
        ("tok true", "Secret tok in /run/secrets/tok"),
        ("FROM build AS last", "Stage last, built on stage build"),
        ("FROM nobody", "describe it in the setting images"),
        ("/cache/uv \\", "this RUN is app (1000); line 7 opens what it leaves there"),
        ("/cache/uv uv sync", "Not the same cache: Dockerfile:11 (BuildKit refuses it)"),
        (".npm npm", "/src/.npm: a new one belongs to root"),
        ("/cache/uv uv sync", "A new one belongs to root, mode 0755; this RUN is root"),
    ],
)
def test_what_decides_says_so(part: str, wanted: str) -> None:
    assert wanted in said(part)


@pytest.mark.parametrize(
    ("line", "pair"),
    [
        ("ARG V=${W:-3.13}\nFROM a:$V\n", "V=${W:-3.13}"),
        ("FROM a\nARG PIP_CACHE_DIR=/pip/x\n", "PIP_CACHE_DIR=/pip/x"),
        ("FROM a\nENV A=1 UV_CACHE_DIR=/uv B=2\n", "UV_CACHE_DIR=/uv"),
        ("FROM a\nENV UV_CACHE_DIR /uv\n", "UV_CACHE_DIR /uv"),
    ],
)
def test_a_variable_is_told_over_all_of_its_pair(line: str, pair: str) -> None:
    """Also where its value is pointed at: an editor drops what is said of another place."""
    project = Project()
    project.add("Dockerfile", line)
    start = line.index(pair)
    for offset in range(start, start + len(pair)):
        found = hover(project, "Dockerfile", offset)
        assert found is not None
        assert (found.span.start, found.span.end) == (start, start + len(pair))


def test_a_closed_cache_is_still_called_closed() -> None:
    text = TEXT.replace(" && chmod -R 0777 /cache/uv", "")
    assert "it may not write" in said("/cache/uv \\", text)


def test_instructions_that_decide_nothing_are_silent() -> None:
    text = "FROM alpine\nENV GREETING=hello\nCOPY . .\nCMD true\n"
    for part in ("GREETING", "COPY", "CMD"):
        assert said(part, text) == ""


def test_eight_lines_and_a_way_to_the_rest() -> None:
    seen = 0
    for rule in ALL:
        for text in re.findall(r"```dockerfile\n(.*?)```", rule.doc, re.DOTALL):
            project = Project()
            project.add("Dockerfile", text)
            for match in re.finditer("type=cache", text):
                found = hover(project, "Dockerfile", match.end())
                if found is not None and "Cache" in plain_card(found.lines[:1]):
                    seen += 1
                    assert len(found.lines) <= 8
                    assert "How keys work" in plain_card(found.lines)
    assert seen > 50


def test_a_mount_names_the_place_that_it_holds_and_who_is_a_stranger() -> None:
    text = (
        "FROM alpine:3.22\n"
        "RUN --mount=type=cache,target=/var/cache/apk apk add curl\n"
        "RUN --mount=type=cache,target=/srv/x install-all\n"
        "FROM rocker/r-ver:4.4\n"
        "RUN --mount=type=cache,target=/root/.cache/R/renv Rscript -e 'renv::restore()'\n"
        "RUN --mount=type=cache,target=/renv Rscript restore.R\n"
    )
    assert "apk keeps indexes and downloaded packages in /var/cache/apk" in said(
        "/var/cache/apk", text
    )
    assert "Whether install-all uses it is not known" in said("/srv/x", text)
    assert "library links, in /root/.cache/R/renv/cache" in said("/root/.cache/R", text)
    assert "not every command of this RUN can be read" in said("/renv Rscript restore", text)


def test_the_builds_of_a_mount_are_one_sentence() -> None:
    project = Project()
    project.add(
        "compose.yaml",
        "services:\n  api:\n    build: {context: ., args: {NS: a}}\n"
        "  web:\n    build: {context: ., args: {NS: b}}\n"
        "  old:\n    build: {context: ., target: first}\n",
    )
    text = (
        "FROM python:3.13 AS first\nARG NS=x\nFROM first\nARG NS=x\n"
        "RUN --mount=type=cache,id=pip-$NS,target=/root/.cache/pip pip install x\n"
    )
    project.add("Dockerfile", text)
    found = hover(project, "Dockerfile", text.index("pip-$NS"))
    assert found is not None
    told = next(line for line in plain_card(found.lines).splitlines() if "Built by" in line)
    assert told.count("uilt by") == 1
    assert "; by compose.yaml:" in told
    assert "Not reached" not in told


def test_builds_that_make_nothing_of_a_cache_stand_at_from() -> None:
    project = Project()
    text = (
        "FROM python:3.13 AS one\n"
        "RUN --mount=type=cache,target=/a pip download x\n"
        "FROM one AS two\n"
        "RUN --mount=type=cache,target=/root/.cache/pip pip install x\n"
    )
    project.add("compose.yaml", "services:\n  api:\n    build: .\n")
    project.add("Dockerfile", text)

    def lines(part: str) -> list[str]:
        found = hover(project, "Dockerfile", text.index(part) + 1)
        assert found is not None
        return plain_card(found.lines).splitlines()

    assert not [line for line in lines("/root/.cache") if "uilt by" in line]
    assert "- Built by compose.yaml:2 api" in lines("FROM one")
    assert not [line for line in lines("FROM python") if "uilt by" in line]


def test_what_nearly_is_the_cache_costs_no_line_of_its_own() -> None:
    text = (
        "FROM python:3.13\n"
        "RUN --mount=type=cache,id=one,target=/root/.cache/pip pip install x\n"
        "RUN --mount=type=cache,id=two,target=/root/.cache/pip pip install y\n"
        "RUN --mount=type=cache,id=two,target=/root/.cache/pip pip install z\n"
    )
    assert (
        "- Not shared in this folder, not even with Dockerfile:3, Dockerfile:4 (key two)"
        in said("one,target=/root/.cache", text).splitlines()
    )
    lines = said("two,target", text).splitlines()
    assert "- Same cache: Dockerfile:4 (stage 0, as root)" in lines
    assert "- Not the same cache: Dockerfile:2 (key one)" in lines


def test_what_a_stage_leaves_counts_in_those_that_are_built_on_it() -> None:
    text = (
        "FROM python:3.13 AS base\nARG NS=a\nUSER 1000\nWORKDIR /w\n"
        "FROM base\nRUN --mount=type=cache,id=pip-$NS,target=pip pip install x\n"
    )
    assert "In the key or target of: Dockerfile:6 pip-a" in said("NS=a", text)
    assert "Mounts of this user: Dockerfile:6" in said("USER", text)
    assert "Dockerfile:6: the target pip is mounted on /w/pip" in said("WORKDIR", text)


@pytest.mark.parametrize(
    ("path", "build"),
    [
        ("compose.yaml", "services:\n  api:\n    build:\n      args:\n        {}: {}\n"),
        ("compose.yaml", "services: {{api: {{build: {{context: ., args: [{}={}]}}}}}}\n"),
        ("docker-bake.hcl", 'target "api" {{\n  args = {{ {} = "{}" }}\n}}\n'),
        ("docker-bake.json", '{{"target": {{"api": {{"args": {{"{}": "{}"}}}}}}}}'),
        (
            ".devcontainer.json",
            '{{"build": {{"dockerfile": "Dockerfile", "args": {{"{}": "{}"}}}}}}',
        ),
    ],
)
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("NS", "In the key or target of: Dockerfile:4 pip-1.2"),
        ("PY", "Decides the image of Dockerfile:2"),
        ("OTHER", "Dockerfile declares no ARG OTHER: nothing there sees it"),
        ("HTTP_PROXY", ""),
    ],
)
def test_an_argument_tells_what_it_decides_where_it_is_passed(
    path: str, build: str, name: str, wanted: str
) -> None:
    project = Project()
    text = build.format(name, "1.2")
    project.add(
        "Dockerfile",
        "ARG PY=3\nFROM python:$PY\nARG NS\n"
        "RUN --mount=type=cache,id=pip-$NS,target=/root/.cache/pip pip install x\n",
    )
    project.add(path, text)
    for part in (name, "1.2"):
        found = hover(project, path, text.index(part) + 1)
        told = plain_card(found.lines) if found is not None else ""
        if wanted:
            assert told.splitlines()[0] == f"Argument {name} = 1.2"
            assert wanted in told
        else:
            assert "Argument" not in told
