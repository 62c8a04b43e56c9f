r"""Two mounts of one RUN have one target: only the last one is seen.

BuildKit mounts both, one over the other. What the tool writes goes to the last; the first is
never touched.

## Bad
```dockerfile
FROM python:3.13
RUN --mount=type=cache,id=a,target=/root/.cache/pip \
    --mount=type=cache,id=b,target=/root/.cache/pip \
    pip install requests
```

## Good
```dockerfile
FROM python:3.13
RUN --mount=type=cache,id=b,target=/root/.cache/pip \
    pip install requests
```

## Fix
Remove the one that is not seen.

## Source
Proven in `tests/buildkit` (two mounts on one target). Buildah shows the first one instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.records import Run
from cachekey.edits.mount import remove_mount
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK308", "shadowed-mount", Severity.WARNING, Fixable.ALWAYS)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report mounts that a later mount of the same RUN hides."""
    if ctx.settings.engine == "buildah":
        return
    placed = [
        mount
        for mount in run.mounts
        if mount.error is None and mount.type in ("cache", "bind", "tmpfs") and mount.directory
    ]
    seen = {mount.directory: mount for mount in placed}
    for index, mount in enumerate(placed):
        last = seen.get(mount.directory, mount)
        if last is mount or "cache" not in (mount.type, last.type):
            continue
        yield ctx.finding(
            mount.span,
            f"A later mount of this RUN lies on {mount.directory} too: this one is never seen",
            related=[ctx.related(last.span, "The mount that is seen")],
            fixes=partial(_fixes, mount, ctx),
            unnecessary=index < len(placed),
        )


def _fixes(mount: Mount, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix("Remove this mount", lambda: [remove_mount(ctx.document, mount)], preferred=True)
