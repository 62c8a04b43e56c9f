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
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Edit, Span

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
def check(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    """Report a volume with a constant name on a directory of one project."""
    name = mount.volume
    if name is None or mount.source is None or mount.compose or mount.origin == "workspaceMount":
        return
    output = project_output(mount, ctx.project.knowledge)
    if output is None or mount.place is None or _tells_the_project(name):
        return
    message = f"Every project with a volume '{name}' shares {output.cache.what} in {mount.place}"
    fixes = partial(_fixes, mount.source.end, ctx)
    yield ctx.finding(span_in(mount.source), message, fixes=fixes)


def _fixes(end: int, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix(
        "Give each project its own volume with ${devcontainerId}",
        Edit(Span(end, end), "-${devcontainerId}"),
        safety=Safety.UNSAFE,
        preferred=True,
        reason="the container starts with an empty volume",
    )
