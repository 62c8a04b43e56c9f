"""Where a tool caches at one command of a Dockerfile, and what decided that."""

from __future__ import annotations

from pathlib import Path

import pytest
from cachekey.tools.uses import relation_to

from tests.knowledge.uses import APP, KNOWN, YARN1, path, read, run, use

TABLE = Path(__file__).with_name("places.txt").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.splitlines()[1:]]
NAMED_BY_CONFIG = {"yarn1", "yarn-berry", "dnf", "dnf5", "microdnf", "yum"}
"""Tools that share an executable; see the tests further down."""
NAMED_BY_WORD = {"venv"}
"""Tools that put all they make where their command line says."""


def test_every_tool_has_a_case():
    assert {row[0] for row in ROWS} | NAMED_BY_CONFIG | NAMED_BY_WORD == set(KNOWN.tool_ids)


@pytest.mark.parametrize(
    ("command", "tool", "result"),
    [
        ("python3 -m venv /venv", "venv", "/venv"),
        ("python -m venv --prompt app --copies .venv", "venv", "/src/.venv"),
        ("python -m venv $(cat x)", "venv", None),
        ("virtualenv -p python3 /opt/app", "virtualenv", "/opt/app"),
    ],
)
def test_environments(command, tool, result):
    assert path(run(command), "environment", tool) == result


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[2]}-{row[5]}")
def test_places(row):
    tool, command, role, root, app, variable, moved = row
    assert path(run(command), role, tool) == (None if root == "-" else root)
    assert path(run(command, *APP), role, tool) == (None if app == "-" else app)
    assert path(run(command, f"ENV {variable}"), role, tool) == moved
    assert path(run(f"{variable} {command}"), role, tool) == moved
    assert use(run(command), tool).uses is not False


BERRY = {"package.json": '{"packageManager": "yarn@4.5.0"}'}


@pytest.mark.parametrize(
    ("before", "files", "tool", "role", "result"),
    [
        ((), YARN1, "yarn1", "cache", "/usr/local/share/.cache/yarn/v6"),
        (("ENV HOME=/x",), YARN1, "yarn1", "cache", "/usr/local/share/.cache/yarn/v6"),
        (APP, YARN1, "yarn1", "cache", "/home/app/.cache/yarn/v6"),
        (("ENV XDG_CACHE_HOME=/x",), YARN1, "yarn1", "cache", "/x/yarn/v6"),
        (("ENV YARN_CACHE_FOLDER=/x",), YARN1, "yarn1", "cache", "/x/v6"),
        (("RUN yarn config set cache-folder /x",), YARN1, "yarn1", "cache", "/x/v6"),
        ((), BERRY, "yarn-berry", "global", "/root/.yarn/berry/cache"),
        (APP, BERRY, "yarn-berry", "global", "/home/app/.yarn/berry/cache"),
        (("ENV YARN_CACHE_FOLDER=/x",), BERRY, "yarn-berry", "global", "/root/.yarn/berry/cache"),
        (("ENV YARN_GLOBAL_FOLDER=/x",), BERRY, "yarn-berry", "global", "/x/cache"),
        (("ENV XDG_DATA_HOME=/x",), BERRY, "yarn-berry", "global", "/x/yarn/berry/cache"),
        (
            ("ENV YARN_ENABLE_GLOBAL_CACHE=false",),
            BERRY,
            "yarn-berry",
            "project",
            "/src/.yarn/cache",
        ),
    ],
)
def test_yarn_by_its_release(before, files, tool, role, result):
    text = run("yarn install", *before)
    assert path(text, role, tool, files=files) == result
    assert len({one.tool.id for one in read(text, files=files)}) == 1


def test_yarn_without_a_release_is_unknown():
    uses = read(run("yarn install", image="node"))
    assert {one.tool.id for one in uses} == {"yarn1", "yarn-berry"}
    assert all(one.applies is None for one in uses)
    assert all(item.path is None for one in uses for item in one.directories)
    assert uses[0].directories[0].decided_by == "nothing here tells which yarn it is"
    assert relation_to("/root/.cache/yarn", uses[0]) == "unknown"


@pytest.mark.parametrize(
    ("image", "tool", "result"),
    [
        ("fedora:42", "dnf5", "/var/cache/libdnf5"),
        ("fedora:39", "dnf", "/var/cache/dnf"),
        ("almalinux:9", "dnf", "/var/cache/dnf"),
    ],
)
def test_dnf_by_its_image(image, tool, result):
    assert [one.tool.id for one in read(run("dnf install -y x", image=image))] == [tool]
    assert path(run("dnf install -y x", image=image), tool=tool) == result


UBI = "registry.access.redhat.com"


@pytest.mark.parametrize(
    ("image", "program", "tool", "result"),
    [
        (f"{UBI}/ubi9-minimal:9.6", "microdnf", "microdnf", "/var/cache/yum"),
        (f"{UBI}/ubi8/ubi-minimal", "microdnf", "microdnf", "/var/cache/yum"),
        (f"{UBI}/ubi9/ubi", "dnf", "dnf", "/var/cache/dnf"),
        ("quay.io/fedora/fedora-minimal:36", "microdnf", "microdnf", "/var/cache/yum"),
        ("quay.io/fedora/fedora-minimal:42", "microdnf", "dnf5", "/var/cache/libdnf5"),
        ("public.ecr.aws/lambda/python:3.12", "dnf", "microdnf", "/var/cache/yum"),
        ("public.ecr.aws/lambda/python:3.12", "microdnf", "microdnf", "/var/cache/yum"),
        ("amazonlinux:2023", "dnf", "dnf", "/var/cache/dnf"),
        ("amazonlinux:2023-minimal", "dnf", "microdnf", "/var/cache/yum"),
    ],
)
def test_microdnf_by_its_image(image, program, tool, result):
    text = run(f"{program} install -y x", image=image)
    assert [one.tool.id for one in read(text)] == [tool]
    assert path(text, tool=tool) == result


@pytest.mark.parametrize(
    ("image", "role", "result"),
    [
        ("almalinux:9", "dnf", "/var/cache/dnf"),
        ("fedora:42", "dnf5", "/var/cache/libdnf5"),
        ("centos:7", "cache", "/var/cache/yum"),
        ("example/x", "dnf", None),
    ],
)
def test_yum_is_dnf_from_el_8_on(image, role, result):
    assert path(run("yum install -y x", image=image), role, "yum") == result


def test_dnf_of_an_unknown_image_is_unknown():
    uses = read(run("dnf install -y x", image="example/x"))
    assert {one.directories[0].path for one in uses} == {None}


@pytest.mark.parametrize(
    ("image", "command", "role", "result"),
    [
        ("golang", "go mod download", "modules", "/go/pkg/mod"),
        ("golang", "go build .", "build", "/root/.cache/go-build"),
        ("rust:1", "cargo build", "registry", "/usr/local/cargo/registry"),
        ("composer:2", "composer install", "cache", "/tmp/cache"),
        ("denoland/deno", "deno cache x.ts", "cache", "/deno-dir"),
        ("quay.io/jupyter/base-notebook", "pip install x", "cache", "/home/jovyan/.cache/pip"),
        ("mambaorg/micromamba", "micromamba install x", "packages", "/opt/conda/pkgs"),
        ("ruby:3", "bundle install", "gems", "/usr/local/bundle"),
        ("node:22", "npm ci", "cache", "/root/.npm"),
        ("example/base", "npm ci", "cache", None),
        ("${BASE}", "npm ci", "cache", None),
        ("scratch", "/bin/pip install x", "cache", "/root/.cache/pip"),
    ],
)
def test_the_base_image_decides(image, command, role, result):
    assert path(run(command, image=image), role) == result


def test_home_of_a_jupyter_root():
    text = run("pip install x", "USER root", image="quay.io/jupyter/base-notebook")
    assert path(text) == "/home/jovyan/.cache/pip"
    assert use(text).is_root is True


@pytest.mark.parametrize(
    ("image", "before", "result"),
    [
        ("node", ("USER node",), "/home/node/.npm"),
        ("node", ("USER 1000",), "/home/node/.npm"),
        ("node", ("USER 1000:1000",), "/home/node/.npm"),
        ("node", ("USER root",), "/root/.npm"),
        ("debian", ("RUN adduser --home /srv/me me", "USER me"), "/srv/me/.npm"),
        ("debian", ("USER nobody-knows",), None),
        ("debian", ("ARG WHO", "USER $WHO"), None),
        ("debian", ("ENV HOME=/x", "USER nobody-knows"), "/x/.npm"),
        ("debian", ("ARG HOME=/x",), "/x/.npm"),
        ("debian", ("ARG HOME",), None),
        ("debian", ("ENV HOME=$UNKNOWN_AND_EMPTY",), None),
    ],
)
def test_users_and_homes(image, before, result):
    assert path(run("npm ci", *before, image=image)) == result


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ("sudo -u app npm ci", "/home/app/.npm"),
        ("su app -c 'npm ci'", "/home/app/.npm"),
        ("gosu app npm ci", "/home/app/.npm"),
        ("sudo npm ci", "/root/.npm"),
        ("sudo -u stranger npm ci", None),
        ("HOME=/x npm ci", "/x/.npm"),
        ("export HOME=/x && npm ci", "/x/.npm"),
        ("env npm_config_cache=/x npm ci", "/x"),
        ("npm ci --cache /x", "/x"),
        ("npm ci --cache=/x", "/x"),
        ("npm --cache /x ci", "/x"),
        ("npm ci --cache rel", "/src/rel"),
        ("cd sub && npm ci --cache rel", "/src/sub/rel"),
        ("npm ci --cache $WHERE", None),
        ("npm ci $NPM_OPTS", None),
        ("npm install $PACKAGE", "/root/.npm"),
        ("npm_config_cache=$(mktemp -d) npm ci", None),
        ("npm config set cache /x && npm ci", "/x"),
        ("npm config set cache=/x && npm ci", "/x"),
        ("npm ci && npm config set cache /x", "/root/.npm"),
    ],
)
def test_what_a_command_line_decides(command, result):
    assert path(run(command, "RUN useradd -m -u 1000 app"), tool="npm") == result


@pytest.mark.parametrize(
    ("files", "command", "role", "result", "also"),
    [
        ({".npmrc": "cache=/x\n"}, "npm ci", "cache", "/x", ("/root/.npm",)),
        ({".npmrc": "# cache=/x\nregistry=https://r\n"}, "npm ci", "cache", "/root/.npm", ()),
        ({".npmrc": "cache=${HERE}/x\n"}, "npm ci", "cache", None, ()),
        ({"uv.toml": 'cache-dir = "/x"\n'}, "uv sync", "cache", "/x", ("/root/.cache/uv",)),
        (
            {"pyproject.toml": '[tool.uv]\ncache-dir = "./c"\n'},
            "uv sync",
            "cache",
            "/src/c",
            ("/root/.cache/uv",),
        ),
        ({"pyproject.toml": "[tool.uv\n"}, "uv sync", "cache", None, ()),
        (
            {"pip.conf": "[global]\ncache-dir = /x\n"},
            "pip install x",
            "cache",
            "/x",
            ("/root/.cache/pip",),
        ),
        (
            {"pip.conf": "[install]\nno-deps = yes\n"},
            "pip install x",
            "cache",
            "/root/.cache/pip",
            (),
        ),
        (
            {".cargo/config.toml": '[build]\ntarget-dir = "/t"\n'},
            "cargo build",
            "target",
            "/t",
            ("/src/target",),
        ),
        (
            {"pnpm-workspace.yaml": "packages:\n  - a\nstoreDir: /s # here\n"},
            "pnpm i",
            "store",
            "/s",
            ("/root/.local/share/pnpm/store",),
        ),
        (
            {"pnpm-workspace.yaml": "storeDir: '/s'\n"},
            "pnpm i",
            "store",
            "/s",
            ("/root/.local/share/pnpm/store",),
        ),
        ({"pnpm-workspace.yaml": "storeDir: &a /s\n"}, "pnpm i", "store", None, ()),
        (
            {"bunfig.toml": '[install.cache]\ndir = "~/b"\n'},
            "bun i",
            "cache",
            "/root/b",
            ("/root/.bun/install/cache",),
        ),
        (
            {"composer.json": '{"config": {"cache-dir": "/x"}}'},
            "composer install",
            "cache",
            "/x",
            ("/root/.composer/cache", "/root/.cache/composer"),
        ),
    ],
)
def test_files_of_the_project(files, command, role, result, also):
    found = use(run(command), files=files).directory(role)
    assert (found.path, found.also) == (result, also)


def test_a_variable_is_stronger_than_a_file():
    text = run("npm ci", "ENV npm_config_cache=/v")
    assert path(text, files={".npmrc": "cache=/x"}) == "/v"


@pytest.mark.parametrize(
    ("text", "because"),
    [
        (run("pip install x"), "the default of pip, from the home directory of root"),
        (run("pip install x", "ENV PIP_CACHE_DIR=/x"), "ENV PIP_CACHE_DIR"),
        (run("pip install x", "ARG PIP_CACHE_DIR=/x"), "ARG PIP_CACHE_DIR"),
        (run("PIP_CACHE_DIR=/x pip install x"), "PIP_CACHE_DIR in this RUN"),
        (run("pip install --cache-dir /x y"), "the flag --cache-dir"),
        (
            run("pip install x", image="example/x"),
            "the base image example/x is not known, it may set PIP_CACHE_DIR",
        ),
        (
            run("pip install x", "ENV XDG_CACHE_HOME=/x"),
            "the default of pip, from ENV XDG_CACHE_HOME",
        ),
        (run("go mod download", image="golang"), "GOPATH of the base image"),
        (run("terraform init"), "Terraform has none unless it is told"),
    ],
)
def test_it_says_what_decided(text, because):
    assert use(text).directories[0].decided_by == because


def test_it_points_at_what_decided():
    text = run("pip install x", "ENV PIP_CACHE_DIR=/x")
    found = use(text).directory("cache")
    assert text[found.span.start : found.span.end] == "PIP_CACHE_DIR"
    text = run("pip install --cache-dir /x y")
    found = use(text).directory("cache")
    assert text[found.span.start : found.span.end] == "/x"


def test_variables_come_through_the_stage_chain():
    text = "FROM debian AS a\nENV PIP_CACHE_DIR=/x\nFROM a\nRUN pip install y\n"
    assert path(text) == "/x"
