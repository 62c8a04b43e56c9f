"""One build passes the argument that the key holds, and another leaves it empty: two caches.

`id=pip-$VARIANT` is `pip-slim` in the build that passes `VARIANT=slim`, and `pip-` in the one that passes
nothing. Both fill a cache of their own, and the one with the bare name is shared by whatever else forgets
the argument.

## Bad
```file compose.yaml
services:
  api:
    build: {context: ., args: {VARIANT: slim}}
  worker:
    build: .
```
```dockerfile
FROM python:3.13
ARG VARIANT
RUN --mount=type=cache,id=pip-$VARIANT,target=/root/.cache/pip pip install requests
```

## Good
```file compose.yaml
services:
  api:
    build: {context: ., args: {VARIANT: slim}}
  worker:
    build: .
```
```dockerfile
FROM python:3.13
ARG VARIANT=full
RUN --mount=type=cache,id=pip-$VARIANT,target=/root/.cache/pip pip install requests
```

## What to do
Pass the argument in every build, give `ARG` a default, or leave it out of the id where all variants may
share what is downloaded. Silent where a default counts, where the value of either build is not known, and
where builds pass different values: those are caches apart on purpose.

## Source
BuildKit forms the key from the expanded `id`: `convert_runmount.go`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.records import Dockerfile
from cachekey.finding import Finding, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.workspace.keyed import BuildKey, Built
from cachekey.workspace.summary import name_span


@rule("CK109", "unset-argument-in-key", Severity.INFORMATION, Fixable.NEVER)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report mounts whose key one build completes and another leaves with a gap."""
    builds = [built for built in ctx.project.built(dockerfile) if built.told]
    for _, mount in dockerfile.caches:
        found = _gap(mount, builds)
        if found is None:
            continue
        name, lacking, passing = found
        yield ctx.finding(
            name_span(mount),
            f"This is {lacking.key.label} in {lacking.build.label}, which passes no {name}, and "
            f"{passing.key.label} in {passing.build.label}: two caches. Give {name} a default, or pass it "
            "everywhere.",
            related=[
                ctx.related(passing.build.span, f"Here {name} is passed", passing.build.path),
                ctx.related(lacking.build.span, f"Here {name} is left out", lacking.build.path),
            ],
            # One argument is one cause, however many mounts it names.
            cause=("unset", name),
        )


def _gap(mount: Mount, builds: Sequence[Built]) -> tuple[str, BuildKey, BuildKey] | None:
    """Return an argument with a build in which it is empty in the key, and one that fills it."""
    coming = [
        (built, one)
        for built in builds
        for one in built.keys.get(mount.span.start, ())
        if not one.key.unresolved
    ]
    if len({one.key.identity for _, one in coming}) < 2:
        return None
    for passing, full in coming:
        for name, text in passing.args:
            for built, bare in coming if text and name in mount.used else ():
                left_out = name not in built.build.passed and "args" not in built.build.open
                if left_out and full.key.name.text.replace(str(text), "", 1) == bare.key.name.text:
                    return name, bare, full
    return None
