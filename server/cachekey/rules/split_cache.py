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

Silent when both mounts have an explicit `id`, when the contents are build output of one project,
and when a variable that only the build knows decides a key.

## Source
BuildKit `dockerfile2llb/convert_runmount.go`: the id is the target unless it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, groupby, islice

from cachekey.dockerfile.place import Place
from cachekey.dockerfile.purpose import Purpose, purpose_of, users_differ
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits.caches import in_file, merge_edits, owner_of, shared_ownership
from cachekey.edits.directory import directory_for, one_directory
from cachekey.edits.mount import add_mount, is_plain, set_option, set_options
from cachekey.finding import FileEdit, Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.workspace.summary import CacheMount, CacheUse, Summary

_MOST_PLACES = 200
"""Mounts that one fix changes; where more share a key, every finding would be as long as all."""


def _across(summary: Summary, ctx: Context) -> Iterator[Finding]:
    """Report that another file of the workspace keeps the same tool's cache under another key.

    Of two such files the one that comes later by name is told, and none that shares with any file.
    """
    for mounts in _groups(summary.mounts):
        own, use, index = mounts[0], mounts[0].use, ctx.project.index
        if use is None or not all(mount.same_as(own) for mount in mounts):
            continue
        first = _elsewhere(index.of_tool(use.tool, use.role), ctx.path)
        if first is None or first.path > ctx.path or not by_chance(first, own):
            continue
        if _elsewhere(index.of_tool_sharing(use.tool, use.role, own.key.identity), ctx.path):
            continue
        yield ctx.finding(
            own.name_span,
            f"{use.name} has another cache here than in {first.path}: "
            f"{own.key.label}, there {first.key.label}",
            related=[ctx.related(first.span, "the other cache", first.path)],
            fixes=partial(_one_id, own, use, first, ctx),
            severity=Severity.INFORMATION,
        )


def _elsewhere(mounts: Iterator[CacheMount], path: str) -> CacheMount | None:
    return next((mount for mount in mounts if mount.path != path), None)


def _one_id(own: CacheMount, use: CacheUse, first: CacheMount, ctx: Context) -> Iterator[Fix]:
    name = first.id or own.id or use.cache
    writers = {own.writer, first.writer} - {None}
    if not is_plain(name) or len(writers) > 1:
        return
    index = ctx.project.index
    # Every mount of the two keys, whatever its RUN calls: what was one cache stays one.
    groups = [index.sharing(cache.key.identity) for cache in (own, first)]
    mounts = list(islice(chain(*groups), _MOST_PLACES + 1))
    others = len({mount.path for mount in mounts} - {ctx.path})
    if len(mounts) <= _MOST_PLACES:
        yield ctx.fix(
            f"Give both files id={name}" if others == 1 else f"Give all files id={name}",
            partial(_set_id, mounts, name, ctx),
            safety=Safety.UNSAFE,
            preferred=True,
            reason=f"it changes {first.path} as well" if others == 1 else "it changes other files",
        )


def _set_id(mounts: Sequence[CacheMount], name: str, ctx: Context) -> Iterator[FileEdit]:
    """Give the mounts one id, whatever file they stand in."""
    for path, group in groupby(sorted(mounts, key=_place), key=lambda mount: mount.path):
        model = ctx.project.model(path)
        if isinstance(model, Dockerfile):
            known = {mount.span: mount for _, mount in model.caches}
            for item in group:
                if item.span in known:
                    yield FileEdit(path, set_option(known[item.span], "id", name))


def _place(mount: CacheMount) -> tuple[str, int]:
    return (mount.path, mount.span.start)


@rule("CK101", "split-cache", Severity.WARNING, Fixable.SOMETIMES, across=_across)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report each mount whose tool has its cache under another key further up in the file."""
    summary = ctx.project.index.get(ctx.path)
    for mounts in _groups(summary.mounts if summary else ()):
        first = mounts[0]
        for mount in mounts[1:]:
            if mount.use is None or mount.same_as(first) or not by_chance(first, mount):
                continue
            yield ctx.finding(
                mount.name_span,
                f"{mount.use.name} gets a second, empty cache here: its key is "
                f"{mount.key.label}, on line {first.line + 1} it is {first.key.label}",
                related=[ctx.related(first.span, f"the cache with the key {first.key.label}")],
                fixes=partial(_fixes_in, dockerfile, mounts, ctx),
            )
    yield from _overlaps(dockerfile, summary.mounts if summary else (), ctx)


def _overlaps(
    dockerfile: Dockerfile, mounts: Sequence[CacheMount], ctx: Context
) -> Iterator[Finding]:
    """Report a tool's cache that lies below a broader one here, and alone there."""
    told: set[tuple[str, str]] = set()
    around: dict[tuple[str, str], CacheMount] = {}
    for mount in mounts:
        for what in mount.around if mount.meant else ():
            around.setdefault(what, mount)
    for mount in mounts:
        use = mount.use
        if use is None or not (use.download and mount.meant) or use.part:
            continue
        what = (use.tool, use.role)
        broad = around.get(what)
        if broad is None or what in told or broad.same_as(mount):
            continue
        told.add(what)
        yield ctx.finding(
            mount.name_span,
            f"{use.name} has two caches: this one, and one below {broad.directory} on line "
            f"{broad.line + 1}, where it does not see this one",
            related=[ctx.related(broad.span, f"the cache on {broad.directory}")],
            fixes=partial(_beside, dockerfile, mount, what, mounts, ctx),
        )


def _beside(
    dockerfile: Dockerfile,
    mount: CacheMount,
    what: tuple[str, str],
    mounts: Sequence[CacheMount],
    ctx: Context,
) -> Iterator[Fix]:
    spans = {other.span for other in mounts if what in other.around}
    runs = {id(run): run for run, other in dockerfile.caches if other.span in spans}
    flag = dockerfile.source.slice(mount.span)
    lines = sorted(dockerfile.source.line_of(span.start) + 1 for span in spans)
    where = f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(map(str, lines))}"
    yield ctx.fix(
        f"Mount it on {where} as well",
        lambda: [add_mount(run, flag) for run in runs.values()],
        preferred=True,
    )


def _groups(mounts: Iterable[CacheMount]) -> Iterable[list[CacheMount]]:
    """Return the mounts that hold the same download cache, in file order."""
    groups: dict[tuple[str, str], list[CacheMount]] = {}
    for mount in mounts:
        if mount.use is not None and mount.use.download and mount.meant:
            groups.setdefault((mount.use.tool, mount.use.role), []).append(mount)
    return groups.values()


def by_chance(first: CacheMount, second: CacheMount) -> bool:
    """Tell whether nobody chose the two keys: at least one of them is a mere target.

    Two parts of one directory (its index here, its archives there) are two caches on purpose.
    """
    a, b = first.key, second.key
    if (a.name_from == "id" and b.name_from == "id") or a.name == b.name:
        return False
    if "id" in (a.name_from, b.name_from) and _to_each_its_own(first, second):
        return False
    if first.use and second.use and first.use.part != second.use.part:
        return False
    return not _nested(first.directory, second.directory)


def _to_each_its_own(first: CacheMount, second: CacheMount) -> bool:
    """Tell whether two users have a cache each, and each may write its own."""
    one, other = first.user_uid, second.user_uid
    if one is None or other is None or one == other:
        return False
    return first.uid == one and second.uid == other


def _nested(a: str | None, b: str | None) -> bool:
    if a is None or b is None:
        return True
    return a != b and (a.startswith(f"{b}/") or b.startswith(f"{a}/"))


def _fixes_in(dockerfile: Dockerfile, mounts: Sequence[CacheMount], ctx: Context) -> Iterator[Fix]:
    known = {mount.span: Place(dockerfile, run, mount) for run, mount in dockerfile.caches}
    places = [known[mount.span] for mount in mounts]
    purpose = purpose_of(places[0].run, places[0].mount)
    if purpose is not None:
        yield from _fixes(dockerfile, purpose, places, ctx)


def _fixes(
    dockerfile: Dockerfile, purpose: Purpose, places: list[Place], ctx: Context
) -> Iterator[Fix]:
    explicit = next((place.mount.id for place in places if place.mount.id), None)
    name = explicit or purpose.cache.id or f"{purpose.tool.id}-{purpose.cache.role}"
    if not is_plain(name):
        return
    same_id = [FileEdit(place.path, set_option(place.mount, "id", name)) for place in places]
    if not users_differ(places):
        yield ctx.fix(f"Give all of them id={name}", *merge_edits(same_id), preferred=True)
    else:
        shared = shared_ownership(places)
        if shared is not None:
            title = f"Share one cache id={name} between the users: one owner, and {shared[1]}"
            yield ctx.fix(title, *merge_edits([*same_id, *shared[0]]), preferred=True)
        yield from _two_caches(places, name, ctx, preferred=shared is None)
    yield from _one_directory(dockerfile, purpose, places, name, ctx)


def _two_caches(places: list[Place], name: str, ctx: Context, preferred: bool) -> Iterator[Fix]:
    """Offer the other honest answer where users differ: a cache for each of them."""
    edits: list[FileEdit] = []
    for place in places:
        user = place.run.scope.user
        if user.is_root is None:
            return
        edit = set_option(place.mount, "id", f"{name}-{user.name or user.uid}")
        edits.append(FileEdit(place.path, edit))
        if user.is_root is False:
            edits += in_file(place.path, set_options(place.mount, **owner_of(user)))
    yield ctx.fix(
        "Keep one cache for each user, with an id of its own",
        *merge_edits(edits),
        safety=Safety.UNSAFE,
        preferred=preferred,
        reason="what one user has downloaded, the other downloads again",
    )


def _one_directory(
    dockerfile: Dockerfile, purpose: Purpose, places: list[Place], name: str, ctx: Context
) -> Iterator[Fix]:
    """Offer one directory for all users and stages, named by the tool's own variable."""
    variable, folder = purpose.cache.pin, directory_for(purpose.tool)
    edits = one_directory(dockerfile, places, purpose, name)
    if edits is None:
        return
    yield ctx.fix(
        f"Keep the cache in {folder} everywhere: ENV {variable} and id={name}",
        *edits,
        safety=Safety.UNSAFE,
        reason=f"{variable} becomes part of the image's environment",
    )
