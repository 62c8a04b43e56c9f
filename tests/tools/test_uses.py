"""What a subcommand does to its tool's caches, and what keeps it from using them."""

from __future__ import annotations

import pytest
from cachekey.knowledge import Knowledge
from cachekey.knowledge.records import Confidence
from cachekey.tools.uses import may_be_for_another, meant, relation_to

from tests.knowledge.uses import KNOWN, YARN1, path, read, run, use


@pytest.mark.parametrize(
    ("command", "uses"),
    [
        ("pip install x", True),
        ("pip list", False),
        ("pip frobnicate", None),
        ("npm ci", True),
        ("npm run build", None),
        ("npm version", False),
        ("uv venv", False),
        ("uv venv --seed", True),
        ("go clean -cache", False),
        ("mvn --version", False),
        ("mvn -B package", True),
        ("julia -e 'using Pkg; Pkg.add(\"X\")'", True),
        ("julia build.jl", None),
        ("pacman -Ss x", False),
        ("apt-get remove x", False),
        ("pip $WHAT", None),
    ],
)
def test_which_subcommands_use_a_cache(command, uses):
    assert use(run(command)).uses is uses


def test_directories_a_subcommand_does_not_use():
    assert use(run("apt-get update")).directory("archives").used is False
    assert use(run("apt-get update")).directory("lists").used is True
    assert use(run("go mod download")).directory("build").used is False
    assert use(run("go build -mod=vendor")).directory("modules").used is False
    assert [item.role for item in use(run("cargo fetch")).caches] == ["registry", "git"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (run("pip install --no-cache-dir x"), [("flag", "--no-cache-dir")]),
        (run("PIP_NO_CACHE_DIR=1 pip install x"), [("inline", "PIP_NO_CACHE_DIR")]),
        (run("pip install x", "ENV PIP_NO_CACHE_DIR=1"), [("variable", "ENV PIP_NO_CACHE_DIR")]),
        (run("pip install x", "ENV PIP_NO_CACHE_DIR=off"), []),
        (run("pip install x", "ENV PIP_NO_CACHE_DIR=0"), []),
        (run("pip install x", "ENV PIP_NO_CACHE_DIR="), []),
        (run("uv sync", "ENV PIP_NO_CACHE_DIR=1"), []),
        (run("uv sync --no-cache"), [("flag", "--no-cache")]),
        (run("uv sync -n"), [("flag", "-n")]),
        (run("uv run pytest -n 4"), []),
        (run("uv sync", "ENV UV_NO_CACHE=1"), [("variable", "ENV UV_NO_CACHE")]),
        (run("uv sync", "ENV UV_NO_CACHE=false"), []),
        (run("apk add --no-cache x", image="alpine"), [("flag", "--no-cache")]),
        (run("npm ci --no-cache"), []),
        (
            run("composer install", "ENV COMPOSER_CACHE_DIR=/dev/null"),
            [("variable", "ENV COMPOSER_CACHE_DIR")],
        ),
        (run("composer install", "ENV COMPOSER_CACHE_DIR=/c"), []),
        (run("dotnet build --no-cache"), []),
        (run("CYPRESS_INSTALL_BINARY=0 cypress install"), [("inline", "CYPRESS_INSTALL_BINARY")]),
    ],
)
def test_what_switches_a_cache_off(text, expected):
    assert [(item.by, item.text) for item in use(text).disabled] == expected


def test_a_switch_in_a_file():
    found = use(run("uv sync"), files={"uv.toml": "no-cache = true"}).disabled
    assert [(item.by, item.text) for item in found] == [("config", "no-cache in uv.toml")]
    assert not use(run("uv sync"), files={"uv.toml": "no-cache = false"}).disabled


def test_a_switch_stands_at_its_word():
    text = run("pip install --no-cache-dir x")
    span = use(text).disabled[0].span
    assert text[span.start : span.end] == "--no-cache-dir"


@pytest.mark.parametrize(
    ("command", "roles"),
    [
        ("uv cache clean", ("cache",)),
        ("uv cache prune --ci", None),
        ("pip cache purge", ("cache",)),
        ("apt-get clean", ("archives",)),
        ("apt-get dist-clean", ("archives", "lists")),
        ("npm cache clean --force", ("cache",)),
        ("npm cache verify", None),
        ("yarn cache clean", ("cache",)),
        ("dnf clean all", ("cache",)),
        ("go clean -modcache", ("modules",)),
        ("go clean -cache", ("build",)),
        ("go clean -testcache", None),
        ("cargo clean", ("target",)),
        ("cargo clean -p x", None),
        ("conda clean -afy", ("packages",)),
        ("composer clear-cache", ("cache",)),
        ("dotnet nuget locals all --clear", ("packages", "http")),
        ("apk cache purge", ("cache",)),
        ("pnpm store path", None),
        ("bun pm cache rm", ("cache",)),
        ("pip install x", None),
    ],
)
def test_what_empties_a_cache(command, roles):
    found = use(run(command, image="fedora:39"), files=YARN1).empties
    assert [item.roles for item in found] == ([roles] if roles else [])


def test_filling_and_needing():
    assert use(run("go mod download")).directory("modules").fills
    assert use(run("go build .")).directory("modules").needs
    assert not use(run("go build -mod=vendor .")).directory("modules").needs
    assert use(run("dotnet restore")).directory("packages").fills
    assert use(run("dotnet publish --no-restore")).directory("packages").needs
    assert not use(run("dotnet publish")).directory("packages").needs
    assert use(run("mvn -B dependency:go-offline")).directory("repository").fills
    assert use(run("mvn -o package")).directory("repository").needs
    assert use(run("cargo build --offline")).directory("registry").needs


@pytest.mark.parametrize(
    ("command", "mounts"),
    [
        ("apt-get install -y x", ("archives", "lists")),
        ("apt-get update", ()),
        ("pip install x", ("cache",)),
        ("poetry install", ("cache/cache", "cache/artifacts")),
        ("go mod download", ("modules",)),
        ("go build .", ("modules", "build")),
        ("gradle build", ("home/caches", "home/wrapper")),
        ("gradle --version", ()),
        ("npm run build", ()),
    ],
)
def test_mounts_to_suggest(command, mounts):
    assert use(run(command)).suggested == mounts


def test_link_mode():
    assert use(run("uv sync")).wants_link_mode
    assert not use(run("uv lock")).wants_link_mode
    assert use(run("uv sync")).link_mode is None
    assert use(run("uv sync", "ENV UV_LINK_MODE=copy")).link_mode.text == "copy"
    assert use(run("uv sync --link-mode=copy")).link_mode.text == "copy"
    assert use(run("uv sync"), files={"uv.toml": 'link-mode = "copy"'}).link_mode.text == "copy"


@pytest.mark.parametrize(
    ("command", "target", "result"),
    [
        ("pip install x", "/root/.cache/pip", "exact"),
        ("pip install x", "/root/.cache", "parent"),
        ("pip install x", "/root/.cache/pip/wheels", "part"),
        ("pip install x", "/home/app/.cache/pip", "none"),
        ("poetry install", "/root/.cache/pypoetry/artifacts", "part"),
        ("npm ci", "/root/.npm/_cacache", "part"),
        ("ccache gcc x.c", "/root/.ccache", "exact"),
        ("composer install", "/root/.composer/cache", "exact"),
        ("apk add x", "/var/cache/apk", "exact"),
        ("bundle install", "/anything", "unknown"),
    ],
)
def test_how_a_mount_lies_to_a_use(command, target, result):
    assert relation_to(target, use(run(command))) == result


def test_what_somebody_means_by_a_target():
    uses = read(run("npm ci && pip install x"))
    assert [(one.tool.id, item.role) for one, item in meant("/root/.cache/npm", uses)] == [
        ("npm", "cache")
    ]
    assert not list(meant("/root/.cache", uses))


def test_poetry_environments_leave_the_cache_when_told():
    assert use(run("poetry install")).directory("environments") is not None
    for before in (
        "ENV POETRY_VIRTUALENVS_IN_PROJECT=1",
        "RUN poetry config virtualenvs.create false",
    ):
        assert use(run("poetry install", before)).directory("environments") is None


def test_sccache_is_used_through_cargo():
    uses = read(run("cargo build", "ENV RUSTC_WRAPPER=/usr/bin/sccache"))
    assert {one.tool.id for one in uses} == {"cargo", "sccache"}
    assert {one.tool.id for one in read(run("cargo build"))} == {"cargo"}
    remote = run("cargo build", "ENV RUSTC_WRAPPER=sccache SCCACHE_BUCKET=b")
    assert use(remote, "sccache").directories == ()


def test_a_weak_record_makes_a_weak_answer():
    assert use(run("pip install x")).directory("cache").confidence is Confidence.VERIFIED
    weak = run("pip install x", image="opensuse/leap")
    assert use(weak).directory("cache").confidence is Confidence.REMEMBERED
    told = run("pip install x", "ENV PIP_CACHE_DIR=/x", image="opensuse/leap")
    assert use(told).directory("cache").confidence is Confidence.VERIFIED
    assert use(run("turbo run build")).directory("cache").confidence is Confidence.REMEMBERED


def test_own_tools_and_images():
    mine = Knowledge(
        {
            "frob": {
                "commands": ["frob"],
                "caches": [{"path": "$HOME/.frob", "moved_by": [{"env": "FROB"}]}],
            }
        },
        {"corp/base": {"user": "dev", "users": [{"name": "dev", "uid": 1, "home": "/home/dev"}]}},
    )
    assert path(run("frob it", image="corp/base"), knowledge=mine) == "/home/dev/.frob"
    assert path(run("frob it", "ENV FROB=/x", image="corp/base"), knowledge=mine) == "/x"


def test_a_script_that_is_read_may_set_anything():
    assert path(run(". ./env.sh && pip install x")) is None


def test_install_scripts_may_use_what_belongs_to_another_tool():
    npm, apt = read(run("npm ci")), read(run("apt-get install -y x"))
    assert may_be_for_another("/root/.cache/puppeteer", npm, KNOWN)
    assert not may_be_for_another("/root/.cache/puppeteer", apt, KNOWN)
    assert not may_be_for_another("/root/.cache/npm", npm, KNOWN)
    assert not may_be_for_another("/root/.cache/puppeteer", read(run("npm version")), KNOWN)


@pytest.mark.parametrize(
    ("run", "tools"),
    [
        ("RUSTC_WRAPPER=/usr/bin/sccache cargo build", {"cargo", "sccache"}),
        ("CARGO_BUILD_RUSTC_WRAPPER=ccache xx-cargo build", {"cargo", "ccache"}),
        ("RUST_WRAPPER=sccache cargo build", {"cargo"}),
        ("RUSTC_WRAPPER=/usr/bin/mysccache cargo build", {"cargo"}),
        ("cmake -B b -DCMAKE_C_COMPILER_LAUNCHER=ccache && cmake --build b", {"cpm", "ccache"}),
        (
            "cmake -B b -D CMAKE_CXX_COMPILER_LAUNCHER=sccache && cmake --build b",
            {"cpm", "sccache"},
        ),
        ("CMAKE_CUDA_COMPILER_LAUNCHER=/bin/sccache cmake --build b", {"cpm", "sccache"}),
        ("cmake -B b && cmake --build b", {"cpm"}),
        ("cmake -E env ccache && cmake --build b", {"cpm"}),
        ("cmake --build b -C", {"cpm"}),
        ("ccache gcc -c x.c", {"ccache"}),
    ],
)
def test_compilers_are_called_through_their_caches(run, tools):
    found = read(f"FROM rust:1.90\nWORKDIR /s\nRUN {run}\n")
    assert {use.tool.id for use in found} == tools


def test_what_calls_a_tool_keeps_its_options_to_itself():
    run = "ENV CMAKE_C_COMPILER_LAUNCHER=ccache\nRUN cmake --build b -C -d x"
    use = next(u for u in read(f"FROM debian:13\n{run}\n") if u.tool.id == "ccache")
    assert use.applies
    assert not use.own
    assert not use.empties
    place = use.directory("cache")
    assert place is not None
    assert place.path == "/root/.cache/ccache"


def test_ccache_is_used_by_a_compiler_that_only_compiles():
    (use,) = read("FROM debian:13\nRUN ccache gcc -c x.c\n")
    assert use.uses
    assert not use.opaque


def test_a_variable_that_sounds_like_options_may_hold_one():
    assert use(run("pip install $PIP_ARGS x")).directory("cache").path is None
    assert use(run("pip install $TARGETARCH x")).directory("cache").path == "/root/.cache/pip"
