"""Whole recipes for a dev container's cache: mount, variable and ownership together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachekey import devcontaineredit as edit
from cachekey.finding import Safety
from cachekey.model.devcontainer import Devcontainer
from cachekey.model.devcontainer_caches import RuntimeCache, cache_of
from cachekey.model.devcontainer_judge import untold, unwritable_for
from cachekey.model.devcontainer_mounts import RuntimeMount
from cachekey.text import Edit

if TYPE_CHECKING:
    from cachekey.model.project import Project

SUDO = "The command needs sudo in the container, without a password."


@dataclass(frozen=True)
class Recipe:
    """A complete change and what is to be said about it."""

    edits: tuple[Edit, ...]
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
    edits, first = edit.run_first(document, chown_command(place), "cache-owner")
    reason = SUDO if first else f"{SUDO} It runs side by side with the other entries."
    return Recipe(edits, Safety.UNSAFE, reason)


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
    edits = edit.convert(document, mount, "volume", name, drop)
    extras, safety, reason = [], Safety.SAFE, ""
    missing = untold(mount, document, project)
    if missing is not None and mount.place is not None:
        edits += edit.set_variable(document, missing.cache.pin, mount.place)
        extras.append(f"set {missing.cache.pin}")
        safety, reason = Safety.UNSAFE, f"That the mount is {missing.tool}'s is told by its name."
    user = unwritable_for(mount.place, document, project) if mount.place else None
    if user is not None and mount.place is not None:
        ownership = own(document, mount.place)
        edits += ownership.edits
        extras.append(f"give it to {user}")
        safety, reason = Safety.UNSAFE, ownership.reason
    return Recipe(edits, safety, reason, "".join(f", {text}" for text in extras))


def host_bind(mount: RuntimeMount, document: Devcontainer, project: Project) -> Recipe | None:
    """Bind the host's cache instead, whose place the tool's own variable tells on the host."""
    cache = cache_of(mount, document, project.knowledge)
    if cache is None or not cache.cache.pin or mount.place is None:
        return None
    pin = cache.cache.pin
    edits = edit.convert(document, mount, "bind", f"${{localEnv:{pin}}}")
    if not any(entry.name == pin for entry in document.container_env):
        edits += edit.set_variable(document, pin, mount.place)
    reason = f"{pin} must be set on the host, to a directory that exists there."
    return Recipe(edits, Safety.UNSAFE, reason, pin)
