"""`~` or an unset `$HOME` in a target is not the home directory.

The builder expands variables of ENV and ARG and nothing else. `~/.npm` is mounted at
`/app/~/.npm`, and an unset `$HOME` is empty. No tool looks there.

## Bad
```dockerfile
FROM node:22
WORKDIR /app
RUN --mount=type=cache,target=~/.npm npm ci
```

## Good
```dockerfile
FROM node:22
WORKDIR /app
RUN --mount=type=cache,target=/root/.npm npm ci
```

## Fix
The home directory of the RUN's user, where it is known; below another user the new cache belongs
to it.

Silent where ENV or ARG sets `HOME`, here or in the stage below; for `$HOME` on an unknown base
image, which may set it, a hint remains.

## Source
BuildKit `shell/lex.go` knows no tilde, and a stage has no `HOME` variable; proven in
`tests/buildkit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.records import Run
from cachekey.edits.toolmount import retarget
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule

_TILDE = re.compile(r"~(?=/|\Z)")
_HOME = re.compile(r"\$(?:HOME\b|\{HOME\})")


@rule("CK302", "literal-home", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report targets that are meant to lie in the home directory."""
    for mount in run.mounts:
        option = mount.options.get("target")
        if mount.type != "cache" or option is None or option.field.value is None or run.onbuild:
            continue
        raw = option.field.value
        tilde, home = _TILDE.match(raw.text), _HOME.match(raw.text)
        if tilde:
            where = mount.directory or f"{raw.text} below the working directory"
            message = f"The builder takes ~ for an ordinary character: this mounts {where}"
            span, severity = raw.span(*tilde.span()), None
        elif home and "HOME" not in mount.scope.variables:
            sure = "HOME" in mount.undefined
            message = "HOME is not set for the builder: $HOME is empty here"
            span, severity = raw.span(*home.span()), None if sure else Severity.HINT
        else:
            continue
        tail = raw.text[1:] if tilde else _HOME.sub("", raw.text, count=1)
        fixes = partial(_fixes, run, mount, tail, ctx)
        yield ctx.finding(span, message, fixes=fixes, severity=severity)


def _fixes(run: Run, mount: Mount, tail: str, ctx: Context) -> Iterator[Fix]:
    home = run.scope.home
    edits = retarget(run, mount, f"{home.rstrip('/')}{tail}") if home else None
    if edits:
        given = ", and let a new cache belong to its user" if len(edits) > 1 else ""
        yield ctx.fix(f"Write {home}{tail}{given}", *edits, preferred=True)
