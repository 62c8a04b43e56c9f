"""Scripts that a RUN calls or sources, and those that a file of the project names."""

from __future__ import annotations

import json

import pytest
from cachekey.commands.read import Commands, read_commands
from cachekey.syntax.dockerfile.parse import parse
from cachekey.text import Elsewhere, Mapped, Source

from tests.commands.test_read import shown


def read(run: str, files: dict[str, str]) -> Commands:
    """Read a RUN in /app that sees these files of the context."""

    def scripts(path: str, caller: Mapped) -> Mapped | None:
        text = files.get(path)
        return None if text is None else Elsewhere.of(text, path, caller)

    found = parse(Source(f"FROM x\nRUN {run}\n")).instructions[1]
    return read_commands(
        found, shell=None, lookup=lambda _name: None, workdir="/app", scripts=scripts
    )


def runs(run: str, files: dict[str, str]) -> list[str]:
    return [shown(item) for item in read(run, files).items]


PACKAGE = {
    "scripts": {
        "prebuild": "echo first",
        "build": "cross-env A=1 next build",
        "all": "npm run build && npm test",
        "test": "vitest",
        "loop": "npm run pool",
        "pool": "npm run loop",
    }
}
COMPOSER = {
    "scripts": {
        "setup": ["@composer install --no-dev", "@tidy"],
        "tidy": "composer clear-cache",
        "php": ["App\\Build::run"],
        "echo": ["@echo"],
    }
}
PYPROJECT = """
[tool.pdm.scripts]
one = "pip install x"
two = {cmd = "pip check"}
all = {composite = ["one", "two", "uv sync"]}
env = {cmd = "pip install y", env = {PIP_CACHE_DIR = "/x"}}
code = {call = "x:main"}
[tool.hatch.envs.default.scripts]
setup = ["one", "pip check"]
one = "pip install x"
[tool.poe.tasks]
a.sequence = ["b", "b"]
b = "uv sync"
"""
LIBRARY = """
log() { echo "$1"; }
get() { log x; pip install "$1"; }
wipe() { rm -rf /c; }
export A=1
cd sub
"""
FILES = {
    "/app/package.json": json.dumps(PACKAGE),
    "/app/web/package.json": json.dumps(PACKAGE),
    "/app/composer.json": json.dumps(COMPOSER),
    "/app/pyproject.toml": PYPROJECT,
    "/app/deno.json": '{"tasks": {"x": "deno cache main.ts"}}',
    "/app/lib.sh": LIBRARY,
    "/app/outer.sh": ". ./lib.sh\nget y\n",
    "/app/self.sh": ". ./self.sh\n",
    "/app/env": "B=2\n",
}

BUILD = ["echo first", "next build [A=1]"]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("npm run build", ["npm run build", *BUILD]),
        ("npm run --silent build", ["npm run --silent build", *BUILD]),
        ("npm t", ["npm t", "vitest"]),
        (
            "npm run build -- -x",
            ["npm run build -- -x", BUILD[0], f"{BUILD[1][:-1]}, not args_known]"],
        ),
        ("pnpm build", ["pnpm build", f"{BUILD[0]} [conditional]", BUILD[1]]),
        (
            "npm --prefix web test && npm ls",
            ["npm --prefix web test", "vitest [in /app/web]", "npm ls"],
        ),
        ("cd web && yarn test", ["cd web", "yarn test [in /app/web]", "vitest [in /app/web]"]),
        ("npm run all", ["npm run all", "npm run build", *BUILD, "npm test", "vitest"]),
        # What nobody can tell stays opaque: no such script, others of a workspace, a circle.
        ("npm run none", ["npm run none [opaque]"]),
        ("pnpm --filter web build", ["pnpm --filter web build"]),
        ("npm run build -w web", ["npm run build -w web [opaque]"]),
        ("npm run $X", ["npm run ? [opaque]"]),
        ("npm run loop", ["npm run loop", "npm run pool", "npm run loop [opaque]"]),
        ("pnpm install", ["pnpm install"]),
        (
            "composer setup",
            ["composer setup", "composer install --no-dev", "composer clear-cache"],
        ),
        ("composer run php", ["composer run php [opaque]"]),
        ("composer run echo", ["composer run echo [opaque]"]),
        ("pdm run all", ["pdm run all", "pip install x", "pip check", "uv sync"]),
        ("pdm two", ["pdm two", "pip check"]),
        ("pdm run env", ["pdm run env [opaque]"]),
        ("pdm run code", ["pdm run code [opaque]"]),
        ("hatch run setup", ["hatch run setup", "pip install x", "pip check"]),
        ("poe a", ["poe a", "uv sync", "uv sync"]),
        ("deno task x", ["deno task x", "deno cache main.ts"]),
        # A sourced script leaves its variables, its directory and its functions behind.
        (
            ". ./lib.sh && get x && pip check",
            [
                ". ./lib.sh",
                "echo ? [in None]",
                "pip install ? [in None]",
                "export A=1",
                "cd sub [A=1]",
                "pip check [A=1, in /app/sub]",
            ],
        ),
        ("set -a; . ./env; pip check", ["set -a", ". ./env", "pip check [B=2]"]),
        (
            ". ./none.sh; pip check",
            [". ./none.sh [opaque]", "pip check [in None, not environment_known]"],
        ),
        (
            ". ./self.sh; pip check",
            [
                ". ./self.sh",
                ". ./self.sh [opaque]",
                "pip check [in None, not environment_known]",
            ],
        ),
        ("(. ./env); pip check", [". ./env", "pip check"]),
    ],
)
def test_scripts(run: str, expected: list[str]) -> None:
    assert runs(run, FILES) == expected


def test_a_function_that_nobody_calls_does_nothing() -> None:
    assert runs("a() { b; }; b() { rm x; }; c() { rm y; }; a", {}) == ["rm x [in None]"]
    assert runs("c() { rm y; }; trap c EXIT", {}) == ["rm y [in None, conditional]", "trap c EXIT"]


@pytest.mark.parametrize(
    "text",
    [
        '{"scripts": {"build": "next build"}',
        '{"scripts": ["build"]}',
        '{"scripts": {"build": 1}}',
        '{"scripts": {"build": "next build"}}\0',
        '{"scripts": ' + "[" * 50_000,
        json.dumps({"scripts": {"build": "next build", "x": "y" * 1_000_000}}),
        "",
    ],
)
def test_a_manifest_that_nobody_can_read_leaves_the_call_opaque(text: str) -> None:
    assert runs("npm run build", {"/app/package.json": text}) == ["npm run build [opaque]"]


def test_scripts_that_multiply_end_somewhere() -> None:
    names = [
        f"a{n} = {{composite = [{', '.join([f'{chr(34)}a{n + 1}{chr(34)}'] * 40)}]}}"
        for n in range(40)
    ]
    text = "[tool.pdm.scripts]\n" + "\n".join(names)
    assert runs("pdm run a0", {"/app/pyproject.toml": text}) == ["pdm run a0 [opaque]"]


def test_a_finding_in_a_script_stands_on_the_line_of_its_file() -> None:
    text = '{\n "scripts": {\n  "build": "true && next build"\n }\n}'
    item = read("npm run build", {"/app/package.json": text}).items[-1]
    assert item.script is not None
    assert (item.script.path, item.script.line) == ("/app/package.json", 2)
    assert text[item.script.span.start : item.script.span.end] == '"true && next build"'
    assert item.span.start == len("FROM x\nRUN ")


@pytest.mark.parametrize(
    "line",
    [
        '. "$(dirname "$0")/lib.sh"',
        'source "${BASH_SOURCE[0]%/*}/lib.sh"',
        'source "${BASH_SOURCE%/*}/lib.sh"',
        "source $(dirname -- $0)/lib.sh",
        'HERE="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" &> /dev/null && pwd)"\nsource "$HERE/lib.sh"',
        'HERE=$(cd "$(dirname "$0")/../tools" >/dev/null 2>&1 && pwd -P)\n. "$HERE/lib.sh"',
        'HERE=$(dirname "$(readlink -f "$0")")\n"${HERE}/lib.sh"',
        'cd "$(dirname "${BASH_SOURCE[0]}")"\n./lib.sh',
    ],
)
def test_a_script_that_asks_where_it_lies(line: str) -> None:
    files = {"/app/tools/go.sh": f"{line}\n", "/app/tools/lib.sh": "pip install x\n"}
    assert any(item.startswith("pip install x") for item in runs("tools/go.sh", files))
    # The script that sources another one is what `$0` names there, too.
    files["/app/go.sh"] = ". tools/go.sh\n"
    found = any(item.startswith("pip install x") for item in runs("./go.sh", files))
    assert found is ("BASH_SOURCE" in line)


def test_what_is_not_asked_of_the_script_stays_unknown() -> None:
    files = {
        "/app/go.sh": '. "$(dirname "$1")/lib.sh"\n. "$(dirname "$(which pip)")/lib.sh"\n',
        "/app/lib.sh": "pip install x\n",
    }
    assert "pip install x" not in runs("./go.sh", files)
