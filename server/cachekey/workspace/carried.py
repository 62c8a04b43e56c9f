"""What carries cache mounts over the runs of a workflow: dance maps, and the keys of the builds.

An entry of a map is a mount like any other, and its key is formed by the same reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import islice

from cachekey.buildkit.keys import Key
from cachekey.buildkit.mounts import Mount
from cachekey.builds.invocation import Dance, Entry, Invocation
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.dockerfile.scoping import BuildOptions
from cachekey.dockerfile.stages import read_dockerfile
from cachekey.record import record
from cachekey.text import Source
from cachekey.workspace.project import Project

FOLDER = "cache-mounts"
"""Where the contents of mounts lie on a runner, if nothing says otherwise."""
_MOST_FILES = 50
"""Files with a mount of one cache that are looked at: a key may be that of thousands."""


@record(frozen=True, eq=False)
class Needed:
    """A cache mount that a build comes to, with its key there."""

    dockerfile: Dockerfile
    run: Run
    mount: Mount
    key: Key


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
        if dance.job != build.job or dance.step > build.step or other_builder(dance, build):
            continue
        for entry in dance.entries or ():
            mount = entry_key(project, entry)
            if mount is not None and mount.key is not None and mount.key.identity == key.identity:
                return dance
    return None


def is_carried(project: Project, document: Dockerfile, mount: Mount) -> bool:
    """Tell whether a dance names the cache that a build finds at a mount: of another key it would not be.

    Builds of other files count, too, that have a mount of this cache.
    """
    if any(
        carrier(project, built.build, one.key) is not None
        for built in project.built(document)
        for one in built.keys.get(mount.span.start, ())
    ):
        return True
    key = mount.key
    if key is None:
        return False
    others = dict.fromkeys(other.path for other in project.index.sharing(key.identity))
    return any(
        carrier(project, build, key) is not None
        for path in islice(others, _MOST_FILES)
        for build in project.index.builds(path)
    )


def may_carry(project: Project, build: Invocation) -> bool:
    """Tell whether a dance of the job may carry caches of which the files do not tell."""
    summary = project.index.get(build.path)
    dances = summary.dances if summary is not None and build.job else ()
    return any(
        dance.job == build.job and (dance.entries is None or is_open(project, dance))
        for dance in dances
    )


def is_open(project: Project, dance: Dance) -> bool:
    """Tell whether an entry of the map is none of which the key can be told."""
    return any(entry_key(project, entry) is None for entry in dance.entries or ())


def other_builder(dance: Dance, build: Invocation) -> bool:
    """Tell whether a dance surely feeds another builder than a build uses."""
    known = dance.builder is not None and build.builder is not None
    return known and dance.builder != build.builder


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
        Needed(document, run, mount, one.key)
        for run, mount in document.caches
        for one in built.keys.get(mount.span.start, ())
    ]


# -- making -------------------------------------------------------------------------------------------


def can_carry(item: Needed) -> bool:
    """Tell whether an entry of a map can be written for a mount.

    Not where a variable decides its key, and not where it begins with another image's files.
    """
    return not item.key.unresolved and not item.mount.origin and item.mount.target.known


def entry_of(item: Needed) -> str | dict[str, object]:
    """Return what a map says of a mount: the target alone, or all options of its key."""
    key, mount = item.key, item.mount
    options: dict[str, object] = {"target": mount.directory or mount.target.text}
    if key.name.text != options["target"]:
        options["id"] = key.name.text
    if key.base is not None and key.base.owner is not None:
        owner = key.base.owner
        given = {option.name for option in mount.owner_options}
        numbers = {"uid": owner.uid, "gid": owner.gid, "mode": f"{owner.mode:04o}"}
        options |= {name: value for name, value in numbers.items() if name in given}
    return str(options["target"]) if len(options) == 1 else options


def distinct(wanted: Iterator[Needed] | Sequence[Needed]) -> list[Needed]:
    """Return the first mount of each cache that a map can carry."""
    found: dict[object, Needed] = {}
    for item in wanted:
        if can_carry(item):
            found.setdefault(item.key.identity, item)
    return list(found.values())


def cache_map(wanted: Sequence[Needed], root: str = FOLDER) -> dict[str, object]:
    """Return the map that carries these mounts: folder below ``root`` to target, or to all options."""
    found: dict[str, object] = {}
    for item in distinct(wanted):
        found[folder_for(item.key, root, found.keys())] = entry_of(item)
    return found


def folder_for(key: Key, root: str, taken: Set[str]) -> str:
    """Name the folder of the runner: by the key, and with its owner where two are alike."""
    plain = "".join(char if char.isalnum() or char in "._-" else "-" for char in key.name.text)
    name = "/".join(part for part in (root, plain.strip("-.") or "cache") if part)
    if name in taken and key.base is not None and key.base.owner is not None:
        name = f"{name}-{key.base.owner.uid}-{key.base.owner.gid}"
    number, stem = 2, name
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name
