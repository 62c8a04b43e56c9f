"""What a RUN takes for granted of a cache that an earlier RUN has filled.

Source: Dockerfile reference, ``RUN --mount=type=cache``: a build should work with any contents of the cache,
as another build may overwrite the files and the builder may clean it; and BuildKit keeps a step's result
apart from the caches that it has mounted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cachekey.buildkit.mounts import Mount
from cachekey.commands.effect import absolute, inside, meets
from cachekey.commands.invocation import Invocation
from cachekey.dockerfile.lost import Reading, installs_into, is_built, is_needed, readings
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.knowledge.records import Kind
from cachekey.record import record
from cachekey.tools.uses import ToolUse

Filling = Sequence[tuple[Run, Mount]]
"""RUNs in front of another one with their mounts of the same cache, nearest first."""


@record(frozen=True)
class Relied:
    """A cache whose content a RUN needs and does not bring back itself."""

    mount: Mount
    filled: Mount
    """The mount of the earlier RUN that filled it."""
    by: Run
    what: str
    """The path that is read, or what a tool has installed."""
    sure: bool
    """Every command is known, and none of them fills the cache."""


def relied_on(dockerfile: Dockerfile, run: Run) -> Iterator[Relied]:
    """Yield the caches of a RUN that it surely reads from, or that hold what it surely does not install."""
    if run.onbuild or run.dormant or not run.commands.complete:
        return
    for mount in run.caches:
        if mount.directory is None or mount.origin or mount.key is None:
            continue
        if not run.visible_mount(mount):
            continue
        earlier = _earlier(dockerfile, run, mount)
        found = (
            _read(run, mount, earlier)
            or _offline(run, mount, earlier)
            or _installed(dockerfile, run, mount, earlier)
        )
        if found is not None:
            yield found


def _earlier(dockerfile: Dockerfile, run: Run, mount: Mount) -> Filling:
    """Return the RUNs in front of this one that have the same cache at the same place, nearest first."""
    same = dockerfile.by_key.get(mount.key.identity, ()) if mount.key is not None else ()
    found = [
        (other, one)
        for other, one in same
        if other.span.start < run.span.start
        and one.directory == mount.directory
        and not (one.readonly or other.onbuild or other.dormant)
    ]
    return found[::-1]


def _read(run: Run, mount: Mount, earlier: Filling) -> Relied | None:
    """Return the first path that the RUN reads of the cache, and cannot have put there before."""
    folder = mount.directory or "/"
    for reading in (*readings(run), *_started(run)):
        if reading.folder or not inside(reading.path, folder):
            continue
        for other, one in earlier:
            if is_built(other, reading.path) and other.effects.takes_out(folder) is False:
                return Relied(mount, one, other, reading.path, sure=True)
    return None


def _started(run: Run) -> Iterator[Reading]:
    """Yield the programs that the RUN starts by a path from its working directory."""
    done: list[Invocation] = []
    for item in run.commands.items:
        path = item.path or ""
        place = absolute(item, path) if "/" in path and not path.startswith(("/", "$")) else None
        surely = not (item.conditional or item.in_pipeline)
        if place is not None and surely and not run.effects.any_may_write(done, place):
            yield Reading(item, place, item.head)
        done.append(item)


def _offline(run: Run, mount: Mount, earlier: Filling) -> Relied | None:
    """Return what an earlier RUN has fetched, where this one has a tool go without the network."""
    cut = any(
        flag.name.text == "network" and flag.value is not None and flag.value.text == "none"
        for flag in run.instruction.flags
    )
    for use in run.uses:
        for item in use.directories:
            # What only some commands bring, and others fail without.
            strict = cut or item.cache.filled_by_any
            surely = item.needs and item.confidence.warns and not use.invocation.conditional
            if not (strict and surely) or use.applies is not True or item.path is None:
                continue
            if not inside(item.path, mount.directory or "/") or _brought(run, use, item.path):
                continue
            for other, one in earlier:
                if _brought(other, use, item.path):
                    return Relied(mount, one, other, item.cache.what, sure=True)
    return None


def _brought(run: Run, use: ToolUse, path: str) -> bool:
    """Tell whether another command of the RUN fills a directory for one that goes offline."""
    return any(
        item.path == path and (item.fills or (item.used is True and not item.needs))
        for one in run.uses
        if one.tool.id == use.tool.id and one.applies is True and one is not use
        for item in one.directories
    )


def _installed(dockerfile: Dockerfile, run: Run, mount: Mount, earlier: Filling) -> Relied | None:
    """Return what an earlier RUN has installed into the cache, if this one only uses it."""
    folder = mount.directory or "/"
    installs = _may_install(run, folder)
    if installs:
        return None
    for other, one in earlier:
        found = installs_into(other, one)
        if found is None or found[0].invocation.conditional:
            continue
        use, item = found
        if other.effects.takes_out(folder) is not False:
            return None
        if is_needed(dockerfile, dockerfile.stage_of(other), [folder]):
            # That it lies in a cache at all is another finding.
            return None
        if not any(_may_use(run, call, use.tool.id, folder) for call in run.commands.items):
            return None
        what = item.cache.what
        what = what if use.tool.name in what else f"{what} of {use.tool.name}"
        return Relied(mount, one, other, what, installs is False)
    return None


def _may_install(run: Run, folder: str) -> bool | None:
    """Tell whether the RUN itself installs into the folder, or empties it; None: nobody knows."""
    if any(not path or inside(folder, path) for path in _removed(run)):
        return True
    answers = {
        item.used
        for use in run.uses
        for item in use.directories
        if item.cache.kind is Kind.RESULT
        and (item.path is None or meets(item.path, folder))
        and not (item.used is None and use.invocation.shown)
    }
    unseen = any(call.opaque or call.program is None for call in run.commands.items)
    return True if True in answers else None if None in answers or unseen else False


def _removed(run: Run) -> Iterator[str | None]:
    return (effect.path for _, effect in run.effects.of("removes"))


def _may_use(run: Run, item: Invocation, tool: str, folder: str) -> bool:
    """Tell whether a command may want what lies in the folder: it is none that surely does something else."""
    if item.shown or item.program is None:
        return False
    effects = run.effects.effects(item)
    if effects and all(effect.kind == "removes" for effect in effects):
        return False
    if run.effects.speaks_of(item, folder):
        return True
    if run.knowledge.harmless(item.program) and not item.opaque:
        return False
    if item.script is not None and any(
        use.tool.id == tool and use.invocation.shown for use in run.uses
    ):
        # `npm run build` has the programs of the packages at hand.
        return True
    others = {use.tool.id for use in run.uses if use.invocation is item}
    return tool in others or not others
