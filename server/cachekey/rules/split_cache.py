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

import posixpath
from collections.abc import Hashable, Iterator
from functools import partial

from cachekey.dockerfile.place import Place
from cachekey.dockerfile.purpose import Purpose, purpose_of, users_differ
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits.caches import in_file, merge_edits, owner_of, shared_ownership
from cachekey.edits.mount import insert_line_before, is_plain, set_option, set_options
from cachekey.finding import FileEdit, Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK101", "split-cache", Severity.WARNING, Fixable.SOMETIMES)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report each mount whose tool has its cache under another key further up, or in another file."""
    for purpose, places in _groups(dockerfile):
        if len(places) == 1 or all(_same(places[0], place) for place in places):
            yield from _elsewhere(purpose, places, ctx)
        first = places[0]
        assert first.mount.key is not None
        for place in places[1:]:
            mount = place.mount
            assert mount.key is not None
            if mount.key.identity == first.mount.key.identity or not _by_chance(first, place):
                continue
            option = mount.options.get("id" if mount.key.name_from == "id" else "target")
            yield ctx.finding(
                option.span if option else mount.span,
                f"{purpose.tool.name} gets a second, empty cache here: its key is "
                f"{mount.key.label}, on line {first.line + 1} it is {first.mount.key.label}",
                related=[
                    ctx.related(first.mount.span, f"the cache with the key {first.mount.key.label}")
                ],
                fixes=partial(_fixes, dockerfile, purpose, places, ctx),
            )


def _groups(dockerfile: Dockerfile) -> Iterator[tuple[Purpose, list[Place]]]:
    """Yield the mounts that hold the same download cache, in file order."""
    groups: dict[tuple[str, str], tuple[Purpose, list[Place]]] = {}
    for purpose, place in _purposes(dockerfile):
        _, places = groups.setdefault(purpose.key, (purpose, []))
        places.append(place)
    yield from groups.values()


def _purposes(dockerfile: Dockerfile) -> Iterator[tuple[Purpose, Place]]:
    for run, mount in dockerfile.caches:
        if mount.key is None or mount.key.unresolved or run.onbuild:
            continue
        if mount.undefined or mount.target.text.startswith("~"):
            # The target is not what was meant, which CK105 and CK302 say.
            continue
        purpose = purpose_of(run, mount)
        if purpose is not None and purpose.is_download:
            yield purpose, Place(dockerfile, run, mount)


def _by_purpose(dockerfile: Dockerfile) -> Iterator[tuple[Hashable, Place]]:
    return ((purpose.key, place) for purpose, place in _purposes(dockerfile))


def _same(first: Place, second: Place) -> bool:
    a, b = first.mount.key, second.mount.key
    return a is not None and b is not None and a.identity == b.identity


def _elsewhere(purpose: Purpose, places: list[Place], ctx: Context) -> Iterator[Finding]:
    """Report that another file of the workspace keeps the same tool's cache under another key.

    Of two such files the one that comes later by name is told, and none that shares with any file.
    """
    own = places[0]
    others = [
        place
        for path, found in sorted(ctx.project.look_up(_by_purpose, purpose.key).items())
        if path != ctx.path
        for place in found
    ]
    if not others or others[0].path > ctx.path or any(_same(own, place) for place in others):
        return
    first = others[0]
    if not _by_chance(first, own) or own.mount.key is None or first.mount.key is None:
        return
    name = first.mount.id or own.mount.id or purpose.cache.id

    def fixes() -> Iterator[Fix]:
        edits = [
            FileEdit(place.path, set_option(place.mount, "id", name))
            for place in [*places, *others]
            if _same(place, own) or _same(place, first)
        ]
        if is_plain(name) and not users_differ([own, first]):
            yield ctx.fix(f"Give both files id={name}", *merge_edits(edits), preferred=True)

    option = own.mount.options.get("id" if own.mount.key.name_from == "id" else "target")
    yield ctx.finding(
        option.span if option else own.mount.span,
        f"{purpose.tool.name} has another cache here than in {first.path}: "
        f"{own.mount.key.label}, there {first.mount.key.label}",
        related=[ctx.related(first.mount.span, "the other cache", first.path)],
        fixes=fixes,
        severity=Severity.INFORMATION,
    )


def _by_chance(first: Place, second: Place) -> bool:
    """Tell whether nobody chose the two keys: at least one of them is a mere target.

    Two parts of one directory (its index here, its archives there) are two caches on purpose.
    """
    a, b = first.mount.key, second.mount.key
    assert a is not None
    assert b is not None
    if (a.name_from == "id" and b.name_from == "id") or a.name.text == b.name.text:
        return False
    if "id" in (a.name_from, b.name_from) and _to_each_its_own(first, second):
        return False
    if _part(first) != _part(second):
        return False
    return not _nested(first.mount.directory, second.mount.directory)


def _to_each_its_own(first: Place, second: Place) -> bool:
    """Tell whether two users have a cache each, and each may write its own."""
    one, other = first.run.scope.user.uid, second.run.scope.user.uid
    if one is None or other is None or one == other:
        return False
    return first.mount.uid == one and second.mount.uid == other


def _nested(a: str | None, b: str | None) -> bool:
    if a is None or b is None:
        return True
    return a != b and (a.startswith(f"{b}/") or b.startswith(f"{a}/"))


def _part(place: Place) -> str:
    """Return which piece of its tool's directory a mount holds, empty for all of it."""
    purpose, folder = purpose_of(place.run, place.mount), place.mount.directory or ""
    if purpose is None:
        return ""
    item = purpose.use.directory(purpose.cache.role)
    if item is not None and item.path is not None and item.relation(folder) == "part":
        return posixpath.relpath(folder, item.path)
    return next((part for part in purpose.cache.parts if folder.endswith(f"/{part}")), "")


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
    title = "Keep one cache for each user, with an id of its own"
    yield ctx.fix(title, *merge_edits(edits), preferred=preferred)


def _one_directory(
    dockerfile: Dockerfile, purpose: Purpose, places: list[Place], name: str, ctx: Context
) -> Iterator[Fix]:
    """Offer one directory for all users and stages, named by the tool's own variable."""
    variable = purpose.cache.pin
    if not variable or any(_sets(place, variable) for place in places):
        return
    folder = f"/cache/{purpose.tool.id}"
    edits: list[FileEdit] = []
    for place in places:
        options = (set_option(place.mount, "id", name), set_option(place.mount, "target", folder))
        edits += in_file(dockerfile.path, options)
    for place in _first_of_each_chain(dockerfile, places):
        line = f"ENV {variable}={folder}"
        edits += in_file(
            dockerfile.path, [insert_line_before(dockerfile, place.run.span.start, line)]
        )
    if users_differ(places):
        shared = shared_ownership(places, folder)
        if shared is None:
            return
        edits += shared[0]
    yield ctx.fix(
        f"Keep the cache in {folder} everywhere: ENV {variable} and id={name}",
        *merge_edits(edits),
        safety=Safety.UNSAFE,
        reason=f"{variable} becomes part of the image's environment",
    )


def _sets(place: Place, variable: str) -> bool:
    run = place.run
    return variable in run.scope.variables or any(variable in x.env for x in run.commands.items)


def _first_of_each_chain(dockerfile: Dockerfile, places: list[Place]) -> Iterator[Place]:
    """Yield the places in front of which the variable must be set: the first of each stage chain."""
    covered: list[Place] = []
    for place in places:
        stage = dockerfile.stage_of(place.run)
        # What a stage sets, the stages built on it have.
        if not any(stage.descends_from(dockerfile.stage_of(other.run)) for other in covered):
            covered.append(place)
            yield place
