"""What belongs to one project lies in a volume that all projects share.

A volume's name is known to the whole Docker engine. Every clone, worktree and colleague's container
with the same name gets the same `node_modules` or build output. Download caches are better shared
and not reported.

## Bad
```jsonc
{
  "image": "node:22",
  "mounts": ["type=volume,source=modules,target=/workspaces/app/node_modules"]
}
```

## Good
```jsonc
{
  "image": "node:22",
  "mounts": ["type=volume,source=modules-${devcontainerId},target=/workspaces/app/node_modules"]
}
```

## Fix
`-${devcontainerId}` behind the name: one volume for each folder that is opened, kept over rebuilds.
The container starts with an empty one.

## Source
containers.dev, *Variables in devcontainer.json* (`devcontainerId`); anthropics/claude-code#3310.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import project_output
from cachekey.devcontainer.compose import ComposeFile, engine_name
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import sightings
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Edit, Mapped, Span

_GENERIC = frozenset(
    (
        *(
            "node",
            "modules",
            "venv",
            "virtualenv",
            "env",
            "target",
            "build",
            "dist",
            "out",
            "output",
        ),
        *(
            "cache",
            "caches",
            "vol",
            "volume",
            "volumes",
            "data",
            "deps",
            "dependencies",
            "dev",
            "my",
        ),
        *(
            "devcontainer",
            "container",
            "docker",
            "workspace",
            "project",
            "app",
            "the",
            "shared",
            "next",
        ),
        *(
            "npm",
            "pnpm",
            "yarn",
            "bun",
            "uv",
            "pip",
            "python",
            "py",
            "cargo",
            "rust",
            "js",
            "ts",
            "nm",
        ),
    )
)
"""Words of a volume's name that any project could use."""


def _tells_the_project(name: str) -> bool:
    """Tell whether a name has a word of its own, which then is the project's."""
    words = re.findall(r"[a-z]+", name.lower())
    return any(word not in _GENERIC for word in words)


@rule("CK707", "shared-project-volume", Severity.INFORMATION, Fixable.ALWAYS)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report volumes with a constant name on directories of one project."""
    if isinstance(document, ComposeFile):
        for seen in sightings(document, ctx.project):
            yield from _declared(seen.mount, seen.container, document, ctx)
        return
    for mount in document.mounts:
        name = mount.volume
        if name is None or mount.source is None or mount.compose:
            continue
        if mount.origin != "workspaceMount" and (message := _message(mount, name, ctx)):
            fixes = partial(_fixes, mount.source.end, ctx)
            yield ctx.finding(span_in(mount.source), message, fixes=fixes)


def _message(mount: RuntimeMount, name: str, ctx: Context) -> str:
    output = project_output(mount, ctx.project.knowledge)
    if output is None or mount.place is None or _tells_the_project(name):
        return ""
    return f"Every project with a volume '{name}' shares {output.cache.what} in {mount.place}"


def _declared(
    mount: RuntimeMount, container: Container, file: ComposeFile, ctx: Context
) -> Iterator[Finding]:
    """Report a service's volume to which the compose file gives a name of the whole engine."""
    composition, name = container.composition, mount.volume
    found = composition.volumes.get(name) if composition is not None and name else None
    said = engine_name(found[1], found[2]) if found is not None and found[0] == file.path else None
    if found is None or said is None or found[2].get("external") is not None:
        # What is external has been made for several on purpose.
        return
    if message := _message(mount, said.text, ctx):
        yield ctx.finding(span_in(said), message, fixes=partial(_project_name, said, ctx))


def _project_name(said: Mapped, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix(
        "Put Compose's name of the project in front",
        Edit(Span(said.offset(0), said.offset(0)), "${COMPOSE_PROJECT_NAME}-"),
        safety=Safety.UNSAFE,
        preferred=True,
        reason="the container starts with an empty volume",
    )


def _fixes(end: int, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix(
        "Give each project its own volume with ${devcontainerId}",
        Edit(Span(end, end), "-${devcontainerId}"),
        safety=Safety.UNSAFE,
        preferred=True,
        reason="the container starts with an empty volume",
    )
