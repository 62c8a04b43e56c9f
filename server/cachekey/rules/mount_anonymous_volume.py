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

from cachekey.devcontainer.caches import cache_of, project_output
from cachekey.devcontainer.complaints import complaints
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import Sighting, sightings
from cachekey.edits.compose import declare
from cachekey.edits.devcontainer import convert, name_for
from cachekey.finding import FileEdit, Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.dockermount import volume_name
from cachekey.text import Edit, Span


@rule("CK713", "mount-anonymous-volume", Severity.WARNING, Fixable.SOMETIMES)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report volumes without a name that Docker would accept."""
    for seen in sightings(document, ctx.project):
        mount = seen.mount
        if mount.type != "volume" or mount.source is not None or mount.place is None:
            continue
        if mount.origin == "service":
            yield from _inherited(seen, mount.place, ctx)
        elif mount.form == "volume" and not cache_of(
            mount, seen.container.document, ctx.project.knowledge
        ):
            # `-v /path` is how one asks for a volume of this container alone.
            continue
        elif not mount.opaque and not complaints(mount):
            message = (
                f"The volume on {mount.place} has no name: each new container gets an empty one"
            )
            yield ctx.finding(
                mount.span,
                message,
                fixes=partial(_fixes, mount, ctx),
                severity=None if _known(seen, ctx) else Severity.INFORMATION,
            )


def _known(seen: Sighting, ctx: Context) -> bool:
    """Tell whether a mount is a tool's: anything else may be meant for this container alone."""
    mount, knowledge = seen.mount, ctx.project.knowledge
    cache = cache_of(mount, seen.container.document, knowledge)
    return cache is not None or project_output(mount, knowledge) is not None


def _inherited(seen: Sighting, place: str, ctx: Context) -> Iterator[Finding]:
    """Report what a service mounts without a name, where it holds something that takes time."""
    mount, document, knowledge = seen.mount, seen.container.document, ctx.project.knowledge
    if project_output(mount, knowledge) or cache_of(mount, document, knowledge):
        related = [] if seen.own else [ctx.related(mount.span, "The service's mount", mount.path)]
        yield ctx.finding(
            seen.span,
            f"The service's volume on {place} has no name: after a rebuild it is empty",
            fixes=partial(_name, seen, place, ctx),
            related=related,
            severity=Severity.INFORMATION,
        )


def _name(seen: Sighting, place: str, ctx: Context) -> Iterator[Fix]:
    """Name a volume in the short form and declare it in the same file."""
    mount, composition = seen.mount, seen.container.composition
    file = composition.file(mount.path) if composition is not None else None
    if file is not None and mount.form == "volume" and mount.target is not None:
        name = volume_name(place)
        start = mount.target.offset(0)
        declared = any(known == name for known, _, _ in file.section("volumes"))
        declaration = [] if declared else list(declare(file, name))
        if not declared and not declaration:
            return
        edits = (Edit(Span(start, start), f"{name}:"), *declaration)
        title = f"Name the volume {name}"
        made = [FileEdit(file.path, edit) for edit in edits]
        yield ctx.fix(
            title, *made, safety=Safety.UNSAFE, reason="the container starts with an empty one"
        )


def _fixes(mount: RuntimeMount, ctx: Context) -> Iterator[Fix]:
    document: Devcontainer = ctx.document
    cache = cache_of(mount, document, ctx.project.knowledge)
    sure = cache is not None and cache.grade == "variable"
    name = name_for(mount, cache.cache.id if cache is not None and sure else "")
    if mount.form == "volume" and mount.target is not None:
        start = mount.target.offset(0)
        yield ctx.fix(
            f"Name the volume {name}", Edit(Span(start, start), f"{name}:"), preferred=True
        )
        return
    edits = partial(convert, document, mount, "volume", name)
    yield ctx.fix(f"Name the volume {name}", edits, preferred=True)
