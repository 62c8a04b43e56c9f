"""How the mounts of a RUN and the directories of its tools meet: shared by the rules on use and loss."""

from __future__ import annotations

from collections.abc import Iterator

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import Scope
from cachekey.commands.effect import inside
from cachekey.commands.invocation import Invocation
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.knowledge.paths import UnknownValueError, expand_template, nearly
from cachekey.knowledge.records import CacheDir, Kind, Tool
from cachekey.record import record, remembered
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse, may_be_for_another, meant, relation_to

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
    return directory is not None and _idle_here(run, directory) and not linked(run, directory)


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


@remembered
def candidates(run: Run, mount: Mount) -> list[Wanted]:
    """Return the caches that an idle mount is meant for: by its looks, or the only ones without a mount."""
    open_ones = uncovered(run)
    directory = mount.directory or mount.target.text
    looks = {id(item.cache) for _, item in meant(directory, run.uses)}
    alike = [item for item in open_ones if id(item.directory.cache) in looks]
    if alike:
        return alike
    near = [item for item in open_ones if _is_near(directory, item)]
    downloads = [item for item in open_ones if item.directory.cache.kind is Kind.DOWNLOAD]
    if near or len({item.path for item in downloads}) != 1:
        return near
    # A place that looks like no tool's cache may be anything's.
    return downloads if run.knowledge.claims(directory) else []


def meant_beside_unseen(run: Run, mount: Mount) -> Wanted | None:
    """Return the cache that a mount is meant for by its looks alone, and surely is not in it.

    Its tool surely runs in the RUN, beside commands that nobody can read: what is out of sight (`make`, the
    compiler behind ccache) might still tell it another place.
    """
    folder = mount.directory
    if folder is None or not run.visible_mount(mount) or not run.commands.complete:
        return None
    if all_known(run) or run.effects.mentions(folder) or linked(run, folder):
        return None
    claims = {claim.tool.id for claim in run.knowledge.claims(folder)}
    for use in run.uses:
        relations = (*COVERS, "unknown") if use.tool.id in claims else COVERS
        if any(item.relation(folder) in relations for item in use.directories):
            return None
    looks = {id(use) for use, _ in meant(folder, run.uses)}
    found = (one for one in uncovered(run) if id(one.use) in looks and claims == {one.use.tool.id})
    return next(found, None)


def in_another_home(run: Run, mount: Mount) -> tuple[Tool, str] | None:
    """Return the tool that a mount is meant for, and where that has its cache, in a RUN of another user.

    The mount lies where the tool would have it in the home of an account that the RUN is not run by. No
    command calls the tool; one may start it, and whoever does, it goes by the home of who runs the RUN.
    """
    folder, scope, user = mount.directory, run.scope, run.scope.user
    facts = scope.base.facts
    if folder is None or user.home is None or facts is None or not facts.confidence.warns:
        return None
    if not run.visible_mount(mount) or not all_known(run):
        return None
    items = run.commands.items
    if any(item.user or not item.environment_known for item in items):
        return None
    if any(relation_to(folder, use) != "none" for use in run.uses):
        return None
    claims = run.knowledge.claims(folder)
    if len({claim.tool.id for claim in claims}) != 1 or claims[0].cache.kind is not Kind.DOWNLOAD:
        return None
    tool, cache = claims[0].tool, claims[0].cache
    if any(use.tool is tool for use in run.uses):
        # That is another finding.
        return None
    said = {*scope.variables, *facts.env, *(name for item in items for name in item.env)}
    if "HOME" in said or any(way.env in said for way in cache.moved_by):
        return None
    others = {account.home for account in scope.accounts.values()} - {None, user.home}
    if not any(_default(cache, home, said) == folder for home in others if home):
        return None
    path = _default(cache, user.home, said, user.is_root is True)
    held = path is None or any(inside(path, one.directory) for one in run.caches if one.directory)
    if held or path is None or run.effects.mentions(folder) or linked(run, folder):
        return None
    return tool, path


def _default(cache: CacheDir, home: str, said: set[str], root: bool = False) -> str | None:
    """Return where a cache is in a home when none of the variables that are set says otherwise."""

    def lookup(name: str) -> str | None:
        if name in said:
            raise UnknownValueError(name)
        return home if name == "HOME" else None

    try:
        return expand_template(cache.root_path if root and cache.root_path else cache.path, lookup)
    except UnknownValueError:
        return None


def _is_near(directory: str, item: Wanted) -> bool:
    """Tell whether a target is nearly the directory, or nearly a part of it that is mounted alone."""
    parts = (f"{item.path}/{part}" for part in item.directory.cache.parts)
    return any(nearly(directory, path) for path in (item.path, *parts))


def in_some_version(run: Run, mount: Mount) -> tuple[ToolUse, UsedDirectory] | None:
    """Return the cache that an idle mount is meant for, when a version that nobody knows names its place."""
    folder = mount.directory
    if folder is None or not surely_idle(run, mount):
        return None
    for use, item in meant(folder, run.uses):
        surely = item.used is True and item.cache.kind is Kind.DOWNLOAD and item.confidence.warns
        if surely and item.among and use.applies is True and covering(run, item) is None:
            return use, item
    return None


@remembered
def supposed_elsewhere(run: Run) -> list[tuple[Mount, ToolUse, UsedDirectory]]:
    """Return mounts elsewhere than the file itself tells the tool, on an unknown base image.

    It tells by the tool's variable or option, or by the home: the image may set the variable then, but
    hardly to the directory of another user.
    """
    base = run.scope.base
    if base.is_scratch or (base.facts is not None and base.facts.confidence.warns):
        return []
    if not run.commands.complete:
        return []
    home = _tells_home(run.scope)
    if any(item.opaque or not item.args_known for item in run.commands.items):
        return []
    found: list[tuple[Mount, ToolUse, UsedDirectory]] = []
    for mount in run.caches:
        folder = mount.directory
        if folder is None or not run.visible_mount(mount) or run.effects.mentions(folder):
            continue
        if any(relation_to(folder, use) in COVERS for use in (*run.uses, *run.supposed)):
            continue
        for use, item in meant(folder, run.supposed):
            surely = use.applies is True and item.used is True and item.cache.kind is Kind.DOWNLOAD
            default = item.decided_by.startswith("the default")
            if surely and item.path is not None and (home if default else item.span is not None):
                found.append((mount, use, item))
                break
    return found


def _tells_home(scope: Scope) -> bool:
    """Tell whether the file itself says where the user's home is."""
    variable = scope.variables.get("HOME")
    if variable is not None:
        return variable.value.known
    account = scope.user.account
    return account is not None and account.span is not None and account.home is not None


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
