"""The facts about tools and base images, read from the TOML files beside this module.

Only this package reads them. A file is parsed when something needs it: which one knows an
executable, a path or an image is found by a scan for the lines that name them.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cachekey.knowledge.image_records import Image, Ships, User
from cachekey.knowledge.images import ImageRecord, parse_image, read_reference
from cachekey.knowledge.parse import parse_tool
from cachekey.knowledge.paths import looks_like, own_places
from cachekey.knowledge.patterns import matches
from cachekey.knowledge.programs import programs
from cachekey.knowledge.reader import Problem
from cachekey.knowledge.records import CacheDir, Command, Kind, Tool
from cachekey.record import cached_property, record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Claim", "Image", "Knowledge", "KnowledgeError", "Problem", "Tool", "lookup_image"]

_FOLDER = Path(__file__).parent
_LISTS = re.compile(r"^(names|path|root_path|alternatives|looks_like|match) = (.+)$", re.MULTILINE)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


class KnowledgeError(ValueError):
    """A data file of this package is wrong; tests keep that from happening."""


@record(frozen=True)
class Claim:
    """A directory that a mount's target is, or is meant to be."""

    tool: Tool
    cache: CacheDir


@record(frozen=True)
class _File:
    """One data file, not parsed yet, and the words by which it is found."""

    name: str
    text: str
    executables: tuple[str, ...]
    tails: frozenset[str]
    """Last components of the paths in it."""
    match: tuple[str, ...]


@lru_cache(maxsize=2)
def _files(folder: str) -> tuple[_File, ...]:
    return tuple(_scan(path) for path in sorted((_FOLDER / folder).glob("*.toml")))


def _scan(path: Path) -> _File:
    text = path.read_text("utf-8")
    executables: list[str] = []
    tails: set[str] = set()
    match: list[str] = []
    for key, value in _LISTS.findall(text):
        strings = _STRING.findall(value)
        if key == "names":
            executables += strings
        elif key == "match":
            match += strings
        else:
            tails.update(string.rstrip("/}").rpartition("/")[2] for string in strings)
    return _File(path.stem, text, tuple(executables), frozenset(tails), tuple(match))


@lru_cache(maxsize=256)
def _tool(name: str) -> Tool:
    file = next(file for file in _files("tools") if file.name == name)
    problems: list[Problem] = []
    tool = parse_tool(name, tomllib.loads(file.text), problems)
    if problems:
        raise KnowledgeError("; ".join(map(str, problems)))
    return tool


@lru_cache(maxsize=256)
def _image_records(name: str) -> tuple[ImageRecord, ...]:
    """Return the records of a file; one file may hold several, as ``[[images]]``."""
    file = next(file for file in _files("images") if file.name == name)
    data = tomllib.loads(file.text)
    problems: list[Problem] = []
    shared = {key: value for key, value in data.items() if key != "images"}
    entries = data.get("images", [{}])
    records = tuple(
        parse_image(entry.get("id", name), {**shared, **entry}, problems) for entry in entries
    )
    if problems:
        raise KnowledgeError("; ".join(map(str, problems)))
    return records


@lru_cache(maxsize=1)
def _system() -> dict[str, Any]:
    return tomllib.loads((_FOLDER / "system.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _broad() -> tuple[Ships, ...]:
    return tuple(Ships(item["path"], item["what"]) for item in _system()["broad"])


@lru_cache(maxsize=64)
def standard_users(family: str | None) -> tuple[User, ...]:
    """Return the accounts that every image of a family has, beside root."""
    found = (entry["users"] for entry in _system()["accounts"] if family in entry["families"])
    return tuple(User(**item) for users in found for item in users)


@lru_cache(maxsize=1)
def _project_files() -> Mapping[str, str]:
    return dict(_system()["project_files"])


class Knowledge:
    """Everything known: the data files, and the user's own tools and images over them."""

    def __init__(
        self,
        extra_tools: Mapping[str, Mapping[str, Any]] | None = None,
        extra_images: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Take own tools and images, as tables by name; what is wrong lands in ``problems``."""
        self.problems: list[Problem] = []
        self._own_tools = tuple(
            parse_tool(name, data, self.problems, own=True)
            for name, data in (extra_tools or {}).items()
        )
        self._own_images = tuple(
            parse_image(name, data, self.problems, own=True)
            for name, data in (extra_images or {}).items()
        )
        self._by_program: dict[str, tuple[tuple[Tool, Command], ...]] = {}
        self._by_target: dict[str, tuple[Claim, ...]] = {}
        self._by_image: dict[str, Image | None] = {}

    def tools(self) -> Iterator[Tool]:
        """Yield every tool, own ones first; this parses all files."""
        own = {tool.id for tool in self._own_tools}
        yield from self._own_tools
        yield from (_tool(file.name) for file in _files("tools") if file.name not in own)

    @cached_property
    def tool_ids(self) -> tuple[str, ...]:
        """Return the ids of all tools, without parsing their files."""
        own = tuple(tool.id for tool in self._own_tools)
        return (*own, *(file.name for file in _files("tools") if file.name not in own))

    def tool(self, name: str) -> Tool | None:
        """Return a tool by its id."""
        for tool in self._own_tools:
            if tool.id == name:
                return tool
        return _tool(name) if any(file.name == name for file in _files("tools")) else None

    def commands_for(self, program: str) -> tuple[tuple[Tool, Command], ...]:
        """Return all tools that an executable may be, own ones first, and how each reads it."""
        found = self._by_program.get(program)
        if found is None:
            found = self._by_program[program] = tuple(self._commands_for(program))
        return found

    def _commands_for(self, program: str) -> Iterator[tuple[Tool, Command]]:
        own = {tool.id for tool in self._own_tools}
        tools = [*self._own_tools]
        tools += [
            _tool(file.name)
            for file in _files("tools")
            if file.name not in own and any(matches(program, x) for x in file.executables)
        ]
        for tool in tools:
            for command in tool.commands:
                if any(matches(program, glob) for glob in command.names):
                    yield tool, command

    def tool_for(self, program: str) -> Tool | None:
        """Return the first tool that an executable may be."""
        found = self.commands_for(program)
        return found[0][0] if found else None

    def harmless(self, program: str) -> bool:
        """Tell whether a program surely uses no cache and starts no other one."""
        known = programs().get(program)
        return known is not None and not known.starts

    def claims(self, target: str) -> tuple[Claim, ...]:
        """Return the directories that an absolute target looks like, the closest first."""
        found = self._by_target.get(target)
        if found is None:
            found = self._by_target[target] = self._claims(target)
        return found

    def _claims(self, target: str) -> tuple[Claim, ...]:
        parts = {part for part in target.split("/") if part}
        own = {tool.id for tool in self._own_tools}
        tools = [*self._own_tools]
        tools += [
            _tool(file.name)
            for file in _files("tools")
            if file.name not in own and not file.tails.isdisjoint(parts)
        ]
        found = [
            (length, Claim(tool, cache))
            for tool in tools
            for cache in tool.caches
            if (length := looks_like(target, cache))
        ]
        found.sort(key=lambda item: -item[0])
        return tuple(claim for _, claim in found)

    def gathers(self, folder: str) -> bool:
        """Tell whether several tools have their caches directly in a folder (``~/.cache``)."""
        return any(matches(folder, glob) for glob in self._gathering)

    @cached_property
    def _gathering(self) -> tuple[str, ...]:
        """Globs of folders in which caches of several tools lie; to know them, all files are parsed."""
        owners: dict[str, set[str]] = {}
        for tool in self.tools():
            for cache in tool.caches:
                for place in own_places(cache) if cache.kind is Kind.DOWNLOAD else ():
                    around = posixpath.dirname(place)
                    if not set(posixpath.basename(around)) & set("*?["):
                        owners.setdefault(around, set()).add(tool.id)
        return tuple(around for around, tools in owners.items() if len(tools) > 1)

    def image(self, reference: str) -> Image | None:
        """Return what is known of ``FROM reference``; None for an unknown image."""
        if reference not in self._by_image:
            self._by_image[reference] = self._image(reference)
        return self._by_image[reference]

    def _image(self, text: str) -> Image | None:
        reference = read_reference(text, _system()["mirrors"])
        if reference is None:
            return None
        for entry in self._own_images:
            if entry.fits(reference.repository):
                return entry.at(reference.tag)
        for file in _files("images"):
            if any(matches(reference.repository, glob) for glob in file.match):
                for entry in _image_records(file.name):
                    if entry.fits(reference.repository):
                        return entry.at(reference.tag)
        return None

    def images(self) -> Iterator[Image]:
        """Yield every image without its variants; this parses all files."""
        yield from (entry.image for entry in self._own_images)
        for file in _files("images"):
            yield from (entry.image for entry in _image_records(file.name))

    def project_files(self) -> Mapping[str, str]:
        """Return the files that show which tool installs a project, with the tools' ids."""
        return _project_files()

    def broad(self) -> tuple[Ships, ...]:
        """Return the directories that every image fills."""
        return _broad()


@lru_cache(maxsize=1)
def _default() -> Knowledge:
    return Knowledge()


def lookup_image(reference: str) -> Image | None:
    """Return what the data files say of an image reference."""
    return _default().image(reference)
