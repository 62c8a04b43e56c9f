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

A directory of the system that is one tool's alone (`/var/cache/apt`) tells the tool where a script hides
the command; that is an information.

A variable of the platform in the `id` (`apt-$TARGETARCH`) keeps platforms apart, not two builds for one; where
a variable's default decides, that is an information.

Silent with an explicit `sharing`, whatever it is, and with a variable in the `id` that the file gives no value:
it may keep builds apart.

## Source
Docker's documentation of cache mounts for apt; the tools' files below `knowledge/tools` for the
others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import PLATFORM_ARGS
from cachekey.dockerfile.coverage import surely_idle
from cachekey.dockerfile.place import same_cache
from cachekey.dockerfile.purpose import purpose_of
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.caches import merge_edits
from cachekey.edits.everywhere import lines_text
from cachekey.edits.mount import set_option
from cachekey.finding import TOO, FileEdit, Finding, Fix, Safety, Severity
from cachekey.knowledge.records import CacheDir, Concurrency, Kind, Tool
from cachekey.record import record
from cachekey.rules.rule import Context, Fixable, rule

_SAYS = {
    Concurrency.FAILS: "stops with an error when another build uses this cache at the same time",
    Concurrency.CORRUPTS: "may damage this cache when another build uses it at the same time",
}


@record(frozen=True)
class _Slip:
    """A mount that lets others in, and whose cache it is."""

    mount: Mount
    tool: Tool
    cache: CacheDir
    seen: bool
    """A command of the RUN tells, and not the place alone."""


@rule("CK501", "unlocked-cache", Severity.WARNING, Fixable.ALWAYS)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report caches of tools that do not bear company, without an explicit ``sharing``.

    All mounts of one tool in a file are one slip: the first of them speaks.
    """
    slips: dict[str, list[_Slip]] = {}
    for run, mount in dockerfile.caches:
        slip = _unlocked(run, mount)
        if slip is not None:
            slips.setdefault(slip.tool.id, []).append(slip)
    for found in slips.values():
        mounts = [slip.mount for slip in found]
        # Of a tool that is seen at work more can be said than of one that its directory tells.
        first = next((slip for slip in found if slip.seen), found[0])
        cache, says = first.cache, _SAYS[first.cache.concurrent]
        surely = first.seen and cache.concurrent is Concurrency.FAILS and cache.basis == "stated"
        surely = surely and all(PLATFORM_ARGS.issuperset(mount.used) for mount in mounts)
        yield ctx.finding(
            mounts[0].target_span,
            f"{first.tool.name} {says}"
            if first.seen
            else f"This is the cache of {first.tool.name}, which {says}",
            related=[ctx.related(mount.target_span, TOO) for mount in mounts[1:]],
            fixes=partial(_fixes, mounts, surely, ctx),
            severity=None if surely else Severity.INFORMATION,
        )


def _unlocked(run: Run, mount: Mount) -> _Slip | None:
    """Return what a mount is for, if others may use it at the same time and must not."""
    if run.onbuild or "sharing" in mount.options or mount.readonly or mount.key is None:
        return None
    slip = _held(run, mount)
    if slip is None or not all(_is_told(run, name) for name in mount.used):
        return None
    risky = slip.cache.concurrent in _SAYS and slip.cache.kind is Kind.DOWNLOAD
    if not risky or not slip.cache.confidence.warns or surely_idle(run, mount):
        return None
    return slip


def _is_told(run: Run, name: str) -> bool:
    """Tell whether a variable is the same for all builds that nobody tells something else."""
    variable = run.scope.variables.get(name)
    return variable is not None and (name in PLATFORM_ARGS or variable.value.known)


def _held(run: Run, mount: Mount) -> _Slip | None:
    """Tell what a mount holds: by a command of its RUN, else by a place that is one tool's alone."""
    purpose = purpose_of(run, mount)
    if purpose is not None:
        return _Slip(mount, purpose.tool, purpose.cache, seen=True)
    claim = next(iter(run.knowledge.claims(mount.directory or "")), None)
    if claim is None or mount.directory != claim.cache.path or not _hides_something(run):
        return None
    return _Slip(mount, claim.tool, claim.cache, seen=False)


def _hides_something(run: Run) -> bool:
    """Tell whether a command of the RUN may be anything: a script that is not here, an unknown program."""
    tools = {id(use.invocation) for use in run.uses}
    return not run.commands.complete or any(
        item.program is None
        or item.opaque
        or not (item.shown or id(item) in tools or run.knowledge.harmless(item.program))
        for item in run.commands.items
    )


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
