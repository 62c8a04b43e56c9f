r"""The base image deletes every package right after its installation, so that the mount stays empty.

Debian's and Ubuntu's images carry a configuration of apt that removes downloaded packages after
each call. The lists stay; the packages, which are what takes time, do not. Other package managers do
the same unless they are told: dnf and yum without `keepcache`, apk without a directory or link at
`/etc/apk/cache`.

## Bad
```dockerfile
FROM debian:13
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update && apt-get install -y curl
```

## Good
```dockerfile
FROM debian:13
RUN rm -f /etc/apt/apt.conf.d/docker-clean \
    && echo 'Binary::apt::APT::Keep-Downloaded-Packages "true";' > /etc/apt/apt.conf.d/keep-cache
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update && apt-get install -y curl
```

A dev container's volume on the same directory stays empty in the same way.

## Fix
The documented two lines, once, in front of the first RUN of each stage that needs them, and a mount for each later
RUN that would leave its packages in the image from now on; for a volume in
the Dockerfile that the container builds, or when it is made. They change a configuration file of the
image and are therefore not applied unasked.

Silent where the RUN, or a step in front of it, deals with this, where the base image is not known to be of the
family, and where only the lists are mounted. What a later step of the stage does comes too late for this one,
which also deletes what the next ones had kept; where that step fails without the file (`rm` without `-f`), the
steps must change places, and no fix is offered.

## Source
Dockerfile reference, example "cache apt packages"; the tool's file below `knowledge/tools`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.devcontainer.caches import cache_of
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import Sighting, sightings
from cachekey.dockerfile.coverage import COVERS
from cachekey.dockerfile.packages import (
    dealt_with,
    deletes_packages,
    fails_without,
    is_told_by,
    keeps_too_late,
    tells,
)
from cachekey.dockerfile.records import Dockerfile, Run, Stage
from cachekey.edits.caches import placed
from cachekey.edits.everywhere import lines_text
from cachekey.edits.mount import add_mount
from cachekey.edits.ownership import as_root, writes
from cachekey.edits.packages import leaving, set_up
from cachekey.edits.toolmount import flags_for
from cachekey.finding import TOO, Finding, Fix, Safety, Severity
from cachekey.knowledge.records import Keeping
from cachekey.record import record, remembered
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit
from cachekey.tools.uses import ToolUse


@rule("CK306", "docker-clean", Severity.INFORMATION, Fixable.SOMETIMES)
def check(document: Dockerfile | Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report the first mount of a file, or a dev container's volume, whose packages the image deletes."""
    if isinstance(document, Dockerfile):
        yield from _builds(document, ctx)
    else:
        yield from _runs(document, ctx)


def _builds(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report the first mount of a Dockerfile, once for each package manager.

    A stage has the configuration of the one that it is built on: what mends that one mends it, too.
    """
    found: dict[str, list[_Slip]] = {}
    for stage in dockerfile.stages:
        for slip in _slips(stage, dockerfile):
            found.setdefault(slip.use.tool.id, []).append(slip)
    for slips in found.values():
        yield _finding(slips, ctx)


@record(frozen=True)
class _Slip:
    """A mount whose packages the image deletes."""

    stage: Stage
    run: Run
    use: ToolUse
    mount: Mount
    keeping: Keeping
    late: Run | None
    """A later RUN that deals with it."""


@remembered
def _slips(stage: Stage, dockerfile: Dockerfile) -> list[_Slip]:
    """Return the first such mount of a stage, for each package manager."""
    found: dict[str, _Slip] = {}
    done: set[str] = set()
    for run in stage.runs:
        if run.onbuild or run.scope.user.is_root is False:
            continue
        for use in run.uses:
            keeping = use.tool.keeping
            if keeping is None or use.tool.id in done or use.uses is not True or use.disabled:
                continue
            mount = _mounted(run, use, keeping)
            if mount is None or not deletes_packages(stage, keeping):
                continue
            done.add(use.tool.id)
            if not dealt_with(stage, keeping, dockerfile, run):
                late = keeps_too_late(stage, keeping)
                found[use.tool.id] = _Slip(stage, run, use, mount, keeping, late)
    return list(found.values())


def _mounted(run: Run, use: ToolUse, keeping: Keeping) -> Mount | None:
    for directory in use.directories:
        if directory.cache.role in keeping.caches and directory.used is True:
            for mount in run.caches:
                if mount.directory and directory.relation(mount.directory) in COVERS:
                    # Where the mount itself is what makes the tool keep packages, all is well.
                    return None if is_told_by(mount.directory, keeping) else mount
    return None


def _finding(slips: list[_Slip], ctx: Context) -> Finding:
    first, *more = slips
    return ctx.finding(
        first.mount.target_span,
        f"{first.use.tool.name} finds no packages here in the next build: {first.keeping.cause}",
        related=[
            *(ctx.related(one.mount.target_span, TOO) for one in more),
            *(
                ctx.related(one.late.span, "This comes too late for it")
                for one in slips
                if one.late
            ),
        ],
        fixes=partial(
            _fixes, [one for one in slips if not fails_without(one.late, one.keeping)], ctx
        ),
    )


def _fixes(slips: list[_Slip], ctx: Context) -> Iterator[Fix]:
    kinds = {one.stage: one for one in reversed(slips)}
    # What a stage is built on is set up for it as well.
    apart = [
        one
        for one in slips
        if not any(stage in kinds for stage in one.stage.chain[1:]) and kinds[one.stage] is one
    ]

    found = (
        heir for one in apart for heir in leaving(one.run, one.use.tool, one.keeping, ctx.document)
    )
    others = list({later.span.start: (later, place) for later, place in found}.values())

    def edits() -> list[Edit]:
        dockerfile = ctx.document
        return [
            *(set_up(dockerfile, one.run, one.keeping) for one in apart),
            *(
                add_mount(dockerfile, later, *flags_for(later, [place], dockerfile))
                for later, place in others
            ),
        ]

    if not apart:
        return
    tool = slips[0].use.tool.name
    line_of = ctx.document.source.line_of
    lines = lines_text(line_of(one.run.span.start) + 1 for one in apart)
    more = lines_text(line_of(later.span.start) + 1 for later, _ in others) if others else ""
    yield ctx.fix(
        f"Keep the packages in the cache: add a RUN that sets up {tool} in front of {lines}"
        + (f", and a mount to {more}" if more else ""),
        edits,
        safety=Safety.UNSAFE,
        preferred=True,
        reason="it changes the package manager's configuration in the image",
    )


# -- in a dev container ----------------------------------------------------------------------------


def _runs(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    for seen in sightings(document, ctx.project):
        mount, container = seen.mount, seen.container
        cache = cache_of(mount, container.document, ctx.project.knowledge)
        keeping = cache.claim.tool.keeping if cache is not None else None
        if cache is None or keeping is None or cache.cache.role not in keeping.caches:
            continue
        if mount.type == "volume" and cache.grade == "default" and _goes(container, keeping):
            yield ctx.finding(
                seen.span,
                f"{cache.tool} leaves no packages in this volume: {keeping.cause}",
                fixes=partial(_keep, seen, keeping, ctx),
                related=[]
                if seen.own
                else [ctx.related(mount.span, "The service's mount", mount.path)],
            )


def _goes(container: Container, keeping: Keeping) -> bool:
    """Tell whether the image deletes the packages, and nothing that was read or is unread says else."""
    image, stage = container.image, container.stage
    if image is None or image.family not in keeping.families or container.unread:
        return False
    if any(is_told_by(container.place(mount), keeping) for mount in container.mounts):
        return False
    if stage is not None and dealt_with(stage, keeping):
        return False
    return not any(tells(ran.item, keeping) for ran in container.story.items)


def _keep(seen: Sighting, keeping: Keeping, ctx: Context) -> Iterator[Fix]:
    lines = " && ".join(keeping.lines)
    made = as_root(seen.container, lines, f"sh -c {shlex.quote(lines)}", "keep-packages")
    write = partial(writes, seen.container.document, (), made)
    yield ctx.fix(
        f"Keep the packages {made.where}",
        partial(placed, seen.container.document.path, write),
        safety=Safety.UNSAFE,
        preferred=True,
        reason=made.reason,
    )
