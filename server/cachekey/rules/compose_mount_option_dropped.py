"""Compose does not get an option of the mount.

For a compose configuration the Dev Containers tools write a mount as `source:target`; everything
else is left out without a message. A `readonly` mount is writable, a tmpfs an anonymous volume.

## Bad
```jsonc
{
  "dockerComposeFile": "compose.yml",
  "service": "app",
  "workspaceFolder": "/w",
  "mounts": ["type=volume,source=wheels,target=/wheels,readonly"]
}
```

## Good
```jsonc
{
  "dockerComposeFile": "compose.yml",
  "service": "app",
  "workspaceFolder": "/w",
  "mounts": ["type=volume,source=wheels,target=/wheels"]
}
```

## Fix
The option goes, when asked: the file then says what the container gets. To have the option, write the mount in
the compose file. There is no fix for a tmpfs.

## Source
Dev Containers CLI `src/spec-node/dockerCompose.ts`; devcontainers/cli#881.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.edits.devcontainer import remove_fields
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.dockermount import KEYS, MountField

_KEPT = ("type", "source", "target", "external", "consistency")


@rule("CK719", "compose-mount-option-dropped", Severity.WARNING, Fixable.SOMETIMES)
def check(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    """Report options that compose never sees."""
    if not mount.compose or mount.origin != "mounts" or mount.type == "cache" or mount.opaque:
        return
    kind = mount.field("type")
    if mount.type == "tmpfs" and kind is not None:
        message = (
            "Docker Compose makes a volume without a name of this tmpfs. Write the tmpfs in the "
            "compose file, with the service."
        )
        yield ctx.finding(kind.span, message)
        return
    for field in mount.fields:
        if field.name in KEYS and field.name not in _KEPT:
            message = (
                f"Docker Compose does not get '{field.key.text.strip()}' of this mount. Write it "
                "in the compose file, with the service."
            )
            yield ctx.finding(field.span, message, fixes=partial(_fixes, mount, field, ctx))


def _fixes(mount: RuntimeMount, field: MountField, ctx: Context) -> Iterator[Fix]:
    document: Devcontainer = ctx.document
    edits = partial(remove_fields, document, mount, [field])
    title = f"Remove '{field.key.text.strip()}'"
    yield ctx.fix(title, edits, safety=Safety.UNSAFE, reason="the mount stays what it is today")
