"""A key of a mount object is dropped.

Of an object the Dev Containers tools pass on `type`, `source` and `target`; everything else is left
out without a message: a `readonly` mount is writable.

## Bad
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": [{ "type": "volume", "source": "uv-cache", "target": "/cache/uv", "readonly": true }]
}
```

## Good
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv,readonly"]
}
```

## Fix
The string form, which takes every option; `consistency`, which does nothing today, is left out.

## Source
Dev Containers CLI `src/spec-node/dockerfileUtils.ts` (`generateMountCommand`);
devcontainers/spec#511.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.complaints import complaints
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.edits.devcontainer import as_string
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.dockermount import CANONICAL, KEYS
from cachekey.syntax.jsonc.tree import Member

_PASSED_ON = ("type", "source", "target")


@rule("CK715", "mount-object-key-dropped", Severity.WARNING, Fixable.SOMETIMES)
def check(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    """Report keys with a meaning that do not arrive at Docker."""
    if mount.form != "object" or mount.type == "cache" or mount.compose or complaints(mount):
        return
    for member in mount.node.effective():
        name = member.key.text
        # `consistency` has done nothing for years, and `external` means something to compose only.
        if name in _PASSED_ON or name in ("consistency", "external"):
            continue
        message = f"The Dev Containers tools drop '{name}' where a mount is an object: only a string keeps it"
        yield ctx.finding(member.key_span, message, fixes=partial(_fixes, mount, ctx))


def _fixes(mount: RuntimeMount, ctx: Context) -> Iterator[Fix]:
    extra = []
    for member in mount.node.effective():
        if member.key.text in (*_PASSED_ON, "consistency"):
            continue
        option = _option(member)
        if option is None:
            return
        if option:
            extra.append(option)
    yield ctx.fix("Write the mount as a string", lambda: [as_string(mount, extra)], preferred=True)


def _option(member: Member) -> str | None:
    """Return a member as an option of the string form, ``None`` when it cannot be one."""
    name, node = member.key.text, member.value
    if node is None or CANONICAL.get(name, name) not in KEYS:
        return None
    if node.kind == "literal":
        return name if node.value is True else ""
    if node.text is None or "," in node.text.text:
        return None
    return f"{name}={node.text.text}"
