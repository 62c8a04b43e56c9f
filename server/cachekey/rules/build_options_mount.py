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

## Source
`docker build` (`unknown flag: --mount`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachekey.devcontainer.read import Devcontainer
from cachekey.finding import Finding, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in

_FLAG = re.compile(r"(--mount|--volume|-v|--tmpfs)(?:=|\Z)")


@rule("CK712", "build-options-mount", Severity.ERROR, Fixable.NEVER)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report mounts among the options of the build."""
    for node in document.build_options:
        match = _FLAG.match(node.text.text) if node.text is not None else None
        if match is not None and node.text is not None:
            message = (
                f"The command docker build has no {match.group(1)}: a cache mount stands in the "
                "Dockerfile, behind RUN"
            )
            yield ctx.finding(span_in(node.text), message)
