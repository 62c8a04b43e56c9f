"""Compose puts the project's name in front of the volume's.

The cache is kept, but no other project shares it, as it would without compose.

## Bad
```jsonc
{
  "dockerComposeFile": "compose.yml",
  "service": "app",
  "workspaceFolder": "/w",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"]
}
```

## Good
```jsonc
{
  "dockerComposeFile": "compose.yml",
  "service": "app",
  "workspaceFolder": "/w",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv,external=true"]
}
```

## Fix
`external=true`: compose then takes the volume of exactly this name. It must exist
(`docker volume create`).

## Source
Dev Containers CLI `src/spec-node/dockerCompose.ts`; Docker Compose, *volumes: external*.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import cache_of
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.edits.devcontainer import insert_field
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.dockermount import KEYS

_PLAIN = ("type", "source", "target", "consistency")


@rule("CK721", "compose-volume-project-scoped", Severity.HINT, Fixable.SOMETIMES)
def check(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    """Hint at a tool's cache that other projects could share."""
    document: Devcontainer = ctx.document
    field, name = mount.field("source"), mount.volume
    if not mount.compose or mount.origin != "mounts" or field is None or name is None:
        return
    plain = all(item.name in _PLAIN for item in mount.fields if item.name in (*KEYS, "external"))
    broken = mount.text is not None and mount.text.problem is not None
    if mount.field("type") is None or not plain or broken:
        return
    if cache_of(mount, document, ctx.project.knowledge) is None:
        return
    message = (
        f"Docker Compose puts the project's name in front of '{name}': no other project shares it"
    )
    yield ctx.finding(field.span, message, fixes=partial(_fixes, mount, name, ctx))


def _fixes(mount: RuntimeMount, name: str, ctx: Context) -> Iterator[Fix]:
    if mount.form == "string":
        last = mount.fields[-1].name
        edits = partial(insert_field, ctx.document, mount, "external", "true", behind=last)
        reason = f"the volume must exist: docker volume create {name}"
        title = "Share the volume with other projects"
        yield ctx.fix(title, edits, safety=Safety.UNSAFE, reason=reason)
