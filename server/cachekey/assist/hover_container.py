"""What a hover says of a running container: who uses it, what it mounts, sets and runs.

The same lines stand at every place of a devcontainer.json, or of a compose file, that decides it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from cachekey.devcontainer.caches import (
    RuntimeCache,
    cache_of,
    claim_of_variable,
    project_output,
)
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.environment import Setting
from cachekey.devcontainer.imageowner import owner_in_image
from cachekey.devcontainer.makings import FeatureUse
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.ownership import given_by, unwritable
from cachekey.devcontainer.read import Lifecycle
from cachekey.devcontainer.settings import Variable
from cachekey.markup.rich import Rich, joined, link, rich

_MANY = 6
_MOST_VARIABLES = 100
_SOMETHING = "?"
"""The value of a variable of an image that has one, and nobody knows which."""


def container_lines(container: Container) -> Iterator[Rich]:
    """Tell what the container will have: the first line is a heading."""
    yield rich("**The container**: {}", _origin(container))
    yield _user(container)
    if container.shown_folder is not None:
        yield rich("The workspace lies in `{}`", container.shown_folder)
    yield from _caches(container)
    yield from _variables(container)
    yield from _stores(container)
    yield from _unknown(container)


def _origin(container: Container) -> Rich:
    parts = []
    if container.service is not None:
        parts.append(rich("service `{}` of {}", container.service.name, container.service.path))
    if container.dockerfile is not None:
        path = container.dockerfile.path
        if container.stage is not None:
            parts.append(rich("built from {}, stage {}", path, container.stage.label))
        else:
            parts.append(rich("built from {}", path))
    if container.reference is not None:
        parts.append(rich("image `{}`", container.reference))
    return joined(", ", parts) if parts else rich("not known from here")


def _user(container: Container) -> Rich:
    user = container.user
    if user is None:
        return rich("Who uses it is not known: neither this file nor a known image says so")
    home = rich(", home `{}`", user.home) if user.home else rich(", home not known from here")
    rights = Rich() if user.root else _RIGHTS[container.sudo]
    return rich("Used as `{}` ({}){}{}", user.name, user.because, home, rights)


NO_SUDO = rich("would give it away by sudo, which the user may not use")
_RIGHTS = {True: rich(", sudo without a password"), False: rich(", no sudo"), None: Rich()}


def _caches(container: Container) -> Iterator[Rich]:
    for mount in container.mounts:
        kind, use = mount.type or "mount", _use(mount, container)
        if kind == "cache" or (use is None and kind != "volume"):
            continue
        source = rich(" without a name") if kind == "volume" else Rich()
        if mount.source is not None:
            source = rich(" `{}`", mount.source.text)
        fresh = fresh_owner(mount, container)
        owner = rich(", {}", fresh) if fresh is not None else Rich()
        what = rich("{}: {}", use, kind) if use is not None else rich("{}", kind.capitalize())
        yield rich("{}{} on `{}`{}", what, source, mount.place or "?", owner)


def _use(mount: RuntimeMount, container: Container) -> str | None:
    """Return the tool whose cache a mount holds, or what of the project's lies in it."""
    cache = cache_of(mount, container.document, container.knowledge)
    if cache is not None:
        return cache.tool
    output = project_output(mount, container.knowledge)
    return output.cache.what[:1].upper() + output.cache.what[1:] if output is not None else None


def fresh_owner(mount: RuntimeMount, container: Container) -> Rich | None:
    """Tell whose a new volume is, or becomes; ``None`` for other mounts and for root."""
    user, place = container.user, container.place(mount)
    if mount.type != "volume" or user is None or user.root:
        return None
    judged = unwritable(mount, container)
    if judged is not None and judged.closed:
        return rich("out of reach of {} in root's home", judged.user)
    if judged is not None:
        unless = Rich() if judged.certain else rich(" unless the image has that directory")
        whose = "another user's, as in the image," if judged.another else "root's"
        return rich("{} when new{}: {} cannot write to it", whose, unless, judged.user)
    giver = given_by(place, container) if place is not None else None
    if giver is not None and container.sudo is False:
        return rich("root's when new: {} {}", giver.moment, NO_SUDO)
    if giver is not None:
        return rich("given to {} by {}", user.name, giver.moment)
    if place is not None and not mount.nocopy and owner_in_image(place, container) == "user":
        return rich("{}'s when new, as in the image", user.name)
    return rich("whose it is when new is not known from here")


def _variables(container: Container) -> Iterator[Rich]:
    names: dict[str, None] = {}
    for item in container.document.env:
        names[item.name] = None
    if container.service is not None:
        names.update(dict.fromkeys(container.service.environment))
    for use in container.features:
        names.update(dict.fromkeys(use.known.env if use.known is not None else ()))
    if container.stage is not None:
        names.update(dict.fromkeys(container.stage.end.variables))
    elif container.image is not None:
        names.update(dict.fromkeys(container.image.env))
    for name in list(names)[:_MOST_VARIABLES]:
        claim = claim_of_variable(container.knowledge, name)
        found = container.environment.setting(name) if claim is not None else None
        if found is not None and found.text != _SOMETHING:
            text = found.text
            value = rich("`{}`", text) if text is not None else rich("a value that the host knows")
            yield rich("`{}` is {} ({})", name, value, MOMENTS[found.moment])


def telling(cache: RuntimeCache, container: Container) -> Setting | None:
    """Return the variable, of the image or a service, that leads a tool into a mount."""
    for way in cache.cache.moved_by:
        found = container.environment.setting(way.env) if way.env else None
        if found is not None and found.text:
            if cache.mount.covers(posixpath.normpath(posixpath.join(found.text, way.below))):
                return found
    return None


def variable_lines(variable: Variable, container: Container) -> Iterator[Rich]:
    """Tell what a service's variable says to a tool; nothing when it is none of a tool's."""
    found = claim_of_variable(container.knowledge, variable.name)
    if found is None:
        return
    claim, below = found
    where = rich("where the host says")
    if variable.text is not None:
        where = rich("in `{}`", posixpath.normpath(posixpath.join(variable.text, below)))
    name, what = claim.tool.name, claim.cache.what
    yield rich("**`{}`**: {} keeps {} {}", variable.name, name, what, where)
    yield rich("Seen by every process of the container; not while the image is built")


MOMENTS = {
    "image": "from the image",
    "feature": "from a feature",
    "service": "from the service, for every process",
    "containerEnv": "containerEnv, for every process",
    "runArgs": "runArgs, for every process",
    "remoteEnv": "remoteEnv, for commands and terminals only",
}


def _stores(container: Container) -> Iterator[Rich]:
    dockerfile = container.dockerfile
    if dockerfile is not None and dockerfile.caches:
        yield rich(
            "The cache mounts of {} are the builder's store, volumes are the "
            "engine's: nothing moves between the two",
            dockerfile.path,
        )


def _unknown(container: Container) -> Iterator[Rich]:
    names = (*container.unread, *_files_of_variables(container))
    if names:
        left = len(names) - _MANY
        more = rich(" and {} more", str(left)) if left > 0 else Rich()
        yield rich("Not known from here: {}{}", _list(names[:_MANY]), more)


def _files_of_variables(container: Container) -> Iterator[str]:
    if container.service is not None and container.service.has_env_file:
        yield "a file that env_file names"
    if container.document.env_file:
        yield "the --env-file of runArgs"


def _list(names: Iterable[str]) -> Rich:
    return joined(", ", [rich("{}", name) for name in names])


def feature_lines(use: FeatureUse) -> Iterator[Rich]:
    """Tell what a feature brings."""
    known = use.known
    if known is None:
        yield rich("**Feature `{}`**: nothing is known of it", use.name)
        yield rich("It may mount, set and own anything: Cachekey is silent where that could matter")
        return
    yield rich("**Feature `{}`**: {}", use.name, known.name)
    for name, value in known.env.items():
        yield rich("Sets `{}` to `{}` in the image", name, value)
    for mount in known.mounts:
        yield rich("Mounts the volume `{}` on `{}`", mount.source, mount.target)
    if known.own:
        owned = joined(", ", [rich("`{}`", path) for path in known.own])
        yield rich("Hands {} over to the container's user", owned)
    if known.sudo:
        yield rich("Gives the user sudo without a password")
    if known.date:
        yield rich("Source: {} ({})", link(known.source, known.source), known.date)
    else:
        yield rich("Read in `{}`", known.source)


def command_lines(command: Lifecycle, container: Container) -> Iterator[Rich]:
    """Tell what a lifecycle command runs, and as whom."""
    user = container.user
    who = rich("`{}`", user.name) if user is not None else rich("the container's user")
    folder = container.shown_folder
    where = rich(" in `{}`", folder) if folder is not None else Rich()
    yield rich("**{}**: runs as {}{}", command.name, who, where)
    yield rich("{}", _WHEN[command.name])
    story = container.story_of(command)
    ran = story.items
    scripts = dict.fromkeys(i.item.script.path for i in ran if i.item.script is not None)
    if scripts:
        yield rich("Scripts that were read: {}", _list(scripts))
    as_root = dict.fromkeys(i.item.program for i in ran if i.as_root and i.item.program)
    if as_root and user is not None and not user.root:
        how = _BY_NOBODY if container.sudo is False else rich("As root: {}", _list(as_root))
        yield how
    if story.unread:
        yield rich("Could not be read: {}", _list(story.unread[:_MANY]))


def host_command_lines(command: Lifecycle) -> Iterator[Rich]:
    """Tell when and where ``initializeCommand`` runs."""
    yield rich("**{}**: runs on the host, in the folder that is opened", command.name)
    yield rich("Before the container is made, and again whenever it is started")
    yield rich("What a bind needs on the host can be made here; a volume needs nothing")
    yield rich("On Windows `cmd.exe` runs it, which has no `mkdir -p`")


_BY_NOBODY = rich("It asks for sudo, which the user may not use")
_WHEN = {
    "onCreateCommand": "Once, when the container is made, before all others in it",
    "updateContentCommand": "When the container is made, after onCreateCommand",
    "postCreateCommand": "Once, when the container is made, after updateContentCommand",
    "postStartCommand": "At every start of the container",
    "postAttachCommand": "Each time a tool attaches to the container",
}
