"""The Dockerfile that should be built is not there.

The path is relative to the folder of devcontainer.json, not to the workspace. Told as well of what the
service of a compose file builds in which a dev container runs.

## Bad
```jsonc
{
  "build": { "dockerfile": ".devcontainer/Dockerfile" }
}
```
```dockerfile .devcontainer/Dockerfile
FROM ubuntu:24.04
```

## Good
```jsonc
{
  "build": { "dockerfile": "Dockerfile" }
}
```
```dockerfile .devcontainer/Dockerfile
FROM ubuntu:24.04
```

## Fix
The path of a Dockerfile of that name in the workspace's root or where the path would lead from
there.

## Source
Dev Containers CLI `src/spec-node/configContainer.ts`, `dockerCompose.ts`; containers.dev, *build.dockerfile*.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.paths import covers, workspace_root
from cachekey.devcontainer.read import BuildTarget, Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import escape
from cachekey.text import Edit, Span

_SCRIPT = re.compile(r"\.(?:sh|py|js|ps1|cmd|bat)\b|\./|\b(?:make|just|task|npm|node|python3?)\b")
_MANIFESTS = ("devcontainer-template.json", "definition-manifest.json")


@rule("CK710", "missing-dockerfile", Severity.ERROR, Fixable.SOMETIMES)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report a Dockerfile inside the workspace that nobody has."""
    if isinstance(document, ComposeFile):
        yield from _of_services(document, ctx)
        return
    target = document.build_target
    if target is None or target.path is None or _there(target.path, ctx):
        return
    if not ctx.project.sees_files:
        return
    if document.has_template_options or _is_template(document, ctx):
        return
    if _is_made(target.written, document) or _in_submodule(target.path, ctx):
        return
    if ctx.document.source.text[target.span.end : target.span.end + 1] not in ("'", '"'):
        # The path is still being typed.
        return
    message = (
        f"There is no file {target.path}: the path {target.written} counts from the folder of this "
        "devcontainer.json"
    )
    yield ctx.finding(target.span, message, fixes=partial(_fixes, document, target, ctx))


def _of_services(file: ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report what the service of a dev container builds: its image is made before the container."""
    told: set[int] = set()
    for user in ctx.project.composers(file.path) if ctx.project.sees_files else ():
        container = container_of(user, ctx.project)
        service, composition = container.service, container.composition
        if composition is None or composition.unread or service is None or service.unread:
            continue
        said = service.setting("build")
        known = said is not None and (said.node.kind == "mapping" or bool(said.text))
        build = service.build if known else None
        if build is None or build.path != file.path or build.dockerfile is None:
            continue
        if build.span.start in told or _there_in_any_case(build.dockerfile, ctx):
            continue
        if _is_template(user, ctx) or _is_made(build.dockerfile, user):
            continue
        if _in_submodule(build.dockerfile, ctx):
            continue
        told.add(build.span.start)
        end = min(build.span.end, file.source.line_span(file.source.line_of(build.span.start)).end)
        message = (
            f"There is no file {build.dockerfile}, from which the service {service.name} is built"
        )
        yield ctx.finding(Span(build.span.start, end), message)


def _there_in_any_case(path: str, ctx: Context) -> bool:
    """Tell it of a file that the builder also finds by its name in lower case."""
    folder, name = posixpath.split(path)
    return _there(path, ctx) or _there(posixpath.join(folder, name.lower()), ctx)


def _in_submodule(path: str, ctx: Context) -> bool:
    """Tell whether a path lies in another repository, which may not be checked out here."""
    lines = (ctx.project.read(".gitmodules") or "").splitlines()
    said = (line.partition("=") for line in lines)
    return any(
        key.strip() == "path" and covers(f"/{folder.strip()}", f"/{path}")
        for key, _, folder in said
    )


def _is_made(path: str, document: Devcontainer) -> bool:
    """Tell whether initializeCommand, which runs before the build, may make the file."""
    command = document.initialize
    if command is None:
        return False
    return posixpath.basename(path) in command.text or bool(_SCRIPT.search(command.text))


def _is_template(document: Devcontainer, ctx: Context) -> bool:
    """Tell whether the file is copied elsewhere before it is used."""
    root = workspace_root(document.path)
    return any(ctx.project.read(posixpath.join(root, name)) is not None for name in _MANIFESTS)


def _there(path: str, ctx: Context) -> bool:
    return path in ctx.project.index or ctx.project.read(path) is not None


def _fixes(document: Devcontainer, target: BuildTarget, ctx: Context) -> Iterator[Fix]:
    root, folder = workspace_root(document.path), posixpath.dirname(document.path)
    name = posixpath.basename(target.written)
    for place in (posixpath.join(root, target.written), posixpath.join(root, name)):
        path = posixpath.normpath(place)
        if path != target.path and not path.startswith("..") and _there(path, ctx):
            written = posixpath.relpath(path, folder or ".")
            edit = Edit(target.span, escape(written))
            yield ctx.fix(f"Write {written}", edit, preferred=True)
            return
