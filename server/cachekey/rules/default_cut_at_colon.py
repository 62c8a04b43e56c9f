"""A variable's default ends at the colon.

The Dev Containers tools split `${localEnv:NAME:default}` at every colon and use the third part: of
`C:/uv` only `C` is left, of an image with a tag only the name.

## Bad
```jsonc
{
  "build": { "dockerfile": "Dockerfile", "args": { "BASE": "${localEnv:BASE:python:3.13}" } }
}
```
```dockerfile .devcontainer/Dockerfile
ARG BASE
FROM $BASE
```

## Good
```jsonc
{
  "build": { "dockerfile": "Dockerfile", "args": { "BASE": "${localEnv:BASE:python}" } }
}
```
```dockerfile .devcontainer/Dockerfile
ARG BASE
FROM $BASE
```

## Fix
The default written as it is used now; what was meant needs another form.

## Source
Dev Containers CLI `src/spec-common/variableSubstitution.ts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.substitution import Variable, resolved_late
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit


@rule("CK708", "default-cut-at-colon", Severity.WARNING, Fixable.ALWAYS)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report defaults of which a part is lost."""
    for path, _, variable in document.variables:
        if not variable.cut or (variable.kind == "containerEnv" and not resolved_late(path)):
            continue
        whole = ":".join(variable.parts[1:])
        message = f"The default ends at the colon: '{variable.default}' is used, not '{whole}'"
        yield ctx.finding(variable.span, message, fixes=partial(_fixes, variable, ctx))


def _fixes(variable: Variable, ctx: Context) -> Iterator[Fix]:
    kept = f"${{{variable.kind}:{variable.name}:{variable.default}}}"
    yield ctx.fix(
        f"Write what is used now: {kept}",
        Edit(variable.span, kept),
        safety=Safety.UNSAFE,
        reason="that is hardly what was meant",
    )
