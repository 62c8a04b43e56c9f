"""A bind mount's source depends on a variable that the host may not have.

`${localEnv:NAME}` without a default is empty when `NAME` is not set where the editor runs: HOME on
Windows, a tool's variable on a colleague's machine, anything in CI. An empty source keeps the
container from starting; with more text behind it, another directory is bound.

## Bad
```jsonc
{
  "image": "ubuntu:24.04",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=bind,source=${localEnv:MY_CACHE},target=/cache/uv"]
}
```

## Good
```jsonc
{
  "image": "ubuntu:24.04",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"]
}
```

## Fix
For the directory of a tool's cache, a named volume, which needs nothing on the host.
`${localEnv:HOME}${localEnv:USERPROFILE}` is the usual form for the home directory and not reported.
It is only information where `containerEnv` knows the same variable: host and container then share a
cache on purpose.

## Source
Dev Containers CLI `src/spec-common/variableSubstitution.ts`;
microsoft/vscode-remote-release#2296, #6849 and #3567.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import cache_of
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.substitution import HOST_ENV, Variable, variables
from cachekey.edits.recipe import volume
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule

_BIND_ONLY = ("consistency", "bind-propagation", "bind-recursive", "bind-nonrecursive")


@rule("CK704", "empty-local-env", Severity.INFORMATION, Fixable.SOMETIMES)
def check(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    """Report a bind source that begins with a host variable without a default."""
    if mount.type != "bind" or mount.source is None or mount.opaque:
        return
    if mount.compose and mount.origin != "mounts":
        return
    found = variables(mount.source)
    if not found or not mount.source.text.startswith(found[0].text):
        return
    first = found[0]
    if first.kind not in HOST_ENV or not first.name or first.default:
        return
    if mount.source.text.startswith(f"{first.text}${{"):
        return
    whole = mount.source.text == first.text
    yield ctx.finding(
        first.span,
        _message(first, mount, whole),
        fixes=partial(_fixes, mount, ctx),
        severity=Severity.WARNING if whole and not _shared(first, ctx) else Severity.INFORMATION,
    )


def _message(variable: Variable, mount: RuntimeMount, whole: bool) -> str:
    name = variable.name
    when = f"without {name} on the host" + (", as on Windows," if name == "HOME" else "")
    if whole and mount.compose:
        return f"{when} this is an anonymous volume, empty after every rebuild"
    if whole:
        return f"{when} the source is empty and the container does not start"
    rest = mount.source.text[len(variable.text) :] if mount.source is not None else ""
    return f"{when} the source is '{rest}'"


def _shared(variable: Variable, ctx: Context) -> bool:
    """Tell whether the container knows the same variable: host and container share on purpose."""
    return any(entry.name == variable.name for entry in ctx.document.container_env)


def _fixes(mount: RuntimeMount, ctx: Context) -> Iterator[Fix]:
    cache = cache_of(mount, ctx.document, ctx.project.knowledge)
    if cache is None or mount.form not in ("string", "object"):
        return
    recipe = volume(mount, ctx.document, ctx.project, _BIND_ONLY, cache, renamed=True)
    yield ctx.fix(
        f"Use a volume for the {cache.tool} cache{recipe.extras}",
        recipe.write,
        safety=Safety.UNSAFE,
        reason=recipe.reason or "The container no longer shares the host's cache.",
    )
