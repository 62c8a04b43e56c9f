"""What an image starts: the paths that ENTRYPOINT and CMD name."""

from __future__ import annotations

import posixpath
import re

from cachekey.dockerfile.records import Stage, Step
from cachekey.record import record
from cachekey.text import Mapped

_PLAIN = re.compile(r"(?<!\S)[\w./+@-]+(?!\S)")
"""A word in which the shell has nothing to fill in."""


@record(frozen=True)
class Named:
    """A word of ENTRYPOINT or CMD that is a path."""

    path: str
    """Absolute."""
    word: Mapped
    starts: bool
    """It is the program, and not a word that the program gets."""


def named_at_start(stage: Stage) -> tuple[Named, ...]:
    """Return the paths that a container of the stage's image is started with.

    The last ENTRYPOINT of the stage counts, and the last CMD, whose words are its arguments. What the base
    image says is not asked. Source: Dockerfile reference, "Understand how CMD and ENTRYPOINT interact".
    """
    found: list[Named] = []
    for keyword in ("ENTRYPOINT", "CMD"):
        step = next((s for s in reversed(stage.steps) if s.instruction.keyword == keyword), None)
        if step is not None:
            found += _paths(step, alone=not found)
            if step.instruction.json is None:
                # A shell takes no further words.
                break
    return tuple(found)


def _paths(step: Step, *, alone: bool) -> list[Named]:
    args, words = step.instruction.args, step.instruction.json
    if words is None:
        words = tuple(args.slice(*match.span()) for match in _PLAIN.finditer(args.text))
    place = step.scope.workdir
    folder = place.text if place is not None and place.known else None
    found: list[Named] = []
    for number, word in enumerate(words):
        path = word.text if word.text[:1] == "/" or folder is None else f"{folder}/{word.text}"
        if "/" in word.text and path[:1] == "/" and word.text[:1] != "-":
            starts = alone and number == 0
            found.append(Named("/" + posixpath.normpath(path).lstrip("/"), word, starts))
    return found
