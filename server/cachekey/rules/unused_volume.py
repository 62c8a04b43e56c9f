"""A compose file declares a volume that nothing mounts.

Compose makes it all the same, and it stays empty: what should be kept in it goes with the container.

## Bad
```jsonc
{ "dockerComposeFile": "compose.yml", "service": "app", "workspaceFolder": "/w" }
```
```file .devcontainer/compose.yml
services:
  app:
    image: rust:1.90
volumes:
  cargo-registry:
```

## Good
```jsonc
{ "dockerComposeFile": "compose.yml", "service": "app", "workspaceFolder": "/w" }
```
```file .devcontainer/compose.yml
services:
  app:
    image: rust:1.90
    volumes:
      - cargo-registry:/usr/local/cargo/registry
volumes:
  cargo-registry:
```

## Fix
The declaration is deleted, when asked. What an earlier container kept in the volume stays on the engine.

Silent where a file that cannot be read may mount it, or a variable may come to its name.

## Source
compose-spec, *Volumes top-level element*.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.mounts import may_name
from cachekey.devcontainer.running import container_of
from cachekey.edits.compose import undeclare
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK726", "unused-volume", Severity.INFORMATION, Fixable.SOMETIMES)
def check(file: ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report volumes of a dev container's compose file that no service mounts."""
    containers = [container_of(other, ctx.project) for other in ctx.project.composers(file.path)]
    used: set[str] = set()
    for container in containers:
        if container.composition is None or container.composition.unread:
            return
        if container.composition.file(file.path) is None:
            # A service of it is extended, its volumes are not taken over.
            return
        used |= _mounted(container)
    for name, key, _ in file.section("volumes") if containers else ():
        if not any(may_name(source, name) for source in used):
            yield ctx.finding(
                key.span,
                f"Nothing mounts the volume '{name}': delete it, or mount it in a service",
                unnecessary=True,
                fixes=partial(_fixes, file, name, ctx),
            )


def _fixes(file: ComposeFile, name: str, ctx: Context) -> Iterator[Fix]:
    edit = undeclare(file, name)
    if edit is not None:
        title = f"Delete the volume '{name}'"
        yield ctx.fix(title, edit, safety=Safety.UNSAFE, reason="or mount it instead")


def _mounted(container: Container) -> set[str]:
    """Return every word of the services' mounts that may name a volume."""
    composition = container.composition
    assert composition is not None
    mounts = [*container.document.mounts]
    for file in composition.files:
        mounts += file.mounts
    for name in composition.services:
        service = composition.service(name)
        mounts += service.mounts if service is not None else ()
    return {m.source.text for m in mounts if m.source is not None and m.type != "bind"}
