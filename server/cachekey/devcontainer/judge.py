"""Judgements on a dev container's caches that need all of it: image, variables, commands, files.

Each one answers only when everything that could speak against it has been seen; a script, an
unknown image or a feature from elsewhere ends the matter without an answer.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cachekey.commands.effects import effects_of
from cachekey.commands.invocation import Invocation
from cachekey.devcontainer.caches import RuntimeCache, cache_of, is_usual, told
from cachekey.devcontainer.configured import configured, exported, names_of
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.inuse import COMMANDS, build_texts, in_use
from cachekey.devcontainer.mentions import build_words, only_gives, words_of
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.paths import covers
from cachekey.devcontainer.read import EnvEntry
from cachekey.knowledge import Claim
from cachekey.knowledge.paths import UnknownValueError, expand_template
from cachekey.knowledge.patterns import any_fits, has_option, read_line
from cachekey.knowledge.records import Kind
from cachekey.record import record, remembered

if TYPE_CHECKING:
    from cachekey.knowledge.records import CacheDir, LinkMode, Tool


# -- whether a tool knows of its cache -----------------------------------------------------------


def untold(mount: RuntimeMount, container: Container) -> RuntimeCache | None:
    """Return the cache that a mount is meant to be, when its tool is in use and not told of it."""
    document = container.document
    if document.feature or mount.readonly:
        return None
    if mount.type not in ("volume", "bind", "cache"):
        return None
    found = cache_of(mount, document, container.knowledge)
    if found is None or not found.cache.pins or not found.claim.tool.confidence.warns:
        return None
    if found.grade == "variable" or (found.grade == "default" and not found.cache.beside_project):
        return None
    if _goes_there_anyway(found.cache, mount, container):
        return None
    if not in_use(found.claim, container) or not _all_read(container):
        return None
    if _set_somewhere(found, container) is not False:
        return None
    if mount.place is None or _said_elsewhere(mount, container, found.grade == "default"):
        return None
    return None if configured(found.cache, found.claim.tool, container) else found


def strays(found: RuntimeCache, container: Container) -> bool | None:
    """Tell whether a tool has this cache beside a project on another mount, since nothing pins it.

    ``None``: it would, and nobody knows whether something does.
    """
    if found.grade == "name" or not found.cache.beside_project:
        return False
    pinned = _set_somewhere(found, container)
    if pinned is False and configured(found.cache, found.claim.tool, container):
        return False
    return None if pinned is None else not pinned


def _goes_there_anyway(cache: CacheDir, mount: RuntimeMount, container: Container) -> bool:
    """Tell whether a mount is where a tool goes for projects that lie on another mount than the home."""
    place = container.place(mount)
    around, name = posixpath.split(place or "")
    if not cache.beside_project or name != cache.beside_project:
        return False
    binds = (container.place(other) for other in container.mounts if other.type == "bind")
    return around in binds or (container.folder is not None and covers(around, container.folder))


def misplaced(mount: RuntimeMount, container: Container) -> tuple[RuntimeCache, str] | None:
    """Return the cache that a mount is meant to be, and where its tool keeps it in this container.

    The mount lies where another image, another user or another setting would put the cache.
    """
    document, place = container.document, container.place(mount)
    if document.feature or mount.readonly or place is None:
        return None
    keeps = mount.type in {"volume", "cache"}
    found = cache_of(mount, document, container.knowledge) if keeps else None
    if found is None or found.grade == "variable" or not found.claim.tool.confidence.warns:
        return None
    if found.cache.beside_project:
        return None
    ways = [way.env for way in found.cache.moved_by if way.env]
    if (
        found.grade == "name"
        and found.cache.pins
        and not any(map(container.environment.setting, ways))
    ):
        return None
    where = lies(found.claim, container)
    if where is None or not where.startswith("/"):
        return None
    if not in_use(found.claim, container) or not _all_read(container):
        return None
    mounted = (container.place(other) for other in container.mounts)
    if any(path and (covers(path, where) or covers(where, path)) for path in mounted):
        return None
    by_others = any(
        ran.item.user is not None and any(found.claim.tool.id == item.id for item, _ in commands)
        for ran in container.story.items
        for commands in (container.knowledge.commands_for(ran.item.program or ""),)
    )
    if by_others or _said_elsewhere(mount, container, True):
        return None
    return None if configured(found.cache, found.claim.tool, container) else (found, where)


def lies(claim: Claim, container: Container) -> str | None:
    """Return where the cache of a tool is as the container stands."""
    for way in claim.cache.moved_by:
        found = container.environment.setting(way.env) if way.env else None
        if found is not None:
            # A version that no file tells may be part of the name.
            path = found.text if "*" not in way.below else None
            return posixpath.normpath(posixpath.join(path, way.below)) if path else None
    if container.image is None or container.user is None:
        return None
    root = claim.cache.root_path if container.user.root else ""
    try:
        path = expand_template(root or claim.cache.path, container.environment.lookup)
    except UnknownValueError:
        return None
    return path if path.startswith("/") else None


def _all_read(container: Container) -> bool:
    """Tell whether nothing is left that could tell a tool where its cache is."""
    service = container.service
    if container.document.env_file or container.foreign_features or container.story.unread:
        return False
    if container.composition is not None and (service is None or service.unread):
        return False
    return service is None or not service.has_env_file


def _set_somewhere(found: RuntimeCache, container: Container) -> bool | None:
    """Tell whether a variable moves the cache already; ``None`` when the image may do so.

    A tool's home is no such variable for a cache that leaves it when the project is elsewhere.
    """
    names = names_of(found.cache)
    if found.grade != "name" and found.cache.beside_project:
        names = frozenset((*found.cache.pins, *(pin.lower() for pin in found.cache.pins)))
    if any(entry.name in names or entry.name.lower() in names for entry in container.document.env):
        return True
    if any(next(container.environment.settings(name), None) is not None for name in names):
        return True
    return None if container.image is None else False


def _said_elsewhere(mount: RuntimeMount, container: Container, variables: bool) -> bool:
    """Tell whether a command or another value names the directory, other than to own it.

    ``variables``: those have been looked at already, and none of them counts.
    """
    document, place = container.document, container.place(mount)
    wanted = {text for text in (mount.place, place) if text}
    mounted = [other.node for other in document.mounts]
    for path, node in document.tree.strings():
        if variables and path[:1] in (("containerEnv",), ("remoteEnv",)):
            continue
        if path[:1] == ("mounts",) or path[:1] in COMMANDS:
            continue
        if node.text is None or node is mount.node or any(node is other for other in mounted):
            continue
        if any(text in node.text.text for text in wanted):
            return True
    ran = (one.item for one in (*container.story.items, *container.host_story.items))
    said = [*words_of(item for item in ran if not _only_looks(item)), *build_words(container)]
    said += (
        step.instruction.args.text
        for step in container.steps
        if step.run is None and not (variables and step.instruction.keyword == "ENV")
    )
    return any(text in one for one in said for text in wanted)


def _only_looks(item: Invocation) -> bool:
    """Tell whether a command makes directories, gives them away or shows them, and tells no tool of them."""
    return only_gives(item) or (not item.opaque and effects_of(item) == ())


def unmounted(container: Container) -> Iterator[tuple[EnvEntry, Claim, str]]:
    """Yield the variables that put a cache where nothing is mounted: it goes with the container."""
    document = container.document
    if document.feature or container.foreign_features or container.image is None:
        return
    if container.composition is not None and (
        container.service is None or container.service.unread
    ):
        return
    if any(container.place(mount) is None for mount in container.mounts):
        return
    for entry, claim, directory in told(document, container.knowledge):
        if not claim.tool.confidence.warns or is_usual(directory, claim):
            continue
        mounts = (*container.mounts, *document.mounts)
        places = [place for mount in mounts if (place := container.place(mount))]
        for use in container.features:
            places += [mount.target for mount in use.known.mounts] if use.known is not None else ()
        if any(covers(place, directory) or covers(directory, place) for place in places):
            continue
        if _below(directory, ("/tmp", "/workspaces", "/var/tmp", container.folder)):
            continue
        if any(directory in text for text in build_texts(container)):
            continue
        yield entry, claim, directory


def _below(path: str, folders: Iterable[str | None]) -> bool:
    return any(folder and folder != "/" and covers(folder, path) for folder in folders)


# -- linking out of a volume -----------------------------------------------------------------------


def unlinkable(mount: RuntimeMount, container: Container) -> Unlinkable | None:
    """Return the tool that says, at every install, that it cannot link out of a mount's cache."""
    place = container.place(mount)
    if mount.type not in ("volume", "bind") or container.document.feature or place is None:
        return None
    if container.image is None or not _all_read(container):
        return None
    if container.folder is not None and covers(place, container.folder):
        return None
    for tool, mode in _linking(container).get(id(mount), ()):
        into = _installs_into(tool, container)
        if into != "" and not (into and covers(place, into)) and _links(tool, mode, container):
            return Unlinkable(tool, mode, into)
    return None


@record(frozen=True)
class Unlinkable:
    """A tool whose cache and whose results lie on two file systems."""

    tool: Tool
    mode: LinkMode
    into: str | None
    """Where a variable puts the results; ``None``: in the workspace."""


@remembered
def _linking(container: Container) -> dict[int, list[tuple[Tool, LinkMode]]]:
    """Return the tools that link out of a cache, by the mount that has it: no other is nearer."""
    mounts = [(container.place(mount), mount) for mount in container.mounts]
    found: dict[int, list[tuple[Tool, LinkMode]]] = {}
    for tool in container.knowledge.tools():
        mode = tool.link_mode
        if mode is None or not mode.env or not mode.commands:
            continue
        for cache in tool.caches:
            where = lies(Claim(tool, cache), container) if cache.role in mode.caches else None
            around = [
                (place, one) for place, one in mounts if place and where and covers(place, where)
            ]
            if around:
                _, nearest = max(around, key=lambda item: len(item[0]))
                found.setdefault(id(nearest), []).append((tool, mode))
    return found


def _installs_into(tool: Tool, container: Container) -> str | None:
    """Return where a variable puts a tool's results; ``None``: none does, "": nobody knows where."""
    for cache in tool.caches:
        if cache.kind is not Kind.RESULT or not cache.relative:
            continue
        for way in cache.moved_by:
            found = container.environment.setting(way.env) if way.env else None
            if found is not None:
                text = found.text or ""
                return posixpath.normpath(text) if text.startswith("/") else ""
    return None


def _links(tool: Tool, mode: LinkMode, container: Container) -> bool:
    """Tell whether a command installs with it, and nothing tells it to copy."""
    if next(container.environment.settings(mode.env), None) is not None:
        return False
    if exported((mode.env,), container):
        return False
    if any(mode.env in text for text in build_texts(container)):
        return False
    for way in mode.config:
        text = container.texts.read(posixpath.join(container.root, way.config))
        if text is not None and way.key.rpartition(".")[2] in text:
            return False
    for ran in container.story.items:
        for item, command in container.knowledge.commands_for(ran.item.program or ""):
            line = read_line(item, command, ran.item.texts)
            if item.id == tool.id and any_fits(mode.commands, line):
                told_so = mode.flag and has_option(mode.flag, line) is not None
                return not told_so and mode.env not in ran.item.env
    return False
