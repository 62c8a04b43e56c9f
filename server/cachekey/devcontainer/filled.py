"""What the image's build leaves where a volume lies, which a new volume takes over and then hides."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cachekey.commands.effect import meets
from cachekey.commands.effects import effects_of
from cachekey.commands.fetched import addresses, is_fetched
from cachekey.commands.invocation import Invocation
from cachekey.commands.shellstate import joined
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.paths import covers
from cachekey.dockerfile.purpose import is_remembered
from cachekey.knowledge.records import Kind

if TYPE_CHECKING:
    from cachekey.dockerfile.records import Run
    from cachekey.knowledge.records import Tool


def frozen(mount: RuntimeMount, container: Container) -> str | None:
    """Return what the image keeps where a named volume lies, which then never changes again.

    A new volume takes it over from the image; after that the image's updates are hidden by it.
    """
    place = container.place(mount)
    if place is None or mount.type != "volume" or mount.nocopy or mount.opaque:
        return None
    ships = [*container.image.ships] if container.image is not None else []
    for use in container.features:
        ships += use.known.ships if use.known is not None else ()
    # Around them a volume says something else, unless the image has the directory for the user.
    narrow = place.count("/") > 1 or (container.image is not None and place in container.image.own)
    for shipped in ships:
        if place == shipped.path or (narrow and covers(place, shipped.path)):
            return shipped.what
    packages = container.image.facts.get("site-packages") if container.image is not None else None
    if packages is not None and fnmatchcase(place, packages):
        return "the packages of the image"
    if _environment(place, container):
        return "the packages that the Dockerfile installs"
    at_home = place == container.home and _installs_at_home(container)
    return (
        "the programs that the Dockerfile installs"
        if at_home or _filled(place, container) or _fetched_into(place, container)
        else None
    )


def _filled(place: str, container: Container) -> bool:
    """Tell whether the Dockerfile installs programs below a directory, and leaves them there."""
    steps = (
        [step for link in container.stage.chain for step in link.steps] if container.stage else []
    )
    folders = [
        item.path
        for step in steps
        if step.run is not None
        for use in step.run.uses
        for item in use.directories
        if item.cache.programs and item.used and item.path and not item.shaky
    ]
    gone = [
        effect.path
        for item in _built(container)
        for effect in effects_of(item) or ()
        if effect.kind in ("removes", "moves") and effect.path is not None
    ]
    return any(
        covers(place, folder) and not any(meets(path, folder) for path in gone)
        for folder in folders
    )


def _fetched_into(place: str, container: Container) -> bool:
    """Tell whether an installer of that name is fetched, and the PATH leads to what it leaves there.

    ``curl https://get.pulumi.com | sh`` fills ``~/.pulumi``, whose ``bin`` the Dockerfile names.
    """
    stage, name = container.stage, posixpath.basename(place).lstrip(".")
    path = stage.end.variables.get("PATH") if stage is not None else None
    if stage is None or path is None or len(name) < _SHORTEST or not name.isalpha():
        return False
    folders = [folder for folder in path.value.text.split(":") if folder]
    # A version manager fills its shims when it installs a tool, which may well be at run time.
    if not any(covers(place, one) and posixpath.basename(one) != "shims" for one in folders):
        return False
    return any(
        is_fetched(items, at) and any(_hosted_by(name, url) for url in addresses(items, at))
        for link in stage.chain
        for step in link.steps
        if step.run is not None
        for items in (step.run.commands.items,)
        for at in range(len(items))
    )


_SHORTEST = 3
"""Letters of a name that tells a program."""


def _hosted_by(name: str, url: str) -> bool:
    """Tell whether a program's name is a part of the host that an address names."""
    host = url.partition("://")[2].partition("/")[0].partition(":")[0].lower()
    return name in host.replace("-", ".").split(".")


_MAKES_ENVIRONMENTS = frozenset(("venv", "virtualenv"))
_INTO_ENVIRONMENTS = frozenset(("pip", "uv", "poetry", "pdm"))


def _environment(place: str, container: Container) -> bool:
    """Tell whether the build installs packages into a virtual environment there, and nothing else does.

    In the workspace it is the project's own, which the commands after the start keep up to date.
    """
    if container.in_workspace(place):
        return False
    lists = {text for item in _built(container) for text in item.texts if text}
    for ran in container.story.items:
        into = any(tool.id in _INTO_ENVIRONMENTS for tool, _ in _tools(ran.item, container))
        if into and (_syncs(ran.item) or lists & _listed(ran.item)):
            return False
    made = installed = False
    for item in _built(container):
        made = made or (_makes(item) and place in (joined(item.cwd, t) for t in _plain(item)))
        inside = item.path is not None and covers(place, posixpath.dirname(item.path))
        leads = inside or _on_path(place, container)
        pips = any(tool.id in _INTO_ENVIRONMENTS for tool, _ in _tools(item, container))
        installed = installed or (made and leads and pips and "install" in item.texts)
    return installed


def _built(container: Container) -> Iterator[Invocation]:
    """Yield the calls of the image's build, in their order."""
    links = container.stage.chain if container.stage is not None else ()
    for link in reversed(links):
        for step in link.steps:
            yield from step.run.commands.items if step.run is not None else ()


def _tools(item: Invocation, container: Container) -> Iterator[tuple[Tool, object]]:
    yield from container.knowledge.commands_for(item.program or "")


def _makes(item: Invocation) -> bool:
    return item.program in _MAKES_ENVIRONMENTS or (
        item.program == "uv" and item.texts[:1] == ("venv",)
    )


def _plain(item: Invocation) -> list[str]:
    return [text for text in item.texts if text and not text.startswith("-")]


def _syncs(item: Invocation) -> bool:
    """Tell whether a call installs what a lock file says, which is all that there is to install."""
    words = _plain(item)[:1]
    return words in (["sync"], ["install"]) and item.program in ("uv", "poetry", "pdm")


def _listed(item: Invocation) -> set[str]:
    """Return the requirement files of a call."""
    pairs = zip(item.texts, item.texts[1:], strict=False)
    return {name for option, name in pairs if name and option in ("-r", "--requirement")}


def _on_path(place: str, container: Container) -> bool:
    stage = container.stage
    path = stage.end.variables.get("PATH") if stage is not None else None
    return path is not None and f"{place}/bin" in path.value.text.split(":")


def _installs_at_home(container: Container) -> bool:
    """Tell whether a RUN of the user, who is not root, installs programs, which then lie at home."""
    stage, home = container.stage, container.home
    if stage is None or home is None:
        return False
    return any(
        step.run is not None
        and step.run.scope.user.is_root is False
        and step.run.scope.user.home == home
        and not is_remembered(step.run.scope, step.run.scope.user)
        and _installs(step.run, home)
        for link in stage.chain
        for step in link.steps
    )


def _installs(run: Run, home: str) -> bool:
    """Tell whether a RUN puts a tool's results below a home, or obeys an installer that it fetches."""
    if any(
        item.cache.kind is Kind.RESULT and item.used and item.path and covers(home, item.path)
        for use in run.uses
        for item in use.directories
    ):
        return True
    items = run.commands.items
    return any(is_fetched(items, index) for index in range(len(items)))
