"""What the programs of a base system do to files: the records of ``programs.toml`` and their reader."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from cachekey.knowledge.reader import Problem, Table
from cachekey.record import record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Kind = Literal["reads", "writes", "makes", "removes", "opens", "copies", "moves", "links"]
"""What is done to a path."""
_KINDS: tuple[Kind, ...] = get_args(Kind)
GRAMMARS = ("", "tar", "zip", "unzip", "dd", "find", "git")


@record(frozen=True)
class Mode:
    """Options with which a program does something else to its operands."""

    options: tuple[str, ...]
    operands: Kind | None


@record(frozen=True)
class Program:
    """How a program's words are read; the file's head explains every key."""

    operands: Kind | None
    """What it does to them; None: nothing."""
    skip: int
    replaces_skip: tuple[str, ...]
    """Options that give what is skipped otherwise (``sed -e``)."""
    deep: bool
    deep_with: tuple[str, ...]
    valued: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    here_with: tuple[str, ...]
    here_without: tuple[str, ...]
    into: tuple[str, ...]
    at: tuple[str, ...]
    modes: tuple[Mode, ...]
    grammar: str
    starts: bool
    needs: bool
    """It fails where one of its operands is not there, whatever it does to them."""

    @property
    def takes_value(self) -> frozenset[str]:
        """Return the options that take the next word."""
        named = (*self.valued, *self.reads, *self.writes, *self.into, *self.at)
        return frozenset((*named, *self.replaces_skip))


@record(frozen=True)
class Reader:
    """Which word of an unknown doing a program surely reads."""

    first: bool
    after: tuple[str, ...]


def parse_readers(table: Table) -> dict[str, Reader]:
    """Read the readers by name."""
    found: dict[str, Reader] = {}
    for item in table.tables("readers"):
        names, reader = item.texts("names"), Reader(item.flag("first"), item.texts("after"))
        item.close()
        found.update(dict.fromkeys(names, reader))
    return found


def parse_programs(text: str, problems: list[Problem]) -> dict[str, Program]:
    """Read the programs by name; what is wrong lands in ``problems``."""
    data = tomllib.loads(text)
    found: dict[str, Program] = {}
    table = Table(data, ("programs",), problems)
    for key in ("source", "date"):
        table.text(key, required=True)
    table.texts("see")
    for item in table.tables("programs"):
        names = item.texts("names")
        program = _program(item)
        item.close()
        for name in names:
            if name in found:
                item.complain(f"{name!r} is there twice", "names")
            found[name] = program
    parse_readers(table)
    table.close()
    return found


def _program(table: Table) -> Program:
    program = Program(
        operands=_kind(table),
        skip=table.number("skip") or 0,
        replaces_skip=table.texts("replaces_skip"),
        deep=table.flag("deep"),
        deep_with=table.texts("deep_with"),
        valued=table.texts("valued"),
        reads=table.texts("reads"),
        writes=table.texts("writes"),
        here_with=table.texts("here_with"),
        here_without=table.texts("here_without"),
        into=table.texts("into"),
        at=table.texts("at"),
        modes=tuple(_mode(item) for item in table.tables("modes")),
        grammar=table.text("grammar"),
        starts=table.flag("starts"),
        needs=table.flag("needs"),
    )
    if program.grammar not in GRAMMARS:
        table.complain(f"{program.grammar!r} is none of {', '.join(GRAMMARS[1:])}", "grammar")
    return program


def _kind(table: Table) -> Kind | None:
    """Read what is done to the operands; a word that is none of these lands in the problems."""
    word = table.text("operands")
    kind = next((item for item in _KINDS if item == word), None)
    if word and kind is None:
        table.complain(f"{word!r} is none of {', '.join(_KINDS)}", "operands")
    return kind


def _mode(table: Table) -> Mode:
    mode = Mode(table.texts("options"), _kind(table))
    table.close()
    return mode


@lru_cache(maxsize=1)
def programs() -> dict[str, Program]:
    """Return the programs of the package's own file."""
    problems: list[Problem] = []
    text = (Path(__file__).parent / "programs.toml").read_text("utf-8")
    found = parse_programs(text, problems)
    if problems:
        raise ValueError("; ".join(map(str, problems)))
    return found


@lru_cache(maxsize=1)
def readers() -> dict[str, Reader]:
    """Return the programs that surely read a word, though nobody knows what they do."""
    text = (Path(__file__).parent / "programs.toml").read_text("utf-8")
    return parse_readers(Table(tomllib.loads(text), ("programs",), []))
