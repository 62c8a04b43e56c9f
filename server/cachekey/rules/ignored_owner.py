"""Owner options beside a `source=` do nothing.

With a `source` other than `/` the builder opens that directory of the volume as it is: `uid`,
`gid` and `mode` neither change an owner nor join the key.

## Bad
```dockerfile
FROM debian:13
RUN --mount=type=cache,id=tools,source=pip,target=/root/.cache/pip,uid=1000 pip install requests
```

## Good
```dockerfile
FROM debian:13
RUN --mount=type=cache,id=tools,source=pip,target=/root/.cache/pip pip install requests
```

## Fix
Remove the options.

## Source
BuildKit `dockerfile2llb/convert_runmount.go`: `setCacheUIDGID` is reached only without a source
path.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.records import Run
from cachekey.edits.mount import remove_options
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK203", "ignored-owner", Severity.INFORMATION, Fixable.ALWAYS)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report owner options of mounts that open a directory inside the volume."""
    for mount in run.caches:
        source = mount.value("source")
        if mount.source == "/" or not mount.owner_options or source is None or not source.known:
            continue
        names = [option.field.name.text for option in mount.owner_options]
        written = " and ".join((", ".join(names[:-1]), names[-1]) if names[1:] else names)
        yield ctx.finding(
            mount.owner_options[0].field.span,
            f"The option{'s' if names[1:] else ''} {written} {'do' if names[1:] else 'does'} nothing beside "
            f"source={source.text}: that directory of the cache keeps its owner",
            fixes=partial(_fixes, mount, written, ctx),
            unnecessary=True,
        )


def _fixes(mount: Mount, written: str, ctx: Context) -> Iterator[Fix]:
    edits = partial(remove_options, mount, "uid", "gid", "mode")
    yield ctx.fix(f"Remove {written}", edits, preferred=True)
