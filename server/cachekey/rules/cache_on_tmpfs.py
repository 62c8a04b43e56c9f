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
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.edits.recipe import volume
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK717", "cache-on-tmpfs", Severity.INFORMATION, Fixable.SOMETIMES)
def check(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    """Report a tmpfs on the directory where a tool surely keeps its cache."""
    if mount.type != "tmpfs" or mount.compose:
        return
    cache = cache_of(mount, ctx.document, ctx.project.knowledge)
    if cache is None or cache.grade == "name":
        return
    field = mount.field("type")
    related = []
    if cache.entry is not None:
        related = [ctx.related(cache.entry.span, f"{cache.tool} caches here")]
    message = (
        f"The {cache.tool} cache lies on a tmpfs, which is empty at every start of the container"
    )
    fixes = partial(_fixes, mount, cache, ctx)
    yield ctx.finding(field.span if field else mount.span, message, fixes=fixes, related=related)


def _fixes(mount: RuntimeMount, cache: RuntimeCache, ctx: Context) -> Iterator[Fix]:
    if mount.form in ("string", "object"):
        recipe = volume(mount, ctx.document, ctx.project, ("tmpfs-size", "tmpfs-mode"), cache)
        yield ctx.fix(
            f"Keep it in a volume{recipe.extras}",
            recipe.write,
            safety=recipe.safety,
            preferred=True,
            reason=recipe.reason,
        )
