"""A value depends on a variable that the host may not have.

`${localEnv:NAME}` without a default is empty when `NAME` is not set where the editor runs: HOME on
Windows, a tool's variable on a colleague's machine, anything in CI. An empty source of a cache keeps
the container from starting; with more text behind it, another directory is bound. In `containerEnv`
the empty value takes the place of the one that the image has.

## Bad
```jsonc
{
  "image": "ubuntu:24.04",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=bind,source=${localEnv:MY_CACHE},target=/cache/uv"]
}
```

## Good
```jsonc
{
  "image": "ubuntu:24.04",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"]
}
```

## Fix
For the directory of a tool's cache, a named volume, which needs nothing on the host; the image's own
value as the default of a variable. `${localEnv:HOME}${localEnv:USERPROFILE}` is the usual form for
the home directory and not reported; with a slash between the two it is no path on Windows. It is
only information where `containerEnv` knows the same variable: host and container then share a cache
on purpose.

## Source
Dev Containers CLI `src/spec-common/variableSubstitution.ts`;
microsoft/vscode-remote-release#2296, #6849 and #3567.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import RuntimeCache, cache_of
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.envfile import set_by_project
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer, EnvEntry
from cachekey.devcontainer.running import container_of, sightings
from cachekey.devcontainer.settings import host_variables
from cachekey.devcontainer.substitution import HOST_ENV, Variable, variables
from cachekey.edits.compose import declare
from cachekey.edits.recipe import volume
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.dockermount import volume_name
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Edit, Mapped, Span

_SLASH = re.compile(r"\$\{localEnv:HOME\}(?P<slash>/)\$\{localEnv:USERPROFILE\}")
_BIND_ONLY = ("consistency", "bind-propagation", "bind-recursive", "bind-nonrecursive")


@rule("CK704", "empty-local-env", Severity.INFORMATION, Fixable.SOMETIMES)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report host variables without a default, in the sources of caches and over an image's own."""
    if isinstance(document, ComposeFile):
        yield from _of_services(document, ctx)
        return
    for mount in document.effective_mounts:
        if mount.type == "bind" and mount.source is not None and not mount.opaque:
            yield from _source(mount, mount.source, ctx)
    for entry in (*document.container_env, *document.run_env):
        yield from _blanked(entry, ctx)


def _source(mount: RuntimeMount, source: Mapped, ctx: Context) -> Iterator[Finding]:
    slash = _SLASH.match(source.text)
    if slash is not None:
        span = span_in(source, *slash.span("slash"))
        message = "Without HOME on the host, as on Windows, the source begins with a slash"
        fix = partial(_without_slash, span, ctx)
        yield ctx.finding(span, message, fixes=fix, severity=Severity.INFORMATION)
        return
    found = variables(source)
    if not found or not source.text.startswith(found[0].text):
        return
    first = found[0]
    if first.kind not in HOST_ENV or not first.name or first.default:
        return
    cache = cache_of(mount, ctx.document, ctx.project.knowledge)
    writable = mount.form in ("string", "object")
    if source.text.startswith(f"{first.text}${{") or cache is None or not writable:
        return
    whole = source.text == first.text
    yield ctx.finding(
        first.span,
        _message(first, mount, whole),
        fixes=partial(_fixes, mount, cache, ctx),
        severity=Severity.WARNING if whole and not _shared(first, ctx) else Severity.INFORMATION,
    )


def _without_slash(span: Span, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix("Remove the slash", Edit(span, ""), preferred=True)


def _blanked(entry: EnvEntry, ctx: Context) -> Iterator[Finding]:
    """Report a variable of the image that is nothing where the host does not have it."""
    found = variables(entry.value) if entry.value is not None else ()
    if entry.value is None or len(found) != 1 or found[0].text != entry.value.text:
        return
    variable = found[0]
    if variable.kind not in HOST_ENV or not variable.name or variable.default is not None:
        return
    own = _own(entry.name, container_of(ctx.document, ctx.project))
    if own is None:
        return
    yield ctx.finding(
        variable.span,
        f"Without {variable.name} on the host this blanks the image's own {entry.name}, {own}",
        fixes=partial(_with_default, variable, own, ctx),
        severity=Severity.WARNING,
    )


def _own(name: str, container: Container) -> str | None:
    """Return what the image or a feature sets a variable to."""
    settings = container.environment.settings(name)
    before = [item.text for item in settings if item.moment in ("image", "feature")]
    return (before[-1] or None) if before else None


def _with_default(variable: Variable, own: str, ctx: Context) -> Iterator[Fix]:
    if not re.search(r"[:}\"\\]", own):
        text = f"${{{variable.kind}:{variable.name}:{own}}}"
        yield ctx.fix(f"Make {own} the default", Edit(variable.span, text), preferred=True)


# -- services ------------------------------------------------------------------------------------


def _of_services(file: ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report it of a service, unless a ``.env`` or its example says that the project sets it."""
    for seen in sightings(file, ctx.project):
        mount, source = seen.mount, seen.mount.source
        name = _alone(source, seen.container, ctx)
        cache = cache_of(mount, seen.container.document, ctx.project.knowledge) if name else None
        if name and source is not None and cache is not None and mount.form == "volume":
            yield ctx.finding(
                span_in(source),
                f"Without {name} on the host the {cache.tool} cache has no source, which Compose refuses",
                fixes=partial(_named_volume, mount, cache, file, ctx),
            )
    told: set[int] = set()
    for document in ctx.project.composers(file.path):
        container = container_of(document, ctx.project)
        service = container.service
        for item in service.environment.values() if service is not None else ():
            name = _alone(item.value, container, ctx) if item.path == file.path else None
            own = _own(item.name, container)
            if name and own and item.value is not None and item.value.offset(0) not in told:
                told.add(item.value.offset(0))
                yield ctx.finding(
                    span_in(item.value),
                    f"Without {name} on the host this blanks the image's own {item.name}, {own}",
                    fixes=partial(_fallback, name, own, span_in(item.value), ctx),
                )


def _alone(text: Mapped | None, container: Container, ctx: Context) -> str | None:
    """Return the host's variable that is all of a text, when nothing shows that the project sets it."""
    found = host_variables(text) if text is not None else ()
    if text is None or len(found) != 1 or found[0][1] != span_in(text):
        return None
    name = found[0][0]
    return None if set_by_project(name, container.compose_folder, ctx.project.read) else name


def _fallback(name: str, own: str, span: Span, ctx: Context) -> Iterator[Fix]:
    if re.fullmatch(r"[\w./:@+-]+", own):
        text = f"${{{name}:-{own}}}"
        yield ctx.fix(f"Make {own} the default", Edit(span, text), preferred=True)


def _named_volume(
    mount: RuntimeMount, cache: RuntimeCache, file: ComposeFile, ctx: Context
) -> Iterator[Fix]:
    name, source = volume_name(cache.cache.id), mount.source
    declared = any(known == name for known, _, _ in file.section("volumes"))
    declaration = [] if declared else list(declare(file, name))
    if source is not None and (declared or declaration):
        edits = (Edit(span_in(source), name), *declaration)
        reason = "the container no longer takes the host's cache"
        yield ctx.fix(f"Use the volume {name}", *edits, safety=Safety.UNSAFE, reason=reason)


def _message(variable: Variable, mount: RuntimeMount, whole: bool) -> str:
    name = variable.name
    when = f"Without {name} on the host" + (", as on Windows," if name == "HOME" else "")
    if whole and mount.compose:
        return f"{when} this is a volume without a name, which is empty after every rebuild"
    if whole:
        return f"{when} the source is empty and the container does not start"
    rest = mount.source.text[len(variable.text) :] if mount.source is not None else ""
    return f"{when} the source is '{rest}'"


def _shared(variable: Variable, ctx: Context) -> bool:
    """Tell whether the container knows the same variable: host and container share on purpose."""
    return any(entry.name == variable.name for entry in ctx.document.container_env)


def _fixes(mount: RuntimeMount, cache: RuntimeCache, ctx: Context) -> Iterator[Fix]:
    recipe = volume(mount, ctx.document, ctx.project, _BIND_ONLY, cache, renamed=True)
    yield ctx.fix(
        f"Use a volume for the {cache.tool} cache{recipe.extras}",
        recipe.write,
        safety=Safety.UNSAFE,
        reason=recipe.reason or "the container no longer shares the host's cache",
    )
