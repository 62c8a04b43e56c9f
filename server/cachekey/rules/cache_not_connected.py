"""A cache is mounted and its tool is not told, or told and nothing is mounted.

A volume on a directory of your own does nothing until the tool's variable names that directory. The
other way round, a variable that names a directory without a mount keeps a cache that goes with the
container, at the next rebuild.

## Bad
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "postCreateCommand": "uv sync"
}
```

## Good
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
  "containerEnv": {
    "UV_CACHE_DIR": "/cache/uv"
  },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "postCreateCommand": "uv sync"
}
```

## Fix
The tool's variable in `containerEnv`, or a named volume on the directory that the variable names.

## Source
The tool's own documentation, named in `cachekey/knowledge/tools`; containers.dev, *containerEnv*.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import RuntimeCache
from cachekey.devcontainer.judge import unmounted, untold
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer, EnvEntry
from cachekey.edits.devcontainer import set_variable
from cachekey.edits.recipe import new_volume
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.knowledge import Claim
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in


@rule("CK706", "cache-not-connected", Severity.WARNING, Fixable.ALWAYS)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report both halves: mounts without a variable, variables without a mount."""
    for mount in document.effective_mounts:
        if mount.type != "cache":
            yield from _mount(mount, ctx)
    for entry, claim, directory in unmounted(document, ctx.project):
        if entry.value is not None:
            yield _variable(entry, claim, directory, ctx)


def _mount(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    cache = untold(mount, ctx.document, ctx.project)
    if cache is None or mount.target is None or mount.place is None:
        return
    pin = cache.cache.pin
    message = f"{cache.tool} does not know of {mount.place}: nothing sets {pin}"
    fixes = partial(_tell, cache, mount.place, ctx)
    yield ctx.finding(span_in(mount.target), message, fixes=fixes)


def _tell(cache: RuntimeCache, place: str, ctx: Context) -> Iterator[Fix]:
    pin = cache.cache.pin
    yield ctx.fix(
        f"Set {pin} to {place} in containerEnv",
        partial(set_variable, ctx.document, pin, place),
        safety=Safety.UNSAFE,
        preferred=True,
        reason=f"That the mount is meant for {cache.tool} is told by its name only.",
    )


def _variable(entry: EnvEntry, claim: Claim, directory: str, ctx: Context) -> Finding:
    message = (
        f"{claim.tool.name} caches in {directory}, where nothing is mounted: "
        "the cache goes with the container"
    )
    span = span_in(entry.value) if entry.value is not None else entry.span
    return ctx.finding(span, message, fixes=partial(_keep, claim, directory, ctx))


def _keep(claim: Claim, directory: str, ctx: Context) -> Iterator[Fix]:
    recipe = new_volume(claim, directory, ctx.document, ctx.project)
    yield ctx.fix(
        f"Mount the volume {claim.cache.id} on {directory}{recipe.extras}",
        recipe.write,
        safety=recipe.safety,
        preferred=True,
        reason=recipe.reason,
    )
