"""What a hover says of a container's mount: what it is, who owns it, which tool it is for.

Everything here is rich text: whoever shows it decides what becomes of its code and links.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cachekey.assist.hover_container import MOMENTS, NO_SUDO, telling
from cachekey.devcontainer.caches import RuntimeCache, cache_of, project_output
from cachekey.devcontainer.complaints import complaints
from cachekey.devcontainer.compose import engine_name
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.imageowner import owner_in_image
from cachekey.devcontainer.judge import strays
from cachekey.devcontainer.mentions import named_in_build
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.ownership import given_by, unwritable
from cachekey.devcontainer.substitution import literal, variables
from cachekey.markup.rich import Rich, joined, lines, rich

if TYPE_CHECKING:
    from cachekey.dockerfile.records import Dockerfile
    from cachekey.workspace.project import Project

MOUNT_KEYS: dict[str, tuple[Rich, ...]] = {
    "type": lines(
        "**type**: what is mounted",
        "`volume` (default of the string form): a store of the Docker engine, kept over rebuilds",
        "`bind`: a directory of the host. `tmpfs`: memory, empty at every start",
        "`cache` exists in builds only, as `RUN --mount=type=cache` of a Dockerfile",
    ),
    "source": lines(
        "**source**: a volume's name, or a bind's directory on the host. Also `src`",
        "A volume without one is anonymous: each new container gets an empty one",
        "A bind's directory must exist; `.` in front means relative to the workspace",
        "Neither `~` nor `$HOME` is expanded, `${localEnv:NAME}` is",
    ),
    "target": lines(
        "**target**: the absolute path in the container. Also `dst`, `destination`",
        "Of two mounts with one target in `mounts`, the last counts",
        "Neither `~` nor `$HOME` is expanded",
    ),
    "readonly": lines(
        "**readonly**: the container may read and not write. Also `ro`",
        "Only in the string form: an object's `readonly` is dropped, and so it is with compose",
    ),
    "consistency": lines(
        "**consistency**: has no effect",
        "It was for an older file sharing of Docker Desktop on the Mac; any value is accepted",
    ),
    "bind-create-src": lines(
        "**bind-create-src**: makes the directory on the host when it is missing",
        "Docker 29 and newer; older ones refuse the mount",
    ),
    "volume-subpath": lines(
        "**volume-subpath**: mounts a directory of the volume, not its root",
        "It must exist in the volume already; Docker 26 and newer",
    ),
    "volume-nocopy": lines(
        "**volume-nocopy**: an empty volume takes nothing from the image's directory",
        "Its owner then is root, whoever owns that directory",
    ),
    "tmpfs-size": lines(
        "**tmpfs-size**: the most that it holds, as `64m`. Default: no limit",
    ),
    "tmpfs-mode": lines(
        "**tmpfs-mode**: its mode, octal. Default `1777`",
    ),
    "external": lines(
        "**external**: with compose, the volume of exactly this name",
        "Without it compose puts the project's name in front; it must exist already",
    ),
}


def mount_card(project: Project, container: Container, mount: RuntimeMount) -> Iterator[Rich]:
    """Tell what a mount of a container is, who owns it and which tool it is for."""
    document = container.document
    place = rich("`{}`", mount.place) if mount.place else rich("its target")
    # What a compose file writes, `docker run` never sees.
    refused = () if mount.path else complaints(mount)
    if refused:
        yield rich("**Docker refuses this mount**")
        yield rich("{}", refused[0].message)
        return
    cache = cache_of(mount, document, project.knowledge)
    if mount.type == "cache":
        yield from _no_cache(mount)
    elif mount.type == "volume":
        yield from _volume(project, container, mount, place)
    elif mount.type == "bind":
        yield from _bind(mount, place)
    elif mount.type == "tmpfs":
        yield rich("**Memory** on {}", place)
        yield rich("Empty at every start of the container, and counted as its memory")
    else:
        return
    if mount.type != "cache":
        yield from _filled(container, mount)
    yield from _tool(cache, container)
    yield from _build_store(project, container, mount, cache)


def _no_cache(mount: RuntimeMount) -> Iterator[Rich]:
    yield rich("**No cache mounts at run time**")
    yield rich("`type=cache` exists while an image is built, in `RUN --mount` of a Dockerfile")
    if mount.path:
        yield rich("Compose refuses it: none of its types is `cache`")
    elif mount.compose:
        yield rich("Compose makes an anonymous volume of it, empty after every rebuild")
    else:
        yield rich("`docker run` refuses it: the container does not start")
    yield rich("What keeps a cache here: a named volume, or a bind of the host's cache")


def _volume(
    project: Project, container: Container, mount: RuntimeMount, place: Rich
) -> Iterator[Rich]:
    if mount.source is None:
        yield rich("**A volume without a name** on {}", place)
        yield rich("Each new container gets an empty one, the old one stays behind")
        return
    yield rich("**Volume `{}`** on {}", mount.source.text, place)
    yield rich("Kept by the Docker engine over rebuilds; `docker volume rm` empties it")
    kinds = {variable.kind for variable in variables(mount.source)}
    declared = _declared(container, mount)
    if "devcontainerId" in kinds:
        yield rich("One for this folder only: other clones and projects have their own")
    elif declared is not None or not (mount.compose or mount.path) or mount.external:
        known = rich("Shared")
        if declared is not None and declared != mount.source.text:
            known = rich("The engine calls it `{}`: shared", declared)
        others = _others(project, container, mount, declared or mount.volume)
        yield rich("{} by every container of this engine that names it{}", known, others)
    else:
        yield rich("Compose puts the project's name in front of it: other projects do not share it")
    yield _owner(container, mount)
    output = project_output(mount, project.knowledge)
    if output is not None:
        yield rich("It holds {} of one project", output.cache.what)


def _declared(container: Container, mount: RuntimeMount) -> str | None:
    """Return what the engine calls a volume to which a compose file gives that name itself."""
    volumes = container.composition.volumes if container.composition is not None else {}
    found = volumes.get(mount.source.text) if mount.source is not None else None
    name = engine_name(found[1], found[2]) if found is not None else None
    return name.text if name is not None else None


def _others(
    project: Project, container: Container, mount: RuntimeMount, volume: str | None
) -> Rich:
    if volume is None:
        return Rich()
    found = [
        _at(path, item.line)
        for path, item in project.index.volumes(volume)
        if path not in (container.document.path, mount.path)
    ]
    return rich(": {}", joined(", ", found[:5])) if found else Rich()


def _at(path: str, line: int) -> Rich:
    return rich("{}", f"{path}:{line + 1}")


def _owner(container: Container, mount: RuntimeMount) -> Rich:
    if mount.nocopy:
        return rich(
            "New and empty it is root's, since `volume-nocopy` takes nothing from the image"
        )
    judged = unwritable(mount, container)
    if judged is not None and judged.certain:
        whose = "another user's, as in the image" if judged.another else "root's"
        return rich(
            "New and empty it is {}: {} cannot write until a command changes that",
            whose,
            judged.user,
        )
    place, user = container.place(mount), container.user
    if judged is None and place is not None and user is not None and not user.root:
        giver = given_by(place, container)
        if giver is not None and container.sudo is False:
            return rich("New and empty it is root's: {} {}", giver.moment, NO_SUDO)
        if giver is not None:
            return rich("New and empty it is given to {} by {}", user.name, giver.moment)
        if owner_in_image(place, container) == "user":
            return rich("New and empty it is {}'s, as the image's directory is", user.name)
    return rich(
        "New and empty it takes the owner of the image's directory, root where there is none"
    )


def _bind(mount: RuntimeMount, place: Rich) -> Iterator[Rich]:
    source = mount.source.text if mount.source is not None else ""
    yield rich("**Directory of the host** `{}` on {}", source, place)
    if mount.form == "volume" or mount.compose or mount.path:
        yield rich("Docker makes it as root's when it is missing")
    else:
        yield rich("It must exist: otherwise the container does not start")
    yield rich("The owners are the host's, and what the image has there is hidden")
    yield rich("Slow on Mac and Windows; Codespaces leaves it out")


def _filled(container: Container, mount: RuntimeMount) -> Iterator[Rich]:
    """Tell what becomes of what the build put where the mount is."""
    if mount.place is None or not named_in_build(mount.place, container):
        return
    if mount.type == "volume" and not mount.nocopy:
        yield rich(
            "The Dockerfile names this directory: an empty volume starts with a copy of what the "
            "image has there, a filled one hides it, also after the image has changed"
        )
    else:
        yield rich("What the Dockerfile puts there is hidden by the mount")


def _tool(cache: RuntimeCache | None, container: Container) -> Iterator[Rich]:
    if cache is None:
        return
    told = telling(cache, container) if cache.grade != "variable" else None
    beside, stray = cache.cache.beside_project, strays(cache, container)
    if stray or (stray is None and told is None and cache.grade == "default"):
        yield rich(
            "{} caches here only for a project on the home's file system: others have `{}` where their "
            "mount begins",
            cache.tool,
            beside,
        )
    elif told is not None:
        yield rich("{} caches here: `{}` {}", cache.tool, told.name, MOMENTS[told.moment])
    elif cache.grade == "variable" and cache.entry is not None:
        entry = cache.entry
        yield rich("{} caches here: `{}` in {}", cache.tool, entry.name, entry.place)
    elif beside and posixpath.basename(cache.mount.place or "") == beside:
        yield rich("{} caches here for projects on the mount around it", cache.tool)
    elif cache.grade == "default":
        yield rich("{} caches here of its own accord, for a user with this home", cache.tool)
    elif pin := cache.cache.pin:
        yield rich("Named like {}'s cache, which goes there once `{}` says so", cache.tool, pin)


def _build_store(
    project: Project, container: Container, mount: RuntimeMount, cache: RuntimeCache | None
) -> Iterator[Rich]:
    """Tell the build's cache of the same name, or else of the same tool, from this store."""
    dockerfile = container.dockerfile
    if dockerfile is None:
        return
    names = {mount.volume, literal(mount.value("id")), mount.place} - {None}
    found: list[tuple[int, int, Rich]] = []
    for _, built in dockerfile.caches:
        if built.key is None:
            continue
        claims = project.knowledge.claims(built.directory) if built.directory is not None else ()
        nearness = 3
        if cache is not None and any(claim.tool.id == cache.claim.tool.id for claim in claims):
            nearness = 2 - any(claim.cache == cache.cache for claim in claims)
        if built.key.name.text in names:
            nearness = 0
        if nearness < 3:
            line = dockerfile.source.line_of(built.span.start)
            label = rich("`{}` ({})", built.key.label, _at(dockerfile.path, line))
            found.append((nearness, len(found), label))
    if found:
        yield rich(
            "The build's cache {} is another store: nothing moves between the two", min(found)[2]
        )


def runtime_lines(project: Project, dockerfile: Dockerfile, tools: Iterable[str]) -> Iterator[Rich]:
    """Tell, for the hover of a build's cache, where a dev container keeps the same tool's cache.

    ``tools`` are the ids of the tools that the cache is for.
    """
    wanted = frozenset(tools)
    paths = dict.fromkeys(build.path for build in project.index.builds(dockerfile.path))
    for container in filter(None, map(project.index.get, paths)):
        for mount in container.volumes:
            if mount.tool in wanted:
                what = rich("volume `{}`", mount.name) if mount.name else rich("mount")
                yield rich(
                    "At run time the dev container uses the {} ({}), another store: "
                    "nothing moves between the two",
                    what,
                    _at(container.path, mount.line),
                )
