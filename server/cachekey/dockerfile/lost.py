"""What a stage's layers lack, since only a cache mount held it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator

from cachekey.buildkit.mounts import Mount
from cachekey.commands.effect import absolute, fixed, inside, meets
from cachekey.commands.read import Invocation
from cachekey.dockerfile.effects import lands
from cachekey.dockerfile.records import Dockerfile, Run, Stage, Step
from cachekey.knowledge.programs import readers
from cachekey.knowledge.records import Kind
from cachekey.record import record
from cachekey.syntax.shell.tree import Word
from cachekey.text import Span
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse

_UNKNOWN = re.compile(r"[$`{]")
"""What begins a variable, a command or a list in a word."""


_SWITCHES = frozenset("exuvlEB")
"""Options of interpreters that take no word."""


@record(frozen=True)
class Held:
    """A cache mount that held a path, and nothing else of the stage did."""

    run: Run
    mount: Mount


@record(frozen=True)
class Reading:
    """A path that a command reads, surely and not just to try."""

    item: Invocation
    path: str
    span: Span
    folder: bool = False
    """An empty folder is enough: a mount leaves one behind."""


def held_by_cache(
    dockerfile: Dockerfile, stage: Stage, path: str, before: Run | None = None
) -> Held | None:
    """Return the last mount that held ``path``, or all that lies in it, if no layer can have it.

    ``before`` is the RUN of the stage in front of which that is asked. A path through a link that a
    tool makes into its own directory lies there.
    """
    steps = [step for part in reversed(stage.chain) for step in part.steps]
    if before is not None:
        steps = steps[: next((n for n, step in enumerate(steps) if step.run is before), None)]
    written, path = path, led(stage, path)
    if path != written:
        # Nobody but the tool writes there, and the link is not there before it.
        steps = _behind_door(steps, written)
        if any(_replaces(step, written) for step in steps):
            return None
    runs = [step.run for step in steps if step.run is not None and not step.run.dormant]
    over = [mount for run in runs if (mount := mount_over(run, path)) is not None]
    folder = (over[-1].directory if over else None) or path
    found: Held | None = None
    for step in steps:
        if step.run is not None and not step.run.dormant:
            mount = mount_over(step.run, path) or _only_below(step.run, path)
            if mount is not None:
                found = found if mount.readonly else Held(step.run, mount)
            elif step.run.effects.may_write(path):
                return None
        elif step.copied is not None and step.copied.may_bring(path, folder):
            brought = dockerfile.brought_whole(step.copied, stage)
            if brought is None or any(meets(place, path) for place in brought):
                return None
    return found


def origin_of(dockerfile: Dockerfile, stage: Stage, path: str) -> tuple[Stage, str]:
    """Return the stage in which a path came to be that COPYs of folders carry on, and its name there."""
    steps = [step for part in reversed(stage.chain) for step in part.steps]
    for step in reversed(steps):
        run, copied = step.run, step.copied
        if run is not None and not run.dormant:
            if mount_over(run, path) is not None or run.effects.may_write(path):
                break
        elif copied is not None and copied.may_bring(path, path):
            named = copied.origin is not None and copied.target is not None
            source = dockerfile.stage_named(copied.origin or "", stage) if named else None
            folder = _rooted(copied.words[0]) if len(copied.words) == 2 else None
            rest = path[len(copied.target or "") :].lstrip("/")
            if source is None or folder is None or not rest:
                break
            return origin_of(dockerfile, source, posixpath.join(folder, rest))
    return stage, path


def is_put(run: Run, path: str) -> bool:
    """Tell whether the RUN surely puts something at a path."""
    kinds = ("writes", "copies", "moves")
    if any(inside(path, place) for use in run.uses for place in use.outputs):
        return True
    return any(lands(effect, path) for _, effect in run.effects.of(*kinds) if effect.path) or any(
        item.used is True and item.fills and item.path is not None and inside(item.path, path)
        for use in run.uses
        for item in use.directories
    )


def is_built(run: Run, path: str) -> bool:
    """Tell whether a tool of the RUN surely puts what it makes into a directory around a path."""
    return any(
        item.used is True
        and item.cache.kind is not Kind.DOWNLOAD
        and item.path is not None
        and item.confidence.warns
        and inside(path, item.path)
        for use in run.uses
        for item in use.directories
    )


def installs_into(run: Run, mount: Mount) -> tuple[ToolUse, UsedDirectory] | None:
    """Return the tool that installs into the mount: surely, at a known place, by this command."""
    if mount.directory is None or mount.readonly:
        return None
    for use in run.uses:
        for item in use.directories:
            surely = item.used is True and item.path is not None and item.confidence.warns
            if item.cache.kind is Kind.RESULT and surely:
                if item.relation(mount.directory) in ("exact", "parent"):
                    return use, item
    return None


def led(stage: Stage, path: str) -> str:
    """Return the directory into which a link of a tool leads that ``path`` goes through, or the path."""
    runs = (run for part in stage.chain for run in part.runs)
    return next((place for run in runs if (place := _door(run, path)) is not None), path)


def _door(run: Run, path: str) -> str | None:
    if not run.caches or run.dormant:
        return None
    for directory in (item for use in run.uses for item in use.directories):
        if directory.path and directory.confidence.warns:
            if any(inside(path, door) for door in directory.doors):
                return directory.path
    return None


def _behind_door(steps: list[Step], path: str) -> list[Step]:
    makes = (n for n, step in enumerate(steps) if step.run and _door(step.run, path) is not None)
    return steps[next(makes, len(steps)) :]


def _replaces(step: Step, path: str) -> bool:
    """Tell whether a step may put something in the place of a link."""
    if step.run is None:
        return step.copied is not None and step.copied.may_bring(path, path)
    if step.run.caches:
        return any(lands(effect, path) for _, effect in step.run.effects.known)
    return step.run.effects.may_write(path)


def is_replaced(stage: Stage, run: Run, path: str) -> bool:
    """Tell whether a RUN itself, or a later step of its stage, may take ``path`` away or replace it."""
    if _removes(run, path):
        return True
    steps = list(stage.steps)
    at = next(number for number, step in enumerate(steps) if step.run is run)
    return any(
        _replaces(step, path) or (step.run is not None and _removes(step.run, path))
        for step in steps[at + 1 :]
    )


def _removes(run: Run, path: str) -> bool:
    gone = (effect.path for _, effect in run.effects.of("removes", "moves"))
    return any(folder is None or meets(folder, path) for folder in gone)


def mount_over(run: Run, path: str) -> Mount | None:
    """Return the cache mount of a RUN that a path lies in."""
    return next((m for m in run.caches if m.directory and inside(path, m.directory)), None)


def _only_below(run: Run, path: str) -> Mount | None:
    """Return the cache mount in a folder into which the RUN surely writes nothing else."""
    mount = next((m for m in run.caches if m.directory and inside(m.directory, path)), None)
    if mount is None or mount.readonly or mount.directory is None:
        return None
    facts = run.scope.base.facts
    broad = {item.path for item in (*run.knowledge.broad(), *(facts.ships if facts else ()))}
    if facts is None or not facts.confidence.warns or path in broad:
        return None
    if run.effects.may_write(path, outside=mount.directory):
        return None
    return mount


def is_read_later(dockerfile: Dockerfile, run: Run, path: str, along: Collection[Run] = ()) -> bool:
    """Tell whether a step behind a RUN may read a directory of the layer, which a mount would empty.

    The RUNs ``along`` get the same mount.
    """
    stage, moving = dockerfile.stage_of(run), {id(one) for one in along}
    for later in dockerfile.stages:
        below = later.descends_from(stage)
        for step in later.steps:
            copied, other = step.copied, step.run
            if copied is not None and copied.origin is not None:
                if dockerfile.stage_named(copied.origin, later) is stage and any(
                    meets("/" + word.lstrip("/"), path) for word in copied.words[:-1]
                ):
                    return True
            if other is None or other is run or not below or other.span.start < run.span.start:
                continue
            if id(other) in moving:
                continue
            if mount_over(other, path) is None and _may_read(other, path):
                return True
    return False


def _may_read(run: Run, path: str) -> bool:
    if run.effects.mentions(path):
        return True
    used = (item for use in run.uses for item in use.directories if item.used is not False)
    return any(item.needs and item.path is not None and meets(item.path, path) for item in used)


def is_needed(dockerfile: Dockerfile, stage: Stage, folders: list[str]) -> bool:
    """Tell whether somebody looks for the result in the layer: the image itself, or a later RUN.

    A stage that is not the last one may be meant for other results alone.
    """
    if stage is dockerfile.stages[-1]:
        return True
    for later in dockerfile.stages:
        if later is not stage and later.descends_from(stage) and later is dockerfile.stages[-1]:
            return True
        for step in later.steps:
            copied = step.copied
            if copied is None or copied.origin is None:
                continue
            if dockerfile.stage_named(copied.origin, later) is stage:
                words = [_rooted(word) for word in copied.words[:-1]]
                if any(meets(word, folder) for word in words for folder in folders):
                    return True
    return False


def _rooted(word: str) -> str:
    return "/" + posixpath.normpath(f"/{word}").lstrip("/")


def readings(run: Run) -> Iterator[Reading]:
    """Yield what the commands of a RUN read and cannot go on without.

    What an earlier command of the RUN may have put there is left out, and what stands in a branch or
    may fail (``cp ... || true``).
    """
    done: list[Invocation] = []
    for item in run.commands.items:
        if not (item.conditional or item.in_pipeline or _may_fail(item)):
            for reading in (*_read_by(run, item), *_read_by_tools(run, item)):
                if not run.effects.any_may_write(done, reading.path):
                    yield reading
        done.append(item)


def _read_by(run: Run, item: Invocation) -> Iterator[Reading]:
    for effect in run.effects.effects(item):
        needed = effect.needed or effect.kind in ("reads", "copies", "moves")
        if needed and effect.word is not None:
            path = effect.path or _folder_of(effect.word.written)
            if path:
                yield Reading(item, fixed(path), effect.word.span, effect.kind == "opens")
    if item.path and item.path.startswith("/"):
        yield Reading(item, item.path, item.head)
    word, start = _script(item)
    if word is not None and start is not None:
        yield Reading(item, start, word.span)


def _script(item: Invocation) -> tuple[Word | None, str | None]:
    """Return the word that names what an interpreter, or `make -C`, starts with, and the path."""
    reader = readers().get(item.program or "")
    if reader is None or item.path != item.program:
        return None, None
    before = ""
    for word, text in zip(item.args, item.texts, strict=True):
        if text is None:
            break
        if before in reader.after or (reader.first and not text.startswith("-")):
            return word, absolute(item, text)
        if reader.first and not set(text[1:]) <= _SWITCHES:
            break
        before = text
    return None, None


def _read_by_tools(run: Run, item: Invocation) -> Iterator[Reading]:
    for use in run.uses:
        if use.invocation is item:
            yield from (Reading(item, fixed(path), span) for path, span in use.files)


def _folder_of(written: str) -> str:
    """Return the folder that a word names in front of what nobody knows; empty when it does not."""
    known = _UNKNOWN.split(written, maxsplit=1)[0].lstrip("\"'")
    folder, slash, _ = known.rpartition("/")
    return folder if slash and known.startswith("/") and ".." not in written else ""


def _may_fail(item: Invocation) -> bool:
    items = item.simple.block.items
    behind = item.simple.index + 1
    return behind < len(items) and items[behind].connector == "||"
