"""The scripts that a file of the project names: `npm run build`, `composer setup`, `pdm run lint`.

Which program looks where is in ``knowledge/scripts.toml``. What a script says beside shell commands
(a PHP callback, an environment of its own) nobody can read: then there is no answer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from cachekey.commands.invocation import Invocation
from cachekey.commands.peeling import Call
from cachekey.commands.shellstate import Setting
from cachekey.knowledge.scripts import ScriptRunner, script_runners
from cachekey.syntax.shell.parse import Lookup
from cachekey.text import Elsewhere, Mapped, Span

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MOST_COMMANDS = 50
"""Commands that one script may come down to."""
_SAYS = ("cmd", "shell", "command", "composite", "sequence")
"""Where a script that is a table says what it runs."""
_TELLS = frozenset((*_SAYS, "help", "description"))


class Asked(NamedTuple):
    """A script that a call asks for."""

    runner: ScriptRunner
    name: str
    folder: str | None
    """The project's folder, when an option names it."""
    more: bool
    """Further words go to the script."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files of which the first counts that there is."""
        return self.runner.files

    @property
    def generators(self) -> tuple[str, ...]:
        """Nothing makes such a file anew."""
        return ()

    def is_stale(self, _path: str, _items: Iterable[Invocation]) -> bool:
        """Take the file as the build context has it."""
        return False

    def read(self, _call: Call, _folder: str, text: Mapped, _environment: Lookup) -> Told | None:
        """Return what runs; None: the file has no such script."""
        lines = lines_of(self, text)
        return None if lines is None else Told(lines, bool(lines))


class Line(NamedTuple):
    """One command of a script."""

    text: Mapped
    surely: bool
    """False for a hook that only some releases run."""
    last: bool
    """What further words of the call go to."""
    lists: bool = False
    """Its shell knows lists in braces."""


class Told(NamedTuple):
    """What a file tells of a script."""

    lines: Sequence[Line]
    whole: bool
    """False: more may run than the lines tell."""
    env: Mapping[str, Setting] = {}
    """Variables that the lines get beside those of the call."""


def asked_for(call: Call, name: str) -> Asked | None:
    """Return the script that a call of the program ``name`` asks for; None: it asks for none."""
    runner = script_runners().get(name)
    if runner is None:
        return None
    words: list[str] = []
    folder, at = None, call.at + 1
    while at < len(call.words):
        text = call.text(at)
        at += 1
        if text is None:
            return None
        option, equals, value = text.partition("=")
        if option in runner.at:
            folder = value if equals else call.text(at)
            at += not equals
            if folder is None:
                return None
        elif text.startswith("-") and text not in runner.switches:
            # Behind the name it may be the script's own; in front, `-w` and its kin choose others.
            if _named(runner, words) is None:
                return None
            words.append(text)
        elif not text.startswith("-"):
            words.append(text)
    named = _named(runner, words)
    if named is None:
        return None
    if any(word in ("-w", "--workspace", "--workspaces", "-r") for word in words):
        return None
    return Asked(runner, named[0], folder, len(words) > named[1])


def _named(runner: ScriptRunner, words: list[str]) -> tuple[str, int] | None:
    """Return the script's name and how many words it takes to say it."""
    if not words:
        return None
    first = words[0]
    if first in runner.alone:
        return runner.alone[first], 1
    if first in runner.run:
        return (words[1], 2) if len(words) > 1 else None
    if "" in runner.run or (runner.any and first not in runner.own):
        return first, 1
    return None


def lines_of(asked: Asked, text: Mapped) -> list[Line] | None:
    """Return what a script runs, in order; nothing when it cannot be read, None when there is none.

    ``text`` is the file that holds the script.
    """
    if not isinstance(text, Elsewhere):
        return None
    table = _table(text, asked.runner.key)
    if table is None or asked.name not in table:
        return None
    lines: list[Line] = []
    hooks = asked.runner.hooks
    for name in (f"pre{asked.name}", asked.name, f"post{asked.name}"):
        main = name == asked.name
        if not main and (not hooks or name not in table):
            continue
        # Scripts may name each other over and over; no more of it is looked at than may be used.
        said = list(islice(_said(table[name], table, asked.runner, (name,)), _MOST_COMMANDS + 1))
        if None in said or len(said) + len(lines) > _MOST_COMMANDS:
            return []
        for number, one in enumerate(said, 1):
            last = main and number == len(said)
            lines.append(Line(_placed(text, one or ""), main or hooks == "always", last))
    return lines


def _table(text: Elsewhere, key: str) -> Mapping[str, Any] | None:
    """Return the table of scripts of a file."""
    try:
        data = json.loads(text.text) if text.path.endswith(".json") else tomllib.loads(text.text)
    except (ValueError, RecursionError):
        return None
    for part in key.split("."):
        data = data.get(part) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else None


def _said(
    value: Any, table: Mapping[str, Any], runner: ScriptRunner, seen: tuple[str, ...]
) -> Iterator[str | None]:
    """Yield the commands of a script; None for what is none or cannot be read."""
    if isinstance(value, dict):
        told = [value[key] for key in _SAYS if key in value]
        if len(told) != 1 or not _TELLS.issuperset(value) or len(seen) > _MOST_COMMANDS:
            yield None
        else:
            yield from _said(told[0], table, runner, seen)
    elif isinstance(value, list) and len(value) <= _MOST_COMMANDS:
        for item in value:
            yield from _said(item, table, runner, seen) if isinstance(item, str) else (None,)
    elif isinstance(value, str):
        yield from _one(value, table, runner, seen)
    else:
        yield None


def _one(
    text: str, table: Mapping[str, Any], runner: ScriptRunner, seen: tuple[str, ...]
) -> Iterator[str | None]:
    """Yield a command, or those of the script that it names."""
    first, _, rest = text.strip().partition(" ")
    if runner.refers == "@" and "::" in first:
        # A method of the project's own code.
        yield None
        return
    if runner.refers == "@" and first.startswith("@"):
        first = first[1:]
        text = f"{first} {rest}"
        if first in ("php", "composer"):
            yield text
            return
        if first not in table:
            yield None
            return
    elif runner.refers != "name" or first not in table or first in seen[-1:]:
        yield text
        return
    if rest or first in seen or len(seen) >= _MOST_COMMANDS:
        yield None
    else:
        yield from _said(table[first], table, runner, (*seen, first))


def _placed(file: Elsewhere, said: str) -> Elsewhere:
    """Return a command with the place in its file, as far as that can be found."""
    place = Span(0, len(file.text.partition("\n")[0]))
    for written in (json.dumps(said, ensure_ascii=False), json.dumps(f"@{said}")):
        at = file.text.find(written)
        if at >= 0:
            place = Span(at, at + len(written))
            break
    line = file.text.count("\n", 0, place.start)
    return Elsewhere(said, file.pieces, file.stop, file.anchor, file.path, (line, place))
