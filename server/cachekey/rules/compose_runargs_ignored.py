"""Mounts and variables in `runArgs` have no effect with compose.

`runArgs` are arguments of `docker run`, which a compose configuration does not use. `mounts` and
`containerEnv` work in both. `workspaceMount` has no effect either: where the service does not mount the
workspace itself, its folder is empty.

## Bad
```jsonc
{
  "dockerComposeFile": "compose.yml",
  "service": "app",
  "workspaceFolder": "/w",
  "runArgs": ["--mount", "type=volume,source=wheels,target=/wheels"]
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
What `mounts` and `containerEnv` can say as well is moved there, when asked. The other arguments stay.

## Source
Dev Containers CLI `src/spec-node/dockerCompose.ts`; containers.dev, *runArgs*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.paths import covers
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.edits.devcontainer import (
    add_mount,
    csv_field,
    remove_arguments,
    set_variable,
    together,
)
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit

_MEANT = re.compile(r"(?:--mount|--volume|--tmpfs|-v|-e|--env|--env-file|-u|--user)(?:=|\Z)")


@rule("CK720", "compose-runargs-ignored", Severity.WARNING, Fixable.SOMETIMES)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report runArgs with a mount, variables or a user in a compose configuration."""
    if not document.compose:
        return
    yield from _workspace(document, ctx)
    member = document.root.member("runArgs")
    if member is None or member.value is None:
        return
    for element in member.value.elements:
        text = element.value.text
        match = _MEANT.match(text.text) if text is not None else None
        if match is not None:
            flag = match.group().rstrip("=")
            message = (
                f"Docker Compose gets no runArgs, so that {flag} has no effect. Write it in the compose "
                "file, with the service."
            )
            yield ctx.finding(member.key_span, message, fixes=partial(_fixes, document, ctx))
            return


def _fixes(document: Devcontainer, ctx: Context) -> Iterator[Fix]:
    """Move what other members can say to them, all of it at once."""
    owner = document.root.member("runArgs")
    mounts = {m.span: text for m in document.mounts if (text := _as_mount(m)) is not None}
    told = {entry.name for entry in document.container_env}
    variables = [e for e in document.run_settings if e.value is not None and e.name not in told]
    if owner is None or document.half_typed or not (mounts or variables):
        return

    def edits() -> Sequence[Edit]:
        spans = [*mounts, *(entry.span for entry in variables)]
        return together(
            document,
            remove_arguments(document, document.root, owner, spans),
            *(partial(add_mount, text=text) for text in mounts.values()),
            *(partial(set_variable, name=e.name, value=e.value.text) for e in variables if e.value),
        )

    parts = []
    if mounts:
        parts.append(f"{'the mount' if len(mounts) == 1 else f'{len(mounts)} mounts'} to 'mounts'")
    if variables:
        parts.append(f"{', '.join(entry.name for entry in variables)} to 'containerEnv'")
    title = f"Move {' and '.join(parts)}"
    yield ctx.fix(title, edits, safety=Safety.UNSAFE, reason="the next container has it")


def _as_mount(mount: RuntimeMount) -> str | None:
    """Return a mount of ``runArgs`` as ``mounts`` takes it; None where Compose would get less of it."""
    if mount.origin != "runArgs" or mount.type not in ("bind", "volume") or mount.opaque:
        return None
    if any(field.name not in ("type", "source", "target") for field in mount.fields):
        return None
    source, target = mount.value("source"), mount.value("target")
    if source is None or target is None or source.text.startswith("."):
        return None
    written = (f"type={mount.type}", f"source={source.text}", f"target={target.text}")
    return ",".join(csv_field(part) for part in written)


def _workspace(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report a workspaceMount where the service surely mounts nothing on the workspace's folder."""
    member = document.root.member("workspaceMount")
    mounts = [mount for mount in document.mounts if mount.origin == "workspaceMount"]
    container = container_of(document, ctx.project)
    folder, service = container.folder, container.service
    if member is None or not mounts or folder is None or service is None or service.unread:
        return
    places = [container.place(mount) for mount in container.mounts]
    if None in places or any(place and covers(place, folder) for place in places):
        return
    built = container.builds or container.image is None
    if not built:
        message = (
            f"Docker Compose gets no workspaceMount, and nothing else lies on {folder}. Write it in the "
            "compose file, with the service."
        )
        yield ctx.finding(member.key_span, message)
