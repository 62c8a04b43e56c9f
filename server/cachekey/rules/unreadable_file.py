"""The builder, or the Dev Containers tools, cannot read the file from here on.

What stands in front of this place and behind it is checked all the same, as far as it can be told
apart. Where a file asks for more work than any file that people write, an information says how far
it was read.

## Bad
```dockerfile
FROM python:3.13
RUN <<EOF
pip --version
```

## Good
```dockerfile
FROM python:3.13
RUN <<EOF
pip --version
EOF
```

## Source
BuildKit `frontend/dockerfile/parser`; the `dockerfile` package runs it in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachekey.devcontainer.read import Devcontainer
from cachekey.dockerfile.records import Dockerfile
from cachekey.finding import Finding, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK002", "unreadable-file", Severity.ERROR, Fixable.NEVER)
def check(document: Dockerfile | Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report what the parsers of the builder and of the Dev Containers tools refuse."""
    if isinstance(document, Dockerfile):
        for problem in document.tree.problems:
            yield ctx.finding(problem.span, f"BuildKit cannot read this: {problem.message}")
    elif document.problem is not None:
        yield ctx.finding(document.problem.span, document.problem.message)
