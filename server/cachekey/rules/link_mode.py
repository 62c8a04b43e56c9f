"""A tool that links files out of its cache cannot do so across a cache mount.

A cache mount is a filesystem of its own. uv says so in every build, and copies; telling it to
copy from the start keeps the log quiet.

## Bad
```dockerfile
FROM python:3.13
RUN --mount=type=cache,target=/root/.cache/uv uv sync
```

## Good
```dockerfile
FROM python:3.13
ENV UV_LINK_MODE=copy
RUN --mount=type=cache,target=/root/.cache/uv uv sync
```

## Fix
Set the tool's variable once, in the first stage that needs it. It becomes part of the image's
environment and is therefore not applied unasked.

Silent where the mode is set in this stage or in one it is built on, on the command line, or in
the tool's configuration file; and without a cache mount.

## Source
The tool's own manual, named in its file below `knowledge/tools`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.judge import unlinkable
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import sightings
from cachekey.dockerfile.coverage import covering
from cachekey.dockerfile.records import Dockerfile, Run, Stage
from cachekey.edits.caches import placed
from cachekey.edits.devcontainer import set_variable
from cachekey.edits.mount import insert_line_before
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.knowledge.records import LinkMode
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit, Span
from cachekey.tools.uses import ToolUse


@rule("CK502", "link-mode", Severity.INFORMATION, Fixable.SOMETIMES)
def check(document: Dockerfile | Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report tools that cannot link out of a cache mount, or out of a dev container's volume."""
    if isinstance(document, Dockerfile):
        yield from _builds(document, ctx)
    else:
        yield from _runs(document, ctx)


def _runs(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    for seen in sightings(document, ctx.project):
        found = unlinkable(seen.mount, seen.container)
        if found is None:
            continue
        message = (
            f"{seen.mount.place} and {found.into or 'the workspace'} are two file systems: "
            f"{found.tool.name} cannot hard-link between them; it copies, and warns at every install"
        )
        fixes = partial(_tell, found.mode, seen.container.document, ctx)
        yield ctx.finding(seen.span, message, fixes=fixes)
        return


def _tell(mode: LinkMode, document: Devcontainer, ctx: Context) -> Iterator[Fix]:
    write = partial(set_variable, document, mode.env, mode.value)
    title = f"Set {mode.env}={mode.value} in containerEnv"
    yield ctx.fix(title, partial(placed, document.path, write), preferred=True)


def _builds(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report the first command of each stage chain that cannot link out of its cache mount."""
    done: list[tuple[str, Stage]] = []
    for run in dockerfile.runs:
        stage = dockerfile.stage_of(run)
        if run.onbuild or run.dormant:
            continue
        for use in run.uses:
            told = any(name == use.tool.id and stage.descends_from(other) for name, other in done)
            if not told and _complains(run, use):
                done.append((use.tool.id, stage))
                yield _finding(run, use, ctx)


def _complains(run: Run, use: ToolUse) -> bool:
    mode = use.tool.link_mode
    if mode is None or use.via is not None or not use.wants_link_mode or use.link_mode is not None:
        return False
    off = {role for one in use.disabled for role in one.roles}
    return any(
        item.cache.role in mode.caches and item.path and covering(run, item) is not None
        for item in use.directories
        if item.cache.role not in off
    )


def _finding(run: Run, use: ToolUse, ctx: Context) -> Finding:
    mode = use.tool.link_mode
    assert mode is not None
    return ctx.finding(use.invocation.head, mode.what, fixes=partial(_fixes, run, use, ctx))


def _fixes(run: Run, use: ToolUse, ctx: Context) -> Iterator[Fix]:
    mode = use.tool.link_mode
    assert mode is not None
    if mode.env and use.invocation.clears_environment:
        # `sudo` lets no variable of the image through.
        return
    if mode.env:
        line = f"ENV {mode.env}={mode.value}"
        yield ctx.fix(
            f"Copy instead: set {mode.env}={mode.value} in the image",
            lambda: [insert_line_before(ctx.document, run.span.start, line)],
            safety=Safety.UNSAFE,
            preferred=True,
            reason=f"{mode.env} becomes part of the image's environment",
        )
        return
    args = use.invocation.args
    if args and args[0].removable and use.invocation.simple.source.exact:
        end = args[0].span.end
        flag = f"{mode.flag}={mode.value}"
        edit = Edit(Span(end, end), f" {flag}")
        yield ctx.fix(f"Copy instead: add {flag}", edit, safety=Safety.UNSAFE, preferred=True)
