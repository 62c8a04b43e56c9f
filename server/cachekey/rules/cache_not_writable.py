"""A RUN of another user writes a cache that belongs to root.

A new cache belongs to 0:0 with mode 0755 unless the mount says otherwise; `USER` does not matter.
The tool then fails, or goes on without its cache and says so in a line that nobody reads.

## Bad
```dockerfile
FROM debian:13
RUN useradd --create-home --uid 1000 app
USER app
RUN --mount=type=cache,target=/home/app/.npm npm ci
```

## Good
```dockerfile
FROM debian:13
RUN useradd --create-home --uid 1000 app
USER app
RUN --mount=type=cache,target=/home/app/.npm,uid=1000,gid=1000 npm ci
```

## Fix
`uid=` and `gid=` with the numbers that the file itself or the base image's documentation tells.
They count for a new cache only and join its key, so that a new cache begins. A `mode=` is never
offered: the daemon's umask cuts it, and in many installations nothing of `0777` is left for
others.

Silent when the user or its number is not known, when the RUN calls sudo or the like, when a
`mode` is written that lets others write, and when a RUN that shares the cache changes its owner or mode.

## Source
BuildKit `dockerfile2llb/convert_runmount.go` (`setCacheUIDGID`); proven in `tests/buildkit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import User
from cachekey.dockerfile.coverage import surely_idle
from cachekey.dockerfile.idle import is_closed, supposed_elsewhere
from cachekey.dockerfile.place import Place, same_cache
from cachekey.dockerfile.purpose import is_remembered, opens_up, writer
from cachekey.dockerfile.records import Run
from cachekey.edits.caches import in_file, name_for, owner_of, reach_of
from cachekey.edits.everywhere import everywhere, reached
from cachekey.edits.mount import set_options
from cachekey.finding import FileEdit, Finding, Fix, Reach, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.tools.uses import relation_to


@rule("CK201", "cache-not-writable", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report each cache of this RUN that its user may not write to."""
    if run.onbuild:
        return
    for mount in run.caches:
        user = writer(run, mount)
        if user is None or user.is_root is not False or is_remembered(run.scope, user):
            continue
        if user.uid is None and (user.account is None or user.account.span is None):
            continue
        owner = _owner(Place(ctx.document, run, mount))
        if owner is None or owner == user.uid or mount.readonly or not run.visible_mount(mount):
            continue
        if owner and user.uid is None:
            # Somebody has looked up the number that this file does not tell.
            continue
        elsewhere = (one for one, _, _ in supposed_elsewhere(run))
        if surely_idle(run, mount) or mount in elsewhere:
            # Nothing of this RUN writes there; CK301 moves the mount and its owner.
            continue
        sharing = same_cache(ctx.document, mount)
        if any(_relaxes(place) for place in sharing):
            continue
        yield ctx.finding(
            mount.target_span,
            f"A new cache belongs to {_name(owner)}, and this RUN runs as {user.label}: "
            f"{_consequence(run, mount)}",
            related=[ctx.related(user.span, f"USER {user.text}")] if user.span else [],
            fixes=partial(_fixes, run, mount, user, sharing, ctx),
            cause=(mount.key.identity, user.name, user.uid) if mount.key is not None else None,
        )


def _owner(place: Place) -> int | None:
    """Return the owner of a new volume; None when it is open or when ``mode`` lets others in.

    A copy of a whole stage belongs to root as every `/` does, unless a RUN of the stage opens that.
    """
    mount = place.mount
    if mount.is_open or mount.source != "/":
        return None
    if mount.origin:
        stage = place.begins_as
        runs = [run for part in stage.chain for run in part.runs] if stage else []
        if stage is None or any(run.effects.may_open("/") for run in runs):
            return None
    return mount.uid


def _name(owner: int) -> str:
    return "root" if owner == 0 else f"user {owner}"


def _relaxes(place: Place) -> bool:
    user = writer(place.run, place.mount)
    if user is None or opens_up(place.run, place.mount.directory):
        return True
    # Root beside another user is the matter of CK202.
    return user.is_root is not False


def _consequence(run: Run, mount: Mount) -> str:
    for use in run.uses:
        if mount.directory and relation_to(mount.directory, use) in ("exact", "parent", "part"):
            return f"{use.tool.name} {use.tool.unwritable or 'may not write to it'}"
    return "it may not write to it"


def _fixes(
    run: Run, mount: Mount, user: User, sharing: Sequence[Place], ctx: Context
) -> Iterator[Fix]:
    if is_closed(run, mount.directory or "/"):
        # Whoever owns it: nobody but root gets there.
        return
    owner = owner_of(user, run.scope)
    if owner:
        text = ",".join(f"{name}={value}" for name, value in owner.items())
        who = user.name or user.uid
        reach = reach_of(mount)
        others = {other.writer for other in reached(ctx.project.index, reach)} - {None}
        if others <= {user.uid, user.name}:
            title = f"Let a new cache belong to {who}: add {text} to {{places}}"
            edits = partial(_own, user, reach, ctx)
            yield ctx.fix(title, edits, preferred=True, reach=reach)
        elif mount.key is not None:
            name = ctx.project.free(name_for(mount.key.label, who))
            yield ctx.fix(
                f"Give {who} a cache of its own: id={name},{text}",
                partial(_apart, user, name, sharing),
                safety=Safety.UNSAFE,
                preferred=True,
                reason="another file goes on with the old cache",
                apart=True,
            )
    else:
        yield ctx.fix(
            f"Add uid=, and write the number of {user.name} there",
            partial(set_options, mount, uid="UID"),
            safety=Safety.MANUAL,
            reason=f"the number of {user.name} is not in this file",
        )


def _own(user: User, reach: Reach, ctx: Context) -> Iterator[FileEdit]:
    """Yield the edits that give the cache to ``user`` on each of its mounts."""
    return everywhere(
        ctx.project,
        reach,
        lambda place: set_options(place.mount, **owner_of(user, place.run.scope)),
    )


def _apart(user: User, name: str, sharing: Sequence[Place]) -> Iterator[FileEdit]:
    """Yield the edits that give the cache of this file a name and an owner of its own."""
    for place in sharing:
        options = {"id": name, **owner_of(user, place.run.scope)}
        yield from in_file(place.path, set_options(place.mount, **options))
