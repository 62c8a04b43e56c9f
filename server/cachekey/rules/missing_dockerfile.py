"""The Dockerfile that should be built is not there.

The path is relative to the folder of devcontainer.json, not to the workspace. In a compose file it
counts from the build context, and that from the folder of the first compose file.

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
there; for a service, of the one beside its compose file.

Silent where `initializeCommand`, or a script that it calls, may make the file.

## Source
Dev Containers CLI `src/spec-node/configContainer.ts`; containers.dev, *build.dockerfile*.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.compose import Build, ComposeFile
from cachekey.devcontainer.hostmade import file_may_be_made
from cachekey.devcontainer.paths import covers, workspace_root
from cachekey.devcontainer.read import BuildTarget, Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import escape, span_in
from cachekey.text import Edit, Span

_MANIFESTS = ("devcontainer-template.json", "definition-manifest.json")


@rule("CK710", "missing-dockerfile", Severity.ERROR, Fixable.SOMETIMES)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report a Dockerfile inside the workspace that nobody has."""
    if not ctx.project.sees_files:
        return
    if isinstance(document, ComposeFile):
        yield from _of_services(document, ctx)
        return
    target = document.build_target
    if target is None or target.path is None or _there(target.path, ctx):
        return
    if _in_submodule(target.path, ctx):
        return
    if document.has_template_options or _is_template(document, ctx):
        return
    if ctx.document.source.text[target.span.end : target.span.end + 1] not in ("'", '"'):
        # The path is still being typed.
        return
    if file_may_be_made(target.path, container_of(document, ctx.project)):
        return
    message = (
        f"There is no file {target.path}: the path {target.written} counts from the folder of this "
        "devcontainer.json"
    )
    yield ctx.finding(target.span, message, fixes=partial(_fixes, document, target, ctx))


def _of_services(file: ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report it of the services that are dev containers; one that has an image may do without."""
    for document in ctx.project.composers(file.path):
        container = container_of(document, ctx.project)
        service = container.service
        build = service.build if service is not None else None
        if service is None or build is None or build.dockerfile is None or build.said is None:
            continue
        if service.unread or service.setting("image") is not None or build.said[0] != file.path:
            continue
        folder, name = posixpath.split(build.dockerfile)
        # The builder also finds it by its name in lower case.
        names = (build.dockerfile, posixpath.join(folder, name.lower()))
        if _is_template(document, ctx) or any(_there(one, ctx) for one in names):
            continue
        if _in_submodule(build.dockerfile, ctx):
            continue
        if file_may_be_made(build.dockerfile, container):
            continue
        span = span_in(build.said[1])
        if not build.names_dockerfile and not file.source.text[span.end :].strip():
            # The line that names it may be the next to be typed.
            continue
        message = f"There is no file {build.dockerfile}: {_counts_from(build)}"
        yield ctx.finding(span, message, fixes=partial(_named, build, file, span, ctx))
        return


def _counts_from(build: Build) -> str:
    folder = build.context or "the workspace"
    return f"the Dockerfile's path counts from the build context, which is {folder} here"


def _named(build: Build, file: ComposeFile, span: Span, ctx: Context) -> Iterator[Fix]:
    """Name the one that lies beside the compose file, from the context that counts."""
    beside = posixpath.join(
        posixpath.dirname(file.path), posixpath.basename(build.dockerfile or "")
    )
    inside = covers(build.context, beside) if build.context else True
    if build.names_dockerfile and inside and build.dockerfile != beside and _there(beside, ctx):
        written = posixpath.relpath(beside, build.context or ".")
        if re.fullmatch(r"[\w./-]+", written):
            yield ctx.fix(f"Write {written}", Edit(span, written), preferred=True)


def _is_template(document: Devcontainer, ctx: Context) -> bool:
    """Tell whether the file is copied elsewhere before it is used."""
    root = workspace_root(document.path)
    # Some keep what is copied in a folder beside the manifest.
    folders = (root, posixpath.dirname(root))
    places = (posixpath.join(folder, name) for folder in folders for name in _MANIFESTS)
    return any(ctx.project.read(place) is not None for place in places)


def _in_submodule(path: str, ctx: Context) -> bool:
    """Tell whether a path lies in another repository, which may not be checked out here."""
    lines = (ctx.project.read(".gitmodules") or "").splitlines()
    said = (line.partition("=") for line in lines)
    return any(
        key.strip() == "path" and covers(f"/{folder.strip()}", f"/{path}")
        for key, _, folder in said
    )


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
