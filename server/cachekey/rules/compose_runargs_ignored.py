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

## Source
Dev Containers CLI `src/spec-node/dockerCompose.ts`; containers.dev, *runArgs*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachekey.devcontainer.paths import covers
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.finding import Finding, Severity
from cachekey.rules.rule import Context, Fixable, rule

_MEANT = re.compile(r"(?:--mount|--volume|--tmpfs|-v|-e|--env|--env-file|-u|--user)(?:=|\Z)")


@rule("CK720", "compose-runargs-ignored", Severity.WARNING, Fixable.NEVER)
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
            yield ctx.finding(member.key_span, message)
            return


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
