"""A cache is mounted and its tool is not told, or told and nothing is mounted.

A volume on a directory of your own does nothing until the tool's variable names that directory. The
other way round, a variable that names a directory without a mount keeps a cache that goes with the
container, at the next rebuild.

A volume may also lie where another image, another user or another setting would have the cache: in
`/usr/local/cargo`, where Alpine's own Cargo never looks, or in root's home for a user who is not root.

## Bad
```jsonc
{
  "image": "debian:13",
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "postCreateCommand": "uv sync"
}
```

## Good
```jsonc
{
  "image": "debian:13",
  "containerEnv": {
    "UV_CACHE_DIR": "/cache/uv"
  },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "postCreateCommand": "uv sync"
}
```

## Fix
The tool's variable in `containerEnv`, or a named volume on the directory that the variable names; the
directory that the tool uses here, where it is another one.

## Source
The tool's own documentation, named in `cachekey/knowledge/tools`; containers.dev, *containerEnv*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from cachekey.devcontainer.caches import RuntimeCache
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.judge import misplaced, unmounted, untold
from cachekey.devcontainer.read import Devcontainer, EnvEntry
from cachekey.devcontainer.running import Sighting, container_of, sightings
from cachekey.edits.caches import placed
from cachekey.edits.devcontainer import set_variable, together
from cachekey.edits.recipe import moved, new_volume
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.knowledge import Claim
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Edit


@rule("CK706", "cache-not-connected", Severity.WARNING, Fixable.ALWAYS)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report both halves: mounts without a variable, variables without a mount."""
    for seen in sightings(document, ctx.project):
        if seen.mount.type != "cache":
            yield from _mount(seen, ctx)
    if isinstance(document, Devcontainer):
        for entry, claim, directory in unmounted(container_of(document, ctx.project)):
            if entry.value is not None:
                yield _variable(entry, claim, directory, ctx)


def _mount(seen: Sighting, ctx: Context) -> Iterator[Finding]:
    mount = seen.mount
    cache = untold(mount, seen.container)
    if mount.target is None or mount.place is None:
        return
    if cache is None:
        yield from _elsewhere(seen, mount.place, ctx)
        return
    pin = cache.cache.pins[0]
    message = f"{cache.tool} does not use {mount.place}: no {pin} tells it to"
    if cache.grade == "default":
        message = (
            f"{cache.tool} leaves {mount.place} empty: it keeps its store on the mount of the project, "
            f"unless {pin} says otherwise"
        )
    related = [] if seen.own else [ctx.related(mount.span, "The service's mount", mount.path)]
    yield ctx.finding(
        seen.span,
        message,
        fixes=partial(_tell, cache, mount.place, seen.container.document, ctx),
        severity=None if seen.own else Severity.INFORMATION,
        related=related,
    )


def _elsewhere(seen: Sighting, place: str, ctx: Context) -> Iterator[Finding]:
    """Report a mount where the tool would keep its cache by another user or setting."""
    judged = misplaced(seen.mount, seen.container)
    if judged is None:
        return
    cache, where = judged
    related = (
        [] if seen.own else [ctx.related(seen.mount.span, "The service's mount", seen.mount.path)]
    )
    yield ctx.finding(
        seen.span,
        f"{cache.tool} leaves {place} empty: here it keeps {cache.cache.what} in {where}",
        fixes=partial(_move, seen, where, ctx),
        severity=None if seen.own else Severity.INFORMATION,
        related=related,
    )


def _move(seen: Sighting, where: str, ctx: Context) -> Iterator[Fix]:
    recipe = moved(seen.mount, seen.container, where)
    if recipe is not None:
        yield ctx.fix(
            f"Mount it on {where}{recipe.extras}",
            recipe.write,
            safety=Safety.UNSAFE,
            preferred=True,
            reason=recipe.reason or "another program may have its data in the old place",
        )


def _tell(cache: RuntimeCache, place: str, document: Devcontainer, ctx: Context) -> Iterator[Fix]:
    def write() -> Iterable[Edit]:
        steps = [partial(_set, pin, place) for pin in cache.cache.pins]
        return together(document, (), *steps)

    pins = " and ".join(cache.cache.pins)
    guess = f"that the mount is meant for {cache.tool} is told by its name only"
    yield ctx.fix(
        f"Set {pins} to {place} in containerEnv",
        partial(placed, document.path, write),
        safety=Safety.UNSAFE,
        preferred=True,
        reason=guess if cache.grade == "name" else "it moves the store of every project here",
    )


def _set(name: str, value: str, document: Devcontainer) -> Iterable[Edit]:
    return set_variable(document, name, value)


def _variable(entry: EnvEntry, claim: Claim, directory: str, ctx: Context) -> Finding:
    message = (
        f"{claim.tool.name} caches in {directory}, where nothing is mounted: "
        "the cache is lost with the container"
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
