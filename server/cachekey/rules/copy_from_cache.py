r"""What only a cache mount held is looked for where nothing of it is: by `COPY --from`, a later RUN, or the image's start.

What a RUN writes below a cache mount never becomes part of the layer. The stage that COPY reads
from has an empty directory there, or none, and so has every later RUN without the mount.

## Bad
```dockerfile
FROM rust:1.90 AS build
WORKDIR /src
RUN --mount=type=cache,id=shop-target,target=/src/target \
    cargo build --release
FROM debian:13
COPY --from=build /src/target/release/app /bin/app
```

## Good
```dockerfile
FROM rust:1.90 AS build
WORKDIR /src
RUN --mount=type=cache,id=shop-target,target=/src/target \
    cargo build --release \
    && mkdir -p /out && cp -r /src/target/release/app /out/
FROM debian:13
COPY --from=build /out/app /bin/app
```

## Fix
Copy the result out of the cache at the end of the RUN, to a folder that its user may make, and point COPY at the
copy. A later RUN gets the mount as well.

What CMD or ENTRYPOINT starts by its path is told where a tool surely put it there; not where the file has
a VOLUME.

Silent where another RUN or COPY of the stage may bring the path without the mount, for a directory
above the mount that may hold other things, and where a command may fail or not run at all.

## Source
BuildKit: cache mounts are not part of the result of a RUN; proven in `tests/buildkit`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.commands.effect import fixed, inside
from cachekey.dockerfile.context import Copied
from cachekey.dockerfile.coverage import emptied_first
from cachekey.dockerfile.lost import (
    Held,
    held_by_cache,
    installs_into,
    is_built,
    is_put,
    led,
    origin_of,
    readings,
)
from cachekey.dockerfile.records import Dockerfile, Run, Stage
from cachekey.dockerfile.start import named_at_start
from cachekey.edits.mount import add_mount, append_command
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit, Mapped, Span

_OUT = ("/out", "/export", "/result")
"""Where a copy may go: the first that no mount covers; below ``/tmp`` for who may write nowhere else."""


@rule("CK401", "copy-from-cache", Severity.WARNING, Fixable.SOMETIMES)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report what is read of a layer that only a cache mount of its stage held."""
    for stage in dockerfile.stages:
        yield from _of_start(dockerfile, stage, ctx)
        for step in stage.steps:
            if step.copied is not None and step.copied.origin is not None:
                source = dockerfile.stage_named(step.copied.origin, stage)
                if source is not None:
                    yield from _of_copy(dockerfile, source, step.copied, ctx)
            if step.run is not None and not step.run.onbuild:
                yield from _of_binds(dockerfile, stage, step.run, ctx)
                yield from _of_run(stage, step.run, ctx)


def _of_copy(
    dockerfile: Dockerfile, stage: Stage, copied: Copied, ctx: Context
) -> Iterator[Finding]:
    for word, text in zip(copied.written[:-1], copied.words[:-1], strict=False):
        whole = "/" + posixpath.normpath(f"/{text}").lstrip("/")
        path = fixed(whole)
        held = held_by_cache(dockerfile, stage, path)
        if held is not None and inside(path if path != "/" else "", held.mount.directory or "/"):
            plain = copied.instruction.json is None and word.text == text
            fixes = partial(_fixes, dockerfile, held.run, path, word, ctx, whole)
            yield _finding(word.span(), path, stage, held, ctx, fixes if plain else ())
        elif held is not None:
            yield _finding(word.span(), path, stage, held, ctx)


def _of_binds(dockerfile: Dockerfile, stage: Stage, run: Run, ctx: Context) -> Iterator[Finding]:
    for mount in run.mounts:
        if mount.type != "bind" or mount.error is not None or not mount.origin:
            continue
        source = dockerfile.stage_named(mount.origin, stage)
        held = held_by_cache(dockerfile, source, mount.source) if source is not None else None
        if source is not None and held is not None:
            span = mount.options["source"].span if "source" in mount.options else mount.span
            yield _finding(span, mount.source, source, held, ctx)


def _of_run(stage: Stage, run: Run, ctx: Context) -> Iterator[Finding]:
    """Report the first thing that a RUN reads and only the mount of an earlier one held."""
    for reading in readings(run):
        place = led(stage, reading.path)
        if _mounted(run, place):
            continue
        held = held_by_cache(ctx.document, stage, place, before=run)
        if held is None or not inside(place, held.mount.directory or "/"):
            continue
        if reading.folder and inside(held.mount.directory or "/", place):
            continue
        line = ctx.document.source.line_of(held.mount.span.start) + 1
        yield ctx.finding(
            reading.span,
            f"{reading.path} lay in the cache mount of line {line}: this RUN has nothing there",
            related=[ctx.related(held.mount.span, "This mount is not part of the layer")],
            fixes=partial(_repeated, run, held.mount, ctx),
        )
        return


def _of_start(dockerfile: Dockerfile, stage: Stage, ctx: Context) -> Iterator[Finding]:
    """Report the first thing that the image is started with and that was put into a cache mount."""
    for named in () if dockerfile.declares_volumes else named_at_start(stage):
        path, word = named.path, named.word
        source, place = origin_of(dockerfile, stage, path)
        held = held_by_cache(dockerfile, source, place)
        if held is None or not (
            is_built(held.run, place) or (named.starts and is_put(held.run, place))
        ):
            continue
        if installs_into(held.run, held.mount) is not None:
            # One program of a virtual environment is of no use elsewhere: CK403 tells of all of it.
            continue
        here = source is stage
        plain = here and dockerfile.source.slice(word.span()) == word.text
        whose = "" if here else f" of stage {source.label}"
        yield ctx.finding(
            word.span(),
            f"{path} lay in the cache mount on {held.mount.directory}{whose}: the image that is to start it "
            "does not have it",
            related=[ctx.related(held.mount.span, "This mount is not part of the layer")],
            fixes=partial(_fixes, dockerfile, held.run, path, word, ctx) if plain else (),
        )
        return


def _repeated(run: Run, mount: Mount, ctx: Context) -> Iterator[Fix]:
    def edits() -> list[Edit]:
        return [add_mount(ctx.document, run, ctx.document.source.slice(mount.span))]

    yield ctx.fix("Repeat the mount here", edits, preferred=True)


def _finding(
    span: Span,
    path: str,
    stage: Stage,
    held: Held,
    ctx: Context,
    fixes: Callable[[], Iterable[Fix]] | tuple[()] = (),
) -> Finding:
    return ctx.finding(
        span,
        f"{path} lay in the cache mount on {held.mount.directory}: "
        f"stage {stage.label} has nothing there",
        related=[ctx.related(held.mount.span, "This mount is not part of the layer")],
        fixes=fixes,
    )


def _mounted(run: Run, place: str) -> bool:
    """Tell whether a mount of the RUN may lie at or below ``place``, or around it."""
    for mount in run.mounts:
        folder = mount.directory
        if folder is None and mount.type in ("cache", "bind", "tmpfs"):
            return True
        if folder and (inside(folder, place) or inside(place, folder)):
            return True
    return False


def _fixes(
    dockerfile: Dockerfile, run: Run, path: str, word: Mapped, ctx: Context, whole: str = ""
) -> Iterator[Fix]:
    """Copy out what ``path`` names, or the files of a pattern in the ``whole`` of it."""
    writable = "" if run.scope.user.is_root is True else "/tmp"
    places = (f"{writable}{place}" for place in _OUT)
    out = next((place for place in places if not _mounted(run, place)), None)
    anew = any(item.path and inside(path, item.path) for _, item in emptied_first(run))
    if out is None or anew:
        # A cache that is emptied at each run is better no cache: CK403 mends that.
        return
    whole = whole or path
    edit = append_command(dockerfile, run, f"mkdir -p {out} && cp -r {whole} {out}/")
    if edit is not None:
        name = posixpath.basename(whole)
        line = dockerfile.source.line_of(run.span.start) + 1
        yield ctx.fix(
            f"Copy it out of the cache on line {line}, to {out}/{name}, and take it from there",
            edit,
            Edit(word.span(), f"{out}/{name}"),
            preferred=True,
        )
