"""Only the top of a volume changes its owner.

A volume that is not empty keeps the owner of what is in it. After a rebuild with another user id
the mount point is yours and its contents are not.

## Bad
```jsonc
{
  "image": "debian:12",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "postCreateCommand": "sudo chown vscode /cache/uv"
}
```

## Good
```jsonc
{
  "image": "debian:12",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "postCreateCommand": "sudo chown -R vscode /cache/uv"
}
```

## Fix
`-R`, which takes a while on a large volume.

## Source
Docker's documentation on volumes; Liquipedia/Lua-Modules#8058.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.read import Devcontainer
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Edit, Mapped, Span

_CHOWN = re.compile(r"\bchown\b([^;&|\n]*)")
_RECURSIVE = re.compile(r"\s(?:-\w*R\w*|--recursive)\b")


@rule("CK722", "chown-not-recursive", Severity.HINT, Fixable.ALWAYS)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Hint at a chown of a volume's mount point without its contents."""
    places = {m.place for m in document.effective_mounts if m.place and m.type == "volume"}
    for command in document.lifecycle:
        # The words of an array stand apart from each other; the string form is what people write.
        for script in command.scripts if command.form != "array" else ():
            for span, place in _shallow(script, places):
                message = f"chown without -R leaves the contents of {place} with their old owner"
                yield ctx.finding(span, message, fixes=partial(_fixes, span.end, ctx))


def _shallow(script: Mapped, places: set[str]) -> Iterator[tuple[Span, str]]:
    """Yield each chown, as its command word, that names a place and not what is below it."""
    for match in _CHOWN.finditer(script.text):
        words = [word.strip("\"'").rstrip("/") for word in match.group(1).split()]
        place = next((word for word in words if word in places), None)
        if place is not None and not _RECURSIVE.search(match.group(1)):
            yield span_in(script, match.start(), match.start() + len("chown")), place


def _fixes(behind: int, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix(
        "Add -R",
        Edit(Span(behind, behind), " -R"),
        safety=Safety.UNSAFE,
        preferred=True,
        reason="It takes a while on a large volume.",
    )
