"""A workflow builds this file where its cache mounts are empty in every run.

A fresh runner begins without cache mounts, and `cache-to` carries layers, never mounts: nothing that
such a build writes there is read again. It is said once for a file, as an information.

## Bad
```file .github/workflows/image.yml
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with: {cache-to: "type=gha,mode=max"}
```
```dockerfile
FROM python:3.13
RUN --mount=type=cache,target=/root/.cache/pip pip install requests
```

## Good
```file .github/workflows/image.yml
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/cache@v4
        with: {path: pip, key: pip}
      - uses: reproducible-containers/buildkit-cache-dance@v3
        with: {cache-map: '{"pip": "/root/.cache/pip"}'}
      - uses: docker/build-push-action@v6
```
```dockerfile
FROM python:3.13
RUN --mount=type=cache,target=/root/.cache/pip pip install requests
```

## Fix
There are two honest ways. Install what changes seldom in a layer of its own, in front of what changes
often, and let `cache-to` carry that layer. Or carry the contents of the mounts with a cache dance:
the light bulb inserts its steps into the workflow, and `cachekey ci --write-map` prints them. Silent where any build of the workspace keeps its builder, where
the job dances, and for builds that come to no cache mount.

## Source
BuildKit issue 1512 (cache mounts are no part of an exported cache); GitHub: each job of a hosted runner is
a new machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from cachekey.builds.invocation import BuildFile, Invocation
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits.dance import carry
from cachekey.finding import FileEdit, Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.workspace.keyed import Built


@rule("CK505", "cache-lost-in-ci", Severity.INFORMATION, Fixable.SOMETIMES)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report the first mount that a workflow's build comes to and always finds empty."""
    builds = ctx.project.built(dockerfile)
    if any(built.build.runner == "kept" for built in builds):
        return
    every = [built for built in builds if _is_lost(built, ctx)]
    lost = every[0] if every else None
    for _, mount in dockerfile.caches if lost is not None else ():
        assert lost is not None
        if mount.span.start in lost.keys:
            build = lost.build
            layers = ", and cache-to does not carry cache mounts" if build.cache_to else ""
            yield ctx.finding(
                mount.target_span,
                f"This cache is empty in every run of {build.label}: the runner ({build.runs_on}) is a new "
                f"machine each time{layers}",
                related=[
                    ctx.related(one.span, "This build begins without the cache", one.path)
                    for one in _first_of_each([built.build for built in every])
                ],
                fixes=partial(_fixes, [built.build for built in every], ctx),
            )
            return


def _first_of_each(builds: Sequence[Invocation]) -> list[Invocation]:
    """Return the first build of each place: a step, or the job that calls another workflow's steps."""
    found: dict[object, Invocation] = {}
    for build in builds:
        found.setdefault((build.path, build.span), build)
    return list(found.values())


def _fixes(builds: Sequence[Invocation], ctx: Context) -> Iterator[Fix]:
    """Offer to carry the caches in every job that loses them: one alone would leave the finding."""
    made: dict[tuple[str, str], list[FileEdit]] = {}
    for path, job in dict.fromkeys((build.path, build.job) for build in builds):
        file = ctx.project.model(path)
        edits = carry(ctx.project, file, job) if isinstance(file, BuildFile) else []
        made[path, job] = [FileEdit(path, edit) for edit in edits]
    paths = list(dict.fromkeys(path for path, _ in made))
    # A job whose steps are another repository's cannot carry them.
    if all(made.values()):
        where = paths[0] if len(paths) == 1 else f"{len(paths)} workflows"
        yield ctx.fix(
            f"Carry the caches from run to run: insert a cache dance into {where}, in front of the "
            f"build{'s' if len(made) > 1 else ''}",
            *(edit for edits in made.values() for edit in edits),
            safety=Safety.UNSAFE,
            reason="every run stores the contents of the mounts",
        )


def _is_lost(built: Built, ctx: Context) -> bool:
    build = built.build
    sure = build.kind == "workflow" and built.told and "file" not in build.open
    return sure and build.runner == "fresh" and bool(built.keys) and not _dances(build, ctx)


def _dances(build: Invocation, ctx: Context) -> bool:
    summary = ctx.project.index.get(build.path)
    return any(dance.job == build.job for dance in summary.dances) if summary is not None else False
