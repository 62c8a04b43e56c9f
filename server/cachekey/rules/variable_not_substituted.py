"""A variable stays in the text as it is.

`${containerEnv:NAME}` has a value only in a running container, so that mounts, the build and
`containerEnv` itself get the bare text. Names that the Dev Containers tools do not know, or know in
another case, stay as well, without a message.

## Bad
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": ["type=bind,source=${localworkspacefolder}/.cache/uv,target=/cache/uv"]
}
```

## Good
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": ["type=bind,source=${localWorkspaceFolder}/.cache/uv,target=/cache/uv"]
}
```

## Fix
The known variable that is nearly the one written. For `${containerEnv:…}` in `containerEnv` the
entry can move to `remoteEnv`, where it works for lifecycle commands and terminals; in a mount the
user's home directory can be written out.

## Source
Dev Containers CLI `src/spec-common/variableSubstitution.ts`; containers.dev, *Variables in
devcontainer.json*; devcontainers/spec#282 and #434.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.judge import image_of
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.substitution import NAMED, Variable, literal, resolved_late
from cachekey.edits.devcontainer import move_variable
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit

_STARTS = ("mounts", "workspaceMount", "workspaceFolder", "runArgs")
"""Where a wrong value keeps the container from starting."""
_EARLY = (*_STARTS, "containerEnv", "build", "features", "image", "containerUser", "remoteUser")


@rule("CK703", "variable-not-substituted", Severity.ERROR, Fixable.SOMETIMES)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report variables that have no value where they stand."""
    for path, _, variable in document.variables:
        if variable.template or resolved_late(path) or path[:1] == ("initializeCommand",):
            continue
        # A feature's variables become the image's ENV, where ${PATH} is right.
        if path[:1] == ("containerEnv",) and document.feature:
            continue
        message = _message(path, variable, document)
        if message:
            severity = Severity.ERROR if path[0] in _STARTS else Severity.WARNING
            fixes = partial(_fixes, path, variable, ctx)
            yield ctx.finding(variable.span, message, fixes=fixes, severity=severity)


def _message(path: tuple[str, ...], variable: Variable, document: Devcontainer) -> str:
    where, text = path[0] if path else "", variable.text
    if where not in _EARLY:
        return ""
    if variable.kind in NAMED and not variable.name:
        return f"the Dev Containers tools stop at '{text}', which names no variable"
    if variable.kind == "containerEnv":
        return f"'{text}' has a value in the running container only: {where} takes the bare text"
    if variable.known:
        return ""
    if where in ("mounts", "workspaceMount") and not document.compose:
        return f"the Dev Containers tools know no '{text}' and leave it as it is"
    # Elsewhere a shell or a program may expand it; only a slip of the pen is certain.
    if variable.meant is not None and variable.meant.lower() == text.lower():
        return f"the Dev Containers tools know no '{text}', only '{variable.meant}'"
    return ""


def _fixes(path: tuple[str, ...], variable: Variable, ctx: Context) -> Iterator[Fix]:
    document: Devcontainer = ctx.document
    if not variable.known:
        if variable.meant:
            edit = Edit(variable.span, variable.meant)
            yield ctx.fix(f"Write {variable.meant}", edit, preferred=True)
        return
    if variable.kind != "containerEnv" or not variable.name:
        return
    if path[0] == "containerEnv":
        entry = next((e for e in document.container_env if e.name == path[1]), None)
        if entry is not None:
            yield ctx.fix(
                f"Move {entry.name} to remoteEnv",
                partial(move_variable, document, entry, "remoteEnv"),
                safety=Safety.UNSAFE,
                reason="Only lifecycle commands and terminals see remoteEnv.",
            )
    elif path[0] in ("mounts", "runArgs") and variable.name == "HOME":
        home = _home(ctx)
        if home is not None:
            edit = Edit(variable.span, home)
            reason = "The user's home is taken from what is known of the image."
            yield ctx.fix(f"Write {home}", edit, safety=Safety.UNSAFE, reason=reason)


def _home(ctx: Context) -> str | None:
    user = literal(ctx.document.remote_user)
    image = image_of(ctx.document, ctx.project)
    known = image.user_named(user) if image is not None and user else None
    return known.home if known else None
