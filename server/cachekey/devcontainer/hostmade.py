"""What ``initializeCommand`` and its scripts make on the host, before the container is built and made.

Paths are those of :attr:`Container.host_story`: the opened folder is ``/``, the home of the host's
user is :data:`HOST_HOME`. Whoever accuses asks whether anything *may* make a place.
"""

from __future__ import annotations

import posixpath

from cachekey.commands.effect import Effect
from cachekey.commands.effects import effects_of
from cachekey.commands.invocation import Invocation
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.paths import covers

_FILLS = ("writes", "copies", "moves", "links")
_ENGINES = ("docker", "podman")
_TOUCHES_NO_FILE = frozenset(
    ("volume", "network", "pull", "login", "image", "info", "context", "ps")
)
"""What an engine's command line does without a file of the workspace."""


def file_may_be_made(path: str, container: Container) -> bool:
    """Tell whether a file may be made; ``path`` counts from the workspace's root."""
    story = container.host_story
    below = posixpath.relpath(path, container.root or ".")
    if story.unread or below.startswith(".."):
        return bool(story.unread)
    place = f"/{below}"
    return any(_may_make_file(place, ran.item) for ran in story.items)


def folder_may_be_made(place: str, container: Container) -> bool:
    """Tell whether a folder may be made; ``place`` is one of the host, as this module writes them."""
    story = container.host_story
    return bool(story.unread) or any(_may_make_folder(place, ran.item) for ran in story.items)


def _may_make_file(place: str, item: Invocation) -> bool:
    name = posixpath.basename(place)
    if item.shown:
        # What it runs comes by itself.
        return False
    if any(text is not None and name in text for text in item.texts):
        return True
    effects = effects_of(item)
    if effects is None:
        return _touches_files(item)
    return any(_fills(effect, place, item) for effect in effects)


def _may_make_folder(place: str, item: Invocation) -> bool:
    if item.shown:
        return False
    effects = effects_of(item)
    if effects is None:
        return _touches_files(item)
    return any(_fills(effect, place, item) or _lies_in(effect, place) for effect in effects)


def _touches_files(item: Invocation) -> bool:
    words = [text for text in item.texts if text is None or not text.startswith("-")]
    return (
        item.program not in _ENGINES
        or words[:1] == [None]
        or not (set(words[:1]) & _TOUCHES_NO_FILE)
    )


def _fills(effect: Effect, place: str, item: Invocation) -> bool:
    """Tell whether an effect puts something at a place, or into a folder around it, or may do so."""
    if effect.kind == "makes":
        # `git clone` and the like make folders with something in them.
        return item.program != "mkdir" and (effect.path is None or covers(effect.path, place))
    if effect.kind not in _FILLS:
        return False
    where = _where(effect)
    return where is None or covers(where, place)


def _lies_in(effect: Effect, place: str) -> bool:
    """Tell whether an effect makes something at a place or in it, or may do so."""
    if effect.kind != "makes" and effect.kind not in _FILLS:
        return False
    where = _where(effect)
    return where is None or not frozenset(where).isdisjoint("{*?[") or covers(place, where)


def _where(effect: Effect) -> str | None:
    return effect.path if effect.kind in ("makes", "writes") else effect.to
