"""Something that looks like a cache mount is none: no cache is mounted at all.

Without `--` it is a shell assignment, as a flag of its own name it is unknown, behind the command
it is an argument, and without `type=cache` it is a read-only bind of the build context.

## Bad
```dockerfile
FROM node:22
RUN mount=type=cache,target=/root/.npm npm ci
```

## Good
```dockerfile
FROM node:22
RUN --mount=type=cache,target=/root/.npm npm ci
```

## Fix
Insert what is missing: `--`, `--mount=` or `type=cache`.

Silent for a mount without `type` that names a `from` or `source`, or whose target is no tool's
cache: that is a bind mount, and meant.

## Source
BuildKit `instructions/commands_runmount.go`: the default type is bind; proven in `tests/buildkit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import KEYS, Mount
from cachekey.dockerfile.purpose import purpose_of
from cachekey.dockerfile.records import Run
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit, Span

_ASSIGNMENT = re.compile(r"mount=(?=\S*\btype=cache\b)")


@rule("CK303", "not-a-mount", Severity.ERROR, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report cache mounts that the builder does not take for any."""
    if run.onbuild:
        return
    yield from _assignment(run, ctx)
    for flag in run.instruction.flags:
        if flag.name.text in KEYS and flag.value is not None:
            start = flag.name.offset(0)
            yield ctx.finding(
                flag.span,
                f"RUN has no flag --{flag.name.text}: the options of a mount stand behind --mount=",
                fixes=partial(_insert, "Write --mount=", start, "mount=", ctx),
            )
    for mount in run.mounts:
        if mount.error is None and "type" not in mount.options and _meant(run, mount):
            start = mount.fields[0].span.start
            yield ctx.finding(
                mount.span,
                "Without type=cache this is a read-only bind of the build context: no cache is mounted",
                fixes=partial(_insert, "Add type=cache", start, "type=cache,", ctx),
            )
    yield from _arguments(run, ctx)


def _assignment(run: Run, ctx: Context) -> Iterator[Finding]:
    args = run.instruction.args
    match = _ASSIGNMENT.match(args.text)
    if match and run.instruction.json is None:
        span = args.span(0, len(args.text.split(None, 1)[0]))
        yield ctx.finding(
            span,
            "Without -- this sets a shell variable: no cache is mounted",
            fixes=partial(_insert, "Write --mount=", span.start, "--", ctx),
        )


def _insert(title: str, start: int, text: str, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix(title, Edit(Span(start, start), text), preferred=True)


def _meant(run: Run, mount: Mount) -> bool:
    """Tell whether a mount without type can only be meant as a cache."""
    if "from" in mount.options or "source" in mount.options or not mount.fields:
        return False
    return "id" in mount.options or purpose_of(run, mount) is not None


def _arguments(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report ``--mount=type=cache`` behind the command, where it is an argument of a tool."""
    for item in {id(use.invocation): use.invocation for use in run.uses}.values():
        for word in item.args:
            if (word.text or "").startswith("--mount=type=cache"):
                yield ctx.finding(
                    word.span,
                    f"Behind the command this is an argument of {item.program}, and no cache is mounted: "
                    "flags stand right behind RUN",
                )
