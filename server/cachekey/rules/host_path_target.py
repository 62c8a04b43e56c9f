"""The target looks like a path of the host, but it is one inside the build container.

A cache mount knows nothing of the machine that runs the build: the target is a directory in the
RUN, and the volume behind it is the builder's own.

## Bad
```dockerfile
FROM python:3.13
RUN --mount=type=cache,target=/Users/me/Library/Caches/pip pip install requests
```

## Good
```dockerfile
FROM python:3.13
RUN --mount=type=cache,target=/root/.cache/pip pip install requests
```

## Fix
The directory that the tool uses in this RUN.

Silent on Windows base images, and where the script or a variable names the same path.

## Source
Dockerfile reference, `RUN --mount=type=cache`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.coverage import maybe_covered, wanted
from cachekey.dockerfile.records import Run
from cachekey.edits.toolmount import retarget
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule

_HOST = re.compile(r"/Users/|[A-Za-z]:[\\/]|/[a-z]/Users/|\\\\|%[A-Z]+%", re.ASCII)
_DRIVE = re.compile(r"[A-Za-z]:\\|\\\\", re.ASCII)


@rule("CK307", "host-path-target", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report targets that only make sense on somebody's own machine."""
    facts = run.scope.base.facts
    if run.onbuild or (facts is not None and facts.family == "windows"):
        return
    if re.search(r"windows|nanoserver|servercore", run.scope.base.reference.text, re.IGNORECASE):
        return
    for mount in run.caches:
        text = _written(mount, ctx)
        if not _HOST.match(text) or run.effects.mentions(text) or _is_set(run, text):
            continue
        yield ctx.finding(
            mount.target_span,
            f"{text} is a path of the build container here, not of your machine",
            fixes=partial(_fixes, run, mount, ctx),
        )


def _written(mount: Mount, ctx: Context) -> str:
    """Return the target; as it stands in the file where that is a path of Windows.

    The builder takes every backslash for an escape, so that nothing of the path is left to see.
    """
    raw = ctx.document.source.slice(mount.target_span)
    return raw if _DRIVE.match(raw) else mount.target.text


def _is_set(run: Run, text: str) -> bool:
    return any(text in variable.value.text for variable in run.scope.variables.values())


def _fixes(run: Run, mount: Mount, ctx: Context) -> Iterator[Fix]:
    paths = {item.path for item in wanted(run) if not maybe_covered(run, item.directory)}
    if len(paths) == 1:
        path = paths.pop()
        edits = retarget(run, mount, path)
        if edits:
            yield ctx.fix(f"Mount {path}", *edits, preferred=True)
