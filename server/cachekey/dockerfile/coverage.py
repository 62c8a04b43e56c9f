"""How the mounts of a RUN and the directories of its tools meet: shared by the rules on use and loss."""

from __future__ import annotations

from collections.abc import Iterator

from cachekey.buildkit.mounts import Mount
from cachekey.commands.effect import inside
from cachekey.commands.invocation import Invocation
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.knowledge.records import Kind
from cachekey.record import record, remembered
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse, may_be_for_another

COVERS = ("exact", "part", "parent")
"""Relations in which a mount holds a tool's directory, or a piece of it."""


@record(frozen=True)
class Wanted:
    """A download cache that a command of the RUN surely uses, at a place that is known."""

    use: ToolUse
    directory: UsedDirectory
    path: str


def wanted(run: Run, kinds: tuple[Kind, ...] = (Kind.DOWNLOAD,)) -> Iterator[Wanted]:
    """Yield the caches that the RUN's commands surely use, as far as their place is known."""
    for use in run.uses:
        if use.via is not None or use.applies is not True:
            continue
        for item in use.directories:
            surely = item.used is True and item.path is not None and item.confidence.warns
            if surely and item.path and item.cache.kind in kinds:
                yield Wanted(use, item, item.path)


def covering(run: Run, item: UsedDirectory) -> Mount | None:
    """Return the cache mount of this RUN that holds the directory, if there is one."""
    for mount in run.caches:
        if (
            mount.directory
            and run.visible_mount(mount)
            and item.relation(mount.directory) in COVERS
        ):
            return mount
    return None


def maybe_covered(run: Run, item: UsedDirectory) -> bool:
    """Tell whether a mount of the RUN holds the directory, or may hold it."""
    return any(
        mount.error is not None
        or mount.directory is None
        or item.relation(mount.directory) in (*COVERS, "unknown")
        for mount in run.mounts
        if mount.type in ("cache", "bind", "tmpfs")
    )


def emptied_first(run: Run) -> Iterator[tuple[ToolUse, UsedDirectory]]:
    """Yield the directories that a command of the RUN surely empties before it fills them."""
    for use in run.uses:
        if use.applies is not True or use.invocation.conditional:
            continue
        for emptied in use.empties:
            for item in use.directories if emptied.emptying.first else ():
                if item.role in emptied.roles and item.confidence.warns and not item.also:
                    yield use, item


def surely_idle(run: Run, mount: Mount) -> bool:
    """Tell whether no command of the RUN can use the mount: every one of them is known.

    A program that is neither known as a tool nor as harmless ends the matter, and so does a word
    that names the directory.
    """
    directory = mount.directory
    if directory is None or not _idle_here(run, directory) or linked(run, directory):
        return False
    # A word that holds the directory within other text may be a setting that tells of it.
    return not any(directory in _tails(one) for one in run.earlier())


@remembered
def _tails(run: Run) -> str:
    """Return the words of a RUN, each without its first letter, a line a word."""
    words = (word.written for item in run.commands.items for word in item.args)
    return "\n".join(word.lstrip("\"'")[1:] for word in words)


@remembered
def _idle_here(run: Run, directory: str) -> bool:
    """Tell whether no command of the RUN can use the directory under this name."""
    if not all_known(run) or run.effects.mentions(directory):
        return False
    if any(_may_be(directory, item) for use in run.uses for item in use.directories):
        return False
    return not may_be_for_another(directory, run.uses, run.knowledge)


def all_known(run: Run) -> bool:
    """Tell whether every command of the RUN is a known tool or surely uses no cache."""
    if not run.commands.complete or not run.uses:
        return False
    tools = {id(use.invocation) for use in run.uses}
    for item in run.commands.items:
        if item.program is None or item.opaque or not item.args_known:
            return False
        if item.shown or run.knowledge.harmless(item.program):
            continue
        if id(item) not in tools:
            return False
    return all(
        use.applies is True and not (use.uses is not False and use.opaque) for use in run.uses
    )


def linked(run: Run, directory: str) -> bool:
    """Tell whether this RUN or an earlier one has made a link to the directory, so that a tool gets there."""
    return any(
        inside(path, directory) or inside(directory, path)
        for one in (run, *run.earlier())
        for path in one.links
    )


def _may_be(directory: str, item: UsedDirectory) -> bool:
    if item.aside:
        return False
    relation = item.relation(directory)
    if relation == "unknown" and item.cache.relative:
        # Somewhere below an unknown working directory: then its own name must be there.
        return directory.endswith(f"/{item.cache.path}")
    return relation != "none"


@remembered
def uncovered(run: Run) -> list[Wanted]:
    """Return the caches that the RUN's commands surely use and no mount holds or may hold."""
    kinds = (Kind.DOWNLOAD, Kind.BUILD)
    return [item for item in wanted(run, kinds) if not maybe_covered(run, item.directory)]


def fetches_for_nobody(document: Dockerfile, run: Run, use: ToolUse) -> bool:
    """Tell whether a tool only fetches in a RUN, and surely runs nowhere behind it in the file."""
    hidden, last = _last_steps(document)
    return _only_fetches(run, use) and max(hidden, last.get(use.tool.id, -1)) <= run.span.start


def left_without(
    document: Dockerfile, run: Run, use: ToolUse, item: UsedDirectory
) -> list[tuple[Run, Invocation]]:
    """Return what may want what a tool only fetches in a RUN, and surely does not find it; one for each RUN.

    It runs behind that RUN, out of sight (``make``), and no other RUN of the file mounts the directory.
    """
    _, last = _last_steps(document)
    if not _only_fetches(run, use) or last.get(use.tool.id, -1) > run.span.start:
        return []
    if any(other is not run and maybe_covered(other, item) for other in document.runs):
        return []
    found: list[tuple[Run, Invocation]] = []
    stage = document.stages[run.stage]
    for later in document.runs:
        behind = later.span.start > run.span.start
        if behind and document.stages[later.stage].descends_from(stage):
            hidden = next((one for one in later.commands.items if one.opaque), None)
            found += [(later, hidden)] if hidden is not None else []
    return found


def _only_fetches(run: Run, use: ToolUse) -> bool:
    """Tell whether a RUN does nothing but fetch with a tool."""
    own = {id(one.invocation) for one in run.uses if one.tool is use.tool}
    rest = [item for item in run.commands.items if id(item) not in own]
    if any(item.opaque or not run.knowledge.harmless(item.program or "?") for item in rest):
        return False
    return all(_fills(one) for one in run.uses if one.tool is use.tool and one.uses is not False)


@remembered
def _last_steps(document: Dockerfile) -> tuple[int, dict[str, int]]:
    """Return where the last RUN begins that may do anything, and the last one of each tool."""
    hidden, last = -1, dict[str, int]()
    for run in document.runs:
        if not run.commands.complete or any(_may_call(item, run) for item in run.commands.items):
            hidden = run.span.start
        last.update((use.tool.id, run.span.start) for use in run.uses)
    return hidden, last


def _may_call(item: Invocation, run: Run) -> bool:
    """Tell whether a command may call any tool: a script out of sight, a program that nobody knows."""
    unknown = item.unfamiliar and run.knowledge.tool_for(item.program or "") is None
    return item.opaque or unknown


def _fills(use: ToolUse) -> bool:
    return any(item.fills for item in use.directories)
