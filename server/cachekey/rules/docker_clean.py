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
The documented two lines, once, in front of the first RUN of each stage that needs them; for a volume in
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

import posixpath
import re
import shlex
from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.commands.effect import meets
from cachekey.commands.effects import effects_of
from cachekey.commands.invocation import Invocation
from cachekey.devcontainer.caches import cache_of
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import Sighting, sightings
from cachekey.dockerfile.context import Copied
from cachekey.dockerfile.coverage import COVERS
from cachekey.dockerfile.records import Dockerfile, Run, Stage
from cachekey.edits.caches import placed
from cachekey.edits.everywhere import lines_text
from cachekey.edits.mount import insert_line_before
from cachekey.edits.ownership import as_root, writes
from cachekey.finding import TOO, Finding, Fix, Safety, Severity
from cachekey.knowledge.records import Keeping
from cachekey.record import record, remembered
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit
from cachekey.tools.uses import ToolUse

_SINGLE = re.compile(r"[\w-]+\.\w+")
"""A file's name: `setup.sh`."""


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
            if mount is None or not _deletes(stage, keeping):
                continue
            done.add(use.tool.id)
            if not _dealt_with(stage, keeping, dockerfile, run):
                late = next(
                    (one for one in stage.runs if _touches(one, keeping, surely=True)), None
                )
                found[use.tool.id] = _Slip(stage, run, use, mount, keeping, late)
    return list(found.values())


def _mounted(run: Run, use: ToolUse, keeping: Keeping) -> Mount | None:
    for directory in use.directories:
        if directory.cache.role in keeping.caches and directory.used is True:
            for mount in run.caches:
                if mount.directory and directory.relation(mount.directory) in COVERS:
                    # Where the mount itself is what makes the tool keep packages, all is well.
                    return None if _is_one(mount.directory, keeping) else mount
    return None


def _deletes(stage: Stage, keeping: Keeping) -> bool:
    facts = stage.chain[-1].base.facts
    return facts is not None and facts.family in keeping.families


def _dealt_with(
    stage: Stage, keeping: Keeping, dockerfile: Dockerfile | None = None, last: Run | None = None
) -> bool:
    """Tell whether a step of the stage chain touches the configuration, or may do so unseen.

    The ``dockerfile`` tells what other stages are, from which something is copied. Steps of the stage behind
    the RUN ``last`` come too late for it.
    """
    for part in stage.chain:
        for step in part.steps:
            if last is not None and part is stage and step.instruction.span.start > last.span.start:
                break
            if step.run is not None and _touched(step.run, keeping):
                return True
            if step.copied is None or not _brings(step.copied, keeping):
                continue
            if dockerfile is None or not _has_none(step.copied, part, dockerfile, keeping):
                return True
    return False


def _brings(copied: Copied, keeping: Keeping) -> bool:
    """Tell whether a copy may bring one of the files; what looks like a single file keeps its name."""
    target = copied.target
    if target is None or not _is_one(target, keeping):
        return target is None
    names = [posixpath.basename(word.rstrip("/")) for word in copied.words[:-1]]
    if not names or not all(_SINGLE.fullmatch(name) for name in names):
        return True
    return any(_is_one(posixpath.join(target, name), keeping) for name in names)


def _has_none(copied: Copied, reader: Stage, dockerfile: Dockerfile, keeping: Keeping) -> bool:
    """Tell whether what is copied is a whole image of which all is known, and it has no such file."""
    brought = dockerfile.brought_whole(copied, reader)
    return brought is not None and not any(_is_one(folder, keeping) for folder in brought)


def _is_one(path: str | None, keeping: Keeping) -> bool:
    return path is None or any(meets(file, path) for file in keeping.files)


def _touched(run: Run, keeping: Keeping) -> bool:
    """Tell whether a RUN deals with the configuration, or may: setting up apt is what scripts do."""
    unseen = any(item.opaque and item.path and "/" in item.path for item in run.commands.items)
    return unseen or _touches(run, keeping)


def _touches(run: Run, keeping: Keeping, *, surely: bool = False) -> bool:
    return any(_tells(item, keeping, surely=surely) for item in run.commands.items)


def _tells(item: Invocation, keeping: Keeping, *, surely: bool = False) -> bool:
    """Tell whether a command touches the configuration; not ``surely``: or may, with a path that nobody knows."""
    for effect in effects_of(item) or ():
        places = [effect.path] if effect.kind in ("removes", "writes", "moves") else []
        places += [effect.to] if effect.kind in ("copies", "links", "moves") else []
        if any(_is_one(place, keeping) and not (surely and place is None) for place in places):
            return True
    return any(sign in word.written for word in item.args for sign in keeping.words)


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
        fixes=partial(_fixes, [one for one in slips if not _would_fail(one)], ctx),
    )


def _would_fail(slip: _Slip) -> bool:
    """Tell whether the later RUN stops where what it removes is gone: `rm` without `-f`."""
    removed = slip.late.effects.of("removes", "moves") if slip.late is not None else ()
    return any(
        _is_one(effect.path, slip.keeping) and not any(map(_forces, item.texts))
        for item, effect in removed
    )


def _forces(text: str | None) -> bool:
    return text == "--force" or bool(text and re.fullmatch(r"-[A-Za-z]*f[A-Za-z]*", text))


def _fixes(slips: list[_Slip], ctx: Context) -> Iterator[Fix]:
    kinds = {one.stage: one for one in reversed(slips)}
    # What a stage is built on is set up for it as well.
    apart = [
        one
        for one in slips
        if not any(stage in kinds for stage in one.stage.chain[1:]) and kinds[one.stage] is one
    ]

    def edits() -> list[Edit]:
        joint = f" {ctx.document.tree.escape}{ctx.document.source.newline}    && "
        line = f"RUN {joint.join(slips[0].keeping.lines)}"
        return [insert_line_before(ctx.document, one.run.span.start, line) for one in apart]

    if not apart:
        return
    tool = slips[0].use.tool.name
    lines = [ctx.document.source.line_of(one.run.span.start) + 1 for one in apart]
    yield ctx.fix(
        f"Keep the packages in the cache: add a RUN that sets up {tool} in front of {lines_text(lines)}",
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
    if any(_is_one(container.place(mount), keeping) for mount in container.mounts):
        return False
    if stage is not None and _dealt_with(stage, keeping):
        return False
    return not any(_tells(ran.item, keeping) for ran in container.story.items)


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
