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
`type=volume`. Silent where a compose file declares the volume itself.

## Source
Dev Containers CLI `src/spec-node/dockerCompose.ts`; Docker Compose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.running import container_of
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit, Span


@rule("CK718", "compose-undefined-volume", Severity.ERROR, Fixable.ALWAYS)
def check(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    """Report named volumes without a type in a compose configuration."""
    if not mount.compose or mount.origin != "mounts" or mount.form != "string":
        return
    name = mount.volume
    if name is None or mount.field("type") is not None or mount.place is None or mount.opaque:
        return
    if re.match(r"[/.~\\]|[A-Za-z]:", name) or _declared(name, ctx):
        return
    message = f"compose knows no volume '{name}': it is declared for type=volume only"
    yield ctx.finding(mount.span, message, fixes=partial(_fixes, mount, ctx))


def _fixes(mount: RuntimeMount, ctx: Context) -> Iterator[Fix]:
    start = mount.span.start
    yield ctx.fix("Add type=volume", Edit(Span(start, start), "type=volume,"), preferred=True)


def _declared(name: str, ctx: Context) -> bool:
    """Tell whether one of the compose files declares the volume, or may do so unseen."""
    composition = container_of(ctx.document, ctx.project).composition
    if composition is None or "include" in composition.unread:
        return True
    return name in composition.volumes
