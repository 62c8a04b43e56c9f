"""A later command needs what only an earlier RUN had in its cache mount.

A cache mount belongs to one RUN. What was downloaded into it is not in the layer: a later command
without the mount fails, or silently downloads everything again.

## Bad
```dockerfile
FROM golang:1.25
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN go build -o /bin/app ./...
```

## Good
```dockerfile
FROM golang:1.25
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod go build -o /bin/app ./...
```

## Fix
Repeat the mount on the later RUN.

A RUN that only fills a cache which no later step of the file uses is a hint: what it fetches
(`mvn dependency:go-offline`) is no part of the image. That is told when the file says what the image
runs, with CMD or ENTRYPOINT: then nothing is to come. It is a hint as well where a later command runs out of sight
(`make`) and no other RUN mounts the cache: if it needs what was fetched, it does not find it.

What only an earlier RUN fetches (`apt-get update`) may be gone from the cache when a later one looks for it, even
behind the same mount: the earlier step comes from the layer cache, on another builder or after a clean-up, and
the later one fails. That is an information.

Silent for tools whose result lies elsewhere, where any other RUN fills the directory without a
mount, and where the place of the directory is not known on both sides.

## Source
Each tool's own manual, named in its file below `knowledge/tools`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.commands.invocation import Invocation
from cachekey.dockerfile.coverage import COVERS, fetches_for_nobody, left_without, maybe_covered
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.everywhere import lines_text
from cachekey.edits.mount import add_mount
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.knowledge.records import Passing
from cachekey.record import remembered
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit, Span
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse

_MOST_SHOWN = 8


@rule("CK402", "mount-missing-later", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report commands whose cache was filled by an earlier RUN behind a mount that this one lacks."""
    if run.onbuild:
        return
    yield from _for_nobody(run, ctx)
    yield from _leaning(run, ctx)
    yield from _out_of_sight(run, ctx)
    seen: set[str] = set()
    for use in run.uses:
        if use.tells_of_passing is not None:
            yield from _passing(run, use, use.tells_of_passing, ctx)
        for item in use.directories:
            if not item.needs or item.path is None or not item.confidence.warns:
                continue
            if item.path in seen or maybe_covered(run, item) or _fills_itself(run, use, item):
                continue
            found = _filled(run, use, item)
            if found is None:
                continue
            seen.add(item.path)
            _, mount = found
            line = ctx.document.source.line_of(mount.span.start) + 1
            yield ctx.finding(
                use.invocation.head,
                f"{use.tool.name} needs {item.cache.what} in {item.path}, and they lie in the cache "
                f"of line {line} only",
                related=[ctx.related(mount.span, "Filled behind this mount")],
                fixes=partial(_fixes, run, mount, ctx),
            )


def _for_nobody(run: Run, ctx: Context) -> Iterator[Finding]:
    """Hint at a RUN that only fills a cache which nothing in the file uses again."""
    if not run.commands.complete or not _is_finished(ctx.document):
        return
    for use in run.uses:
        for item in use.directories:
            if not item.fills or item.path is None or not item.confidence.warns:
                continue
            mount = _mount_on(run, item)
            if mount is None or not _alone(run, use, mount, ctx):
                continue
            yield ctx.finding(
                use.invocation.head,
                f"What {use.tool.name} fetches here ends in the cache alone: it is no part of the image, and no "
                "later step of this file uses it",
                related=[ctx.related(mount.span, "The cache")],
                severity=Severity.HINT,
            )
            return


def _out_of_sight(run: Run, ctx: Context) -> Iterator[Finding]:
    """Hint at a RUN that only fills a cache, in front of a command that may need it and does not see it."""
    if not run.commands.complete:
        return
    for use in run.uses:
        for item in use.directories:
            if not item.fills or item.path is None or not item.confidence.warns:
                continue
            mount = _mount_on(run, item)
            left = left_without(ctx.document, run, use, item) if mount is not None else []
            if mount is None or not left:
                continue
            first = left[0][1].head
            line, name = (
                ctx.document.source.line_of(first.start) + 1,
                ctx.document.source.slice(first),
            )
            yield ctx.finding(
                use.invocation.head,
                f"What {use.tool.name} fetches here lies in the cache alone, and no other step mounts it: "
                f"{name} on line {line} does not find it",
                related=[
                    ctx.related(command.head, "If it needs this, it fetches it again")
                    for _, command in left[:_MOST_SHOWN]
                ],
                severity=Severity.HINT,
                fixes=partial(_repeat, [one for one, _ in left], mount, ctx),
            )
            return


def _leaning(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report a command that needs what an earlier RUN alone fetches into the cache of both."""
    for number, item in enumerate(run.commands.items):
        if item.opaque:
            return
        use = next((one for one in run.uses if one.invocation is item and one.uses), None)
        place = next(filter(_is_filled_alone, use.directories if use is not None else ()), None)
        if use is None or place is None or use.applies is not True:
            continue
        mount, named = _mount_on(run, place), any("/" in (text or "/") for text in item.texts)
        if place.fills or mount is None or mount.key is None or named:
            return
        filler = _filler(run, mount, use, ctx)
        if filler is None:
            return
        refill = f"{item.program} {place.cache.filled_by[0].text}"
        line = ctx.document.source.line_of(filler.head.start) + 1
        yield ctx.finding(
            item.head,
            f"{use.tool.name} finds {place.cache.what} here only while the cache still has those of line {line}: "
            f"when that step comes from the layer cache and this cache is empty, this one fails. Run {refill} "
            "here, too.",
            related=[ctx.related(filler.head, "They are fetched here"), *ctx.script_line(item)],
            severity=Severity.INFORMATION,
            fixes=partial(_refilled, item, refill, ctx) if number == 0 else (),
        )
        return


def _is_filled_alone(item: UsedDirectory) -> bool:
    return bool(
        item.cache.filled_only
        and item.cache.filled_by
        and item.path is not None
        and item.confidence.warns
    )


def _filler(run: Run, mount: Mount, use: ToolUse, ctx: Context) -> Invocation | None:
    """Return the command of an earlier RUN that surely fills the cache of a mount for a tool."""
    key = mount.key
    sharing = {id(one) for one, _ in ctx.document.by_key[key.identity]} if key is not None else ()
    return next(
        (
            other.invocation
            for earlier in run.earlier()
            if id(earlier) in sharing
            for other in earlier.uses
            if other.tool is use.tool and any(item.fills for item in other.directories)
        ),
        None,
    )


def _refilled(item: Invocation, refill: str, ctx: Context) -> Iterator[Fix]:
    source = ctx.document.source
    if item.script is None and source.slice(item.head) == item.program:
        yield ctx.fix(
            f"Run {refill} in front of this command",
            Edit(Span(item.head.start, item.head.start), f"{refill} && "),
            safety=Safety.UNSAFE,
            preferred=True,
            reason="the step takes longer",
        )


def _repeat(runs: list[Run], mount: Mount, ctx: Context) -> Iterator[Fix]:
    def edits() -> list[Edit]:
        text = ctx.document.source.slice(mount.span)
        return [add_mount(ctx.document, later, text) for later in runs]

    lines = (ctx.document.source.line_of(later.span.start) + 1 for later in runs)
    yield ctx.fix(
        f"Repeat the mount on {lines_text(lines)}",
        edits,
        safety=Safety.UNSAFE,
        reason="what runs there is out of sight",
    )


@remembered
def _is_finished(document: Dockerfile) -> bool:
    """Tell whether a file says what its image runs: who still writes it may well use the cache below."""
    steps = document.stages[-1].steps
    return any(step.instruction.keyword in ("CMD", "ENTRYPOINT") for step in steps)


def _alone(run: Run, use: ToolUse, mount: Mount, ctx: Context) -> bool:
    """Tell whether nobody uses what the tool fetches here, and no other RUN mounts the cache."""
    mounts = ctx.document.by_key.get(mount.key.identity, ()) if mount.key else ()
    if any(other is not run for other, _ in mounts):
        return False
    return fetches_for_nobody(ctx.document, run, use)


def _passing(run: Run, use: ToolUse, passing: Passing, ctx: Context) -> Iterator[Finding]:
    """Report a question about what has ended with the RUN that did the work."""
    if any(other.tool.id == use.tool.id and other.uses for other in run.uses):
        return
    if not run.commands.complete or any(item.opaque for item in run.commands.items):
        return
    item = use.directory(passing.cache) if passing.cache else None
    if passing.cache and (item is None or maybe_covered(run, item)):
        return
    for earlier in run.earlier():
        worked = [one for one in earlier.uses if one.tool.id == use.tool.id and one.uses]
        if worked:
            if item is not None and not _kept_apart(earlier, worked, item):
                return
            line = ctx.document.source.line_of(earlier.span.start) + 1
            yield ctx.finding(
                use.invocation.span,
                f"The {passing.what} of {use.tool.name} ended with the RUN of line {line}: "
                "ask at the end of that RUN",
                related=[ctx.related(earlier.instruction.keyword_span, "The work was done here")],
            )
            return


def _kept_apart(run: Run, uses: list[ToolUse], item: UsedDirectory) -> bool:
    """Tell whether the same directory lay in a cache mount of a RUN for all that used it there."""
    places = [one.directory(item.role) for one in uses]
    return item.path is not None and all(
        place is not None and place.path == item.path and _mount_on(run, place) is not None
        for place in places
    )


def _fixes(run: Run, mount: Mount, ctx: Context) -> Iterator[Fix]:
    def edits() -> list[Edit]:
        return [add_mount(ctx.document, run, ctx.document.source.slice(mount.span))]

    yield ctx.fix("Repeat the mount here", edits, preferred=True)


def _fills_itself(run: Run, use: ToolUse, item: UsedDirectory) -> bool:
    return any(
        other.path == item.path and other.fills
        for one in run.uses
        if one is not use
        for other in one.directories
    )


def _filled(run: Run, use: ToolUse, item: UsedDirectory) -> tuple[Run, Mount] | None:
    """Return the earlier RUN that filled the directory behind a mount, if no other one filled it for real."""
    found: tuple[Run, Mount] | None = None
    for earlier in run.earlier():
        if not earlier.commands.complete:
            return None
        for other in earlier.uses:
            for directory in other.directories:
                if directory.path != item.path or directory.used is False:
                    continue
                mount = _mount_on(earlier, directory)
                if mount is None:
                    return None
                fills = directory.fills or (item.cache.filled_by_any and directory.used is True)
                if fills and other.tool.id == use.tool.id and found is None:
                    found = (earlier, mount)
    return found


def _mount_on(run: Run, item: UsedDirectory) -> Mount | None:
    for mount in run.caches:
        if mount.directory and item.relation(mount.directory) in COVERS:
            return mount
    return None
