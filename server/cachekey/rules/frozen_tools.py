"""A volume keeps the tools of the image that it was first made with.

A new volume takes over what the image has in that directory. From then on it hides the image: a
newer toolchain, or a program added in the Dockerfile, never shows up, in no rebuild.

## Bad
```jsonc
{
  "image": "rust:1.90",
  "mounts": ["type=volume,source=cargo,target=/usr/local/cargo"]
}
```

## Good
```jsonc
{
  "image": "rust:1.90",
  "mounts": ["type=volume,source=cargo,target=/usr/local/cargo/registry"]
}
```

## Fix
The cache inside that directory, where its tool has one, and its owner where that is needed.

## Source
Docker's documentation on volumes (*Populate a volume using a container*); devcontainers/templates#117.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.filled import frozen
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import Sighting, sightings
from cachekey.edits.recipe import narrowed
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK723", "frozen-tools", Severity.WARNING, Fixable.SOMETIMES)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report named volumes on directories that the image or a feature fills with tools."""
    for seen in sightings(document, ctx.project):
        mount = seen.mount
        what = frozen(mount, seen.container) if mount.source is not None else None
        if what is not None:
            related = ctx.related(mount.span, "The service's mount", mount.path)
            yield ctx.finding(
                seen.span,
                f"The volume on {mount.place} is filled once, by the first image: no rebuild renews {what}",
                fixes=partial(_fixes, seen, ctx),
                related=[] if seen.own else [related],
                severity=None if seen.own else Severity.INFORMATION,
            )


def _fixes(seen: Sighting, ctx: Context) -> Iterator[Fix]:
    made = narrowed(seen.mount, seen.container)
    if made is not None:
        place, recipe = made
        yield ctx.fix(
            f"Mount {place} only{recipe.extras}",
            recipe.write,
            safety=Safety.UNSAFE,
            preferred=True,
            reason=recipe.reason
            or "the volume still holds what it held; docker volume rm empties it",
        )
