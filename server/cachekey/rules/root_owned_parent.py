"""The builder makes the folder around a mount for root, and older builders leave it so in the image.

Where the folders that lead to a mount are missing, the builder makes them: for root, whatever `uid`
the mount has. The mount goes with its RUN; older builders (Docker 20) and Buildah leave the folders in the
image. There the user may not write at run time.

## Bad
```dockerfile
FROM python:3.13
RUN useradd --create-home --uid 1000 app
USER app
RUN --mount=type=cache,target=/home/app/.cache/pip,uid=1000,gid=1000 pip install --user httpx
```

## Good
```dockerfile
FROM python:3.13
RUN useradd --create-home --uid 1000 app
USER app
RUN mkdir -p /home/app/.cache
RUN --mount=type=cache,target=/home/app/.cache/pip,uid=1000,gid=1000 pip install --user httpx
```

## Fix
Make the folder first, as the user. That adds a step, and is therefore not applied unasked.

Silent in stages that only others read from, for other places than the user's own home, and where an
earlier step may have made the folder.

## Source
BuildKit `executor/oci` (mount points are made by runc, as root); the issue "cache mount creates
parent directories owned by root" in its tracker.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import User
from cachekey.commands.effect import inside
from cachekey.dockerfile.purpose import is_remembered
from cachekey.dockerfile.records import Dockerfile, Run, Stage
from cachekey.edits.mount import insert_line_before
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK204", "root-owned-parent", Severity.HINT, Fixable.ALWAYS)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report each folder of the last image's user that only the builder makes."""
    told: set[str] = set()
    last = dockerfile.stages[-1] if dockerfile.stages else None
    for stage in reversed(last.chain) if last is not None else ():
        for run in stage.runs:
            user = run.scope.user
            if run.onbuild or user.is_root is not False or is_remembered(run.scope, user):
                continue
            for mount in run.caches:
                folder = _made(stage, run, mount, user)
                if folder is not None and folder not in told:
                    told.add(folder)
                    yield ctx.finding(
                        mount.target_span,
                        f"Older builders make {folder} for root and leave it so in the image: "
                        f"{user.label} may not write there",
                        fixes=partial(_fixes, _first_below(stage, run, folder), folder, ctx),
                    )


def _made(stage: Stage, run: Run, mount: Mount, user: User) -> str | None:
    """Return the topmost missing folder between the user's home and the mount."""
    home = user.home.rstrip("/") if user.home else ""
    if not home or mount.directory is None or not mount.directory.startswith(f"{home}/"):
        return None
    names = mount.directory[len(home) + 1 :].split("/")
    if len(names) < 2 or not _is_fresh(run, user):
        return None
    folder = posixpath.join(home, names[0])
    return None if _may_be_there(stage, run, folder) else folder


def _is_fresh(run: Run, user: User) -> bool:
    """Tell whether the home is one that the file itself has made, or that of a known image.

    A home below /home is its user's; those of the system's accounts (/nonexistent, /usr/sbin) are not.
    """
    facts = run.scope.base.facts
    ships = facts.ships if facts is not None else ()
    shipped = {account.name for account in facts.users} if facts is not None else set()
    # Who is only changed here (`usermod`) has the image's home.
    made_here = (
        user.account is not None and user.account.span is not None and user.name not in shipped
    )
    return made_here or (
        facts is not None
        and inside(user.home or "/", "/home")
        and not any(inside(x.path, user.home or "/") for x in ships)
    )


def _may_be_there(stage: Stage, run: Run, folder: str) -> bool:
    for part in reversed(stage.chain):
        for step in part.steps:
            if step.run is run:
                return False
            if step.run is not None and step.run.effects.may_make(folder):
                return True
            target = step.copied.target if step.copied is not None else "/"
            if step.copied is not None and (target is None or inside(target, folder)):
                return True
            if step.instruction.keyword == "WORKDIR" and step.instruction.args.text.startswith(
                folder
            ):
                return True
            if step.run is not None and any(
                mount.directory and inside(mount.directory, folder) for mount in step.run.mounts
            ):
                # The first mount below it has made it: that is where this is told.
                return step.run.scope.user.is_root is not False
    return True


def _first_below(stage: Stage, run: Run, folder: str) -> Run:
    """Return the first RUN with a mount on or below a folder: its mount has made it, and mkdir goes before."""
    runs = (step.run for part in reversed(stage.chain) for step in part.steps)
    return next(
        (
            one
            for one in runs
            if one is not None
            and one.scope.user.uid == run.scope.user.uid
            and any(mount.directory and inside(mount.directory, folder) for mount in one.mounts)
        ),
        run,
    )


def _fixes(run: Run, folder: str, ctx: Context) -> Iterator[Fix]:
    line = f"RUN mkdir -p {folder}"
    yield ctx.fix(
        f"Make the folder first: {line}",
        lambda: [insert_line_before(ctx.document, run.span.start, line)],
        safety=Safety.UNSAFE,
        preferred=True,
        reason="it adds a step to the image",
    )
