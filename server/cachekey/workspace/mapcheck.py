"""Holds dance maps against the keys of the builds of their job."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Literal

from cachekey.buildkit.keys import Key
from cachekey.buildkit.mounts import Mount
from cachekey.builds.invocation import Dance, Entry, Invocation
from cachekey.record import record, replace
from cachekey.text import Span
from cachekey.workspace.carried import (
    Needed,
    entry_key,
    is_open,
    needed,
    other_builder,
)
from cachekey.workspace.project import Project

What = Literal["step", "order", "builder", "unrestored", "late", "options", "idle", "missing"]
"""What is wrong: the inputs of the step itself, its place, its builder, a folder of an entry that no
step restores or a later one does, the options of an entry, an entry for nobody, a mount without one."""


@record(frozen=True)
class Problem:
    """What is wrong with a map; ``span`` counts in the workflow."""

    span: Span
    line: int
    key: str
    message: str
    sure: bool = True
    """False: the map may do some good all the same."""
    what: What = "step"
    entry: Entry | None = None
    """The entry that is wrong."""
    meant: Needed | None = None
    """The mount that it is meant for, or that the map leaves out."""
    build: Invocation | None = None
    """The build that the step fails."""


def builds_beside(project: Project, dance: Dance) -> list[Invocation]:
    """Return the builds of the dance's job."""
    summary = project.index.get(dance.path)
    found = summary.builds if summary is not None else ()
    return [build for build in found if build.job == dance.job]


def checkable(project: Project, dance: Dance) -> bool:
    """Tell whether all is known that decides whether a map is right."""
    builds = builds_beside(project, dance)
    known = [needed(project, build) for build in builds]
    wanted = [item for items in known for item in items or ()]
    told = bool(builds) and None not in known and not any(item.key.unresolved for item in wanted)
    return (
        told
        and (dance.discovers is not None or not is_open(project, dance))
        and (dance.entries is not None or dance.discovers is not None)
    )


def problems(project: Project, dance: Dance) -> Iterator[Problem]:
    """Yield what is wrong with a dance, in file order."""
    line = dance.where.line
    if dance.problem is not None:
        yield Problem(dance.span, line, "", dance.problem)
    builds = builds_beside(project, dance)
    known = [needed(project, build) for build in builds]
    wanted = [item for items in known for item in items or ()]
    yield from _order(dance, builds)
    yield from _builders(dance, builds)
    whole = bool(builds) and None not in known
    if dance.discovers is not None:
        yield from _discovered(dance, wanted)
        return
    yield from _entries(project, dance, wanted, whole)


def _entries(
    project: Project, dance: Dance, wanted: Sequence[Needed], whole: bool
) -> Iterator[Problem]:
    """Hold each entry against the mounts, and each mount against the entries."""
    keys = {item.key.identity for item in wanted}
    told = whole and not any(item.key.unresolved for item in wanted)
    carried: set[object] = set()
    found: list[Problem] = []
    for entry in dance.entries or ():
        found += _restored(dance, entry)
        mount = entry_key(project, entry)
        if mount is None or mount.key is None:
            continue
        if mount.key.identity in keys:
            carried.add(mount.key.identity)
        elif told:
            problem = _misfit(entry, mount, wanted)
            found.append(problem)
            carried |= {problem.meant.key.identity} if problem.meant is not None else set()
    beside = _dances_beside(project, dance)
    open_ = any(other.entries is None or is_open(project, other) for other in beside)
    left: list[Needed] = []
    if whole and dance.entries and not open_ and all(one.step > dance.step for one in beside):
        carried |= carried_beside(project, dance)
        left = [item for item in _carriable(wanted) if item.key.identity not in carried]
    idle = [problem for problem in found if problem.what == "idle"]
    if len(idle) == len(left) == 1:
        # One entry too many and one too few: one mistake.
        found[found.index(idle[0])] = _strayed(idle[0], left.pop())
    yield from found
    yield from (_forgotten(dance, item) for item in left)


def _carriable(wanted: Sequence[Needed]) -> list[Needed]:
    """Return the first mount of each cache whose key is known and that begins empty."""
    found: dict[object, Needed] = {}
    for item in wanted:
        if not item.key.unresolved and not item.mount.origin:
            found.setdefault(item.key.identity, item)
    return list(found.values())


def _dances_beside(project: Project, dance: Dance) -> list[Dance]:
    """Return the other dances of the job: together they carry what each of them leaves out."""
    summary = project.index.get(dance.path)
    found = summary.dances if summary is not None else ()
    return [one for one in found if one.job == dance.job and one.step != dance.step]


def carried_beside(project: Project, dance: Dance) -> set[object]:
    """Return the caches that other dances of the job carry."""
    entries = (entry for one in _dances_beside(project, dance) for entry in one.entries or ())
    mounts = (entry_key(project, entry) for entry in entries)
    return {mount.key.identity for mount in mounts if mount is not None and mount.key is not None}


def _order(dance: Dance, builds: Sequence[Invocation]) -> Iterator[Problem]:
    early = [build for build in builds if build.dockerfile and build.step < dance.step]
    if early and len(early) == len([build for build in builds if build.dockerfile]):
        yield Problem(
            dance.span,
            dance.where.line,
            "",
            f"This step comes after the build {early[0].name}: the caches are put in too late",
            what="order",
            build=early[0],
        )


def _builders(dance: Dance, builds: Sequence[Invocation]) -> Iterator[Problem]:
    other = [build for build in builds if build.dockerfile and other_builder(dance, build)]
    if not other or len(other) < len([build for build in builds if build.dockerfile]):
        return
    theirs = _builder(other[0].builder)
    yield Problem(
        dance.span,
        dance.where.line,
        "",
        f"This step fills {_builder(dance.builder)}, but {other[0].name} builds with {theirs} and "
        "never sees the caches. Name the builder of the build in the input builder.",
        what="builder",
        build=other[0],
    )


def _builder(name: str | None) -> str:
    if name is not None and name.startswith("step "):
        return "the builder that setup-buildx makes"
    return f"the builder {name}"


def _restored(dance: Dance, entry: Entry) -> Iterator[Problem]:
    """Tell of a folder that no step restores, or one that a later step does."""
    folders = [(step, path) for step, paths in dance.restored for path in paths]
    if not folders or any("${{" in path or "*" in path or "~" in path for _, path in folders):
        return
    steps = [step for step, path in folders if covers(path, entry.folder)]
    if not steps:
        yield Problem(
            entry.span,
            entry.where.line,
            "",
            f"No step of this job restores the folder {entry.folder}: what it holds ends with the run",
            what="unrestored",
            entry=entry,
        )
    elif min(steps) > dance.step:
        yield Problem(
            entry.span,
            entry.where.line,
            "",
            f"The folder {entry.folder} is restored after this step has read it. Put the cache step first.",
            what="late",
            entry=entry,
        )


def covers(path: str, folder: str) -> bool:
    """Tell whether a folder that is restored is another one or holds it."""
    outer, inner = posixpath.normpath(path), posixpath.normpath(folder)
    return inner == outer or inner.startswith(f"{outer}/") or outer == "."


def _misfit(entry: Entry, mount: Mount, wanted: Sequence[Needed]) -> Problem:
    """Say why an entry feeds no mount of the job's builds, and which one is meant."""
    assert mount.key is not None
    where = (entry.span, entry.where.line, str(mount.key))
    for item in wanted:
        if item.key.name.key == mount.key.name.key and item.key.namespace == mount.key.namespace:
            theirs, ours = _joined(item.key), _joined(mount.key)
            message = (
                f"This entry fills another cache than {place_of(item)} mounts: the key there has {theirs}, "
                f"here {ours}. Give the entry the same options."
            )
            return Problem(*where, message, what="options", entry=entry, meant=item)
    for item in wanted:
        if item.mount.directory is not None and item.mount.directory == mount.directory:
            message = (
                f"This entry fills the cache {mount.key.label}, but {place_of(item)} mounts "
                f"{item.key.label}: the build starts empty. Give the entry the same id."
            )
            return Problem(*where, message, what="options", entry=entry, meant=item)
    files = ", ".join(dict.fromkeys(item.dockerfile.path for item in wanted))
    tail = f" of {files}" if files else " that this job builds"
    message = f"No mount{tail} has the cache {mount.key.label}: this entry carries what nobody uses"
    return Problem(*where, message, sure=bool(files), what="idle", entry=entry)


def _strayed(idle: Problem, item: Needed) -> Problem:
    """Say of the one entry that fits nothing which mount has none."""
    left = f"{item.key.label} ({place_of(item)})"
    message = f"{idle.message}, and {left} has no entry. Carry that cache with it."
    return replace(idle, message=message, what="options", meant=item, sure=True)


def _joined(key: Key) -> str:
    return str(key.base) if key.base is not None else "no owner"


def place_of(item: Needed) -> str:
    """Return where a mount stands, as a message says it."""
    line = item.dockerfile.source.line_of(item.mount.span.start)
    return f"{item.dockerfile.path}:{line + 1}"


def _forgotten(dance: Dance, item: Needed) -> Problem:
    return Problem(
        dance.span,
        dance.where.line,
        str(item.key),
        f"The map leaves out {item.key.label} ({place_of(item)}): that cache is empty in every run",
        sure=False,
        what="missing",
        meant=item,
    )


def _discovered(dance: Dance, wanted: Sequence[Needed]) -> Iterator[Problem]:
    """The action's own search knows ids and targets as they are written, and nothing else."""
    file = posixpath.normpath(dance.discovers or "Dockerfile")
    for item in wanted:
        if item.dockerfile.path != file:
            message = f"The action looks through {file}, and this job builds {item.dockerfile.path}"
        elif item.key.base is not None:
            message = (
                f"Without a map the action leaves {_joined(item.key)} of {place_of(item)} out: it fills "
                "another cache, and the build starts empty"
            )
        elif item.mount.used:
            message = f"Without a map the action does not expand the variables of {place_of(item)}"
        else:
            continue
        yield Problem(dance.span, dance.where.line, str(item.key), message)
        return
