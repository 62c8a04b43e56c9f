"""A fresh volume belongs to root, the user of the container is another one.

Docker gives an empty volume the owner of the directory that the image has there. Where the image
has none, the volume is root's, and the tool that should cache in it is denied. A volume is
reported only when nothing in the file or its Dockerfile makes or owns the directory.

## Bad
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
  "remoteUser": "vscode",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"]
}
```

## Good
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
  "remoteUser": "vscode",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "postCreateCommand": "sudo chown -R $(id -u):$(id -g) /cache/uv"
}
```

## Fix
The directory made and owned in the Dockerfile that the container builds; without one, a `chown` in
front of the first command that runs in the container, in the form that this command has. It needs
sudo, which a feature brings where the image has none.

Silent for root, where the image has the directory for that user, where a command or a script it
calls gives it away, and where a script, feature, entry point or image that cannot be read may do so.

## Source
Docker's documentation on volumes (*Populate a volume using a container*);
microsoft/vscode-remote-release#6669 and #9931.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.container import Container
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.ownership import Unwritable, unwritable
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.edits.recipe import own
from cachekey.finding import Finding, Fix, Related, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK702", "unwritable-volume", Severity.WARNING, Fixable.ALWAYS)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report volumes that only root can write to, for a user who is not root."""
    container = container_of(document, ctx.project)
    for mount in container.mounts:
        judged = unwritable(mount, container)
        if judged is not None and mount.place is not None:
            yield _finding(mount, mount.place, judged, container, ctx)


def _finding(
    mount: RuntimeMount, place: str, judged: Unwritable, container: Container, ctx: Context
) -> Finding:
    unless = "" if judged.certain else " unless the image has it already"
    soft = not judged.certain or mount.path
    return ctx.finding(
        container.spot(mount),
        f"Docker makes {place} as root's{unless}: {judged.user} cannot write to it",
        severity=Severity.INFORMATION if soft else None,
        fixes=partial(_fixes, place, judged.user, container, ctx),
        related=list(_related(mount, judged.user, container, ctx)),
    )


def _related(
    mount: RuntimeMount, user: str, container: Container, ctx: Context
) -> Iterator[Related]:
    if mount.path:
        yield ctx.related(mount.span, "the service's mount", mount.path)
    place = container.user.place if container.user is not None else None
    if place is not None:
        yield ctx.related(place.span, f"the container is used as {user}", place.path)


def _fixes(place: str, user: str, container: Container, ctx: Context) -> Iterator[Fix]:
    recipe, where = own(container, place)
    yield ctx.fix(
        f"Give {place} to {user} {where}",
        recipe.write,
        safety=recipe.safety,
        preferred=True,
        reason=recipe.reason,
    )
