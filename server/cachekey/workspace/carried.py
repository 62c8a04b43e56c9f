"""What carries cache mounts over the runs of a workflow: dance maps, held against the keys of the builds.

An entry of a map is a mount like any other, and its key is formed by the same reader.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence

from cachekey.buildkit.keys import Key
from cachekey.buildkit.mounts import Mount
from cachekey.builds.invocation import Dance, Entry, Invocation
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.dockerfile.stages import BuildOptions, read_dockerfile
from cachekey.record import record
from cachekey.text import Source, Span
from cachekey.workspace.project import Project


@record(frozen=True, eq=False)
class Needed:
    """A cache mount that a build comes to, with its key there."""

    build: Invocation
    dockerfile: Dockerfile
    run: Run
    mount: Mount
    key: Key
    platforms: tuple[str, ...]


@record(frozen=True)
class Problem:
    """What is wrong with a map; ``span`` counts in the workflow."""

    span: Span
    line: int
    key: str
    message: str
    sure: bool = True
    """False: the map may do some good all the same."""


def entry_key(project: Project, entry: Entry) -> Mount | None:
    """Return an entry as the mount that the action makes of it; None when no builder takes it."""
    options = ",".join(("type=cache", *(f"{name}={value}" for name, value in entry.options)))
    if any(char in options for char in "\n\r\"' $\\"):
        return None
    text = f"FROM scratch\nRUN --mount={options} true\n"
    options_ = BuildOptions({}, "", project.settings.engine)
    made = read_dockerfile("", Source(text), options_, project.knowledge, lambda _name: None)
    return next((mount for _, mount in made.caches), None)


def carrier(project: Project, build: Invocation, key: Key) -> Dance | None:
    """Return the dance that carries a cache of a build over the runs."""
    summary = project.index.get(build.path)
    for dance in summary.dances if summary is not None and build.job else ():
        if dance.job != build.job or dance.step > build.step or _other_builder(dance, build):
            continue
        for entry in dance.entries or ():
            mount = entry_key(project, entry)
            if mount is not None and mount.key is not None and mount.key.identity == key.identity:
                return dance
    return None


def may_carry(project: Project, build: Invocation) -> bool:
    """Tell whether a dance of the job may carry caches of which the files do not tell."""
    summary = project.index.get(build.path)
    dances = summary.dances if summary is not None and build.job else ()
    return any(
        dance.job == build.job and (dance.entries is None or _open(project, dance))
        for dance in dances
    )


def _open(project: Project, dance: Dance) -> bool:
    return any(entry_key(project, entry) is None for entry in dance.entries or ())


def _other_builder(dance: Dance, build: Invocation) -> bool:
    known = dance.builder is not None and build.builder is not None
    return known and dance.builder != build.builder


def builds_beside(project: Project, dance: Dance) -> list[Invocation]:
    """Return the builds of the dance's job."""
    summary = project.index.get(dance.path)
    found = summary.builds if summary is not None else ()
    return [build for build in found if build.job == dance.job]


def needed(project: Project, build: Invocation) -> list[Needed] | None:
    """Return the cache mounts that a build comes to; None when its Dockerfile is not at hand."""
    if build.dockerfile is None or "file" in build.open:
        return None
    document = project.model(build.dockerfile)
    if not isinstance(document, Dockerfile):
        return None
    built = next((one for one in project.built(document) if one.build == build), None)
    if built is None or not built.told:
        return None
    return [
        Needed(build, document, run, mount, one.key, one.platforms)
        for run, mount in document.caches
        for one in built.keys.get(mount.span.start, ())
    ]


# -- checking -----------------------------------------------------------------------------------------


def checkable(project: Project, dance: Dance) -> bool:
    """Tell whether all is known that decides whether a map is right."""
    builds = builds_beside(project, dance)
    known = [needed(project, build) for build in builds]
    wanted = [item for items in known for item in items or ()]
    told = bool(builds) and None not in known and not any(item.key.unresolved for item in wanted)
    return (
        told
        and (dance.discovers is not None or not _open(project, dance))
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
    fitting: set[object] = set()
    for entry in dance.entries or ():
        yield from _restored(dance, entry)
        mount = entry_key(project, entry)
        if mount is None or mount.key is None:
            continue
        if any(item.key.identity == mount.key.identity for item in wanted):
            fitting.add(mount.key.identity)
        elif whole and not any(item.key.unresolved for item in wanted):
            problem, meant = _misfit(entry, mount, wanted)
            fitting |= {meant.key.identity} if meant is not None else set()
            yield problem
    beside = _dances_beside(project, dance)
    open_ = any(other.entries is None or _open(project, other) for other in beside)
    if whole and dance.entries and not open_ and all(one.step > dance.step for one in beside):
        yield from _forgotten(dance, wanted, fitting | _carried(project, beside))


def _dances_beside(project: Project, dance: Dance) -> list[Dance]:
    """Return the other dances of the job: together they carry what each of them leaves out."""
    summary = project.index.get(dance.path)
    found = summary.dances if summary is not None else ()
    return [one for one in found if one.job == dance.job and one.step != dance.step]


def _carried(project: Project, dances: Sequence[Dance]) -> set[object]:
    entries = (entry for dance in dances for entry in dance.entries or ())
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
        )


def _builders(dance: Dance, builds: Sequence[Invocation]) -> Iterator[Problem]:
    other = [build for build in builds if build.dockerfile and _other_builder(dance, build)]
    if not other or len(other) < len([build for build in builds if build.dockerfile]):
        return
    theirs = _builder(other[0].builder)
    yield Problem(
        dance.span,
        dance.where.line,
        "",
        f"This step fills {_builder(dance.builder)}, but {other[0].name} builds with {theirs} and "
        "never sees the caches. Name the builder of the build in the input builder.",
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
    steps = [step for step, path in folders if _covers(path, entry.folder)]
    if not steps:
        yield Problem(
            entry.span,
            entry.where.line,
            "",
            f"No step of this job restores the folder {entry.folder}: what it holds ends with the run",
        )
    elif min(steps) > dance.step:
        yield Problem(
            entry.span,
            entry.where.line,
            "",
            f"The folder {entry.folder} is restored after this step has read it. Put the cache step first.",
        )


def _covers(path: str, folder: str) -> bool:
    outer, inner = posixpath.normpath(path), posixpath.normpath(folder)
    return inner == outer or inner.startswith(f"{outer}/") or outer == "."


def _misfit(entry: Entry, mount: Mount, wanted: Sequence[Needed]) -> tuple[Problem, Needed | None]:
    """Say why an entry feeds no mount of the job's builds, and which one is meant."""
    assert mount.key is not None
    where = (entry.span, entry.where.line, str(mount.key))
    for item in wanted:
        if item.key.name.key == mount.key.name.key and item.key.namespace == mount.key.namespace:
            theirs, ours = _joined(item.key), _joined(mount.key)
            message = (
                f"This entry fills another cache than {_place(item)} mounts: the key there has {theirs}, "
                f"here {ours}. Give the entry the same options."
            )
            return Problem(*where, message), item
    for item in wanted:
        if item.mount.directory is not None and item.mount.directory == mount.directory:
            message = (
                f"This entry fills the cache {mount.key.label}, but {_place(item)} mounts "
                f"{item.key.label}: the build starts empty. Give the entry the same id."
            )
            return Problem(*where, message), item
    files = ", ".join(dict.fromkeys(item.dockerfile.path for item in wanted))
    tail = f" of {files}" if files else " that this job builds"
    message = f"No mount{tail} has the cache {mount.key.label}: this entry carries what nobody uses"
    return Problem(*where, message, sure=bool(files)), None


def _joined(key: Key) -> str:
    return str(key.base) if key.base is not None else "no owner"


def _place(item: Needed) -> str:
    line = item.dockerfile.source.line_of(item.mount.span.start)
    return f"{item.dockerfile.path}:{line + 1}"


def _forgotten(dance: Dance, wanted: Sequence[Needed], fitting: set[object]) -> Iterator[Problem]:
    missing: dict[object, Needed] = {}
    for item in wanted:
        fits = item.key.identity in fitting
        if not fits and not item.key.unresolved and not item.mount.origin:
            missing.setdefault(item.key.identity, item)
    for item in missing.values():
        yield Problem(
            dance.span,
            dance.where.line,
            str(item.key),
            f"The map leaves out {item.key.label} ({_place(item)}): that cache is empty in every run",
            sure=False,
        )


def _discovered(dance: Dance, wanted: Sequence[Needed]) -> Iterator[Problem]:
    """The action's own search knows ids and targets as they are written, and nothing else."""
    file = posixpath.normpath(dance.discovers or "Dockerfile")
    for item in wanted:
        if item.dockerfile.path != file:
            message = f"The action looks through {file}, and this job builds {item.dockerfile.path}"
        elif item.key.base is not None:
            message = (
                f"Without a map the action leaves {_joined(item.key)} of {_place(item)} out: it fills "
                "another cache, and the build starts empty"
            )
        elif item.mount.used:
            message = f"Without a map the action does not expand the variables of {_place(item)}"
        else:
            continue
        yield Problem(dance.span, dance.where.line, str(item.key), message)
        return


# -- making -------------------------------------------------------------------------------------------


def cache_map(
    wanted: Sequence[Needed], free: Callable[[str], str] | None = None
) -> dict[str, object]:
    """Return the map that carries these mounts: folder to target, or to all options of the key.

    Mounts whose keys a variable decides are left out, and those that begin with another image's files.
    """
    found: dict[str, object] = {}
    seen: set[object] = set()
    for item in wanted:
        key, mount = item.key, item.mount
        if key.identity in seen or key.unresolved or mount.origin or not mount.target.known:
            continue
        seen.add(key.identity)
        options: dict[str, object] = {"target": mount.directory or mount.target.text}
        if key.name.text != options["target"]:
            options["id"] = key.name.text
        if key.base is not None and key.base.owner is not None:
            owner = key.base.owner
            given = {option.name for option in mount.owner_options}
            numbers = {"uid": owner.uid, "gid": owner.gid, "mode": f"{owner.mode:04o}"}
            options |= {name: value for name, value in numbers.items() if name in given}
        name = _folder(key, found)
        found[name] = options["target"] if len(options) == 1 else options
    return found


def _folder(key: Key, taken: dict[str, object]) -> str:
    """Name the folder of the runner: by the key, and with its owner where two are alike."""
    plain = "".join(char if char.isalnum() or char in "._-" else "-" for char in key.name.text)
    name = f"cache-mounts/{plain.strip('-.') or 'cache'}"
    if name in taken and key.base is not None and key.base.owner is not None:
        name = f"{name}-{key.base.owner.uid}-{key.base.owner.gid}"
    number = 2
    while name in taken:
        name, number = f"{name}-{number}", number + 1
    return name
