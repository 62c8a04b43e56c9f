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

## What to do
`cachekey ci --write-map` prints the map that fits the Dockerfiles of the job. Silent about entries where a
build of the job is not known, or a variable decides a key. A cache that the map leaves out is an
information.

## Source
buildkit-cache-dance v1 to v3.2, `action.yml` and `src/`; that a cache without the mount's owner starts
empty is proven in `tests/builds`.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachekey.builds.invocation import BuildFile
from cachekey.finding import Finding, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.workspace.carried import problems


@rule("CK506", "cache-map-mismatch", Severity.WARNING, Fixable.NEVER)
def check(file: BuildFile, ctx: Context) -> Iterator[Finding]:
    """Report what is wrong with the maps of a workflow."""
    for dance in file.dances:
        for problem in problems(ctx.project, dance):
            severity = Severity.WARNING if problem.sure else Severity.INFORMATION
            yield ctx.finding(problem.span, problem.message, severity=severity)
