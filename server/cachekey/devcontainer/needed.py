"""Commands that need a volume before another command gives it to their user."""

from __future__ import annotations

import posixpath

from cachekey.devcontainer.container import Container
from cachekey.devcontainer.judge import lies
from cachekey.devcontainer.lifecycle import Ran
from cachekey.devcontainer.paths import covers
from cachekey.knowledge import Claim
from cachekey.knowledge.patterns import any_fits, read_line
from cachekey.knowledge.records import CacheDir, Kind, Tool


def needed_first(place: str, container: Container, giver: Ran) -> Ran | None:
    """Return the user's command that cannot do without a place and runs before ``giver`` does.

    The first creation fails there, and a command that fails ends those behind it
    (containers.dev, *Lifecycle scripts*).
    """
    for ran in container.story.items:
        if ran is giver or _beside(ran, giver, container):
            return None
        if not ran.item.conditional and ran.item.user is None and _needs(ran, place, container):
            return ran
    return None


def _beside(ran: Ran, giver: Ran, container: Container) -> bool:
    """Tell whether two commands are entries of one object, which run side by side."""
    node = container.document.root.get(ran.moment) if ran.moment == giver.moment else None
    return node is not None and node.kind == "object"


def _needs(ran: Ran, place: str, container: Container) -> bool:
    for tool, command in container.knowledge.commands_for(ran.item.program or ""):
        line = read_line(tool, command, ran.item.texts)
        if command.through or any_fits(command.uses, line) is not True:
            continue
        for cache in tool.caches:
            used = not cache.used_by or any_fits(cache.used_by, line) is True
            if used and _lies_at(tool, cache, place, ran, container):
                return True
    return False


def _lies_at(tool: Tool, cache: CacheDir, place: str, ran: Ran, container: Container) -> bool:
    if cache.kind is Kind.RESULT:
        around, name = posixpath.split(place)
        return bool(cache.relative) and (ran.item.cwd, cache.path) == (around, name)
    where = lies(Claim(tool, cache), container) if tool.unwritable == "fails" else None
    return where is not None and not cache.beside_project and covers(place, where)
