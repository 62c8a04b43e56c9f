r"""The tool fails, or damages its cache, when two builds use it at the same time.

The default, `sharing=shared`, lets two RUNs of one build, two platforms, or two builds write one
cache at once. Some tools bear that; others stop with an error or leave broken entries behind.

## Bad
```dockerfile
FROM debian:13
RUN rm -f /etc/apt/apt.conf.d/docker-clean
RUN --mount=type=cache,target=/var/cache/apt \
    --mount=type=cache,target=/var/lib/apt \
    apt-get update && apt-get install -y curl
```

## Good
```dockerfile
FROM debian:13
RUN rm -f /etc/apt/apt.conf.d/docker-clean
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update && apt-get install -y curl
```

## Fix
`sharing=locked`: the second one waits. All mounts of the same cache in the file are changed
together.

Silent with an explicit `sharing`, whatever it is, and with a variable in the `id`, which keeps
builds apart.

## Source
Docker's documentation of cache mounts for apt; the tools' files below `knowledge/tools` for the
others.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.coverage import surely_idle
from cachekey.dockerfile.place import same_cache
from cachekey.dockerfile.purpose import purpose_of
from cachekey.dockerfile.records import Run
from cachekey.edits.caches import merge_edits
from cachekey.edits.mount import set_option
from cachekey.finding import FileEdit, Finding, Fix, Safety, Severity
from cachekey.knowledge.records import Concurrency
from cachekey.rules.rule import Context, Fixable, rule

_SAYS = {
    Concurrency.FAILS: "stops with an error when another build uses this cache at the same time",
    Concurrency.CORRUPTS: "may damage this cache when another build uses it at the same time",
}


@rule("CK501", "unlocked-cache", Severity.WARNING, Fixable.ALWAYS)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report caches of tools that do not bear company, without an explicit ``sharing``."""
    for mount in run.caches:
        purpose = purpose_of(run, mount)
        if run.onbuild or "sharing" in mount.options or mount.readonly or purpose is None:
            continue
        ident = mount.value("id")
        says = _SAYS.get(purpose.cache.concurrent)
        if says is None or not purpose.is_download or (ident is not None and ident.used):
            continue
        if not purpose.cache.confidence.warns or mount.key is None or surely_idle(run, mount):
            continue
        surely = purpose.cache.concurrent is Concurrency.FAILS and purpose.cache.basis == "stated"
        yield ctx.finding(
            mount.target_span,
            f"{purpose.tool.name} {says}",
            fixes=partial(_fixes, mount, surely, ctx),
            severity=None if surely else Severity.INFORMATION,
        )


def _fixes(mount: Mount, surely: bool, ctx: Context) -> Iterator[Fix]:
    def edits() -> tuple[FileEdit, ...]:
        return merge_edits(
            FileEdit(place.path, set_option(place.mount, "sharing", "locked"))
            for place in same_cache(ctx.document, mount)
            if "sharing" not in place.mount.options
        )

    yield ctx.fix(
        "Let builds take turns: add sharing=locked",
        edits,
        safety=Safety.SAFE if surely else Safety.UNSAFE,
        preferred=True,
        reason="builds that work side by side would wait for each other",
    )
