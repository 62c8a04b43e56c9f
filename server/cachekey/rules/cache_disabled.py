r"""A flag or variable keeps the tool from using the cache that is mounted for it.

`--no-cache-dir` and its kin are advice from the time before cache mounts: they kept the cache out
of the image. A cache mount is never in the image, and beside it they only throw the cache away.

## Bad
```dockerfile
FROM python:3.13
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --no-cache-dir -r requirements.txt
```

## Good
```dockerfile
FROM python:3.13
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install -r requirements.txt
```

## Fix
Delete the flag, the assignment, or the variable from its ENV. The latter is not applied unasked
where other RUNs of the tool have no mount: they would begin to leave their cache in the image.

Silent when the mount is not that tool's, and when the variable's value does not switch anything
off.

## Source
Each tool's own manual, named in its file below `knowledge/tools`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.coverage import COVERS, covering
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.mount import remove_env
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.knowledge.paths import looks_like
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.dockerfile.namevalue import env_pairs
from cachekey.syntax.shell.edit import remove_word
from cachekey.syntax.shell.tree import Word
from cachekey.text import Edit, Source, Span
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.switches import Disabled
from cachekey.tools.uses import ToolUse


@rule("CK304", "cache-disabled", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report what switches off a cache that this RUN mounts."""
    if run.onbuild:
        return
    seen: set[Span] = set()
    for use in run.uses:
        if use.applies is not True or use.via is not None:
            continue
        for off in use.disabled:
            mount = _mounted(run, use, off)
            if mount is None or not off.confidence.warns:
                continue
            inside = off.span is not None and off.by in ("flag", "inline")
            span = off.span if inside and off.span is not None else mount.target_span
            if span in seen:
                continue
            seen.add(span)
            related = [ctx.related(mount.span, "The cache that is not used")] if inside else []
            related += ctx.script_line(use.invocation) if inside else []
            if off.by == "variable" and off.span is not None:
                related = [ctx.related(off.span, off.text)]
            yield ctx.finding(
                span,
                f"{off.text} keeps {use.tool.name} from using the cache on {mount.directory}",
                related=related,
                fixes=partial(_fixes, run, use, off, ctx),
                cause=off.span if off.by == "variable" else None,
            )


def _mounted(run: Run, use: ToolUse, off: Disabled) -> Mount | None:
    for directory in use.directories:
        if directory.cache.role not in off.roles or directory.used is False:
            continue
        for mount in run.caches:
            if mount.directory and _holds(mount.directory, directory):
                return mount
    return None


def _holds(folder: str, directory: UsedDirectory) -> bool:
    """Tell whether a mount is the tool's: by place, or by its looks where the place is not known."""
    relation = directory.relation(folder)
    unknown = relation == "unknown" and looks_like(folder, directory.cache)
    return relation in COVERS or bool(unknown)


def _fixes(run: Run, use: ToolUse, off: Disabled, ctx: Context) -> Iterator[Fix]:
    source = ctx.document.source
    if off.span is None:
        return
    if off.by == "flag":
        word = next((word for word in use.invocation.args if word.span == off.span), None)
        if word is not None and word.removable:
            yield ctx.fix(f"Delete {off.text}", partial(_without, word, source), preferred=True)
    elif off.by == "inline" and use.invocation.script is None:
        text = source.text
        gap = re.compile(r"[ \t]*").match(text, off.span.end)
        # Only an assignment in front of the command can go alone; `export A=b` is a command.
        before = text[: off.span.start].rstrip()
        if gap and not before.endswith(("export", "env", "\n")):
            yield ctx.fix(
                f"Delete {off.text}", Edit(Span(off.span.start, gap.end()), ""), preferred=True
            )
    elif off.by == "variable":
        edits = _without_variable(run, off.span, ctx.document)
        if edits:
            lonely = _uses_elsewhere(ctx.document, use, off)
            yield ctx.fix(
                f"Delete {off.text}",
                *edits,
                preferred=not lonely,
                safety=Safety.UNSAFE if lonely else Safety.SAFE,
                reason="other RUNs without a cache mount would leave the cache in the image",
            )


def _without(word: Word, source: Source) -> list[Edit]:
    edit = remove_word(word, source)
    return [] if edit is None else [edit]


def _without_variable(run: Run, name: Span, dockerfile: Dockerfile) -> list[Edit]:
    """Remove the variable that is set at ``name``, and where it was set before: that would hold again."""
    variable, names = dockerfile.source.slice(name), [name]
    for stage in dockerfile.stage_of(run).chain:
        for step in stage.steps:
            item = step.instruction
            if item.keyword == "ENV" and item.span.end <= name.start:
                pairs = env_pairs(item.args, dockerfile.tree.escape)
                spans = (key.span() for key, value in pairs if key.text == variable and value.text)
                names += islice(spans, 1)
    edits = [remove_env(dockerfile, span) for span in names]
    return [edit for edit in edits if edit is not None]


def _uses_elsewhere(dockerfile: Dockerfile, use: ToolUse, off: Disabled) -> bool:
    for run in dockerfile.runs:
        for other in run.uses:
            if other.tool.id == use.tool.id and other.uses is not False:
                roles = [item for item in other.directories if item.cache.role in off.roles]
                if any(covering(run, item) is None for item in roles if item.used is not False):
                    return True
    return False
