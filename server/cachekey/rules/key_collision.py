r"""One key holds different things: two tools, or two directories of one tool, lie in one volume.

A mount puts the whole volume at its target. Two targets with one `id` are therefore the same
directory: cargo's registry and its git checkouts, or apt's packages and its lists, end up in each
other's way. The same holds for one `id` on a directory and on one within it.

## Bad
```dockerfile
FROM rust:1.90
WORKDIR /src
RUN --mount=type=cache,id=cargo,target=/usr/local/cargo/registry \
    --mount=type=cache,id=cargo,target=/usr/local/cargo/git \
    cargo fetch
```

## Good
```dockerfile
FROM rust:1.90
WORKDIR /src
RUN --mount=type=cache,id=cargo,target=/usr/local/cargo/registry \
    --mount=type=cache,id=cargo-git,target=/usr/local/cargo/git \
    cargo fetch
```

## Fix
Give each directory an id of its own; the first keeps the name.

The keys count that the file tells, and those that builds of the workspace give it.

In two files of a workspace it is an information: not every builder builds both.

Silent for one directory at two places (another home, a variable), for directories that nobody can
name, and for mounts that open different `source=` directories of the volume.

## Source
BuildKit `dockerfile2llb/convert_runmount.go`; experiments in `tests/buildkit` (two mounts with
one id).
"""

from __future__ import annotations

import posixpath
from collections.abc import Hashable, Iterator, Mapping
from functools import partial

from cachekey.buildkit.keys import Key
from cachekey.buildkit.mounts import Mount
from cachekey.commands.effect import inside
from cachekey.dockerfile.place import Place
from cachekey.dockerfile.purpose import purpose_of
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.caches import rename
from cachekey.edits.everywhere import held
from cachekey.finding import Finding, Fix, Reach, Safety, Severity
from cachekey.knowledge import Knowledge
from cachekey.rules.rule import Context, Fixable, capital, rule
from cachekey.workspace.summary import CacheMount, Summary

_MOST_FOLDERS = 20
"""Directories of one volume that another one is compared with."""

Contents = tuple[str, str, str]
"""Tool, role and the part of its directory."""

_SEVERAL: Contents = ("all", "", "")
"""What a folder holds in which several tools have their caches, side by side."""


def _across(summary: Summary, ctx: Context) -> Iterator[Finding]:
    """Report the first mount of each key that holds something else than another file has in it.

    Of two such files the one that comes later by name is told, and none that is told of its own mounts.
    """
    asked: set[Hashable] = set()
    for own in summary.mounts:
        if not own.id or own.key.identity in asked:
            continue
        asked.add(own.key.identity)
        first = next(ctx.project.index.sharing(own.key.identity), own)
        theirs, ours = _told(first, ctx), _told(own, ctx)
        if first.path == ctx.path or theirs is None or ours is None:
            continue
        if theirs == ours or first.directory == own.directory or not (first.meant and own.meant):
            continue
        if first.source != own.source:
            continue
        mine, other = _words(ctx.project.knowledge, ours), _words(ctx.project.knowledge, theirs)
        suffix = ours[1] if ours[0] == theirs[0] else ours[0]
        yield ctx.finding(
            own.name_span,
            f"On one builder {mine} would land in one directory with {other} (in {first.path}): both "
            f"mounts have the key {own.key.label}",
            related=[ctx.related(first.span, f"{capital(other)}, in the same cache", first.path)],
            fixes=partial(_renamed, own, f"{own.id}-{suffix}", ctx, Safety.UNSAFE),
            severity=Severity.INFORMATION,
        )


def _told(mount: CacheMount, ctx: Context) -> Contents | None:
    """Tell what a mount of any file holds: by its RUN, else by its place alone."""
    if mount.use is not None:
        return (mount.use.tool, mount.use.role, "")
    claims = ctx.project.knowledge.claims(mount.directory) if mount.directory else ()
    claim = next(iter(claims), None)
    return None if claim is None else (claim.tool.id, claim.cache.role, "")


@rule("CK103", "key-collision", Severity.WARNING, Fixable.ALWAYS, across=_across)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report each mount whose volume holds something else further up."""
    told: set[int] = set()
    for build, key_of in _views(dockerfile, ctx):
        for second, finding in _collisions(dockerfile, build, key_of, ctx):
            if second.mount.span.start not in told:
                told.add(second.mount.span.start)
                yield finding
    for first, second in _within_each_other(dockerfile):
        if second.mount.span.start not in told:
            told.add(second.mount.span.start)
            yield _nested(first, second, ctx)


def _views(dockerfile: Dockerfile, ctx: Context) -> Iterator[tuple[str, Mapping[int, Key]]]:
    """Yield the keys by the places of the mounts: as the file tells them, then in each build.

    A build counts with what it surely passes; variables that only its caller knows collide with nobody.
    """
    yield "", {m.span.start: m.key for _, m in dockerfile.caches if m.key is not None}
    for built in ctx.project.built(dockerfile):
        if built.args and all(said.sure for name, said in built.build.args):
            yield (
                built.build.label,
                {start: keys[0].key for start, keys in built.keys.items() if len(keys) == 1},
            )


def _collisions(
    dockerfile: Dockerfile, build: str, key_of: Mapping[int, Key], ctx: Context
) -> Iterator[tuple[Place, Finding]]:
    first: dict[object, tuple[Place, Contents]] = {}
    names: dict[object, dict[Contents, str]] = {}
    for run, mount in dockerfile.caches:
        key = key_of.get(mount.span.start)
        if key is None or not mount.id or run.onbuild:
            continue
        contents = _contents(run, mount)
        if contents is None and _is_of_several(dockerfile, run, mount):
            contents = _SEVERAL
        if contents is None:
            continue
        place = Place(dockerfile, run, mount)
        volume = (key.identity, mount.source)
        known, theirs = first.setdefault(volume, (place, contents))
        if theirs == contents or known.mount.directory == mount.directory:
            continue
        if _SEVERAL in (theirs, contents) and _nest(known.mount.directory, mount.directory):
            # Told as what lies within each other.
            continue
        used = names.setdefault(volume, {})
        suffix = contents[1] if contents[0] == theirs[0] else contents[0]
        taken = [name for other, name in used.items() if other != contents]
        if suffix in taken or contents[2]:
            suffix = "-".join(filter(None, (suffix, posixpath.basename(contents[2]))))
        used.setdefault(contents, suffix)
        label = f"{key.label} in {build}" if build else key.label
        yield place, _finding(known, place, theirs, contents, used[contents], ctx, label)


def _is_of_several(dockerfile: Dockerfile, run: Run, mount: Mount) -> bool:
    """Tell whether a mount that another shares its key with is a folder of several tools' caches."""
    shared = mount.key is not None and len(dockerfile.by_key.get(mount.key.identity, ())) > 1
    return shared and mount.directory is not None and run.knowledge.gathers(mount.directory)


def _nest(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and (inside(one, other) or inside(other, one))


def _within_each_other(dockerfile: Dockerfile) -> Iterator[tuple[Place, Place]]:
    """Yield mounts of one volume whose directories lie within each other."""
    seen: dict[object, dict[str, Place]] = {}
    for run, mount in dockerfile.caches:
        folder = mount.directory
        if mount.key is None or folder is None or not mount.id or run.onbuild:
            continue
        place = Place(dockerfile, run, mount)
        others = seen.setdefault((mount.key.identity, mount.source), {})
        for other, first in others.items():
            if other != folder and _nest(folder, other):
                yield first, place
                break
        if len(others) < _MOST_FOLDERS:
            others.setdefault(folder, place)


def _nested(first: Place, second: Place, ctx: Context) -> Finding:
    assert second.mount.key is not None
    option = second.mount.options["id"]
    raw = option.field.value.text if option.field.value is not None else second.mount.id
    name = f"{raw}-{posixpath.basename(second.mount.directory or '')}"
    return ctx.finding(
        option.span,
        f"The key {second.mount.key.label} stands for {second.mount.directory} here and for "
        f"{first.mount.directory} on line {first.line + 1}: what one fills, the other does not find",
        related=[ctx.related(first.mount.span, f"The same cache on {first.mount.directory}")],
        fixes=partial(_apart, second, name, ctx),
        cause=(second.mount.key.identity, second.mount.directory),
    )


def _apart(second: Place, name: str, ctx: Context) -> Iterator[Fix]:
    assert second.mount.key is not None
    reach = Reach((second.mount.key.identity,), frozenset({second.mount.directory}))
    free = ctx.project.free(name)
    edits = partial(rename, ctx.project, reach, free)
    title = f"Keep it apart: id={free} on {{places}}"
    yield ctx.fix(title, edits, preferred=True, apart=True, reach=reach)


def _contents(run: Run, mount: Mount) -> Contents | None:
    """Tell what a mount holds: by a command of its RUN, else by its place alone."""
    folder = mount.directory
    if folder is None:
        return None
    purpose = purpose_of(run, mount)
    if purpose is None:
        claim = next(iter(run.knowledge.claims(folder)), None)
        return None if claim is None else (claim.tool.id, claim.cache.role, "")
    directory = next(x for x in purpose.use.directories if x.cache is purpose.cache)
    part = ""
    if directory.path is not None and directory.relation(folder) == "part":
        part = posixpath.relpath(folder, directory.path)
    return (*purpose.key, part)


def _finding(
    first: Place,
    second: Place,
    theirs: Contents,
    ours: Contents,
    suffix: str,
    ctx: Context,
    label: str,
) -> Finding:
    option = second.mount.options["id"]
    raw = option.field.value.text if option.field.value is not None else second.mount.id
    name = f"{raw}-{suffix}"
    same_line = first.line == second.line
    where = "in this RUN" if same_line or first.run is second.run else f"on line {first.line + 1}"
    mine, other = _describe(second, ours), _describe(first, theirs)
    return ctx.finding(
        option.span,
        f"{capital(mine)} would land in one directory with {other} ({where}): "
        f"both mounts have the key {label}",
        related=[ctx.related(first.mount.span, f"{capital(other)}, in the same cache")],
        fixes=partial(_fixes, second, ours, name, ctx),
        cause=(label, ours, name),
    )


def _fixes(second: Place, ours: Contents, name: str, ctx: Context) -> Iterator[Fix]:
    summary = ctx.project.index.get(ctx.path)
    mounts = summary.mounts if summary is not None else ()
    own = next((mount for mount in mounts if mount.span == second.mount.span.fixed), None)
    if own is not None:
        yield from _renamed(own, name, ctx)


def _renamed(
    own: CacheMount, name: str, ctx: Context, safety: Safety = Safety.SAFE
) -> Iterator[Fix]:
    """Offer a name of its own for what a mount holds, wherever that is mounted."""
    reach = Reach((own.key.identity,), held(own))
    free = ctx.project.free(name)
    edits = partial(rename, ctx.project, reach, free)
    title = f"Keep it apart: id={free} on {{places}}"
    yield ctx.fix(
        title,
        edits,
        preferred=True,
        safety=safety,
        reason="what this file has cached so far is left behind",
        apart=True,
        reach=reach,
    )


def _describe(place: Place, contents: Contents) -> str:
    return _words(place.run.knowledge, contents)


def _words(knowledge: Knowledge, contents: Contents) -> str:
    if contents == _SEVERAL:
        return "caches of several tools"
    name, role, part = contents
    tool = knowledge.tool(name)
    cache = tool.cache(role) if tool is not None else None
    if tool is None or cache is None:
        return f"{part or 'files'} of {name}"
    return f"{part} of {tool.name}" if part else f"{cache.what} of {tool.name}"
