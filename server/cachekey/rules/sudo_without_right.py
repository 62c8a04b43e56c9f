"""A command of the container uses sudo, which its user may not.

The image has no sudo, or its Dockerfile installs it and never says who may use it. The command, or the
line of a script that it calls, then stops, or waits for a password that nobody types; with it all later
ones are skipped.

## Bad
```jsonc
{
  "build": { "dockerfile": "Dockerfile" },
  "remoteUser": "node",
  "postCreateCommand": "sudo chown -R node node_modules"
}
```
```dockerfile .devcontainer/Dockerfile
FROM node:22
RUN apt-get update && apt-get install -y sudo
```

## Good
```jsonc
{
  "build": { "dockerfile": "Dockerfile" },
  "remoteUser": "node",
  "postCreateCommand": "sudo chown -R node node_modules",
  "features": {
    "ghcr.io/devcontainers/features/common-utils:2": {
      "username": "node"
    }
  }
}
```
```dockerfile .devcontainer/Dockerfile
FROM node:22
RUN apt-get update && apt-get install -y sudo
```

## Fix
The feature common-utils, which installs sudo and gives the user the right. A line in the Dockerfile,
`RUN echo "node ALL=(root) NOPASSWD:ALL" > /etc/sudoers.d/node`, does so as well.

## Source
sudoers(5); containers.dev, *common-utils*.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.container import Container
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.edits.ownership import add_sudo, sudo_options
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.shell.tree import Command


@rule("CK725", "sudo-without-right", Severity.WARNING, Fixable.ALWAYS)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report the first command that calls sudo in a container whose user surely may not."""
    container = container_of(document, ctx.project)
    user = container.user
    if user is None or user.root or container.sudo is not False:
        return
    leaves = False
    for ran in container.story.items:
        script = ran.item.script is not None
        # A script that may end early has asked first whether it goes on.
        leaves = leaves or (script and ran.item.program in _LEAVES)
        if not ran.as_root or ran.item.conditional or (script and leaves):
            continue
        if _may_fail(ran.item.simple):
            continue
        if ran.item.simple.words[0].text == "sudo":
            line = ran.item.script
            where = ran.moment if line is None else f"line {line.line + 1} of {line.path}"
            yield ctx.finding(
                ran.item.simple.words[0].span,
                f"Nothing lets {user.name} use sudo: {where} fails",
                fixes=partial(_fixes, user.name, container, ctx),
            )
            return


_LEAVES = ("exit", "return", "exec")


def _may_fail(command: Command) -> bool:
    """Tell whether what stands behind ``||`` is ready for its failure."""
    for item in command.block.items[command.index + 1 :]:
        if item.connector != "&&":
            return item.connector == "||"
    return False


def _fixes(user: str, container: Container, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix(
        f"Give {user} sudo with the feature common-utils",
        partial(add_sudo, ctx.document, sudo_options(user, container)),
        safety=Safety.UNSAFE,
        preferred=True,
        reason="it adds a feature to the container",
    )
