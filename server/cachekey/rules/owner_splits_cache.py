"""Two mounts have one id and yet two caches, since their owner options differ.

`uid`, `gid`, `mode` and `from` join the key: a new volume begins as a copy of a directory that is
made with them, and that directory is part of the volume's identity. Even `uid=0` beside no `uid`
at all is another cache. `from=` a stage of the same file makes it a copy of that stage's whole file
system, and a new one whenever the stage changes.

## Bad
```dockerfile
FROM debian:13
ENV UV_LINK_MODE=copy
RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv uv sync
RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv,mode=0777 uv sync
```

## Good
```dockerfile
FROM debian:13
ENV UV_LINK_MODE=copy
RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv uv sync
RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv uv sync
```

## Fix
Align with the first mount. Where the users of the two RUNs differ and each mount belongs to its own
user, the two caches are right: then only the shared name misleads, and the fix gives the second a
name of its own.

## Source
BuildKit `dockerfile2llb/convert_runmount.go` (`setCacheUIDGID`),
`solver/llbsolver/mounts/mount.go`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice

from cachekey.budget import MOST_EDITS
from cachekey.buildkit.keys import Base
from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import PLATFORM_ARGS
from cachekey.dockerfile.place import Place
from cachekey.dockerfile.purpose import purpose_of, users_differ, writer
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits.caches import (
    JOINS,
    align,
    differ,
    name_for,
    options_of,
    reach_of,
    rename,
    says_else,
)
from cachekey.edits.everywhere import everywhere, places_of, reaches_back
from cachekey.finding import FileEdit, Finding, Fix, Reach, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Span
from cachekey.workspace.summary import CacheMount, Summary


def _across(summary: Summary, ctx: Context) -> Iterator[Finding]:
    """Report the first mount of each id to which another file gives another owner or base.

    Both files are told: neither is more wrong than the other.
    """
    told: set[str] = set()
    for own in summary.mounts:
        if not own.id or own.id in told or not own.meant:
            continue
        named = ctx.project.index.named(own.key.full)
        others = (mount for mount in islice(named, MOST_EDITS) if mount.path != ctx.path)
        first = next((mount for mount in others if mount.meant), None)
        if first is None or first.same_as(own):
            continue
        told.add(own.id)
        yield ctx.finding(
            own.name_span,
            f"id={own.id} is another cache here than in {first.path}: "
            f"{_differ(own.key.base, first.key.base)}",
            related=[ctx.related(first.span, "The other cache", first.path)],
            fixes=partial(_across_fixes, first, own, ctx),
            severity=Severity.INFORMATION if _each_its_own(first, own) else None,
        )


def _each_its_own(first: CacheMount, second: CacheMount) -> bool:
    """Tell whether two users have a cache each and may write it: then they are apart for a reason."""
    owners = (first.uid, second.uid)
    return (
        None not in owners and owners == (first.user_uid, second.user_uid) and len(set(owners)) > 1
    )


@rule("CK102", "owner-splits-cache", Severity.WARNING, Fixable.SOMETIMES, across=_across)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report each mount whose name is taken further up by a cache of another owner or origin."""
    first: dict[tuple[str, str], Place] = {}
    for run, mount in dockerfile.caches:
        key = mount.key
        # In one build, the builder's own arguments say the same everywhere.
        if key is None or key.unresolved - PLATFORM_ARGS or run.onbuild:
            continue
        place = Place(dockerfile, run, mount)
        other = first.setdefault((key.namespace, key.name.key), place)
        assert other.mount.key is not None
        if other.mount.key.identity == key.identity:
            continue
        unnamed = key.name_from == "target" and other.mount.key.name_from == "target"
        copied = other.begins_as or place.begins_as
        if unnamed and copied is None and _meant_apart(other, place):
            # Nobody said that these caches are meant to be one.
            continue
        yield _finding(other, place, ctx)


def _meant_apart(first: Place, second: Place) -> bool:
    """Tell whether two caches without an id suit their users, and are another user's or begin elsewhere.

    Of one user they differ by what nobody asks for: a `gid=`, a `mode=`.
    """
    if not (_suits(first) and _suits(second)):
        return False
    return first.mount.uid != second.mount.uid or first.mount.origin != second.mount.origin


def _suits(place: Place) -> bool:
    """Tell whether a new volume of this mount belongs to the user who runs the RUN."""
    user = writer(place.run, place.mount)
    return user is not None and user.uid is not None and place.mount.uid == user.uid


def _finding(first: Place, second: Place, ctx: Context) -> Finding:
    a, b = first.mount.key, second.mount.key
    assert a is not None
    assert b is not None
    apart = _users_apart(first, second)
    name = f"id={b.name.text}" if b.name_from == "id" else b.name.text
    return ctx.finding(
        _span(first.mount, second.mount),
        f"{name} is another cache here than on line {first.line + 1}: {_differ(b.base, a.base)}",
        related=[
            ctx.related(first.mount.span, f"The cache {a.label} with {_describe(a.base, b.base)}")
        ],
        fixes=partial(_fixes, first, second, apart, ctx),
        severity=Severity.INFORMATION if apart else None,
    )


def _users_apart(first: Place, second: Place) -> bool:
    return _suits(first) and _suits(second) and first.mount.uid != second.mount.uid


def _differ(here: Base | None, there: Base | None) -> str:
    """Say what joined one key and not the other."""
    one, other = here or Base(), there or Base()
    parts = ["from="] if one.origin != other.origin else []
    parts += ["the owner"] if one.owner != other.owner else []
    counts = f"{' and '.join(parts) or 'the base'} {'are' if parts[1:] else 'is'} part of the key"
    return f"{counts}, {_describe(here, there)} here and {_describe(there, here)} there"


def _describe(base: Base | None, other: Base | None) -> str:
    """Say what joins a key, or which of what joins the other one does not join this."""
    if base is None:
        return "no from=" if other is not None and other.owner is None else "no owner options"
    parts = [f"from={base.origin}"] if base.origin else []
    return ",".join(parts + ([str(base.owner)] if base.owner else []))


def _span(first: Mount, second: Mount) -> Span:
    """Point at the options that differ, or at the name when they are missing here."""
    own = [
        second.options[name].field.span
        for name in JOINS
        if name in second.options and says_else(first, second, name)
    ]
    if own:
        return Span(min(span.start for span in own), max(span.end for span in own))
    name = "id" if second.id else "target"
    return second.options[name].span if name in second.options else second.span


def _fixes(first: Place, second: Place, apart: bool, ctx: Context) -> Iterator[Fix]:
    summary = ctx.project.index.get(ctx.path)
    known = {mount.span: mount for mount in (summary.mounts if summary is not None else ())}
    a, b = known.get(first.mount.span.fixed), known.get(second.mount.span.fixed)
    if a is None or b is None:
        return
    if apart or differ(a, b):
        user = second.run.scope.user
        purpose = purpose_of(second.run, second.mount)
        own = (user.name or user.uid) if apart or purpose is None else purpose.tool.id
        name = ctx.project.free(name_for(b.key.name, own))
        reach = reach_of(second.mount)
        yield ctx.fix(
            f"Give this cache a name of its own: id={name} on {{places}}",
            partial(rename, ctx.project, reach, name),
            safety=Safety.UNSAFE,
            preferred=True,
            reason="what is cached so far is left behind",
            reach=reach,
        )
        return
    model, changed = (second, first) if _better(second, first) else (first, second)
    reach = reach_of(changed.mount)
    if list(align(model.mount, changed.mount)) and not reaches_back(ctx.project, model, reach):
        aligned = partial(_everywhere, model.mount, reach, ctx)
        options = (
            f"give {{places}} {text}" if (text := options_of(model.mount, changed.mount)) else ""
        )
        title = f"Share one cache: {options or f'take {_extra(changed.mount)} off {{places}}'}"
        title += f", as on line {model.line + 1}"
        if users_differ((first, second)):
            reason = "two users then write one cache, and one of them may find it closed"
            yield ctx.fix(
                title, aligned, safety=Safety.UNSAFE, preferred=True, reason=reason, reach=reach
            )
        else:
            yield ctx.fix(title, aligned, preferred=True, reach=reach)


def _better(second: Place, first: Place) -> bool:
    """Tell whether the first mount should follow the second one."""
    if (first.begins_as is None) != (second.begins_as is None):
        return first.begins_as is not None
    return _suits(second) and not _suits(first)


def _extra(mount: Mount) -> str:
    base = mount.key.base if mount.key is not None else None
    plain = base is not None and base.owner is None and base.origin is not None
    return f"from={base.origin}" if base is not None and plain else "the owner options"


def _across_fixes(first: CacheMount, own: CacheMount, ctx: Context) -> Iterator[Fix]:
    """Offer the options of one file to the other one, where one user or an unknown one writes both.

    Both are offered the same: if each took those of the other, they would only change places.
    """
    if len({own.writer, first.writer} - {None}) > 1 or differ(first, own):
        return
    kept, changed = sorted((first, own), key=lambda mount: mount.path)
    reach = Reach((changed.key.identity,))
    model = next(places_of(ctx.project, Reach((kept.key.identity,))), None)
    if model is None or reaches_back(ctx.project, model, reach):
        return
    text = options_of(model.mount, model.mount) or "no owner options"
    yield ctx.fix(
        f"Share one cache: give {{places}} {text}, as in {kept.path}",
        partial(_everywhere, model.mount, reach, ctx),
        safety=Safety.UNSAFE,
        preferred=True,
        reason="what is cached there so far is left behind",
        reach=reach,
    )


def _everywhere(model: Mount, reach: Reach, ctx: Context) -> Iterator[FileEdit]:
    return everywhere(ctx.project, reach, lambda place: align(model, place.mount))
