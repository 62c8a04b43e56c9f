"""A volume without a name is made anew with every container.

Docker gives it a random name, so that a rebuild starts with an empty one and the old one stays
behind.

## Bad
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": ["type=volume,target=/cache/uv"]
}
```

## Good
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": ["type=volume,source=cache-uv,target=/cache/uv"]
}
```

## Fix
A name made of the target, or the tool's own where a variable tells the tool.

## Source
Docker's documentation on volumes (*Named and anonymous volumes*).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import cache_of
from cachekey.devcontainer.complaints import complaints
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.edits.devcontainer import convert, name_for
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK713", "mount-anonymous-volume", Severity.WARNING, Fixable.ALWAYS)
def check(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    """Report volumes without a name that Docker would accept."""
    if mount.type != "volume" or mount.source is not None or mount.place is None:
        return
    if mount.form not in ("string", "object") or mount.opaque or complaints(mount):
        return
    if mount.compose and mount.origin != "mounts":
        return
    message = f"the volume on {mount.place} has no name, each new container gets an empty one"
    yield ctx.finding(mount.span, message, fixes=partial(_fixes, mount, ctx))


def _fixes(mount: RuntimeMount, ctx: Context) -> Iterator[Fix]:
    document: Devcontainer = ctx.document
    cache = cache_of(mount, document, ctx.project.knowledge)
    sure = cache is not None and cache.grade == "variable"
    name = name_for(mount, cache.cache.id if cache is not None and sure else "")
    edits = partial(convert, document, mount, "volume", name)
    yield ctx.fix(f"Name the volume {name}", edits, preferred=True)
