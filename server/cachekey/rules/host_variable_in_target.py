"""A target depends on the host's own home directory or user.

A target is a path of the container. `${localEnv:HOME}` is the home directory of the machine that the
editor runs on: another name, another system, and nothing at all on Windows.

## Bad
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
  "mounts": ["type=bind,source=${localEnv:HOME}/.ssh,target=${localEnv:HOME}/.ssh"]
}
```

## Good
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
  "mounts": ["type=bind,source=${localEnv:HOME}/.ssh,target=/home/vscode/.ssh"]
}
```

## Fix
The home directory of the container's user. Silent where the container takes its user or its
workspace folder from the host as well: then both are the same on purpose.

## Source
containers.dev, *Variables in devcontainer.json*; microsoft/vscode-remote-release#3567.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.devcontainer.substitution import HOST_ENV, Variable, variables
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit

_HOMES = ("HOME", "USERPROFILE")
_USERS = ("USER", "USERNAME")
_SAME = ("workspaceMount", "workspaceFolder", "remoteUser", "containerUser")


@rule("CK724", "host-variable-in-target", Severity.WARNING, Fixable.SOMETIMES)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report targets with the host's home or user in them."""
    if any("${local" in (text.text if text else "") for text in map(document.root.string, _SAME)):
        return
    build = document.build.get("args") if document.build is not None else None
    if build is not None and "${localEnv:" in document.source.slice(build.span):
        # The image may be built for the host's own user.
        return
    for mount in document.effective_mounts:
        found = variables(mount.target) if mount.target is not None else ()
        named = [v for v in found if v.kind in HOST_ENV and v.name in (*_HOMES, *_USERS)]
        if named and mount.origin != "workspaceMount":
            message = (
                f"{named[0].text} is a value of the host, and a target is a path of the container"
            )
            yield ctx.finding(named[0].span, message, fixes=partial(_fixes, named, ctx))


def _fixes(named: list[Variable], ctx: Context) -> Iterator[Fix]:
    user = container_of(ctx.document, ctx.project).user
    first, rest = named[0], named[1:]
    value = None if user is None else user.name if first.name in _USERS else user.home
    if value is None or any(variable.name not in _HOMES for variable in rest):
        return
    gone = [Edit(variable.span, "") for variable in rest]
    reason = "the container's user is taken from what is known of the image"
    edits = (Edit(first.span, value), *gone)
    yield ctx.fix(f"Write {value}", *edits, safety=Safety.UNSAFE, preferred=True, reason=reason)
