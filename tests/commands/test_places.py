"""Where a call stands in the file, what its words say, and where reading ends."""

from __future__ import annotations

import pytest
from cachekey.commands.read import Commands, read_commands
from cachekey.syntax.dockerfile.parse import parse
from cachekey.text import Source

VARIABLES = {"HOME": "/root", "PIP_CACHE_DIR": "/pc", "APP": "/srv/app"}


def read(run: str, shell: tuple[str, ...] | None = None, workdir: str | None = "/app") -> Commands:
    return read_source(Source(f"FROM x\nRUN {run}\n"), shell, workdir)


def read_source(
    source: Source, shell: tuple[str, ...] | None = None, workdir: str | None = "/app"
) -> Commands:
    found = [one for one in parse(source).instructions if one.keyword == "RUN"]
    return read_commands(found[0], shell=shell, lookup=VARIABLES.get, workdir=workdir)


def test_without_a_working_directory_it_is_not_known() -> None:
    items = read("npm a; cd x; npm b; cd /y; npm c", workdir=None).items
    assert [item.cwd for item in items if item.program == "npm"] == [None, None, "/y"]
    assert [item.cwd_known for item in items if item.program == "npm"] == [False, False, True]


@pytest.mark.parametrize(
    ("run", "program", "head", "whole"),
    [
        ("a && pip install 'x y' > z", "pip", "pip", "pip install 'x y'"),
        ("sudo -u u python3 -m pip x", "pip", "python3 -m pip", "python3 -m pip x"),
        ("sh -c 'a && pip  x'", "pip", "pip", "pip  x"),
        ('bash -c "a && pip \\"x\\""', "pip", "pip", 'pip \\"x\\"'),
        ('["sh", "-c", "pip x"]', "pip", "pip", "pip x"),
        ("corepack pnpm i", "pnpm", "corepack pnpm", "corepack pnpm i"),
        ("npx tsc -b", "tsc", "tsc", "tsc -b"),
        ("A=1 /usr/bin/pip x", "pip", "/usr/bin/pip", "/usr/bin/pip x"),
    ],
)
def test_where_it_stands(run: str, program: str, head: str, whole: str) -> None:
    source = Source(f"FROM x\nRUN {run}\n")
    item = next(one for one in read_source(source).items if one.program == program)
    assert source.slice(item.head) == head
    assert source.slice(item.span) == whole


def test_settings_know_where_they_were_made() -> None:
    source = Source("FROM x\nRUN export A=1 && B='2 3' env C=$X pip x\n")
    item = read_source(source).items[-1]
    assert {name: source.slice(one.span) for name, one in item.env.items()} == {
        "A": "A=1",
        "B": "B='2 3'",
        "C": "C=$X",
    }
    assert [item.resolve(item.env[name]) for name in "ABC"] == ["1", "2 3", None]


def test_the_outer_command_of_a_nested_one() -> None:
    source = Source("FROM x\nRUN a && sh -c 'b > c' && d\n")
    item = next(one for one in read_source(source).items if one.program == "b")
    assert source.slice(item.command.span) == "sh -c 'b > c'"
    assert source.slice(item.simple.span) == "b > c"
    assert item.in_subshell


def test_a_glob_of_an_argument() -> None:
    item = read("rm -rf /var/lib/apt/lists/* $HOME/*").items[0]
    assert item.texts == ("-rf", None, None)
    kept = [item.resolve(word, globs=True) for word in item.args]
    assert kept == ["-rf", "/var/lib/apt/lists/*", "/root/*"]


def test_names_that_might_be_wrappers() -> None:
    items = read("apt-install x && rm y && echo z && $A && mkdir -p b").items
    assert [item.program for item in items if item.unfamiliar] == ["apt-install", None]


def test_many_variables_are_given_up() -> None:
    run = " && ".join(f"export A{number}=x" for number in range(1200))
    last = read(f"{run} && pip x").items[-1]
    assert not last.environment_known
    assert len(last.env) < 600


def test_scripts_in_scripts_end_somewhere() -> None:
    run = "pip x"
    for _ in range(9):
        run = "sh -c " + "'" + run.replace("'", "'\\''") + "'"
    assert not read(run).complete
