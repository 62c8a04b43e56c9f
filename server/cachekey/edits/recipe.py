"""Whole recipes for a dev container's cache: mount, variable and ownership together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from cachekey.devcontainer.caches import RuntimeCache, cache_of, told
from cachekey.devcontainer.judge import tools_in_use, untold, unwritable_for
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.edits import devcontainer as edit
from cachekey.finding import Safety
from cachekey.knowledge import Claim
from cachekey.knowledge.records import Kind
from cachekey.record import record, replace
from cachekey.text import Edit

if TYPE_CHECKING:
    from cachekey.workspace.project import Project

SUDO = "The command needs sudo in the container, without a password."


@record(frozen=True)
class Recipe:
    """A complete change and what is to be said about it."""

    write: Callable[[], Iterable[Edit]]
    """Makes the edits, when they are asked for."""
    safety: Safety
    reason: str = ""
    extras: str = ""
    """What it does besides the mount, to be put behind a title."""


def chown_command(place: str) -> str:
    """Return the shell command that gives a directory to the user who runs it."""
    plain = re.fullmatch(r"[\w./-]*(?:\$\{containerWorkspaceFolder\})?[\w./-]*", place)
    return f"sudo chown -R $(id -u):$(id -g) {place if plain else chr(34) + place + chr(34)}"


def own(document: Devcontainer, place: str) -> Recipe:
    """Give a fresh volume to the user of the lifecycle commands before the first of them runs."""
    write = partial(edit.run_first, document, chown_command(place), "cache-owner")
    surely = edit.comes_first(document)
    reason = SUDO if surely else f"{SUDO} It runs side by side with the other entries."
    return Recipe(write, Safety.UNSAFE, reason)


def volume(
    mount: RuntimeMount,
    document: Devcontainer,
    project: Project,
    drop: Iterable[str] = (),
    cache: RuntimeCache | None = None,
    renamed: bool = False,
) -> Recipe:
    """Turn a mount into a named volume that its tool knows of and its user may write to.

    ``renamed`` drops the present source for the name that the tool's cache has.
    """
    sure = cache is not None and (renamed or cache.grade == "variable")
    suggestion = cache.cache.id if cache is not None and sure else ""
    name = suggestion if renamed and suggestion else edit.name_for(mount, suggestion)
    write = partial(edit.convert, document, mount, "volume", name, drop)
    place = mount.place
    if place is None:
        return Recipe(write, Safety.SAFE)
    missing = untold(mount, document, project)
    pin = missing.cache.pin if missing is not None else ""
    recipe = _complete(document, write, place, pin, unwritable_for(place, document, project))
    if missing is not None and not recipe.reason:
        reason = f"That the mount is {missing.tool}'s is told by its name."
        recipe = replace(recipe, safety=Safety.UNSAFE, reason=reason)
    return recipe


def _complete(
    document: Devcontainer,
    write: Callable[[], Iterable[Edit]],
    place: str,
    pin: str,
    user: str | None,
) -> Recipe:
    """Add to the edits of a volume on ``place`` the variable and the owner that it needs."""
    steps: list[edit.Step] = []
    extras = []
    if pin:
        steps.append(lambda current: edit.set_variable(current, pin, place))
        extras.append(f"set {pin}")
    if user is not None:
        steps.append(lambda current: own(current, place).write())
        extras.append(f"give it to {user}")
    whole = (lambda: edit.together(document, write(), *steps)) if steps else write
    shown = "".join(f", {text}" for text in extras)
    if user is None:
        return Recipe(whole, Safety.SAFE, "", shown)
    return Recipe(whole, Safety.UNSAFE, own(document, place).reason, shown)


def host_bind(mount: RuntimeMount, document: Devcontainer, project: Project) -> Recipe | None:
    """Bind the host's cache instead, whose place the tool's own variable tells on the host."""
    cache = cache_of(mount, document, project.knowledge)
    if cache is None or not cache.cache.pin or mount.place is None:
        return None
    pin, place = cache.cache.pin, mount.place

    def write() -> Iterator[Edit]:
        yield from edit.convert(document, mount, "bind", f"${{localEnv:{pin}}}")
        if not any(entry.name == pin for entry in document.container_env):
            yield from edit.set_variable(document, pin, place)

    return Recipe(write, Safety.UNSAFE, _host_reason(pin), pin)


def _host_reason(pin: str) -> str:
    return f"{pin} must be set on the host, to a directory that exists there."


def new_volume(claim: Claim, place: str, document: Devcontainer, project: Project) -> Recipe:
    """Add a named volume for a tool whose variable names ``place``."""
    text = f"type=volume,source={claim.cache.id},target={place}"
    write = partial(edit.add_mount, document, text)
    return _complete(document, write, place, "", unwritable_for(place, document, project))


def offers(document: Devcontainer, project: Project) -> Iterator[tuple[str, Recipe]]:
    """Yield, with a title, both ways to keep the cache of each tool in use that has no mount yet.

    The tools are those that the file, its features or its Dockerfile name.
    """
    if document.feature or document.problem is not None:
        return
    taken = {claim.cache.id for _, claim, _ in told(document, project.knowledge)}
    for mount in document.effective_mounts:
        cache = cache_of(mount, document, project.knowledge)
        taken |= {cache.cache.id} if cache is not None else set()
    for claim in tools_in_use(document, project):
        pin, name = claim.cache.pin, claim.cache.id
        if claim.cache.kind is not Kind.DOWNLOAD or not pin or not name or name in taken:
            continue
        taken.add(name)
        place = f"/cache/{name.removesuffix('-cache')}"
        yield from _offers(document, project, claim, place)


def _offers(
    document: Devcontainer, project: Project, claim: Claim, place: str
) -> Iterator[tuple[str, Recipe]]:
    pin, tool = claim.cache.pin, claim.tool.name

    def bind(source: str) -> edit.Step:
        return lambda current: edit.add_mount(current, f"{source},target={place}")

    def variable(current: Devcontainer) -> tuple[Edit, ...]:
        return edit.set_variable(current, pin, place)

    steps = [variable, bind(f"type=volume,source={claim.cache.id}")]
    user, reason = unwritable_for(place, document, project), ""
    if user is not None:
        steps.append(lambda current: own(current, place).write())
        reason = own(document, place).reason
    safety = Safety.UNSAFE if reason else Safety.SAFE
    write = partial(edit.together, document, (), *steps)
    yield f"Share the {tool} cache by a volume", Recipe(write, safety, reason)
    host = bind(f"type=bind,source=${{localEnv:{pin}}}")
    write = partial(edit.together, document, (), variable, host)
    reason = _host_reason(pin)
    yield f"Share the {tool} cache with the host", Recipe(write, Safety.UNSAFE, reason)
