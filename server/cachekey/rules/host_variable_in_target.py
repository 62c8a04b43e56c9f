"""A target depends on the host's own home directory or user.

A target is a path of the container. `${localEnv:HOME}` is the home directory of the machine that the
editor runs on: another name, another system, and nothing at all on Windows.

## Bad
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
  "mounts": ["type=bind,source=${localEnv:HOME}/.ssh,target=${localEnv:HOME}/.ssh"]
}
```

## Good
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
  "mounts": ["type=bind,source=${localEnv:HOME}/.ssh,target=/home/vscode/.ssh"]
}
```

## Fix
The home directory of the container's user. Silent where the container takes its user or its
workspace folder from the host as well: then both are the same on purpose. In a service Compose takes
`$HOME` from the host, and so it is in a variable that tells a tool its directory.

## Source
containers.dev, *Variables in devcontainer.json*; microsoft/vscode-remote-release#3567.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import claim_of_variable
from cachekey.devcontainer.compose import ComposeFile, Service
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of, sightings
from cachekey.devcontainer.settings import host_variables, plain
from cachekey.devcontainer.substitution import HOST_ENV, Variable, variables
from cachekey.edits.recipe import completed
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit, Span

_HOMES = ("HOME", "USERPROFILE")
_USERS = ("USER", "USERNAME")
_SAME = ("workspaceMount", "workspaceFolder", "remoteUser", "containerUser")


@rule("CK724", "host-variable-in-target", Severity.WARNING, Fixable.SOMETIMES)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report targets, and variables that name a tool's directory, with the host's home or user in them."""
    if isinstance(document, ComposeFile):
        yield from _of_services(document, ctx)
        return
    if any("${local" in (text.text if text else "") for text in map(document.root.string, _SAME)):
        return
    build = document.build.get("args") if document.build is not None else None
    if build is not None and "${localEnv:" in document.source.slice(build.span):
        # The image may be built for the host's own user.
        return
    for mount in document.effective_mounts:
        found = variables(mount.target) if mount.target is not None else ()
        named = [v for v in found if v.kind in HOST_ENV and v.name in (*_HOMES, *_USERS)]
        if named and mount.origin != "workspaceMount":
            message = (
                f"{named[0].text} is a value of the host, and a target is a path of the container"
            )
            yield ctx.finding(named[0].span, message, fixes=partial(_fixes, named, ctx))

    for entry in document.env:
        found = variables(entry.value) if entry.value is not None else ()
        first = (
            found[0]
            if found and entry.value and entry.value.text.startswith(found[0].text)
            else None
        )
        if first is None or first.kind not in HOST_ENV or first.name not in _HOMES:
            continue
        if claim_of_variable(ctx.project.knowledge, entry.name) is not None:
            message = f"{first.text} is a value of the host, and {entry.name} names a path of the container"
            named = [v for v in found if v.kind in HOST_ENV and v.name in _HOMES]
            yield ctx.finding(first.span, message, fixes=partial(_fixes, named, ctx))


def _of_services(file: ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report it of a service, where ``$HOME`` is the host's as well."""
    for seen in sightings(file, ctx.project):
        service, target = seen.container.service, seen.mount.target
        if target is not None and service is not None and not _alike(service):
            named = [item for item in host_variables(target) if item[0] in (*_HOMES, *_USERS)]
            message = "Compose takes {} from the host, and a target is a path of the container"
            yield from _in_service(named, message, seen.container, ctx)
    told: set[int] = set()
    for document in ctx.project.composers(file.path):
        container = container_of(document, ctx.project)
        service = container.service
        for item in service.environment.values() if service is not None else ():
            value = item.value if item.path == file.path else None
            named = (
                [h for h in host_variables(value) if h[0] in _HOMES] if value is not None else []
            )
            first = value.offset(0) if value is not None else -1
            if service is None or first in told or not named or named[0][1].start != first:
                continue
            told.add(first)
            if claim_of_variable(ctx.project.knowledge, item.name) and not _alike(service):
                message = f"Compose takes {{}} from the host, and {item.name} names a path of the container"
                yield from _in_service(named[:1], message, container, ctx)


def _alike(service: Service) -> bool:
    """Tell whether the service takes its user, its folder or its build from the host: then both are the same."""
    settings = (service.setting(name) for name in ("user", "working_dir"))
    build = service.settings.get("build", ())
    return any(setting is not None and plain(setting.text) is None for setting in settings) or any(
        "$" in setting.node.source.slice(setting.span) for setting in build
    )


def _in_service(
    named: list[tuple[str, Span]], message: str, container: Container, ctx: Context
) -> Iterator[Finding]:
    for name, span in named[:1]:
        user = container.user
        value = None if user is None else user.name if name in _USERS else user.home
        fixes = partial(_written, value, span, ctx)
        yield ctx.finding(span, message.format(f"${name}"), fixes=fixes)


def _written(value: str | None, span: Span, ctx: Context) -> Iterator[Fix]:
    if value is not None:
        reason = "the container's user is taken from what is known of the image"
        yield ctx.fix(
            f"Write {value}", Edit(span, value), safety=Safety.UNSAFE, preferred=True, reason=reason
        )


def _fixes(named: list[Variable], ctx: Context) -> Iterator[Fix]:
    user = container_of(ctx.document, ctx.project).user
    first, rest = named[0], named[1:]
    value = None if user is None else user.name if first.name in _USERS else user.home
    if value is None or any(variable.name not in _HOMES for variable in rest):
        return
    gone = [Edit(variable.span, "") for variable in rest]
    reason = "the container's user is taken from what is known of the image"
    edits = (Edit(first.span, value), *gone)
    mounts = (m for m in ctx.document.mounts if m.span.contains(first.span.start))
    mount = next((m for m in mounts if m.type == "volume" and m.target), None)
    if mount is not None and mount.target is not None:
        # A volume there may be root's.
        place = mount.target.text.replace(first.text, value)
        for variable in rest:
            place = place.replace(variable.text, "")
        recipe = completed(container_of(ctx.document, ctx.project), lambda: edits, place, ())
        yield ctx.fix(
            f"Write {value}{recipe.extras}",
            recipe.write,
            safety=Safety.UNSAFE,
            preferred=True,
            reason=recipe.reason or reason,
        )
        return
    yield ctx.fix(f"Write {value}", *edits, safety=Safety.UNSAFE, preferred=True, reason=reason)
