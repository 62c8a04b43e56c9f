"""The metadata label that a Dockerfile writes into its image: users, as a devcontainer.json has them.

Source: containers.dev, *Dev Container metadata reference* (image metadata); Dev Containers CLI
``src/spec-node/imageMetadata.ts``. A label replaces that of the base image whole.
"""

from __future__ import annotations

import json

from cachekey.devcontainer.makings import Makings
from cachekey.dockerfile.records import Step
from cachekey.record import record
from cachekey.syntax.dockerfile.expand import expand
from cachekey.syntax.dockerfile.namevalue import env_pairs

_LABEL = "devcontainer.metadata"
_SAYS_NO_MORE = frozenset(
    (
        *("id", "remoteUser", "containerUser", "updateRemoteUserUID", "customizations", "init"),
        *("privileged", "capAdd", "securityOpt", "overrideCommand", "userEnvProbe", "waitFor"),
        *("forwardPorts", "portsAttributes", "otherPortsAttributes", "shutdownAction"),
        "hostRequirements",
    )
)
"""Keys that mount, set and run nothing."""


@record(frozen=True)
class Metadata:
    """What a label says of users; ``None`` for what it leaves open."""

    remote_user: str | None = None
    container_user: str | None = None
    unread: bool = False
    """It says more than users, or cannot be read: then nobody knows."""


def metadata_label(made: Makings) -> Metadata | None:
    """Return what the label of the container's image says; ``None``: its Dockerfile writes none."""
    for link in made.stage.chain if made.stage is not None else ():
        for step in reversed(link.steps):
            if step.instruction.keyword == "LABEL" and _LABEL in step.instruction.args.text:
                return _read(step, made)
    return None


def _read(step: Step, made: Makings) -> Metadata:
    escape = made.dockerfile.tree.escape if made.dockerfile is not None else "\\"
    for name, value in env_pairs(step.instruction.args, escape):
        if expand(name.text, step.scope.lookup, escape).text != _LABEL:
            continue
        said = expand(value.text, step.scope.lookup, escape)
        return _merged(said.text) if said.known else Metadata(unread=True)
    return Metadata(unread=True)


def _merged(text: str) -> Metadata:
    """Return what an array of entries comes to, or a single one: the last that names a user counts."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return Metadata(unread=True)
    users: dict[str, str] = {}
    for entry in read if isinstance(read, list) else [read]:
        if not isinstance(entry, dict) or not entry.keys() <= _SAYS_NO_MORE:
            return Metadata(unread=True)
        users.update({key: value for key, value in entry.items() if isinstance(value, str)})
    remote, own = users.get("remoteUser"), users.get("containerUser")
    unread = any("$" in name for name in (remote, own) if name is not None)
    return Metadata(remote, own, unread)
