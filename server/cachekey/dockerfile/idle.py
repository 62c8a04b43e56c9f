"""What a cache mount is meant for that nothing in its RUN uses, as far as its looks and its tools tell."""

from __future__ import annotations

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import Scope
from cachekey.commands.effect import inside
from cachekey.commands.invocation import Invocation
from cachekey.dockerfile.coverage import (
    COVERS,
    Wanted,
    all_known,
    covering,
    linked,
    maybe_covered,
    surely_idle,
    uncovered,
    wanted,
)
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.knowledge.paths import UnknownValueError, expand_template, nearly, nearly_begins
from cachekey.knowledge.records import CacheDir, Kind, Tool
from cachekey.record import record, remembered
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse, meant, relation_to

_COMPILERS = frozenset(("cc", "c++", "gcc", "g++", "clang", "clang++"))
"""Programs that a directory in front of PATH may replace by a compiler cache."""

_ROOTS_HOME = "/root"


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
    # A place that looks like no tool's cache may be anything's, and build output is no download.
    claims = run.knowledge.claims(directory)
    return downloads if any(claim.cache.kind is not Kind.BUILD for claim in claims) else []


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


def in_a_closed_home(run: Run, mount: Mount) -> Tool | None:
    """Return the tool whose cache in root's home a mount is, where somebody else runs the RUN.

    Whatever the commands are: root alone gets into that home, unless somebody opens it.
    """
    folder, scope, user = mount.directory, run.scope, run.scope.user
    stranger = user.is_root is False and user.home is None and bool(user.name)
    if folder is None or not stranger or not inside(folder, _ROOTS_HOME) or run.onbuild:
        return None
    if not run.visible_mount(mount) or not run.commands.complete or "HOME" in scope.variables:
        return None
    if any(item.user or not item.environment_known for item in run.commands.items):
        return None
    if not is_closed(run, folder):
        return None
    claims = run.knowledge.claims(folder)
    return claims[0].tool if len({claim.tool.id for claim in claims}) == 1 else None


def is_closed(run: Run, folder: str) -> bool:
    """Tell whether a folder lies in root's home, which is closed to others unless the base image opens it."""
    if not inside(folder, _ROOTS_HOME) or linked(run, folder):
        return False
    return not any(one.effects.may_open(_ROOTS_HOME) for one in (run, *run.earlier()))


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
        looks = list(meant(folder, run.supposed))
        if any(item.path is None for _, item in looks):
            # It may be another directory of the tool, whose place nobody knows.
            continue
        for use, item in looks:
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


def needless(run: Run, mount: Mount) -> tuple[Tool, Mount | None] | None:
    """Return the tool that an idle mount is meant for, and where that tool has what was meant.

    None for the latter where it belongs into the image: what the tool installs.
    """
    folder = mount.directory
    if folder is None or run.onbuild or not run.visible_mount(mount) or not surely_idle(run, mount):
        return None
    for item in wanted(run, (Kind.RESULT,)):
        if nearly(folder, item.path) and not maybe_covered(run, item.directory):
            return (item.use.tool, None)
    looks = list(meant(folder, run.uses))
    results = {id(item.directory) for item in wanted(run, (Kind.RESULT,))}
    if looks and all(id(item) in results and not maybe_covered(run, item) for _, item in looks):
        return (looks[0][0].tool, None)
    if looks and all(item.aside for _, item in looks):
        # It builds in a folder of its own making.
        return (looks[0][0].tool, None)
    found = [(use, covering(run, item)) for use, item in looks]
    use, other = found[0] if found else (None, None)
    everywhere = all(one.applies is True and place is not None for one, place in found)
    return (use.tool, other) if use is not None and other is not None and everywhere else None


def passed_by(run: Run, mount: Mount) -> tuple[ToolUse, UsedDirectory] | None:
    """Return the tool that works in a directory of its own instead of the one that an idle mount holds."""
    folder = mount.directory
    if folder is None or not run.visible_mount(mount) or not surely_idle(run, mount):
        return None
    found = (
        (use, item)
        for use in run.uses
        for item in use.directories
        if item.aside and item.relation(folder) in COVERS
    )
    return next(found, None)


def is_another_runs(document: Dockerfile, run: Run, mount: Mount) -> bool:
    """Tell whether a mount is meant for a tool of another RUN with the same cache, and for none here."""
    if mount.key is None:
        return False
    claiming = {claim.tool.id for claim in run.knowledge.claims(mount.directory or "")}
    return claiming.isdisjoint(use.tool.id for use in run.uses) and any(
        use.tool.id in claiming
        for other, _ in document.by_key[mount.key.identity]
        if other is not run
        for use in other.uses
    )


def kept_elsewhere(run: Run, mount: Mount) -> list[Wanted]:
    """Return the caches that the mount is meant for and does not hold."""
    if mount.directory is not None:
        return candidates(run, mount) if surely_idle(run, mount) else []
    if not mount.target.text.startswith("/"):
        return []
    # A variable that nobody knows: what stands in front of it may be enough to tell.
    known = mount.target.text.partition("$")[0]
    near = [item for item in wanted(run) if nearly_begins(known, item.path)]
    near = [item for item in near if covering(run, item.directory) is None]
    return near if len({item.path for item in near}) == 1 and all_known(run) else []


@record(frozen=True)
class Uncalled:
    """The mount of a compiler cache that nothing tells the compiling program to call."""

    mount: Mount
    tool: Tool
    caller: Tool
    variable: str
    """By which the caller would be told."""


def never_called(run: Run) -> list[Uncalled]:
    """Return such mounts; the base image may tell it, where nobody knows that image."""
    if not run.commands.complete or not run.uses or _may_compile(run):
        return []
    found: list[Uncalled] = []
    for mount in run.caches:
        folder = mount.directory
        if folder is None or not run.visible_mount(mount) or run.effects.mentions(folder):
            continue
        tools = {claim.tool.id: claim.tool for claim in run.knowledge.claims(folder)}
        if len(tools) != 1:
            continue
        tool = next(iter(tools.values()))
        callers = [one for one in tool.commands if one.only]
        names = {name for one in callers for name in one.names}
        caller = next((use for use in run.supposed if use.invocation.program in names), None)
        if caller is None or any(
            use.tool is tool and use.uses is not False for use in run.supposed
        ):
            continue
        variable = next(way.env for one in callers for way in one.through if way.env)
        found.append(Uncalled(mount, tool, caller.tool, variable))
    return found


def _may_compile(run: Run) -> bool:
    """Tell whether a command of the RUN may call a compiler, or is not known to leave that."""
    known = {id(use.invocation) for use in run.supposed if use.applies is True}
    for item in run.commands.items:
        if item.opaque or not item.args_known or not item.environment_known:
            return True
        harmless = item.program is not None and run.knowledge.harmless(item.program)
        if item.program in _COMPILERS or not (id(item) in known or harmless):
            return True
    return False


def is_empty(run: Run) -> bool:
    """Tell whether the RUN has mounts and no command at all."""
    instruction = run.instruction
    return not instruction.args.text.strip() and not instruction.heredocs


def begun_again(run: Run) -> Invocation | None:
    """Return the command that is the word RUN: the line above goes on, and no instruction begins."""
    first = next(iter(run.commands.items), None) if run.caches else None
    return first if first is not None and first.program == "RUN" and first.args else None
