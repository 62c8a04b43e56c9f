"""Programs that run a script which a file of the project names: the records of ``scripts.toml``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path

from cachekey.knowledge.reader import Problem, Table
from cachekey.record import record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HOOKS = ("", "always", "maybe")
REFERS = ("", "@", "name")


@record(frozen=True)
class ScriptRunner:
    """How a program is told to run a script; the file's head explains every key."""

    files: tuple[str, ...]
    key: str
    run: tuple[str, ...]
    alone: Mapping[str, str]
    any: bool
    own: tuple[str, ...]
    switches: tuple[str, ...]
    at: tuple[str, ...]
    hooks: str
    refers: str


@record(frozen=True)
class Book:
    """How a program is told to run recipes of a file; the file explains every key."""

    files: tuple[str, ...]
    file: tuple[str, ...]
    at: tuple[str, ...]
    valued: tuple[str, ...]
    numbered: tuple[str, ...]
    switches: tuple[str, ...]
    always: tuple[str, ...]
    generators: tuple[str, ...]


def parse_script_runners(
    text: str, problems: list[Problem]
) -> tuple[dict[str, ScriptRunner], dict[str, Book]]:
    """Read runners and books by the program's name; what is wrong lands in ``problems``."""
    found: dict[str, ScriptRunner] = {}
    books: dict[str, Book] = {}
    table = Table(tomllib.loads(text), ("runners",), problems)
    for key in ("source", "date"):
        table.text(key, required=True)
    table.texts("see")
    for item in table.tables("runners"):
        names, runner = item.texts("names"), _runner(item)
        item.close()
        for name in names:
            if name in found:
                item.complain(f"{name!r} is there twice", "names")
            found[name] = runner
    for item in table.tables("books"):
        item.text("source", required=True)
        book = Book(*(item.texts(field.name) for field in fields(Book)))
        books.update((name, book) for name in item.texts("names"))
        item.close()
    table.close()
    return found, books


def _runner(table: Table) -> ScriptRunner:
    runner = ScriptRunner(
        files=table.texts("files"),
        key=table.text("key", required=True),
        run=table.texts("run"),
        alone=table.mapping("alone"),
        any=table.flag("any"),
        own=table.texts("own"),
        switches=table.texts("switches"),
        at=table.texts("at"),
        hooks=table.text("hooks"),
        refers=table.text("refers"),
    )
    if runner.hooks not in HOOKS:
        table.complain(f"hooks is {' or '.join(HOOKS[1:])}", "hooks")
    if runner.refers not in REFERS:
        table.complain(f"refers is {' or '.join(REFERS[1:])}", "refers")
    return runner


@lru_cache(maxsize=1)
def _read() -> tuple[dict[str, ScriptRunner], dict[str, Book]]:
    problems: list[Problem] = []
    text = (Path(__file__).parent / "scripts.toml").read_text("utf-8")
    found = parse_script_runners(text, problems)
    if problems:
        raise ValueError("; ".join(map(str, problems)))
    return found


def script_runners() -> dict[str, ScriptRunner]:
    """Return the runners of the package's own file."""
    return _read()[0]


def books() -> dict[str, Book]:
    """Return the programs that run recipes, of the package's own file."""
    return _read()[1]
