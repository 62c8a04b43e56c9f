r"""A RUN needs what an earlier RUN has left in a cache mount.

The builder keeps a step's result apart from its caches. The earlier step may come from the builder's cache,
or be imported (`--cache-from`), while the mount is empty: it was pruned, cleaned up, filled by another
branch, or the machine is a new one. Then the later RUN fails, or works on what somebody else has left there. A
build has to work with any content of a cache mount: install into the layer and mount the tool's downloads
instead, or install and use in one RUN, so that each run brings back what it needs.

## Bad
```dockerfile
FROM mcr.microsoft.com/dotnet/sdk:9.0
WORKDIR /src
COPY *.csproj ./
RUN --mount=type=cache,target=/root/.nuget/packages dotnet restore
COPY . .
RUN --mount=type=cache,target=/root/.nuget/packages dotnet publish --no-restore -o /out
```

## Good
```dockerfile
FROM mcr.microsoft.com/dotnet/sdk:9.0
WORKDIR /src
COPY *.csproj ./
RUN --mount=type=cache,target=/root/.nuget/packages dotnet restore
COPY . .
RUN --mount=type=cache,target=/root/.nuget/packages dotnet publish -o /out
```

A hint where a command cannot be read: it may install by itself.

Silent about what a tool gets again on demand (downloads, compiled objects: `go build`, `cargo build`, `uv run`), and
where the RUN installs itself, only empties the cache, or calls nothing that may want it.

## Source
Dockerfile reference, `RUN --mount=type=cache`: "Your build should work with any contents of the cache
directory as another build may overwrite the files or GC may clean it".
"""

from __future__ import annotations

from collections.abc import Iterator

from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.dockerfile.relied import relied_on
from cachekey.finding import Finding, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK405", "relied-on-cache", Severity.INFORMATION, Fixable.NEVER)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report RUNs that need the content of a cache which only an earlier one brings."""
    dockerfile: Dockerfile = ctx.document
    for found in relied_on(dockerfile, run):
        line = dockerfile.source.line_of(found.by.span.start) + 1
        yield ctx.finding(
            found.mount.target_span,
            f"This RUN needs what line {line} has left in the cache ({found.what}), which may be gone while line "
            f"{line} stays cached, as on another machine: do both in one RUN",
            related=[ctx.related(found.filled.span, "Filled behind this mount")],
            severity=None if found.sure else Severity.HINT,
            cause=found.filled.span,
        )
