"""What a hover says of a running container: who uses it, what it mounts, sets and runs.

The same lines stand at every place of a devcontainer.json, or of a compose file, that decides it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachekey.devcontainer.caches import cache_of, claim_of_variable
from cachekey.devcontainer.container import Container, FeatureUse
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.ownership import unwritable
from cachekey.devcontainer.read import Lifecycle

_MANY = 6


def container_lines(container: Container) -> Iterator[str]:
    """Tell what the container will have: the first line is a heading."""
    yield f"**The container**: {_origin(container)}"
    yield _user(container)
    if container.folder is not None:
        yield f"The workspace lies in `{container.folder}`"
    yield from _caches(container)
    yield from _variables(container)
    yield from _stores(container)
    yield from _unknown(container)


def _origin(container: Container) -> str:
    parts = []
    if container.service is not None:
        parts.append(f"service `{container.service.name}` of {container.service.path}")
    if container.dockerfile is not None:
        stage = f", stage {container.stage.label}" if container.stage is not None else ""
        parts.append(f"built from {container.dockerfile.path}{stage}")
    if container.reference is not None:
        parts.append(f"image `{container.reference}`")
    return ", ".join(parts) or "not known from here"


def _user(container: Container) -> str:
    user = container.user
    if user is None:
        return "Who uses it is not known: neither this file nor a known image says so"
    home = f", home `{user.home}`" if user.home else ""
    rights = {True: ", sudo without a password", False: ", no sudo", None: ""}[container.sudo]
    return f"Used as `{user.name}` ({user.because}){home}{'' if user.root else rights}"


def _caches(container: Container) -> Iterator[str]:
    for mount in container.mounts:
        cache = cache_of(mount, container.document, container.knowledge)
        if cache is None or mount.type == "cache":
            continue
        source = f" `{mount.source.text}`" if mount.source is not None else " without a name"
        yield f"{cache.tool}: {mount.type or 'mount'}{source} on `{mount.place}`{_owner(mount, container)}"


def _owner(mount: RuntimeMount, container: Container) -> str:
    judged = unwritable(mount, container)
    return "" if judged is None else f", root's when new: {judged.user} cannot write to it"


def _variables(container: Container) -> Iterator[str]:
    names: dict[str, None] = {}
    for item in container.document.env:
        names[item.name] = None
    if container.service is not None:
        names.update(dict.fromkeys(container.service.environment))
    for name in list(names)[:50]:
        claim = claim_of_variable(container.knowledge, name)
        found = container.setting(name) if claim is not None else None
        if found is not None:
            value = found.text if found.text is not None else "a value that the host knows"
            yield f"`{name}` is `{value}` ({_MOMENTS[found.moment]})"


_MOMENTS = {
    "image": "from the image",
    "feature": "from a feature",
    "service": "from the service, for every process",
    "containerEnv": "containerEnv, for every process",
    "runArgs": "runArgs, for every process",
    "remoteEnv": "remoteEnv, for commands and terminals only",
}


def _stores(container: Container) -> Iterator[str]:
    dockerfile = container.dockerfile
    if dockerfile is not None and dockerfile.caches:
        yield (
            f"The cache mounts of {dockerfile.path} are the builder's store, volumes are the "
            "engine's: nothing moves between the two"
        )


def _unknown(container: Container) -> Iterator[str]:
    names = container.unread
    if names:
        more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
        yield f"Not known from here: {', '.join(names[:_MANY])}{more}"


def feature_lines(use: FeatureUse) -> Iterator[str]:
    """Tell what a feature brings."""
    known = use.known
    if known is None:
        yield f"**Feature `{use.name}`**: nothing is known of it"
        yield "It may mount, set and own anything: Cachekey is silent where that could matter"
        return
    yield f"**Feature `{use.name}`**: {known.name}"
    for name, value in known.env.items():
        yield f"Sets `{name}` to `{value}` in the image"
    for mount in known.mounts:
        yield f"Mounts the volume `{mount.source}` on `{mount.target}`"
    if known.own:
        yield f"Hands `{'`, `'.join(known.own)}` over to the container's user"
    if known.sudo:
        yield "Gives the user sudo without a password"
    yield f"Source: {known.source} ({known.date})"


def command_lines(command: Lifecycle, container: Container) -> Iterator[str]:
    """Tell what a lifecycle command runs, and as whom."""
    user = container.user
    who = f"`{user.name}`" if user is not None else "the container's user"
    where = f" in `{container.folder}`" if container.folder is not None else ""
    yield f"**{command.name}**: runs as {who}{where}"
    yield _WHEN[command.name]
    ran = [item for item in container.story.items if item.moment == command.name]
    scripts = dict.fromkeys(i.path for i in ran if i.path != container.document.path)
    if scripts:
        yield f"Scripts that were read: {', '.join(scripts)}"
    as_root = dict.fromkeys(i.item.program for i in ran if i.user == "root" and i.item.program)
    if as_root and user is not None and not user.root:
        yield f"As root: {', '.join(as_root)}"
    if container.story.unread:
        yield f"Could not be read: {', '.join(container.story.unread[:_MANY])}"


_WHEN = {
    "onCreateCommand": "Once, when the container is made, before all others",
    "updateContentCommand": "When the container is made, behind onCreateCommand",
    "postCreateCommand": "Once, when the container is made, behind updateContentCommand",
    "postStartCommand": "At every start of the container",
    "postAttachCommand": "Each time a tool attaches to the container",
}
