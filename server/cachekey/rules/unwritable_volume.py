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
A `chown` in front of the first command that runs in the container, in the form that this command
has. It needs sudo; making and owning the directory in the Dockerfile is as good.

## Source
Docker's documentation on volumes (*Populate a volume using a container*);
microsoft/vscode-remote-release#6669 and #9931.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.judge import probably_unwritable_for
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.edits.recipe import own
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in


@rule("CK702", "unwritable-volume", Severity.WARNING, Fixable.ALWAYS)
def check(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    """Report a volume that only root can write to, for a user who is not root."""
    document: Devcontainer = ctx.document
    if mount.type != "volume" or mount.place is None or mount.readonly or mount.target is None:
        return
    judged = probably_unwritable_for(mount.place, document, ctx.project)
    if judged is None or document.remote_user is None:
        return
    user, certain = judged
    where = span_in(document.remote_user)
    unless = "" if certain else " unless the image has it already"
    yield ctx.finding(
        span_in(mount.target),
        f"Docker makes {mount.place} as root's{unless}: {user} cannot write to it",
        severity=None if certain else Severity.INFORMATION,
        fixes=partial(_fixes, mount.place, user, ctx),
        related=[ctx.related(where, f"the container is used as {user}")],
    )


def _fixes(place: str, user: str, ctx: Context) -> Iterator[Fix]:
    recipe = own(ctx.document, place)
    yield ctx.fix(
        f"Give {place} to {user} when the container is made",
        recipe.write,
        safety=recipe.safety,
        preferred=True,
        reason=recipe.reason,
    )
