"""What the host keeps in a bound directory names paths of the host.

Some tools write the absolute place of a directory into what they keep there: virtual environments into
their scripts, pre-commit into its database. Bound from the host to another path of the container, the
contents lead nowhere there, and what the container adds leads nowhere on the host.

## Bad
```jsonc
{
  "image": "python:3.13",
  "mounts": [
    "type=bind,source=${localEnv:HOME}${localEnv:USERPROFILE}/.cache/pre-commit,target=/root/.cache/pre-commit"
  ]
}
```

## Good
```jsonc
{
  "image": "python:3.13",
  "mounts": ["type=volume,source=pre-commit,target=/root/.cache/pre-commit"]
}
```

## Fix
A volume, where it is a cache.

Silent where both paths are the same, and for a directory that is not the tool's own on the host: that
may be filled by the container alone.

## Source
Python's documentation, `venv` (*environments are inherently non-portable*); pre-commit `store.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import cache_of, carried_over
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import sightings
from cachekey.edits.recipe import volume
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in

_BIND_ONLY = ("consistency", "bind-propagation", "bind-recursive", "bind-nonrecursive")


@rule("CK727", "host-paths-inside", Severity.INFORMATION, Fixable.SOMETIMES)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report a tool's own directory of the host, bound to another path, whose contents name the first."""
    for seen in sightings(document, ctx.project):
        if seen.mount.type == "bind" and not seen.container.document.feature and seen.own:
            yield from _mount(seen.mount, seen.container.document, ctx)


def _mount(mount: RuntimeMount, document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    found = carried_over(mount, document, ctx.project.knowledge)
    if found is None or mount.source is None:
        return
    claim, shown = found
    yield ctx.finding(
        span_in(mount.source),
        f"{claim.tool.name} writes absolute paths into {claim.cache.what}: "
        f"what the host made in {shown} leads nowhere in {mount.place}",
        fixes=partial(_fixes, mount, ctx),
    )


def _fixes(mount: RuntimeMount, ctx: Context) -> Iterator[Fix]:
    cache = None if mount.path else cache_of(mount, ctx.document, ctx.project.knowledge)
    if cache is None or not cache.cache.own_paths or mount.form not in ("string", "object"):
        return
    recipe = volume(mount, ctx.document, ctx.project, _BIND_ONLY, cache, renamed=True)
    yield ctx.fix(
        f"Use a volume for the {cache.tool} cache{recipe.extras}",
        recipe.write,
        safety=Safety.UNSAFE,
        preferred=True,
        reason=recipe.reason or "the container no longer shares the host's cache",
    )
