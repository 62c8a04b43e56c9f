r"""One tool's cache is kept under two keys, so that it is filled twice.

Without `id` the key of a cache mount is its target. Another home, another path, or an `id` here and
none there is another volume: the second RUN starts with an empty cache.

## Bad
```dockerfile
FROM debian:13 AS build
RUN --mount=type=cache,target=/root/.cache/uv \
    UV_CACHE_DIR=/root/.cache/uv UV_LINK_MODE=copy uv sync
FROM build AS dev
RUN --mount=type=cache,target=/home/vscode/.cache/uv \
    UV_CACHE_DIR=/home/vscode/.cache/uv UV_LINK_MODE=copy uv sync
```

## Good
```dockerfile
FROM debian:13 AS build
RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv \
    UV_CACHE_DIR=/root/.cache/uv UV_LINK_MODE=copy uv sync
FROM build AS dev
RUN --mount=type=cache,id=uv-cache,target=/home/vscode/.cache/uv \
    UV_CACHE_DIR=/home/vscode/.cache/uv UV_LINK_MODE=copy uv sync
```

## Fix
Give all of them one `id`; where root and another user write, the same edit makes that possible.
Or keep the cache in one directory for all: the tool's variable, one target and one `id`. The
latter puts a variable into the image and is therefore not applied unasked. Where two caches are
meant, two explicit ids say so.

A mount of a parent here (`/go/pkg`) and one of the directory itself there (`/go/pkg/mod`) are two caches
as well.

Silent when both mounts have an explicit `id`, when the contents are build output of one project,
when one RUN mounts both directories (`/var/cache/dnf` and `/var/cache/yum`), and when a variable that only the build knows decides a key.

## Source
BuildKit `dockerfile2llb/convert_runmount.go`: the id is the target unless it is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from cachekey.commands.effect import inside
from cachekey.dockerfile.place import Place
from cachekey.dockerfile.purpose import Purpose, purpose_of, users_differ
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits.caches import merge_edits, one_for_each, share, shared_ownership
from cachekey.edits.directory import directory_for, one_directory
from cachekey.edits.everywhere import everywhere, lines_text, places_of, reaches_back
from cachekey.edits.mount import add_mount, is_plain, set_option
from cachekey.finding import TOO, FileEdit, Finding, Fix, Reach, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.workspace.split import by_chance, downloads_by_tool, has_both, lies_in, overlaps
from cachekey.workspace.summary import CacheMount, CacheUse, Summary


def _across(summary: Summary, ctx: Context) -> Iterator[Finding]:
    """Report that another file of the workspace keeps the same tool's cache under another key.

    Of two such files the one that comes later by name is told, and none that shares with any file. One
    that is alone where others share is told whatever its name.
    """
    for mounts in downloads_by_tool(summary.mounts):
        own, use, index = mounts[0], mounts[0].use, ctx.project.index
        if use is None or not all(mount.same_as(own) for mount in mounts):
            continue
        first = _elsewhere(index.of_tool(use.tool, use.role), ctx.path)
        if first is None or not by_chance(first, own):
            continue
        others = index.of_tool_sharing(use.tool, use.role, first.key.identity)
        if first.path > ctx.path and _elsewhere(others, first.path) is None:
            continue
        if _elsewhere(index.of_tool_sharing(use.tool, use.role, own.key.identity), ctx.path):
            continue
        yield ctx.finding(
            own.name_span,
            f"{use.name} cannot use here what it cached in {first.path}: the key is {own.key.label} "
            f"here and {first.key.label} there, so these are two caches",
            related=[
                ctx.related(first.span, f"The cache with the key {first.key.label}", first.path)
            ],
            fixes=partial(_one_id, own, use, first, ctx),
            severity=Severity.INFORMATION,
        )
    yield from _overlaps_across(summary, ctx)


def _overlaps_across(summary: Summary, ctx: Context) -> Iterator[Finding]:
    """Report that another file mounts a parent of the same tool's cache, or the cache alone.

    Of each of the two caches the first file by name may speak; the one that comes later does.
    """
    index = ctx.project.index
    told: set[tuple[str, str]] = set()
    for own in summary.mounts if not has_both(summary) else ():
        use = own.use
        narrow = use is not None and use.download and own.meant and not use.part
        for what in [(use.tool, use.role)] if use and narrow else own.around if own.meant else ():
            others = index.around_tool(*what) if narrow else index.of_tool(*what)
            other = _elsewhere(others, ctx.path)
            first = next(index.sharing(own.key.identity), own)
            if what in told or other is None or other.path > ctx.path or first.path != ctx.path:
                continue
            broad, inner = (other, own) if narrow else (own, other)
            if inner.use is None or inner.use.part or not lies_in(inner, broad):
                continue
            told.add(what)
            yield ctx.finding(
                own.name_span,
                f"{inner.use.name} has a cache here that does not see the one of {other.path}: "
                f"{own.directory} is mounted here and {other.directory} there",
                related=[ctx.related(other.span, f"The cache on {other.directory}", other.path)],
                fixes=partial(_widened, inner, broad, ctx),
                severity=Severity.INFORMATION,
            )


def _widened(inner: CacheMount, broad: CacheMount, ctx: Context) -> Iterator[Fix]:
    """Offer to mount the parent in all places, so that there is one cache."""
    folder, reach = broad.directory or "", Reach((inner.key.identity,))
    if inner.id or broad.id or inner.key.base or broad.key.base or not is_plain(folder):
        return
    yield ctx.fix(
        f"Share one cache: give {{places}} target={folder}",
        lambda: everywhere(
            ctx.project, reach, lambda place: [set_option(place.mount, "target", folder)]
        ),
        safety=Safety.UNSAFE,
        preferred=True,
        reason=f"{folder} holds more than this cache",
        reach=reach,
    )


def _elsewhere(mounts: Iterator[CacheMount], path: str) -> CacheMount | None:
    return next((mount for mount in mounts if mount.path != path), None)


def _one_id(own: CacheMount, use: CacheUse, first: CacheMount, ctx: Context) -> Iterator[Fix]:
    name = first.id or own.id or ctx.project.free(use.cache)
    model = first if first.id or not own.id else own
    kept = model.key.identity if model.id else None
    reach = Reach((own.key.identity, first.key.identity), kept=kept)
    writers = {own.writer, first.writer} - {None}
    if is_plain(name) and len(writers) < 2 and not _taken(name, reach, ctx):
        yield ctx.fix(
            f"Share one cache: add id={name} to {{places}}",
            partial(share, ctx.project, reach, name, model),
            safety=Safety.UNSAFE,
            preferred=True,
            reason=f"it changes {first.path} as well",
            reach=reach,
        )


def _taken(name: str, reach: Reach, ctx: Context) -> bool:
    """Tell whether a cache that the fix does not change has the id."""
    return not ctx.project.is_free(name, reach.identities)


@rule("CK101", "split-cache", Severity.WARNING, Fixable.SOMETIMES, across=_across)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report each cache whose tool has another one, under another key, further up in the file."""
    summary = ctx.project.index.get(ctx.path)
    for mounts in downloads_by_tool(summary.mounts if summary else ()):
        first = mounts[0]
        others: dict[object, list[CacheMount]] = {}
        for mount in mounts[1:]:
            if not mount.same_as(first) and by_chance(first, mount):
                others.setdefault(mount.key.identity, []).append(mount)
        for mount, *more in others.values():
            if mount.use is None:
                continue
            related = [ctx.related(first.span, f"The cache with the key {first.key.label}")]
            related += [ctx.related(one.span, TOO) for one in more]
            yield ctx.finding(
                mount.name_span,
                f"{mount.use.name} cannot use here what it cached on line {first.line + 1}: the key is "
                f"{mount.key.label} here and {first.key.label} there, so these are two caches",
                related=related,
                fixes=partial(_fixes_in, dockerfile, mounts, ctx),
                cause=(mount.use.tool, mount.use.role),
            )
    yield from _overlaps(dockerfile, summary.mounts if summary else (), ctx)


def _overlaps(
    dockerfile: Dockerfile, mounts: Sequence[CacheMount], ctx: Context
) -> Iterator[Finding]:
    """Report a tool's cache, or a part of it, that lies below a broader one here, and alone there."""
    for mount, others in overlaps(mounts):
        broad, name = others[0], mount.use.name if mount.use is not None else ""
        yield ctx.finding(
            mount.name_span,
            f"{name} cannot use here what it cached on line {broad.line + 1}: there its directory "
            f"lies in the cache on {broad.directory}, and this one is another cache",
            related=[ctx.related(broad.span, f"The cache on {broad.directory}")],
            fixes=partial(_beside, dockerfile, mount, others, ctx),
        )


def _beside(
    dockerfile: Dockerfile,
    mount: CacheMount,
    others: Sequence[CacheMount],
    ctx: Context,
) -> Iterator[Fix]:
    inner = mount.directory
    if not all(inner and one.directory and inside(inner, one.directory) for one in others):
        # The tool has its cache elsewhere there, as another user: this mount would stay empty.
        return
    spans = {other.span for other in others}
    runs = {id(run): run for run, other in dockerfile.caches if other.span in spans}
    flag = dockerfile.source.slice(mount.span)
    where = lines_text(dockerfile.source.line_of(span.start) + 1 for span in spans)
    yield ctx.fix(
        f"Mount this cache on {where} as well",
        lambda: [add_mount(dockerfile, run, flag) for run in runs.values()],
        preferred=True,
    )


def _fixes_in(dockerfile: Dockerfile, mounts: Sequence[CacheMount], ctx: Context) -> Iterator[Fix]:
    known = {mount.span: Place(dockerfile, run, mount) for run, mount in dockerfile.caches}
    purpose = purpose_of(known[mounts[0].span].run, known[mounts[0].span].mount)
    if purpose is None:
        return
    # Every mount of the keys, whatever its RUN calls: what was one cache stays one.
    keys = tuple(dict.fromkeys(mount.key.identity for mount in mounts))
    named = next((mount for mount in mounts if mount.id), None)
    reach = Reach(keys, kept=named.key.identity if named is not None else None)
    usual = purpose.cache.id or f"{purpose.tool.id}-{purpose.cache.role}"
    name = named.id if named is not None else ctx.project.free(usual)
    if not is_plain(name) or _taken(name, reach, ctx):
        return
    if reaches_back(ctx.project, known[(named or mounts[0]).span], reach):
        return
    places = list(places_of(ctx.project, reach))
    if not users_differ(places):
        edits = partial(share, ctx.project, reach, name, named or mounts[0])
        title = f"Share one cache: add id={name} to {{places}}"
        yield ctx.fix(title, edits, preferred=True, reach=reach)
    else:
        shared = shared_ownership(places)
        if shared is not None:
            same_id = [
                FileEdit(place.path, set_option(place.mount, "id", name)) for place in places
            ]
            title = (
                f"Share one cache: give {{places}} id={name} and one owner, "
                f"and let root end with {shared[1]}"
            )
            edit = partial(merge_edits, [*same_id, *shared[0]])
            yield ctx.fix(title, edit, preferred=True, reach=Reach(keys))
        yield from _two_caches(places, name, ctx, preferred=shared is None)
    yield from _one_directory(dockerfile, purpose, places, name, Reach(keys), ctx)


def _two_caches(places: list[Place], name: str, ctx: Context, preferred: bool) -> Iterator[Fix]:
    """Offer the other honest answer where users differ: a cache for each of them."""
    edits = one_for_each(places, name)
    if edits is None:
        return
    yield ctx.fix(
        f"Keep a cache for each user: {_by_user(places, name, ctx)}",
        partial(merge_edits, edits),
        safety=Safety.UNSAFE,
        preferred=preferred,
        reason="each of them downloads everything itself",
        apart=True,
    )


def _by_user(places: list[Place], name: str, ctx: Context) -> str:
    """Say which user gets which id, and where: ``id=uv-root on line 3 and id=uv-app on line 7``."""
    groups: dict[object, list[Place]] = {}
    for place in places:
        user = place.run.scope.user
        groups.setdefault(user.name or user.uid, []).append(place)
    return " and ".join(f"id={name}-{user} {_where(some, ctx)}" for user, some in groups.items())


def _where(places: list[Place], ctx: Context) -> str:
    lines = [place.line + 1 for place in places if place.path == ctx.path]
    others = len({place.path for place in places} - {ctx.path})
    elsewhere = f"in {others} other file{'' if others == 1 else 's'}" if others else ""
    return " and ".join(filter(None, [f"on {lines_text(lines)}" if lines else "", elsewhere]))


def _one_directory(
    dockerfile: Dockerfile,
    purpose: Purpose,
    places: list[Place],
    name: str,
    reach: Reach,
    ctx: Context,
) -> Iterator[Fix]:
    """Offer one directory for all users and stages, named by the tool's own variable."""
    variable, folder = purpose.cache.pin, directory_for(purpose.tool, purpose.cache)
    if any(place.path != dockerfile.path or not _holds(place, purpose) for place in places):
        # The variable moves this tool's cache only, and only in this image.
        return
    edits = one_directory(dockerfile, places, purpose, name)
    if edits is None:
        return
    yield ctx.fix(
        f"Share one cache in {folder}: id={name} on {{places}}",
        *edits,
        safety=Safety.UNSAFE,
        reason=f"{variable} becomes part of the image's environment",
        reach=reach,
    )


def _holds(place: Place, purpose: Purpose) -> bool:
    own = purpose_of(place.run, place.mount)
    return own is not None and own.key == purpose.key
