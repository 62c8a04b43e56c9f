"""A fresh volume belongs to root, the user of the container is another one.

Docker gives an empty volume the owner of the directory that the image has there. Where the image
has none, the volume is root's, and the tool that should cache in it is denied. A volume is
reported only when nothing in the file or its Dockerfile makes or owns the directory.

## Bad
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
  "remoteUser": "vscode",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"]
}
```

## Good
```jsonc
{
  "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
  "remoteUser": "vscode",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv" },
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "postCreateCommand": "sudo chown -R $(id -u):$(id -g) /cache/uv"
}
```

## Fix
The directory made and owned in the Dockerfile that the container builds; without one, a `chown` in
front of the first command that runs in the container, in the form that this command has. It needs
sudo, which a feature brings where the image has none.

A volume in root's home helps nobody else, whoever owns it: other users may not enter `/root`. It is
moved to the home of the user.

A command that needs the directory in front of the one that gives it away fails, and ends both.

Silent for root, where the image has the directory for that user, where a command or a script it
calls gives it away, and where a script, feature, entry point or image that cannot be read may do so.

## Source
Docker's documentation on volumes (*Populate a volume using a container*);
microsoft/vscode-remote-release#6669 and #9931.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.judge import misplaced
from cachekey.devcontainer.ownership import ROOT_HOME, Unwritable, reachable, unwritable
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import Sighting, sightings
from cachekey.edits.caches import placed
from cachekey.edits.recipe import own
from cachekey.finding import FileEdit, Finding, Fix, Related, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Edit


@rule("CK702", "unwritable-volume", Severity.WARNING, Fixable.ALWAYS)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report volumes that only root can write to, for a user who is not root."""
    for seen in sightings(document, ctx.project):
        judged = unwritable(seen.mount, seen.container)
        if judged is None or seen.mount.place is None:
            continue
        # A tool that is seen to keep its cache elsewhere is told of with that place (CK706).
        if not (judged.closed and misplaced(seen.mount, seen.container)):
            yield _finding(seen, seen.mount.place, judged, ctx)


def _finding(seen: Sighting, place: str, judged: Unwritable, ctx: Context) -> Finding:
    unless = "" if judged.certain else ", unless the image has that directory"
    who = f"user {judged.user}" if judged.user.isdigit() else judged.user
    soft = not judged.certain or not seen.own
    message = f"A new volume on {place} belongs to root{unless}: {who} cannot write to it"
    if judged.needed:
        message = f"{judged.needed} needs {place} before it is given to {judged.user}: a new volume belongs to root"
    if judged.another:
        message = f"A new volume on {place} belongs to another user, as in the image: {who} cannot write to it"
    if judged.closed:
        message = f"The volume on {place} is out of reach: {who} may not enter root's home"
    return ctx.finding(
        seen.span,
        message,
        severity=Severity.INFORMATION if soft else None,
        fixes=partial(_fixes, seen, place, judged.user, ctx),
        related=list(_related(seen, judged.user, ctx)),
    )


def _related(seen: Sighting, user: str, ctx: Context) -> Iterator[Related]:
    if not seen.own:
        yield ctx.related(seen.mount.span, "The service's mount", seen.mount.path)
    place = seen.container.user.place if seen.container.user is not None else None
    if place is not None:
        yield ctx.related(place.span, f"The container is used as {user}", place.path)


def _fixes(seen: Sighting, place: str, user: str, ctx: Context) -> Iterator[Fix]:
    container, target = seen.container, seen.mount.target
    moved = reachable(place, container)
    if moved != place and target is not None:
        # Root's home is closed to others: what is in it helps nobody, whoever owns it.
        recipe, where = own(container, moved, not seen.mount.nocopy)
        head = span_in(target, 0, len(ROOT_HOME))
        retarget = FileEdit(
            seen.mount.path or container.document.path, Edit(head, str(container.home))
        )
        yield ctx.fix(
            f"Mount it at {moved}, and give that to {user} {where}",
            lambda: (retarget, *placed(container.document.path, recipe.write)),
            safety=recipe.safety,
            preferred=True,
            reason=recipe.reason,
        )
        return
    recipe, where = own(container, place, not seen.mount.nocopy)
    yield ctx.fix(
        f"Give {place} to {user} {where}",
        partial(placed, container.document.path, recipe.write),
        safety=recipe.safety,
        preferred=True,
        reason=recipe.reason,
    )
