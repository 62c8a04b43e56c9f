"""Only terminals know of the cache, the container's own processes do not.

`remoteEnv` is seen by lifecycle commands and by what the editor starts, not by the container's main
process, its services or a plain `docker exec`. These use the tool's default directory, beside the
mounted cache.

## Bad
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "remoteEnv": { "UV_CACHE_DIR": "/cache/uv" }
}
```

## Good
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" }
}
```

## Fix
The entry moves to `containerEnv`; the container must be rebuilt for it.

## Source
containers.dev, *containerEnv* and *remoteEnv*.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import is_usual, told
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.read import Devcontainer, EnvEntry
from cachekey.devcontainer.running import container_of
from cachekey.edits.devcontainer import move_variable
from cachekey.finding import Finding, Fix, Severity
from cachekey.knowledge import Claim
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK716", "cache-env-remote-only", Severity.INFORMATION, Fixable.ALWAYS)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report a variable in remoteEnv that points into a mount and stands nowhere else."""
    container = container_of(document, ctx.project)
    elsewhere = {entry.name for entry in (*document.container_env, *document.run_env)}
    found = [
        (entry, claim, mount)
        for entry, claim, directory in told(document, ctx.project.knowledge)
        if entry.place == "remoteEnv" and entry.name not in elsewhere
        for mount in document.effective_mounts
        if mount.covers(directory)
        and mount.type in ("volume", "bind")
        and not _there_anyway(entry, claim, directory, container)
    ]
    owner = document.root.member("remoteEnv")
    for entry, claim, mount in found:
        if entry.member is None or owner is None or owner.value is None:
            continue
        alone = len(owner.value.members) == 1
        yield ctx.finding(
            owner.key_span if alone else entry.member.key_span,
            f"Only terminals and lifecycle commands get {entry.name} from remoteEnv: "
            f"where {claim.tool.name} is started otherwise, it caches elsewhere",
            fixes=partial(_fixes, document, entry, ctx),
            related=[ctx.related(mount.span, "The mount that it names")],
        )


def _there_anyway(entry: EnvEntry, claim: Claim, directory: str, container: Container) -> bool:
    """Tell whether all processes come to the directory without the variable of remoteEnv."""
    said = [
        item.text
        for item in container.environment.settings(entry.name)
        if item.moment != "remoteEnv"
    ]
    return entry.text in said or (not said and is_usual(directory, claim))


def _fixes(document: Devcontainer, entry: EnvEntry, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix(
        f"Move {entry.name} to containerEnv",
        partial(move_variable, document, entry, "containerEnv"),
        preferred=True,
    )
