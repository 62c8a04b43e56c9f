"""A cache dance carries another cache than the one that the build opens.

The action fills a cache mount and reads it out again. Which cache that is decides its key: name, and
`uid`, `gid`, `mode` or `from` where they are written. An entry that lacks an owner, names another id or
fills another builder's cache keeps the dance busy, and the build starts empty all the same.

## Bad
```file .github/workflows/image.yml
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: reproducible-containers/buildkit-cache-dance@v3
        with: {cache-map: '{"uv": {"target": "/cache", "id": "uv"}}'}
      - uses: docker/build-push-action@v6
```
```dockerfile
FROM python:3.13
RUN --mount=type=cache,id=uv,target=/cache,uid=1000 uv --cache-dir /cache sync
```

## Good
```file .github/workflows/image.yml
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: reproducible-containers/buildkit-cache-dance@v3
        with: {cache-map: '{"uv": {"target": "/cache", "id": "uv", "uid": 1000}}'}
      - uses: docker/build-push-action@v6
```
```dockerfile
FROM python:3.13
RUN --mount=type=cache,id=uv,target=/cache,uid=1000 uv --cache-dir /cache sync
```

## Fix
The light bulb gives an entry the options of the mount, adds the entry that is missing, names the builder, or
moves a step to where it counts; `cachekey ci --write-map` prints the whole map. Silent about entries where a
build of the job is not known, or a variable decides a key. A cache that the map leaves out is an
information.

## Source
buildkit-cache-dance v1 to v3.2, `action.yml` and `src/`; that a cache without the mount's owner starts
empty is proven in `tests/builds`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.builds.invocation import BuildFile, Dance
from cachekey.edits import dance as edits
from cachekey.edits.step import Stand, name_builder, stand_of
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit
from cachekey.workspace.carried import can_carry
from cachekey.workspace.mapcheck import Problem, place_of, problems


@rule("CK506", "cache-map-mismatch", Severity.WARNING, Fixable.SOMETIMES)
def check(file: BuildFile, ctx: Context) -> Iterator[Finding]:
    """Report what is wrong with the maps of a workflow."""
    for dance in file.dances:
        for problem in problems(ctx.project, dance):
            severity = Severity.WARNING if problem.sure else Severity.INFORMATION
            fixes = partial(_fixes, file, dance, problem, ctx)
            yield ctx.finding(problem.span, problem.message, severity=severity, fixes=fixes)


def _fixes(file: BuildFile, dance: Dance, problem: Problem, ctx: Context) -> Iterator[Fix]:
    stand = stand_of(ctx.project, file, dance.job, dance.step)
    if stand is None:
        return
    title, made = _mended(stand, dance, problem)
    if made:
        yield ctx.fix(title, *made, preferred=True)
    elif problem.what in ("step", "options", "missing"):
        whole = edits.whole_map(ctx.project, stand, dance)
        if whole and dance.version is not None and dance.version < (3, 0):
            yield ctx.fix(
                "Write the whole map",
                *whole,
                safety=Safety.UNSAFE,
                reason="moves the step to version 3 of the action",
            )
        elif whole:
            yield ctx.fix("Write the map of all caches of this job", *whole, preferred=True)


def _mended(stand: Stand, dance: Dance, problem: Problem) -> tuple[str, list[Edit]]:
    """Return what mends just this, with its title; no edits where only a whole map helps, or nothing."""
    entry, item, build = problem.entry, problem.meant, problem.build
    if problem.what == "order" and build is not None:
        made = edits.move_in_front(stand, dance, build)
        return f"Move this step in front of {build.name}", made
    if problem.what == "builder" and build is not None and _asks_for_builder(dance):
        return "Name the builder of the build", name_builder(stand, str(build.builder))
    if problem.what == "unrestored" and entry is not None:
        title = f"Let the cache step of this job restore {entry.folder}, too"
        return title, edits.restore(stand, dance, entry.folder)
    if problem.what == "late" and entry is not None:
        title = f"Restore {entry.folder} in front of this step"
        return title, edits.restore_first(stand, dance, entry.folder)
    if problem.what == "options" and entry is not None and item is not None and can_carry(item):
        title = f"Give the entry the options of {place_of(item)}"
        return title, edits.change_entry(stand, entry.folder, item)
    if problem.what == "idle" and entry is not None:
        return f"Remove the entry {entry.folder}", edits.remove_entry(stand, entry.folder)
    if problem.what == "missing" and item is not None and can_carry(item):
        title = f"Add an entry for {item.key.label} ({place_of(item)})"
        return title, edits.add_entry(stand, dance, item)
    return "", []


def _asks_for_builder(dance: Dance) -> bool:
    """Before 3.2 the action has no such input, and takes the builder that is in use."""
    return dance.version is None or dance.version >= (3, 2)
