"""Package managers that delete what they have downloaded, and which steps of a stage tell them to keep it."""

from __future__ import annotations

import posixpath
import re

from cachekey.commands.effect import meets
from cachekey.commands.effects import effects_of
from cachekey.commands.invocation import Invocation
from cachekey.dockerfile.context import Copied
from cachekey.dockerfile.records import Dockerfile, Run, Stage
from cachekey.knowledge.records import Keeping
from cachekey.record import remembered

_SINGLE = re.compile(r"[\w-]+\.\w+")
"""A file's name: `setup.sh`."""


def deletes_packages(stage: Stage, keeping: Keeping) -> bool:
    """Tell whether the image that a stage begins with is known to delete them."""
    facts = stage.chain[-1].base.facts
    return facts is not None and facts.family in keeping.families


def dealt_with(
    stage: Stage, keeping: Keeping, dockerfile: Dockerfile | None = None, last: Run | None = None
) -> bool:
    """Tell whether a step of the stage chain touches the configuration, or may do so unseen.

    The ``dockerfile`` tells what other stages are, from which something is copied. Steps of the stage behind
    the RUN ``last`` come too late for it.
    """
    for part in stage.chain:
        for step in part.steps:
            if last is not None and part is stage and step.instruction.span.start > last.span.start:
                break
            if step.run is not None and _touched(step.run, keeping):
                return True
            if step.copied is None or not _brings(step.copied, keeping):
                continue
            if dockerfile is None or not _has_none(step.copied, part, dockerfile, keeping):
                return True
    return False


def _brings(copied: Copied, keeping: Keeping) -> bool:
    """Tell whether a copy may bring one of the files; what looks like a single file keeps its name."""
    target = copied.target
    if target is None or not is_told_by(target, keeping):
        return target is None
    names = [posixpath.basename(word.rstrip("/")) for word in copied.words[:-1]]
    if not names or not all(_SINGLE.fullmatch(name) for name in names):
        return True
    return any(is_told_by(posixpath.join(target, name), keeping) for name in names)


def _has_none(copied: Copied, reader: Stage, dockerfile: Dockerfile, keeping: Keeping) -> bool:
    """Tell whether what is copied is a whole image of which all is known, and it has no such file."""
    brought = dockerfile.brought_whole(copied, reader)
    return brought is not None and not any(is_told_by(folder, keeping) for folder in brought)


def is_told_by(path: str | None, keeping: Keeping) -> bool:
    """Tell whether a path is, holds or lies in one of the files that decide it; an unknown one may be."""
    return path is None or any(meets(file, path) for file in keeping.files)


@remembered
def _touched(run: Run, keeping: Keeping) -> bool:
    """Tell whether a RUN deals with the configuration, or may: setting up apt is what scripts do."""
    unseen = any(item.opaque and item.path and "/" in item.path for item in run.commands.items)
    return unseen or touches(run, keeping)


def keeps_too_late(stage: Stage, keeping: Keeping) -> Run | None:
    """Return the first RUN of a stage itself that surely touches the configuration."""
    return next((run for run in stage.runs if touches(run, keeping, surely=True)), None)


def touches(run: Run, keeping: Keeping, *, surely: bool = False) -> bool:
    """Tell whether a command of a RUN touches the configuration, see :func:`tells`."""
    return any(tells(item, keeping, surely=surely) for item in run.commands.items)


def tells(item: Invocation, keeping: Keeping, *, surely: bool = False) -> bool:
    """Tell whether a command touches the configuration; not ``surely``: or may, by a path not known."""
    for effect in effects_of(item) or ():
        places = [effect.path] if effect.kind in ("removes", "writes", "moves") else []
        places += [effect.to] if effect.kind in ("copies", "links", "moves") else []
        if any(is_told_by(place, keeping) and not (surely and place is None) for place in places):
            return True
    return any(sign in word.written for word in item.args for sign in keeping.words)


def fails_without(late: Run | None, keeping: Keeping) -> bool:
    """Tell whether a later RUN stops where what it removes is gone: `rm` without `-f`."""
    removed = late.effects.of("removes", "moves") if late is not None else ()
    return any(
        is_told_by(effect.path, keeping) and not any(map(_forces, item.texts))
        for item, effect in removed
    )


def _forces(text: str | None) -> bool:
    return text == "--force" or bool(text and re.fullmatch(r"-[A-Za-z]*f[A-Za-z]*", text))
