"""`docker build` is given a mount.

`build.options` are options of `docker build`, which has neither `--mount` nor `-v`: the build fails
before it starts. A cache mount belongs on a `RUN` of the Dockerfile.

## Bad
```jsonc
{
  "build": {
    "dockerfile": "Dockerfile",
    "options": ["--mount=type=cache,target=/root/.cache/uv"]
  }
}
```
```dockerfile .devcontainer/Dockerfile
FROM python:3.13
RUN pip install uv
```

## Good
```jsonc
{
  "build": {
    "dockerfile": "Dockerfile"
  }
}
```
```dockerfile .devcontainer/Dockerfile
FROM python:3.13
RUN --mount=type=cache,target=/root/.cache/pip pip install uv
```

## Fix
The option is removed, when asked, so that the image can be built; which RUN should have the cache only you know.

## Source
`docker build` (`unknown flag: --mount`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.read import Devcontainer
from cachekey.edits.devcontainer import remove_arguments
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in
from cachekey.syntax.jsonc.tree import Node

_FLAG = re.compile(r"(--mount|--volume|-v|--tmpfs)(?:=|\Z)")


@rule("CK712", "build-options-mount", Severity.ERROR, Fixable.SOMETIMES)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report mounts among the options of the build."""
    for node in document.build_options:
        match = _FLAG.match(node.text.text) if node.text is not None else None
        if match is not None and node.text is not None:
            message = (
                f"The command docker build has no {match.group(1)}: a cache mount stands in the "
                "Dockerfile, behind RUN"
            )
            fixes = partial(_fixes, document, node, match.group(1), ctx)
            yield ctx.finding(span_in(node.text), message, fixes=fixes)


def _fixes(document: Devcontainer, node: Node, flag: str, ctx: Context) -> Iterator[Fix]:
    build = document.build
    owner = build.member("options") if build is not None else None
    if build is not None and owner is not None:
        edits = partial(remove_arguments, document, build, owner, [node.span])
        reason = "the build has no cache there, and starts"
        yield ctx.fix(f"Remove {flag}", edits, safety=Safety.UNSAFE, reason=reason)
