"""A variable stays in the text as it is.

`${containerEnv:NAME}` has a value only in a running container, so that mounts, the build and
`containerEnv` itself get the bare text. Names that the Dev Containers tools do not know, or know in
another case, stay as well, without a message. So do `$HOME` and `~` in `containerEnv`: no shell reads
it, nor the `environment` of a service. Nor does Compose know the variables of devcontainer.json:
`${localWorkspaceFolderBasename}` in a compose file is empty. `${containerEnv:HOME}` in `remoteEnv` is empty, for HOME is set for each process and is no variable
of the container.

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
entry can move to `remoteEnv`, where it works for lifecycle commands and terminals; the user's home
directory can be written out where it is known.

## Source
Dev Containers CLI `src/spec-common/variableSubstitution.ts` and, for HOME, containers it has made; containers.dev, *Variables in
devcontainer.json*; devcontainers/spec#282 and #434.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial

from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.envfile import set_by_project
from cachekey.devcontainer.read import Devcontainer, EnvEntry
from cachekey.devcontainer.running import Sighting, container_of, sightings
from cachekey.devcontainer.settings import host_variables
from cachekey.devcontainer.substitution import NAMED, PLAIN, Variable, resolved_late
from cachekey.edits.devcontainer import move_variable, together
from cachekey.edits.recipe import completed
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Edit, Span

_STARTS = ("mounts", "workspaceMount", "workspaceFolder", "runArgs")
"""Where a wrong value keeps the container from starting."""
_EARLY = (
    *(*_STARTS, "containerEnv", "build", "features", "image", "containerUser", "remoteUser"),
    "initializeCommand",
)

_SHELL = re.compile(
    r"(?:[^$~]*:)?(?P<written>(?P<tilde>~)(?=/|\Z)|\$\{?(?P<name>HOME|PATH)\b\}?)"
    r"|(?:[^$~]*:)?/(?:[\w.-]+/)*(?P<user>\$\{?(?:USER|LOGNAME)\b\}?)"
)
_IN_SERVICE = re.compile(r"(?:[^$~]*:)?(?P<written>~(?=/|\Z)|\$\$\{?HOME\b\}?)")
"""Of a service's variable: Compose itself turns ``$$`` into a dollar sign."""
_EXPANDS_TILDE = re.compile(r"p?npm_config_", re.IGNORECASE)
"""npm itself takes `~/` for the home directory."""


@rule("CK703", "variable-not-substituted", Severity.ERROR, Fixable.SOMETIMES)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report variables that have no value where they stand."""
    if isinstance(document, ComposeFile):
        yield from _of_service(document, ctx)
        return
    for path, _, variable in document.variables:
        if variable.kind in NAMED and not variable.name:
            yield ctx.finding(variable.span, _nameless(variable))
            continue
        if variable.template or resolved_late(path):
            continue
        if path[:1] == ("initializeCommand",) and variable.kind != "containerEnv":
            # The host's shell has variables of its own.
            continue
        # A feature's variables become the image's ENV, where ${PATH} is right.
        if path[:1] == ("containerEnv",) and document.feature:
            continue
        message = _message(path, variable, document)
        if message:
            severity = Severity.ERROR if path[0] in _STARTS else Severity.WARNING
            fixes = partial(_fixes, path, variable, ctx)
            yield ctx.finding(variable.span, message, fixes=fixes, severity=severity)
    if not document.feature:
        known = {variable.text for _, _, variable in document.variables if variable.known}
        for entry in document.env:
            if entry.value is None or entry.value.text not in known:
                yield from _unexpanded(entry, ctx)
        yield from _homeless(document, ctx)


def _of_service(file: ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report what only a shell would expand in the variables of a dev container's service."""
    for sighting in sightings(file, ctx.project):
        yield from _of_devcontainer(sighting, ctx)
    seen: set[int] = set()
    for document in ctx.project.composers(file.path):
        container = container_of(document, ctx.project)
        variables = container.service.environment if container.service is not None else {}
        for variable in variables.values():
            value, name = variable.value, variable.name
            if value is None or variable.path != file.path or value.offset(0) in seen:
                continue
            seen.add(value.offset(0))
            match = _IN_SERVICE.match(value.text)
            if match is None or (match["written"] == "~" and _EXPANDS_TILDE.match(name)):
                continue
            span = span_in(value, *match.span("written"))
            message = (
                f"No shell reads the variables of a service: {match['written']} stays as it is"
            )
            if match["written"] != "~":
                message = f"No shell reads the variables of a service: {name} holds the text $HOME"
            home = container.user.home if container.user is not None else None
            fixes = partial(_home_written, home, span, ctx)
            yield ctx.finding(span, message, fixes=fixes, severity=Severity.WARNING)


def _of_devcontainer(seen: Sighting, ctx: Context) -> Iterator[Finding]:
    """Report a variable of devcontainer.json in a service's mount, unless the project sets it itself."""
    container = seen.container
    if container.document.get("initializeCommand") is not None:
        # It may write the .env.
        return
    for text in (seen.mount.source, seen.mount.target):
        for name, span in host_variables(text) if text is not None else ():
            if name in PLAIN and not set_by_project(
                name, container.compose_folder, ctx.project.read
            ):
                message = f"Only devcontainer.json knows ${{{name}}}: Compose takes it from the host, where it is empty"
                yield ctx.finding(span, message, severity=Severity.WARNING)


def _home_written(home: str | None, span: Span, ctx: Context) -> Iterator[Fix]:
    if home is not None:
        reason = "the user's home is taken from what is known of the image"
        edit = Edit(span, home)
        yield ctx.fix(f"Write {home}", edit, safety=Safety.UNSAFE, preferred=True, reason=reason)


def _homeless(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report `${containerEnv:HOME}` where the container's configuration surely has no HOME."""
    container = container_of(document, ctx.project)
    for path, _, variable in document.variables:
        if path[:1] != ("remoteEnv",) or variable.kind != "containerEnv":
            continue
        if (
            variable.name == "HOME"
            and container.environment.running("HOME", variable.default) == ""
        ):
            yield ctx.finding(
                variable.span,
                f"'{variable.text}' is empty: Docker sets HOME for each process, the container has none",
                fixes=partial(_written, variable.span, ctx),
                severity=Severity.WARNING,
            )


def _written(span: Span, ctx: Context) -> Iterator[Fix]:
    home = _home(ctx)
    if home is not None:
        reason = "the user's home is taken from what is known of the image"
        edit = Edit(span, home)
        yield ctx.fix(f"Write {home}", edit, safety=Safety.UNSAFE, preferred=True, reason=reason)


def _nameless(variable: Variable) -> str:
    return f"The Dev Containers tools stop at {variable.text}, which names no variable"


def _unexpanded(entry: EnvEntry, ctx: Context) -> Iterator[Finding]:
    """Report what only a shell would expand; `runArgs` go to no shell either."""
    value = entry.value
    if value is not None and value.text in (f"${entry.name}", f"${{{entry.name}}}"):
        yield _itself(entry, ctx)
        return
    match = _SHELL.match(value.text) if value is not None else None
    if value is None or match is None or (match["name"] == "PATH" and entry.name != "PATH"):
        return
    if match["tilde"] and _EXPANDS_TILDE.match(entry.name):
        return
    group = "user" if match["user"] else "written"
    span = span_in(value, *match.span(group))
    message = f"No shell reads {entry.place}: {match[group]} stays as it is"
    name = "USER" if match["user"] else match["name"] or "HOME"
    fixes = partial(_expand, entry, name, span, ctx)
    yield ctx.finding(span, message, fixes=fixes, severity=Severity.WARNING)


def _itself(entry: EnvEntry, ctx: Context) -> Finding:
    """Report a variable that is set to its own name, which is meant to be the host's."""
    assert entry.value is not None
    span, text = span_in(entry.value), f"${{localEnv:{entry.name}}}"
    message = (
        f"No shell reads {entry.place}: the value of {entry.name} is the text {entry.value.text}"
    )
    fixes = partial(_write, span, text, ctx)
    return ctx.finding(span, message, fixes=fixes, severity=Severity.WARNING)


def _write(span: Span, text: str, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix(f"Write {text}", Edit(span, text), safety=Safety.UNSAFE, preferred=True)


def _expand(entry: EnvEntry, name: str, span: Span, ctx: Context) -> Iterator[Fix]:
    if name == "USER":
        user = container_of(ctx.document, ctx.project).user
        if user is not None:
            reason = "the container's user is taken from what is known of it"
            yield ctx.fix(
                f"Write {user.name}", Edit(span, user.name), safety=Safety.UNSAFE, reason=reason
            )
    elif entry.place == "remoteEnv" and name != "HOME":
        text = f"${{containerEnv:{name}}}"
        yield ctx.fix(f"Write {text}", Edit(span, text), preferred=True)
    elif entry.place == "containerEnv" and name == "PATH":
        yield ctx.fix(
            "Move PATH to remoteEnv, with ${containerEnv:PATH}",
            partial(_to_remote, entry, span, ctx),
            safety=Safety.UNSAFE,
            reason="only lifecycle commands and terminals see remoteEnv",
        )
    elif name == "HOME" and (home := _home(ctx)) is not None:
        reason = "the user's home is taken from what is known of the image"
        yield ctx.fix(f"Write {home}", Edit(span, home), safety=Safety.UNSAFE, reason=reason)


def _to_remote(entry: EnvEntry, span: Span, ctx: Context) -> Iterable[Edit]:
    def move(now: Devcontainer) -> tuple[Edit, ...]:
        moved = next((e for e in now.container_env if e.name == entry.name), None)
        return move_variable(now, moved, "remoteEnv") if moved is not None else ()

    return together(ctx.document, (Edit(span, "${containerEnv:PATH}"),), move)


def _message(path: tuple[str, ...], variable: Variable, document: Devcontainer) -> str:
    where, text = path[0] if path else "", variable.text
    if where not in _EARLY:
        return ""
    if variable.kind == "containerEnv":
        return f"{text} has a value in the running container only: {where} takes it as bare text"
    if variable.known:
        return ""
    if where in ("mounts", "workspaceMount") and not document.compose:
        return f"The Dev Containers tools do not know {text} and leave it as it is"
    # Elsewhere a shell or a program may expand it; only a slip of the pen is certain.
    if variable.meant is not None and variable.meant.lower() == text.lower():
        return f"The Dev Containers tools do not know {text}, only {variable.meant}"
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
    if path[0] == "containerEnv" and variable.name == "HOME":
        yield from _written(variable.span, ctx)
        return
    if path[0] == "containerEnv":
        entry = next((e for e in document.container_env if e.name == path[1]), None)
        if entry is not None:
            yield ctx.fix(
                f"Move {entry.name} to remoteEnv",
                partial(move_variable, document, entry, "remoteEnv"),
                safety=Safety.UNSAFE,
                reason="only lifecycle commands and terminals see remoteEnv",
            )
        return
    text = f"${{localEnv:{variable.name}}}"
    reason = f"{variable.name} must be set on the host"
    if path[0] in ("mounts", "runArgs") and variable.name != "HOME":
        edit = Edit(variable.span, text)
        yield ctx.fix(f"Write {text}", edit, safety=Safety.MANUAL, reason=reason)
    elif path[0] in ("mounts", "runArgs"):
        yield from _write_home(variable, ctx)


def _write_home(variable: Variable, ctx: Context) -> Iterator[Fix]:
    """Write the home directory out; a volume there may then need an owner."""
    container = container_of(ctx.document, ctx.project)
    home = _home(ctx)
    if home is None:
        return
    edit = Edit(variable.span, home)
    reason = "the user's home is taken from what is known of the image"
    for mount in ctx.document.mounts:
        if mount.type == "volume" and mount.target and mount.span.contains(variable.span.start):
            place = mount.target.text.replace(variable.text, home)
            recipe = completed(container, lambda: (edit,), place, ())
            title = f"Write {home}{recipe.extras}"
            reason = recipe.reason or reason
            yield ctx.fix(title, recipe.write, safety=Safety.UNSAFE, reason=reason)
            return
    yield ctx.fix(f"Write {home}", edit, safety=Safety.UNSAFE, reason=reason)


def _home(ctx: Context) -> str | None:
    user = container_of(ctx.document, ctx.project).user
    return user.home if user is not None else None
