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
from collections.abc import Hashable, Iterator
from functools import partial
from itertools import islice

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.coverage import COVERS, covering
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.mount import remove_env
from cachekey.finding import TOO, Finding, Fix, Safety, Severity
from cachekey.knowledge.paths import looks_like
from cachekey.record import record
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.dockerfile.namevalue import env_pairs
from cachekey.syntax.shell.edit import remove_word
from cachekey.text import Edit, Source, Span
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.switches import Disabled
from cachekey.tools.uses import ToolUse


@rule("CK304", "cache-disabled", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report what switches off a cache that this RUN mounts."""
    if run.onbuild:
        return
    slips: dict[Hashable, list[_Slip]] = {}
    for use in run.uses:
        if use.applies is not True or use.via is not None:
            continue
        for off in use.disabled:
            mount = _mounted(run, use, off)
            if mount is None or not off.confidence.warns:
                continue
            inside = off.span is not None and off.by in ("flag", "inline")
            place = off.span if inside and off.span is not None else mount.target_span
            slip = _Slip(use, off, mount, place, inside)
            # One flag at several commands is one slip.
            group = slips.setdefault((use.tool.id, off.text, mount.span) if inside else place, [])
            if all(one.place != place for one in group):
                group.append(slip)
    for group in slips.values():
        yield _finding(run, group, ctx)


@record(frozen=True)
class _Slip:
    """What keeps one command from using the cache that is mounted for it."""

    use: ToolUse
    off: Disabled
    mount: Mount
    place: Span
    inside: bool
    """It stands in the command itself."""


def _finding(run: Run, slips: list[_Slip], ctx: Context) -> Finding:
    first, *more = slips
    use, off, mount = first.use, first.off, first.mount
    related = [ctx.related(mount.span, "The cache that is not used")] if first.inside else []
    related += ctx.script_line(use.invocation) if first.inside else []
    related += [ctx.related(one.place, TOO) for one in more]
    if off.by == "variable" and off.span is not None:
        related = [ctx.related(off.span, off.text)]
    return ctx.finding(
        first.place,
        f"{off.text} keeps {use.tool.name} from using the cache on {mount.directory}",
        related=related,
        fixes=partial(_fixes, run, slips, ctx),
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


def _fixes(run: Run, slips: list[_Slip], ctx: Context) -> Iterator[Fix]:
    use, off = slips[0].use, slips[0].off
    if off.span is None:
        return
    source = ctx.document.source
    make = {"flag": _without_flag, "inline": _without_assignment}.get(off.by)
    if make is not None:
        whole = [edit for one in slips if (edit := make(one, source)) is not None]
        if len(whole) == len(slips):
            times = f" {len(slips)} times" if len(slips) > 1 else ""
            yield ctx.fix(f"Delete {off.text}{times}", *whole, preferred=True)
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


def _without_flag(slip: _Slip, source: Source) -> Edit | None:
    word = next((word for word in slip.use.invocation.args if word.span == slip.off.span), None)
    return remove_word(word, source) if word is not None and word.removable else None


def _without_assignment(slip: _Slip, source: Source) -> Edit | None:
    """Delete an assignment in front of a command; only there can it go alone."""
    if slip.use.invocation.script is not None:
        return None
    gap = re.compile(r"[ \t]*").match(source.text, slip.place.end)
    # `export A=b` is a command.
    before = source.text[: slip.place.start].rstrip()
    if gap is None or before.endswith(("export", "env", "\n")):
        return None
    return Edit(Span(slip.place.start, gap.end()), "")


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
