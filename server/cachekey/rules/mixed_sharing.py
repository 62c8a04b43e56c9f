"""Mounts of one cache ask for different `sharing`.

`locked` makes only those wait who ask for `locked` too. A mount of the same cache without it does
not wait for the lock: it gets a second, empty volume of the same key, and which one is used later
is chance.

## Bad
```dockerfile
FROM debian:13
RUN rm -f /etc/apt/apt.conf.d/docker-clean
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get install -y curl
RUN --mount=type=cache,target=/var/cache/apt apt-get install -y git
```

## Good
```dockerfile
FROM debian:13
RUN rm -f /etc/apt/apt.conf.d/docker-clean
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get install -y curl
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get install -y git
```

## Fix
Align: `locked` if one of them is, else as most of them say. Those are reported that differ from most.

## Source
BuildKit `solver/llbsolver/mounts/mount.go`; proven in `tests/buildkit` with two builds at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from cachekey.dockerfile.place import Place
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits.everywhere import lines_text
from cachekey.edits.mount import set_option
from cachekey.finding import FileEdit, Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK108", "mixed-sharing", Severity.INFORMATION, Fixable.ALWAYS)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report the mounts of a cache that do not ask for the sharing of the others."""
    groups: dict[object, list[Place]] = {}
    for run, mount in dockerfile.caches:
        sharing = mount.value("sharing")
        if mount.key is not None and not run.onbuild and (sharing is None or sharing.known):
            groups.setdefault(mount.key.identity, []).append(Place(dockerfile, run, mount))
    for places in groups.values():
        counts = Counter(place.mount.sharing for place in places)
        if len(counts) < 2:
            continue
        # Those that differ from most of the others are the odd ones out.
        usual = max(counts, key=lambda mode: (counts[mode], mode == "locked"))
        model = next(place for place in places if place.mount.sharing == usual)
        for place in places:
            if place.mount.sharing != usual:
                yield _finding(model, place, places, ctx)


def _finding(model: Place, place: Place, places: list[Place], ctx: Context) -> Finding:
    wanted, mine = model.mount.sharing, place.mount.sharing
    assert place.mount.key is not None
    option = place.mount.options.get("sharing")
    return ctx.finding(
        option.field.span if option else place.mount.span,
        f"The cache {place.mount.key.label} is {mine} here and {wanted} on line "
        f"{model.line + 1}: when both run at the same time, they get two caches",
        related=[ctx.related(model.mount.span, f"This mount is {wanted}")],
        fixes=partial(_fixes, place, wanted, places, ctx),
    )


def _fixes(place: Place, wanted: str, places: list[Place], ctx: Context) -> Iterator[Fix]:
    mine = place.mount.sharing
    stricter = mine == "locked"
    if stricter:
        others = [other for other in places if other.mount.sharing != mine]
        lines = lines_text(other.line + 1 for other in others)
        title = f"Write sharing={mine} on {lines}, as here"
        yield _fix(title, partial(_write, others, mine), True, ctx)
    title = f"Write sharing={wanted} on line {place.line + 1}, as elsewhere"
    yield _fix(title, partial(_write, [place], wanted), not stricter, ctx)


def _fix(title: str, edits: Callable[[], list[FileEdit]], preferred: bool, ctx: Context) -> Fix:
    return ctx.fix(
        title,
        edits,
        safety=Safety.UNSAFE,
        preferred=preferred,
        reason="it decides which RUNs wait for each other",
    )


def _write(places: list[Place], sharing: str) -> list[FileEdit]:
    return [FileEdit(place.path, set_option(place.mount, "sharing", sharing)) for place in places]
