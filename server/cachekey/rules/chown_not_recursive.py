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

from collections.abc import Iterator
from functools import partial

from cachekey.commands.effects import effects_of
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit, Span


@rule("CK722", "chown-not-recursive", Severity.HINT, Fixable.ALWAYS)
def check(document: Devcontainer, ctx: Context) -> Iterator[Finding]:
    """Hint at a chown of a volume's mount point without its contents."""
    container = container_of(document, ctx.project)
    places = {
        container.place(m): m.place for m in container.mounts if m.place and m.type == "volume"
    }
    for ran in container.story.items:
        item = ran.item
        quoted = document.source.text[item.head.end : item.head.end + 1] in ('"', "'")
        # The words of an array stand apart from each other; the string form is what people write.
        if item.program != "chown" or not ran.written_here or quoted:
            continue
        shallow = [one.path for one in effects_of(item) or () if not one.deep]
        place = next((places[path] for path in shallow if path in places), None)
        if place is not None:
            message = f"Without -R the contents of {place} keep their old owner"
            yield ctx.finding(item.head, message, fixes=partial(_fixes, item.head.end, ctx))


def _fixes(behind: int, ctx: Context) -> Iterator[Fix]:
    yield ctx.fix(
        "Add -R",
        Edit(Span(behind, behind), " -R"),
        safety=Safety.UNSAFE,
        preferred=True,
        reason="it takes a while on a large volume",
    )
