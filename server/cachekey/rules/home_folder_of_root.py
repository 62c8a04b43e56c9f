"""A mount deep in a home makes a folder there that only root may write to.

Where the folders that lead to a mount are missing in the image, they are made for root, whoever owns
what is mounted. `~/.cache/go-build` works then, and no other program can keep anything in `~/.cache`.

## Bad
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/go:1.25",
  "initializeCommand": "mkdir -p ~/.cache/go-build",
  "mounts": [
    "type=bind,source=${localEnv:HOME}${localEnv:USERPROFILE}/.cache/go-build,target=/home/vscode/.cache/go-build"
  ]
}
```

## Good
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/go:1.25",
  "initializeCommand": "mkdir -p ~/.cache/go-build",
  "mounts": [
    "type=bind,source=${localEnv:HOME}${localEnv:USERPROFILE}/.cache/go-build,target=/home/vscode/.cache/go-build"
  ],
  "postCreateCommand": "sudo chown $(id -u):$(id -g) /home/vscode/.cache"
}
```

## Fix
The folder made and owned in the Dockerfile that the container builds; without one, a `chown` in front of
the first command that runs in the container. It leaves what is bound from the host alone.

Silent where the image, a feature or a program that the Dockerfile runs as the user may have made the
folder, where a command gives it away, and for a volume that is root's itself: giving that away (CK702)
takes the folders around it along.

## Source
opencontainers/runc `libcontainer/rootfs_linux.go` (mount points are made as root);
microsoft/vscode-remote-release#9931.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.ownership import unwritable
from cachekey.devcontainer.parents import made_for_root
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import Sighting, sightings
from cachekey.edits.caches import placed
from cachekey.edits.ownership import folders_of, writes
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK728", "home-folder-of-root", Severity.INFORMATION, Fixable.ALWAYS)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report each folder of the user's home that is made for root on the way to a mount."""
    told: set[tuple[int, str]] = set()
    for seen in sightings(document, ctx.project):
        made = made_for_root(seen.mount, seen.container)
        if not made or not seen.own or (id(seen.container), made[0]) in told:
            continue
        told.add((id(seen.container), made[0]))
        if not _taken_along(made[0], seen.container):
            yield _finding(seen, made[0], ctx)


def _taken_along(folder: str, container: Container) -> bool:
    """Tell whether a volume below the folder is root's itself, so that its fix gives both away."""
    return any(
        made_for_root(mount, container)[:1] == (folder,)
        and unwritable(mount, container) is not None
        for mount in container.mounts
    )


def _finding(seen: Sighting, folder: str, ctx: Context) -> Finding:
    user = seen.container.user
    name = user.name if user is not None else ""
    return ctx.finding(
        seen.span,
        f"{folder} is made for root on the way to this mount: {name} cannot write to anything else in it",
        fixes=partial(_fixes, seen.container, folder, name, ctx),
    )


def _fixes(container: Container, folder: str, name: str, ctx: Context) -> Iterator[Fix]:
    ways = (made_for_root(mount, container) for mount in container.mounts)
    folders = dict.fromkeys(path for made in ways if made[:1] == (folder,) for path in made)
    found = folders_of(container, tuple(folders))
    yield ctx.fix(
        f"Give {folder} to {name} {found.where}",
        partial(placed, container.document.path, partial(writes, container.document, (), found)),
        safety=Safety.UNSAFE,
        preferred=True,
        reason=found.reason,
    )
