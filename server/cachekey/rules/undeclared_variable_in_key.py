"""A variable in the key is not declared in this stage, so that it expands to nothing.

`TARGETARCH` and its kin exist for every build, but a stage sees one only after `ARG TARGETARCH`.
Without it `id=apt-$TARGETARCH` is `apt-`, and all platforms write one cache.

## Bad
```dockerfile
FROM golang:1.25
RUN --mount=type=cache,id=go-$TARGETARCH,target=/root/.cache/go-build go build -o /bin/app ./...
```

## Good
```dockerfile
FROM golang:1.25
ARG TARGETARCH
RUN --mount=type=cache,id=go-$TARGETARCH,target=/root/.cache/go-build go build -o /bin/app ./...
```

## Fix
Declare it in front of the first RUN of the stage that needs it.

An argument that is declared before FROM only, or that a build of the workspace passes, counts as well:
there it is a hint, since the base image may define a variable of the same name. Silent for variables that the base image could
define, and for `${NAME:-default}`, which says what an unset variable means.

## Source
Dockerfile reference, "Automatic platform ARGs in the global scope"; proven in `tests/buildkit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount, Option
from cachekey.buildkit.scope import PLATFORM_ARGS
from cachekey.dockerfile.records import Dockerfile, Run, Stage
from cachekey.edits.mount import insert_line_before
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.dockerfile.namevalue import arg_pairs
from cachekey.text import Span


@rule("CK105", "undeclared-variable-in-key", Severity.WARNING, Fixable.ALWAYS)
def check(stage: Stage, ctx: Context) -> Iterator[Finding]:
    """Report undeclared variables in the ids and targets of a stage's cache mounts."""
    first: dict[str, Run] = {}
    if stage.chain[-1].base.may_be_stage:
        # That stage hands its variables on to all behind it.
        return
    yield from _behind_onbuild(stage, ctx)
    for run in stage.runs:
        if run.onbuild:
            continue
        for mount in run.mounts:
            if mount.type == "cache" and mount.error is None:
                yield from _of_mount(stage, run, mount, first, ctx)


def _behind_onbuild(stage: Stage, ctx: Context) -> Iterator[Finding]:
    """Report platform variables of ONBUILD RUNs that no ONBUILD ARG declares.

    The arguments of a stage end with its build; whoever builds on the image has none of them.
    """
    declared: set[str] = set()
    told: set[str] = set()
    for inner in ctx.document.onbuild.get(stage.index, ()):
        if inner.keyword == "ARG":
            declared |= {name.text for name, _ in arg_pairs(inner.args, ctx.document.tree.escape)}
        run = next((x for x in stage.runs if x.dormant and x.instruction is inner), None)
        for mount in run.caches if run is not None else ():
            for option in (mount.options.get("id"), mount.options.get("target")):
                names = (
                    option.value.used & set(PLATFORM_ARGS) if option is not None else frozenset()
                )
                for name in sorted(names - declared - told):
                    assert option is not None
                    told.add(name)
                    yield ctx.finding(
                        _span(option, name),
                        f"{name} is empty in every build on this image: ARG does not reach that build, "
                        "ONBUILD ARG does",
                        fixes=partial(_fixes, inner.anchor.at, name, ctx, "ONBUILD ARG"),
                    )


def _of_mount(
    stage: Stage, run: Run, mount: Mount, first: dict[str, Run], ctx: Context
) -> Iterator[Finding]:
    dockerfile: Dockerfile = ctx.document
    where = f"stage {stage.name}" if stage.name else "this stage"
    for option_name in ("id", "target"):
        option = mount.options.get(option_name)
        if option is None or (option_name == "target" and mount.id):
            continue
        for name in sorted(option.value.undefined | option.value.unresolved):
            severity = _severity(dockerfile, mount, option, name, ctx)
            if severity is None:
                continue
            surely = severity is not Severity.HINT
            empty = f'"{_emptied(option, name)}"'
            what = f"always {empty}" if surely else f"{empty} unless the base image sets {name}"
            start = first.setdefault(name, run).span.start
            yield ctx.finding(
                _span(option, name),
                f"No ARG declares {name} in {where}: {option_name} is {what}",
                fixes=partial(_fixes, start, name, ctx),
                cause=(start, name),
                severity=severity,
            )


def _fixes(start: int, name: str, ctx: Context, keyword: str = "ARG") -> Iterator[Fix]:
    line = f"{keyword} {name}"
    yield ctx.fix(
        f"Declare it: {line}",
        lambda: [insert_line_before(ctx.document, start, line)],
        preferred=True,
    )


def _severity(
    dockerfile: Dockerfile, mount: Mount, option: Option, name: str, ctx: Context
) -> Severity | None:
    if name in mount.scope.variables or re.search(rf"\$\{{{name}:?[-+]", _raw(option)):
        return None
    if name in PLATFORM_ARGS:
        return Severity.WARNING
    passed = any(name in build.passed for build in ctx.project.index.builds(dockerfile.path))
    if name not in dockerfile.global_args and not passed:
        return None
    return Severity.WARNING if mount.scope.base.is_scratch else Severity.HINT


def _raw(option: Option) -> str:
    return option.field.value.text if option.field.value is not None else ""


def _span(option: Option, name: str) -> Span:
    value = option.field.value
    assert value is not None
    match = re.search(rf"\$(?:{name}\b|\{{{name}\b[^}}]*\}}?)", value.text)
    return value.span(*match.span()) if match else option.span


def _emptied(option: Option, name: str) -> str:
    return re.sub(rf"\$\{{{name}[^}}]*\}}", "", option.value.text)
