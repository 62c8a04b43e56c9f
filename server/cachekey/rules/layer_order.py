"""The installation of dependencies stands behind a COPY of everything, so that each change runs it anew.

A RUN is taken from the layer cache as long as nothing in front of it changes. Behind `COPY . .` every
edit of any file runs the installation again; the cache mount makes that quicker, and does not avoid it.

## Bad
```dockerfile
FROM node:22
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci
```

## Good
```dockerfile
FROM node:22
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
```

Copy first what the installation needs, and the rest behind it. Which files these are is the project's
own matter, so that there is no fix.

Silent where a file that names the dependencies is copied by itself, and for commands that need the
sources: a compiler's RUN belongs behind them.

## Source
Docker's documentation, "Optimize cache usage in builds: order your layers".
"""

from __future__ import annotations

from collections.abc import Iterator

from cachekey.dockerfile.context import Copied
from cachekey.dockerfile.records import Stage
from cachekey.finding import Finding, Severity
from cachekey.knowledge.patterns import matches
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.tools.uses import ToolUse


@rule("CK504", "layer-order", Severity.HINT, Fixable.NEVER)
def check(stage: Stage, ctx: Context) -> Iterator[Finding]:
    """Report the first installation of a stage that stands behind a copy of the whole context."""
    whole: Copied | None = None
    before: list[Copied] = []
    for step in stage.steps:
        if step.copied is not None and step.copied.origin is None:
            before.append(step.copied)
            whole = whole or (step.copied if _takes_all(step.copied) else None)
        if step.run is None or step.run.onbuild or whole is None:
            continue
        use = next((use for use in step.run.uses if _installs(use, before)), None)
        if use is not None:
            span = whole.instruction.span
            line = ctx.document.source.line_of(span.start) + 1
            yield ctx.finding(
                use.invocation.head,
                f"Every change of any file runs this again, since line {line} copies all files first. "
                f"Copy what {use.tool.name} reads, install, then copy the rest.",
                related=[ctx.related(span, "All files are copied here")],
            )
            return


def _takes_all(copied: Copied) -> bool:
    return any(word.strip("./*") == "" for word in copied.words[:-1])


def _installs(use: ToolUse, before: list[Copied]) -> bool:
    """Tell whether a command installs what files name, and none of these was copied by itself."""
    files = use.manifests
    if not files or use.via is not None:
        return False
    names = [word.rstrip("/").rpartition("/")[2] for one in before for word in one.words[:-1]]
    return not any(
        matches(name, file) or matches(file, name)
        for name in names
        for file in files
        if name.strip(".*")
    )
