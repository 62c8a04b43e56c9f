r"""Root and another user write one cache, so that one of them finds files it may not change.

Files keep the owner of the process that wrote them. What root leaves behind is 0644 or 0755 and
closed to others: the other user gets `permission denied`, or silently builds without the cache.

## Bad
```dockerfile
FROM debian:13
RUN useradd --create-home --uid 1000 app
ENV UV_CACHE_DIR=/cache/uv UV_LINK_MODE=copy
RUN --mount=type=cache,id=uv-cache,target=/cache/uv \
    uv sync
USER app
RUN --mount=type=cache,id=uv-cache,target=/cache/uv \
    uv sync
```

## Good
```dockerfile
FROM debian:13
RUN useradd --create-home --uid 1000 app
ENV UV_CACHE_DIR=/cache/uv UV_LINK_MODE=copy
RUN --mount=type=cache,id=uv-cache,target=/cache/uv,uid=1000,gid=1000 \
    uv sync \
    && chmod -R 0777 /cache/uv
USER app
RUN --mount=type=cache,id=uv-cache,target=/cache/uv,uid=1000,gid=1000 \
    uv sync
```

## Fix
Root's RUN opens what it leaves in the cache by `chmod -R`, and a new cache belongs to the other
user, so that either of them may come first. Or each user gets a cache of its own.

Silent when a user is not known, when a RUN that shares the cache changes owner or mode, when a
`mode` is written, and when one of the two mounts is read-only.

## Source
Experiments with BuildKit in `tests/buildkit` (files keep their owner, `uid` is not applied again).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import User
from cachekey.dockerfile.coverage import surely_idle
from cachekey.dockerfile.place import Place, same_cache
from cachekey.dockerfile.purpose import is_remembered, opens_up, writer
from cachekey.dockerfile.records import Run
from cachekey.edits.caches import (
    in_file,
    merge_edits,
    name_for,
    owner_of,
    reach_of,
    shared_ownership,
)
from cachekey.edits.everywhere import lines_text, places_of
from cachekey.edits.mount import set_option, set_options
from cachekey.finding import FileEdit, Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK202", "mixed-users", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report each cache that this RUN's user shares with a RUN of root in the same file."""
    if run.onbuild:
        return
    for mount in run.caches:
        user = writer(run, mount)
        if user is None or user.is_root is not False or is_remembered(run.scope, user):
            continue
        if mount.readonly or mount.is_open or not run.visible_mount(mount):
            continue
        if surely_idle(run, mount):
            # Nothing of this RUN writes there, which is the matter of CK301.
            continue
        sharing = same_cache(ctx.document, mount)
        writers = [place for place in sharing if not place.mount.readonly]
        roots = [place for place in writers if _is_root(place)]
        if not roots or any(_open(place) for place in writers):
            continue
        assert mount.key is not None
        yield ctx.finding(
            mount.target_span,
            f"Root writes the cache {mount.key.label} too (line {roots[0].line + 1}): "
            f"{user.label} may not change what root leaves there",
            related=[ctx.related(place.mount.span, "Root writes here") for place in roots],
            fixes=partial(_fixes, mount, user, writers, ctx),
            cause=(mount.key.identity, user.name, user.uid),
        )


def _is_root(place: Place) -> bool:
    user = writer(place.run, place.mount)
    return user is not None and user.is_root is True and not is_remembered(place.run.scope, user)


def _open(place: Place) -> bool:
    return writer(place.run, place.mount) is None or opens_up(place.run, place.mount.directory)


def _fixes(mount: Mount, user: User, writers: list[Place], ctx: Context) -> Iterator[Fix]:
    reach = reach_of(mount)
    shared = shared_ownership(list(places_of(ctx.project, reach)))
    if shared is not None:
        new = (
            f", and a new cache belongs to {user.name or user.uid}" if user.uid is not None else ""
        )
        title = f"Share it: root ends with {shared[1]}{new} ({{places}})"
        edits = partial(merge_edits, shared[0])
        yield ctx.fix(title, edits, preferred=True, reach=reach)
    if user.uid is not None and mount.key is not None:
        name = ctx.project.free(name_for(mount.key.label, user.name or user.uid))
        own = [place for place in writers if place.run.scope.user.uid == user.uid]
        lines = lines_text(place.line + 1 for place in own)
        yield ctx.fix(
            f"Give {user.name or user.uid} a cache of its own: id={name} on {lines}",
            partial(_apart, user, name, own),
            safety=Safety.UNSAFE,
            preferred=shared is None,
            reason="each of them downloads everything itself",
            apart=True,
        )


def _apart(user: User, name: str, writers: list[Place]) -> tuple[FileEdit, ...]:
    edits: list[FileEdit] = []
    for place in writers:
        edits += in_file(place.path, [set_option(place.mount, "id", name)])
        edits += in_file(place.path, set_options(place.mount, **owner_of(user, place.run.scope)))
    return merge_edits(edits)
