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

from collections.abc import Iterator, Sequence
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.coverage import surely_idle
from cachekey.dockerfile.place import same_cache
from cachekey.dockerfile.purpose import Purpose, purpose_of
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.caches import merge_edits
from cachekey.edits.everywhere import lines_text
from cachekey.edits.mount import set_option
from cachekey.finding import FileEdit, Finding, Fix, Safety, Severity
from cachekey.knowledge.records import Concurrency
from cachekey.rules.rule import Context, Fixable, rule

_SAYS = {
    Concurrency.FAILS: "stops with an error when another build uses this cache at the same time",
    Concurrency.CORRUPTS: "may damage this cache when another build uses it at the same time",
}


@rule("CK501", "unlocked-cache", Severity.WARNING, Fixable.ALWAYS)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report caches of tools that do not bear company, without an explicit ``sharing``.

    All mounts of one tool in a file are one slip: the first of them speaks.
    """
    slips: dict[str, list[tuple[Mount, Purpose]]] = {}
    for run, mount in dockerfile.caches:
        purpose = _unlocked(run, mount)
        if purpose is not None:
            slips.setdefault(purpose.tool.id, []).append((mount, purpose))
    for found in slips.values():
        mounts = [mount for mount, _ in found]
        purpose = found[0][1]
        surely = purpose.cache.concurrent is Concurrency.FAILS and purpose.cache.basis == "stated"
        yield ctx.finding(
            mounts[0].target_span,
            f"{purpose.tool.name} {_SAYS[purpose.cache.concurrent]}",
            related=[ctx.related(mount.target_span, "Here, too") for mount in mounts[1:]],
            fixes=partial(_fixes, mounts, surely, ctx),
            severity=None if surely else Severity.INFORMATION,
        )


def _unlocked(run: Run, mount: Mount) -> Purpose | None:
    """Return what a mount is for, if others may use it at the same time and must not."""
    purpose = purpose_of(run, mount)
    if run.onbuild or "sharing" in mount.options or mount.readonly or purpose is None:
        return None
    ident = mount.value("id")
    risky = purpose.cache.concurrent in _SAYS and purpose.is_download
    if not risky or (ident is not None and ident.used) or not purpose.cache.confidence.warns:
        return None
    return None if mount.key is None or surely_idle(run, mount) else purpose


def _fixes(mounts: Sequence[Mount], surely: bool, ctx: Context) -> Iterator[Fix]:
    places = {
        place.mount.span: place
        for mount in mounts
        for place in same_cache(ctx.document, mount)
        if "sharing" not in place.mount.options
    }

    def edits() -> tuple[FileEdit, ...]:
        return merge_edits(
            FileEdit(place.path, set_option(place.mount, "sharing", "locked"))
            for place in places.values()
        )

    lines = lines_text(place.line + 1 for place in places.values())
    yield ctx.fix(
        f"Let builds take turns: add sharing=locked to {lines}",
        edits,
        safety=Safety.SAFE if surely else Safety.UNSAFE,
        preferred=True,
        reason="builds that work side by side would wait for each other",
    )
