"""Which commands and files of a workspace tell a tool where its cache is: settings that no variable has."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from cachekey.commands.effects import effects_of
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.files import Files
from cachekey.devcontainer.inuse import build_texts
from cachekey.knowledge.paths import UnknownValueError, expand_template

if TYPE_CHECKING:
    from cachekey.knowledge.records import CacheDir, Tool


def names_of(cache: CacheDir) -> frozenset[str]:
    """Return the variables that lead a tool to a cache, in any case."""
    names = (*cache.variables, *cache.pins)
    return frozenset((*names, *(name.lower() for name in names)))


_ENVIRONMENTS = ("mise.toml", ".mise.toml", ".envrc", ".env")
"""Files of a workspace from which shells may take variables."""


def exported(names: Iterable[str], container: Container) -> bool:
    """Tell whether a file that sets variables for the shells of the workspace names one of these."""
    texts = (container.texts.read(posixpath.join(container.root, f)) for f in _ENVIRONMENTS)
    wanted = tuple(names)
    return any(name in text for text in texts if text is not None for name in wanted)


def configured(cache: CacheDir, tool: Tool, container: Container) -> bool:
    """Tell whether a command or a file of the workspace moves the cache."""
    if exported(names_of(cache), container):
        return True
    for way in cache.moved_by:
        if way.config:
            key = way.text or way.key.rpartition(".")[2]
            if any(key in text for text in _texts(way.config, container)):
                return True
            if _put_there(posixpath.basename(way.config), container):
                return True
        elif way.command is not None:
            word = way.command.words[-1] if way.command.words else way.command.text
            if _told_by_command(word, tool, container):
                return True
    return False


def _texts(config: str, container: Container) -> Iterator[str]:
    """Yield what a tool's file says where it looks for it: in the opened folder, in the user's home.

    A mount may bring it there, or the Dockerfile.
    """
    place = posixpath.join(container.home or "/", config)
    if config.startswith("$"):
        try:
            place = expand_template(config, container.environment.lookup)
        except UnknownValueError:
            return
    else:
        text = container.texts.read(posixpath.normpath(posixpath.join(container.root, config)))
        if text is not None:
            yield text
    found = Files(container).find(posixpath.normpath(place))
    if found is not None:
        yield found[1]


def _put_there(name: str, container: Container) -> bool:
    """Tell whether a command puts a file by that name somewhere, whatever it says."""
    paths = (
        effect.path if effect.kind == "writes" else effect.to
        for ran in container.story.items
        for effect in effects_of(ran.item) or ()
        if effect.kind in ("writes", "copies", "moves", "links")
    )
    return any(path is not None and posixpath.basename(path) == name for path in paths)


def _told_by_command(word: str, tool: Tool, container: Container) -> bool:
    """Tell whether a command of a tool has the name of a setting, or any text gives it a value."""
    built = (step.run.commands.items for step in container.steps if step.run is not None)
    for item in (*(ran.item for ran in container.story.items), *chain.from_iterable(built)):
        its = any(
            known.id == tool.id for known, _ in container.knowledge.commands_for(item.program or "")
        )
        if its and any(text is None or text == word for text in item.texts):
            return True
        if any(_gives_value(word, text or "") for text in item.texts):
            return True
    return any(_gives_value(word, text) for text in build_texts(container))


def _gives_value(word: str, text: str) -> bool:
    return f"{word}=" in text or f"{word}:" in text
