"""Which words of a container's commands and of its Dockerfile's steps name a tool or a directory."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from cachekey.commands.effects import effects_of
from cachekey.commands.invocation import Invocation
from cachekey.devcontainer.makings import Makings
from cachekey.devcontainer.paths import covers
from cachekey.dockerfile.records import Step


def only_gives(item: Invocation) -> bool:
    """Tell whether a command does nothing but make directories and give them away: ``chown``, ``mkdir``."""
    effects = effects_of(item)
    return bool(effects) and all(effect.kind in ("makes", "opens") for effect in effects or ())


def words_of(items: Iterable[Invocation]) -> Iterator[str]:
    """Yield what commands say: programs, words, values, files; as written where nobody knows more."""
    for item in items:
        yield item.path or item.program or ""
        for word, text in zip(item.args, item.texts, strict=True):
            yield word.written if text is None else text
        yield from (setting.text for setting in item.env.values() if setting.text)
        yield from (redirect.target.written for redirect in item.simple.redirects)


def build_words(made: Makings) -> Iterator[str]:
    """Yield what the RUNs of the container's stage say, other than to give directories away."""
    for step in made.steps:
        if step.run is not None:
            yield from words_of(one for one in step.run.commands.items if not only_gives(one))
            if not step.run.commands.complete:
                yield step.run.text


def named_in_build(place: str, made: Makings) -> bool:
    """Tell whether the Dockerfile names a directory, or what lies in it, outside of its mounts."""
    return any(_names(step, place) for step in made.steps)


def _names(step: Step, place: str) -> bool:
    if step.run is not None:
        words = (part for word in words_of(step.run.commands.items) for part in _paths(word))
        effects = (effect for _, effect in step.run.effects.known)
        return (
            any(covers(place, path) for path in words)
            or any(path and covers(place, path) for e in effects for path in (e.path, e.to))
            or (not step.run.commands.complete and place in step.run.text)
        )
    if step.copied is not None:
        target = step.copied.target
        return target is None or covers(place, target)
    if step.instruction.keyword == "WORKDIR":
        return covers(place, posixpath.normpath(posixpath.join("/", step.instruction.args.text)))
    return False


def _paths(word: str) -> Iterator[str]:
    """Yield the absolute paths in a word: itself, and what stands behind a ``=`` or between colons."""
    for part in word.replace("=", ":").split(":"):
        if part.startswith("/"):
            yield posixpath.normpath(part)
