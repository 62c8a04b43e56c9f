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
Align: `locked` if one of them is, else as the first says.

## Source
BuildKit `solver/llbsolver/mounts/mount.go`; proven in `tests/buildkit` with two builds at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachekey.finding import Finding, Severity
from cachekey.model.dockerfile import Dockerfile
from cachekey.model.project import Place
from cachekey.mountedit import set_option
from cachekey.rule import Context, Fixable, rule


@rule("CK108", "mixed-sharing", Severity.INFORMATION, Fixable.ALWAYS)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report the mounts of a cache that do not ask for the sharing of the others."""
    groups: dict[object, list[Place]] = {}
    for run, mount in dockerfile.caches:
        sharing = mount.value("sharing")
        if mount.key is not None and not run.onbuild and (sharing is None or sharing.known):
            groups.setdefault(mount.key.identity, []).append(Place(dockerfile, run, mount))
    for places in groups.values():
        modes = {place.mount.sharing for place in places}
        if len(modes) < 2:
            continue
        explicit = [place for place in places if "sharing" in place.mount.options]
        model = next((place for place in explicit if place.mount.sharing == "locked"), explicit[0])
        for place in places:
            if place.mount.sharing != model.mount.sharing:
                yield _finding(model, place, ctx)


def _finding(model: Place, place: Place, ctx: Context) -> Finding:
    wanted = model.mount.sharing
    assert place.mount.key is not None
    option = place.mount.options.get("sharing")
    return ctx.finding(
        option.field.span if option else place.mount.span,
        f"{place.mount.key.label} is {place.mount.sharing} here and {wanted} on line "
        f"{model.line + 1}: at the same time they get two caches",
        related=[ctx.related(model.mount.span, f"sharing={wanted}")],
        fixes=[
            ctx.fix(
                f"Write sharing={wanted}",
                set_option(place.mount, "sharing", wanted),
                preferred=True,
            )
        ],
    )
