"""Two mounts have one target.

Of two entries in `mounts` with the same target the Dev Containers tools keep the last, without a
message. Where they cannot tell, Docker refuses both: `Duplicate mount point`.

## Bad
```jsonc
{
  "image": "debian:12",
  "mounts": [
    "type=volume,source=uv-old,target=/cache/uv",
    "type=volume,source=uv-cache,target=/cache/uv"
  ]
}
```

## Good
```jsonc
{
  "image": "debian:12",
  "mounts": [
    "type=volume,source=uv-cache,target=/cache/uv"
  ]
}
```

## Fix
The one that has no effect goes.

## Source
Dev Containers CLI `src/spec-node/imageMetadata.ts` (`mergeMounts`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.mounts import RuntimeMount, service_mount
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.edit import remove
from cachekey.syntax.jsonc.tree import Element, Node


@rule("CK714", "mount-duplicate-target", Severity.WARNING, Fixable.SOMETIMES)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report each mount whose target a later one has as well."""
    if isinstance(document, ComposeFile):
        yield from _of_services(document, ctx)
        return
    container = container_of(document, ctx.project)
    latest: dict[str, RuntimeMount] = {}
    found: list[tuple[RuntimeMount, RuntimeMount]] = []
    for mount in reversed(document.effective_mounts):
        if mount.place is None or mount.opaque:
            continue
        place = container.place(mount) or mount.place
        if place in latest:
            found.append((mount, latest[place]))
        else:
            latest[place] = mount
    array = document.get("mounts")
    elements = {id(item.value): item for item in array.elements} if array and found else {}
    for mount, other in reversed(found):
        fixes = partial(_fixes, document, array, elements.get(id(mount.node)), ctx)
        yield _finding(mount, other, fixes, ctx)


def _of_services(file: ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report it of the entries that one file gives to one service; another file's are meant to win."""
    users = list(ctx.project.composers(file.path))
    for _, _, service in file.section("services") if users else ():
        volumes = service.get("volumes") if service.kind == "mapping" else None
        latest: dict[str, RuntimeMount] = {}
        for item in reversed(volumes.elements if volumes is not None else ()):
            mount = service_mount(item, file.path)
            place = mount.place if mount is not None else None
            if mount is None or place is None:
                continue
            if place in latest:
                yield ctx.finding(
                    mount.span,
                    f"A later entry lies on {place} too: Compose takes one of the two",
                    related=[ctx.related(latest[place].span, "The later entry")],
                )
            latest.setdefault(place, mount)


def _finding(
    mount: RuntimeMount, other: RuntimeMount, fixes: Callable[[], Iterable[Fix]], ctx: Context
) -> Finding:
    related = [ctx.related(other.span, "The mount that counts")]
    merged = mount.origin == other.origin == "mounts" and _written(mount) == _written(other)
    if not merged:
        message = f"The container does not start: Docker refuses two mounts on {mount.place}"
        return ctx.finding(mount.span, message, related=related, severity=Severity.ERROR)
    message = f"A later mount lies on {mount.place} too: this one has no effect"
    return ctx.finding(mount.span, message, related=related, fixes=fixes, unnecessary=True)


def _written(mount: RuntimeMount) -> str:
    return mount.target.text if mount.target is not None else ""


def _fixes(
    document: Devcontainer, array: Node | None, element: Element | None, ctx: Context
) -> Iterator[Fix]:
    if array is not None and element is not None:
        edits = partial(remove, document.source, array, [element])
        reason = "it is a guess which of the two was meant"
        yield ctx.fix("Remove this mount", edits, safety=Safety.UNSAFE, reason=reason)
