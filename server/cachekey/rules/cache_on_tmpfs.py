"""A cache lies in memory.

A tmpfs is empty at every start of the container and counts as its memory. Whoever mounts it for a
cache hardly wants to fill it anew each time.

## Bad
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": ["type=tmpfs,target=/cache/uv"],
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" }
}
```

## Good
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" }
}
```

## Fix
A named volume.

## Source
Docker's documentation, *tmpfs mounts*.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import RuntimeCache, cache_of
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import Sighting, sightings
from cachekey.edits.recipe import volume
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK717", "cache-on-tmpfs", Severity.INFORMATION, Fixable.SOMETIMES)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report a tmpfs on the directory where a tool surely keeps its cache."""
    for seen in sightings(document, ctx.project):
        if seen.mount.type == "tmpfs" and not seen.mount.compose:
            yield from _mount(seen, ctx)


def _mount(seen: Sighting, ctx: Context) -> Iterator[Finding]:
    mount, owner = seen.mount, seen.container.document
    cache = cache_of(mount, owner, ctx.project.knowledge)
    if cache is None or cache.grade == "name":
        return
    field = mount.field("type") if seen.own else None
    related = [] if seen.own else [ctx.related(mount.span, "The service's mount", mount.path)]
    if cache.entry is not None:
        related.append(ctx.related(cache.entry.span, f"{cache.tool} caches here", owner.path))
    message = (
        f"The {cache.tool} cache lies on a tmpfs, which is empty at every start of the container"
    )
    fixes = partial(_fixes, mount, cache, ctx)
    place = mount.span if seen.own else seen.span
    if field is not None:
        place = field.value_span if mount.path else field.span
    yield ctx.finding(place, message, fixes=fixes, related=related)


def _fixes(mount: RuntimeMount, cache: RuntimeCache, ctx: Context) -> Iterator[Fix]:
    if mount.form in ("string", "object") and not mount.path:
        recipe = volume(mount, ctx.document, ctx.project, ("tmpfs-size", "tmpfs-mode"), cache)
        yield ctx.fix(
            f"Keep it in a volume{recipe.extras}",
            recipe.write,
            safety=recipe.safety,
            preferred=True,
            reason=recipe.reason,
        )
