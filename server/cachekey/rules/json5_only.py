"""This is JSON5, the Dev Containers tools read JSON with comments.

They skip what they do not know, without a message: a property with a single-quoted value or an
unquoted name is not there, `0x1F` is 0.

## Bad
```jsonc
{
  "image": 'ubuntu:24.04'
}
```

## Good
```jsonc
{
  "image": "ubuntu:24.04"
}
```

## Fix
The same value in JSON.

## Source
Dev Containers CLI (jsonc-parser, errors ignored); json5.org.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.read import Devcontainer
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.json5 import Json5Part, json5_parts
from cachekey.text import Edit


@rule("CK711", "json5-only", Severity.WARNING, Fixable.ALWAYS)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Report each place that only JSON5 reads."""
    for part in json5_parts(document.tree):
        yield ctx.finding(part.span, part.message, fixes=partial(_fixes, part, ctx))


def _fixes(part: Json5Part, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix(f"Write {part.json}", Edit(part.span, part.json), preferred=True)
