"""Nothing creates the directory that a cache is bound from.

`--mount type=bind` never makes its source. On a machine where the tool has not run yet the
directory is missing, and the container does not start.

## Bad
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": [
    "type=bind,source=${localEnv:HOME}${localEnv:USERPROFILE}/.cache/uv,target=/root/.cache/uv"
  ]
}
```

## Good
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": [
    "type=bind,source=${localEnv:HOME}${localEnv:USERPROFILE}/.cache/uv,target=/root/.cache/uv"
  ],
  "initializeCommand": "mkdir -p ${localEnv:HOME}${localEnv:USERPROFILE}/.cache/uv"
}
```

## Fix
`mkdir -p` in `initializeCommand`, which runs on the host before any mount is made.

## Source
The engine's `volume/mounts/linux_parser.go` (`bind source path does not exist`);
devcontainers/ci#30, devcontainers/spec#132.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import cache_of
from cachekey.devcontainer.container import HOST_HOME
from cachekey.devcontainer.hostmade import folder_may_be_made
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.edits.devcontainer import run_on_host_first
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in

_HOME = re.compile(r"(?:\$\{localEnv:(?:HOME|USERPROFILE)\}/?){1,2}(?<=/)")


@rule("CK705", "missing-bind-source", Severity.INFORMATION, Fixable.ALWAYS)
def check(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    """Report caches bound from below the host's home that no command makes.

    Whether a user's own settings are there is not known from here, so only caches are reported.
    """
    document: Devcontainer = ctx.document
    if mount.type != "bind" or mount.source is None or mount.form == "volume" or mount.compose:
        return
    source = mount.source.text
    if document.feature or not _HOME.match(source) or mount.field("bind-create-src") is not None:
        return
    cache = cache_of(mount, document, ctx.project.knowledge)
    looks_so = cache is not None or re.search(r"cache", source, re.IGNORECASE)
    if not looks_so or _made(source, document, ctx):
        return
    message = (
        f"Docker does not make the source of a bind mount: without {_HOME.sub('~/', source)} on the host "
        "the container does not start"
    )
    yield ctx.finding(span_in(mount.source), message, fixes=partial(_fixes, source, ctx))


def _fixes(source: str, ctx: Context) -> Iterator[Fix]:
    word = source if re.fullmatch(r"[\w./${}:-]*", source) else f'"{source}"'
    yield ctx.fix(
        "Make the directory on the host first: mkdir -p in initializeCommand",
        partial(run_on_host_first, ctx.document, f"mkdir -p {word}"),
        safety=Safety.UNSAFE,
        preferred=True,
        reason="it runs a command on the host, and Windows has no mkdir -p",
    )


def _made(source: str, document: Devcontainer, ctx: Context) -> bool:
    """Tell whether initializeCommand, or a script that it calls, may make the directory."""
    place = posixpath.normpath(_HOME.sub(f"{HOST_HOME}/", source))
    return folder_may_be_made(place, container_of(document, ctx.project))
