"""Which tools a dev container's project uses, as its files and commands show."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cachekey.devcontainer.container import Container
from cachekey.devcontainer.mentions import build_words, only_gives, words_of
from cachekey.devcontainer.substitution import LIFECYCLE
from cachekey.knowledge import Claim
from cachekey.knowledge.patterns import matches
from cachekey.tools.configs import config_value

if TYPE_CHECKING:
    from cachekey.knowledge.records import Tool
COMMANDS = tuple((name,) for name in ("initializeCommand", *LIFECYCLE))
"""Where a devcontainer.json says what runs."""


def in_use(claim: Claim, container: Container) -> bool:
    """Tell whether the file, its image, its Dockerfile or a lock file names the tool."""
    tool = claim.tool
    if not _belongs(tool, container):
        return False
    names = _names(tool)
    if tool.id in _evident(container):
        return True
    plain = [re.escape(name) for name in names if "*" not in name]
    word = re.compile(rf"(?<![\w-])(?:{'|'.join(plain)})(?![\w-])", re.IGNORECASE)
    return any(word.search(text) for text in _texts(container))


def _names(tool: Tool) -> set[str]:
    """Return the words that tell a tool; ``cargo`` calls ccache only where something else says so."""
    return {tool.id, *(name for c in tool.commands if not c.through for name in c.names)}


def _evident(container: Container) -> frozenset[str]:
    """Return the ids of the tools that lock files, features and commands show to be in use."""
    featured = {tool for use in container.features if use.known for tool in use.known.tools}
    return _called_for(container) | _own(featured, container)


def _called_for(container: Container) -> frozenset[str]:
    """Return the ids of the tools that the project's own files and commands show to be in use."""
    found = set()
    for name, tool in container.knowledge.project_files().items():
        if container.texts.read(posixpath.join(container.root, name)) is not None:
            found.add(tool)
    for ran in container.story.items:
        for item, command in container.knowledge.commands_for(ran.item.program or ""):
            if not command.through:
                found.add(item.id)
    return _own(found, container)


def _own(names: Iterable[str], container: Container) -> frozenset[str]:
    """Leave out the tools that the project's files tell to be others of the same name."""
    tools = ((name, container.knowledge.tool(name)) for name in names)
    return frozenset(name for name, tool in tools if tool is None or _belongs(tool, container))


def _belongs(tool: Tool, container: Container) -> bool:
    """Tell whether no file of the project says that a program is another tool of the same name.

    A ``yarn.lock`` of Yarn 1 tells that ``yarn`` is not Yarn 4, whatever the image has.
    """
    for name, wanted in tool.when.items():
        said = _said(tool, name, container)
        if said is not None and not any(matches(said, glob) for glob in wanted.split("|")):
            return False
    return True


def _said(tool: Tool, name: str, container: Container) -> str | None:
    """Return what the project's files say of a setting of a tool (lower case)."""
    setting = tool.setting(name)
    for way in setting.sources if setting is not None else ():
        path = posixpath.join(container.root, way.config)
        text = container.texts.read(path) if way.config else None
        if text is None or (way.text and way.text not in text):
            continue
        value = config_value(way.config, text, way.key) if way.key else way.value
        if isinstance(value, str) and value:
            return value.lower()
    return None


def project_tools(container: Container) -> Iterator[Claim]:
    """Yield the directories of the tools that the project's own files and commands call for.

    Of a feature that brings several tools those count that the project calls for, all if it calls for none.
    """
    called = _called_for(container)
    wanted = set(called)
    for use in container.features:
        brought = frozenset(use.known.tools if use.known is not None else ())
        wanted |= frozenset() if brought & called else _own(brought, container)
    for name in sorted(wanted):
        tool = container.knowledge.tool(name)
        if tool is not None:
            yield from (Claim(tool, cache) for cache in tool.caches)


def tools_in_use(container: Container) -> Iterator[Claim]:
    """Yield the directories of the tools that the file, its features or its Dockerfile name."""
    text = "\n".join(_texts(container)).lower()
    document = container.document
    # A single letter is more often an option than R.
    words = frozenset(re.findall(r"[a-z][\w+-]+", text)) | {e.name.lower() for e in document.env}
    evident = _evident(container)
    for tool in container.knowledge.tools():
        names = _names(tool)
        pins = {cache.pin.lower() for cache in tool.caches if cache.pin}
        if (tool.id in evident or words & (names | pins)) and _belongs(tool, container):
            yield from (Claim(tool, cache) for cache in tool.caches)


def _texts(container: Container) -> Iterator[str]:
    document = container.document
    mounted = [mount.node for mount in document.mounts]
    for path, node in document.tree.strings():
        inside = path[:1] == ("mounts",) or any(node is other for other in mounted)
        if node.text is not None and not inside and path[:1] not in COMMANDS:
            yield node.text.text
    yield from (use.name for use in container.features)
    ran = [one.item for one in (*container.story.items, *container.host_story.items)]
    yield from words_of(item for item in ran if not only_gives(item))
    if container.reference is not None:
        yield container.reference
    yield from build_words(container)
    if container.dockerfile is not None:
        for stage in container.dockerfile.stages:
            yield stage.base.reference.text


def build_texts(container: Container) -> Iterator[str]:
    """Yield what each instruction of the container's stage says."""
    stage = container.stage
    for link in stage.chain if stage is not None else ():
        for step in link.steps:
            yield step.instruction.args.text
