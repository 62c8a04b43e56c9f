"""The Dockerfile that should be built is not there.

The path is relative to the folder of devcontainer.json, not to the workspace.

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
Dev Containers CLI `src/spec-node/configContainer.ts`; containers.dev, *build.dockerfile*.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.paths import workspace_root
from cachekey.devcontainer.read import BuildTarget, Devcontainer
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import escape
from cachekey.text import Edit

_SCRIPT = re.compile(r"\.(?:sh|py|js|ps1|cmd|bat)\b|\./|\b(?:make|just|task|npm|node|python3?)\b")
_MANIFESTS = ("devcontainer-template.json", "definition-manifest.json")


@rule("CK710", "missing-dockerfile", Severity.ERROR, Fixable.SOMETIMES)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report a Dockerfile inside the workspace that nobody has."""
    target = document.build_target
    if target is None or target.path is None or _there(target.path, ctx):
        return
    if not ctx.project.sees_files:
        return
    if document.has_template_options or _is_template(document, ctx) or _is_made(target, document):
        return
    if ctx.document.source.text[target.span.end : target.span.end + 1] not in ("'", '"'):
        # The path is still being typed.
        return
    message = (
        f"There is no file {target.path}: the path {target.written} counts from the folder of this "
        "devcontainer.json"
    )
    yield ctx.finding(target.span, message, fixes=partial(_fixes, document, target, ctx))


def _is_made(target: BuildTarget, document: Devcontainer) -> bool:
    """Tell whether initializeCommand, which runs before the build, may make the file."""
    command = document.initialize
    if command is None:
        return False
    return posixpath.basename(target.written) in command.text or bool(_SCRIPT.search(command.text))


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
