"""Programs that install others or run what a project names: the records of ``installers.toml``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from cachekey.knowledge.reader import Problem, Table
from cachekey.record import record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@record(frozen=True)
class Recipes:
    """A program that builds and installs by others' recipes."""

    files: tuple[str, ...]
    """Where a project keeps its own."""
    installs: tuple[str, ...]
    """Words with which it only installs; ``*``: with any."""


@record(frozen=True)
class Fetched:
    """An installer that is fetched and run at once."""

    urls: tuple[str, ...]
    """What its address begins with, behind the scheme."""
    makes: tuple[str, ...]
    """All folders that it makes in a home, as templates with a shell's variables."""


@record(frozen=True)
class Runner:
    """A program that runs the scripts which package.json names."""

    asks: tuple[str, ...]
    """Words in front of a script's name."""
    harmless: tuple[str, ...]
    """Scripts that do what their names say, where package.json is not at hand."""


@record(frozen=True)
class Installers:
    """All of them; the file's head explains every key."""

    packagers: frozenset[str]
    recipes: Mapping[str, Recipes]
    fetched: tuple[Fetched, ...]
    folders: Mapping[str, tuple[str, ...]]
    """Programs whose installers make a folder of another name, by that name."""
    runners: Mapping[str, Runner]
    engines: Mapping[str, frozenset[str]]
    """The words with which a container engine runs or fills a container."""
    idle: frozenset[str]
    hooks: frozenset[str]

    def fetched_from(self, url: str) -> Fetched | None:
        """Return the installer that comes from an address."""
        behind = url.partition("://")[2].removeprefix("www.")
        return next((x for x in self.fetched if behind.startswith(x.urls)), None)


def parse_installers(text: str, problems: list[Problem]) -> Installers:
    """Read the file; what is wrong in it lands in ``problems``."""
    table = Table(tomllib.loads(text), ("installers",), problems)
    for key in ("source", "date"):
        table.text(key, required=True)
    table.texts("see")
    packagers, idle, hooks = (_names(table, key) for key in ("packagers", "idle", "hooks"))
    recipes: dict[str, Recipes] = {}
    for item in table.tables("recipes"):
        names, found = item.texts("names"), Recipes(item.texts("files"), item.texts("installs"))
        item.close()
        for name in names:
            if name in recipes:
                item.complain(f"{name!r} is there twice", "names")
            recipes[name] = found
    fetched: list[Fetched] = []
    for item in table.tables("fetched"):
        fetched.append(Fetched(item.texts("urls"), item.texts("makes")))
        item.close()
    folders: dict[str, tuple[str, ...]] = {}
    for item in table.tables("folders"):
        folders[item.text("name", required=True)] = item.texts("by")
        item.close()
    runners: dict[str, Runner] = {}
    for item in table.tables("runners"):
        runner = Runner(item.texts("asks"), item.texts("harmless"))
        runners.update((name, runner) for name in item.texts("names"))
        item.close()
    engines: dict[str, frozenset[str]] = {}
    for item in table.tables("engines"):
        words = frozenset(item.texts("runs"))
        engines.update((name, words) for name in item.texts("names"))
        item.close()
    table.close()
    return Installers(packagers, recipes, tuple(fetched), folders, runners, engines, idle, hooks)


def _names(table: Table, key: str) -> frozenset[str]:
    """Read rows that are names and nothing else."""
    names: set[str] = set()
    for item in table.tables(key):
        names.update(item.texts("names"))
        item.close()
    return frozenset(names)


@lru_cache(maxsize=1)
def installers() -> Installers:
    """Return those of the package's own file."""
    problems: list[Problem] = []
    text = (Path(__file__).parent / "installers.toml").read_text("utf-8")
    found = parse_installers(text, problems)
    if problems:
        raise ValueError("; ".join(map(str, problems)))
    return found
