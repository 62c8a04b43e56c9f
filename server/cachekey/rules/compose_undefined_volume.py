"""Compose does not know the volume.

For a compose configuration the Dev Containers tools declare a volume only where the mount says
`type=volume`. Without it, compose refuses to start: `refers to undefined volume`.

## Bad
```jsonc
{
  "dockerComposeFile": "compose.yml",
  "service": "app",
  "workspaceFolder": "/w",
  "mounts": ["source=history,target=/history"]
}
```

## Good
```jsonc
{
  "dockerComposeFile": "compose.yml",
  "service": "app",
  "workspaceFolder": "/w",
  "mounts": ["type=volume,source=history,target=/history"]
}
```

## Fix
`type=volume`, or the declaration in the compose file that a service's volume lacks. Silent where a
compose file declares the volume, or one that cannot be read may do so.

## Source
Dev Containers CLI `src/spec-node/dockerCompose.ts`; Docker Compose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.edits.compose import declare
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Edit, Span


@rule("CK718", "compose-undefined-volume", Severity.ERROR, Fixable.ALWAYS)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report named volumes that no compose file declares, in both kinds of files."""
    if isinstance(document, ComposeFile):
        yield from _service_volumes(document, ctx)
        return
    for mount in document.effective_mounts if document.compose else ():
        name = mount.volume
        if name is None or mount.form != "string" or mount.field("type") is not None:
            continue
        if (
            mount.place is None
            or mount.opaque
            or _is_path(name)
            or _declared(name, None, document, ctx)
        ):
            continue
        message = (
            f"Docker Compose does not know the volume '{name}' and does not start: the Dev Containers "
            "tools declare it only where type=volume is written"
        )
        yield ctx.finding(mount.span, message, fixes=partial(_fixes, mount, ctx))


def _service_volumes(file: ComposeFile, ctx: Context) -> Iterator[Finding]:
    users = list(ctx.project.composers(file.path))
    for mount in file.mounts:
        name = mount.volume
        if name is None or mount.source is None or not mount.source.text or _is_path(name):
            continue
        if users and not any(_declared(name, file.path, user, ctx) for user in users):
            message = f"No compose file declares the volume '{name}': Docker Compose does not start"
            span = span_in(mount.source)
            fixes = partial(_declaration, file, name, ctx)
            # No error: the declaration stands below and may be what is typed next.
            yield ctx.finding(span, message, fixes=fixes, severity=Severity.WARNING, missing=True)


def _declaration(file: ComposeFile, name: str, ctx: Context) -> Iterator[Fix]:
    if edits := list(declare(file, name)):
        yield ctx.fix(f"Declare the volume {name}", *edits, preferred=True)


def _is_path(name: str) -> bool:
    return re.match(r"[/.~\\]|[A-Za-z]:", name) is not None


def _fixes(mount: RuntimeMount, ctx: Context) -> Iterator[Fix]:
    start = mount.span.start
    yield ctx.fix("Add type=volume", Edit(Span(start, start), "type=volume,"), preferred=True)


def _declared(name: str, file: str | None, document: Devcontainer, ctx: Context) -> bool:
    """Tell whether one of the compose files declares the volume, or may do so unseen."""
    composition = container_of(document, ctx.project).composition
    if composition is None or (composition.unread and composition.files):
        return True
    if file is not None and composition.file(file) is None:
        # A service of it is extended; its other services are not this container's.
        return True
    return name in composition.volumes
