"""Builds for several platforms keep platform-dependent contents in one cache.

The platform is not in the key. Packages of two architectures in one directory are wrong wheels, a
broken index, or a cache that the other platform always finds empty.

## Bad
```dockerfile
FROM alpine:3.22
ARG TARGETARCH
RUN --mount=type=cache,target=/etc/apk/cache apk add curl && echo $TARGETARCH
```

## Good
```dockerfile
FROM alpine:3.22
ARG TARGETARCH
RUN --mount=type=cache,id=apk-cache-$TARGETARCH,target=/etc/apk/cache apk add curl && echo $TARGETARCH
```

## Fix
Add `-$TARGETARCH` to the name and declare the argument.

A build of the workspace that names several platforms (a workflow, Bake, a compose file, a Makefile)
is proof. Without one, silent unless the file shows that several platforms are built (`TARGETARCH`,
`TARGETPLATFORM`, `BUILDPLATFORM`), and with an explicit `sharing`. Always silent in stages that run on
the build platform, and for contents that are told apart by themselves.

## Source
BuildKit: the key has no platform (`tests/buildkit`, two-platforms); the tools' own files for the
contents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.coverage import surely_idle
from cachekey.dockerfile.place import Place, same_cache
from cachekey.dockerfile.purpose import Purpose, purpose_of
from cachekey.dockerfile.records import Dockerfile, Stage
from cachekey.edits.caches import in_file, merge_edits, wish_for
from cachekey.edits.everywhere import lines_text
from cachekey.edits.mount import insert_line_before, set_option
from cachekey.finding import FileEdit, Finding, Fix, Severity
from cachekey.record import remembered
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.workspace.keyed import BuildKey, Built

_SIGN = re.compile(r"\b(?:TARGET|BUILD)(?:PLATFORM|ARCH)\b")


@rule("CK106", "platforms-share-cache", Severity.INFORMATION, Fixable.ALWAYS)
def check(stage: Stage, ctx: Context) -> Iterator[Finding]:
    """Report platform-dependent caches of a multi-platform Dockerfile whose key has no variable."""
    dockerfile: Dockerfile = ctx.document
    if not any(run.caches for run in stage.runs):
        return
    builds = ctx.project.built(dockerfile)
    signs = _several(dockerfile)
    if not (signs or builds) or _on_builder(stage):
        return
    for run in stage.runs:
        for mount in run.caches:
            purpose = purpose_of(run, mount)
            if run.onbuild or purpose is None or "platform" not in purpose.cache.varies_by:
                continue
            if surely_idle(run, mount):
                continue
            if mount.used or mount.key is None or purpose.use.keeps_apart(purpose.cache):
                continue
            proof = _proof(mount, builds)
            if proof is None and (not signs or "sharing" in mount.options):
                continue
            yield _finding(dockerfile, mount, purpose, proof, ctx)


def _proof(mount: Mount, builds: Iterable[Built]) -> BuildKey | None:
    """Return a build that gives several platforms one key."""
    keys = (one for built in builds for one in built.keys.get(mount.span.start, ()))
    return next((one for one in keys if len(one.platforms) > 1), None)


def _finding(
    dockerfile: Dockerfile, mount: Mount, purpose: Purpose, proof: BuildKey | None, ctx: Context
) -> Finding:
    who, related = "Builds for all platforms", []
    if proof is not None:
        who = f"Builds for {' and '.join(proof.platforms[:3])}"
        said = f"{proof.build.label} builds for these platforms"
        related = [ctx.related(proof.build.span, said, proof.build.path)]
    return ctx.finding(
        mount.target_span,
        f"{who} share this cache, and what {purpose.tool.name} keeps in it differs by platform: "
        f"{purpose.cache.what}",
        related=related,
        fixes=partial(_fixes, dockerfile, mount, purpose, ctx),
        cause=(mount.key and mount.key.identity, *purpose.key),
    )


@remembered
def _several(dockerfile: Dockerfile) -> bool:
    """Tell whether an instruction, not just a comment, speaks of platforms."""
    return _SIGN.search(dockerfile.source.text) is not None and any(
        _SIGN.search(dockerfile.source.slice(item.span)) for item in dockerfile.tree.instructions
    )


def _on_builder(stage: Stage) -> bool:
    """Tell whether FROM pins the stage to one platform: a named one, or the builder's."""
    return any(
        flag.name.text == "platform"
        and flag.value is not None
        and ("BUILD" in flag.value.text or "$" not in flag.value.text)
        for item in stage.chain
        for flag in item.instruction.flags
    )


def _fixes(dockerfile: Dockerfile, mount: Mount, purpose: Purpose, ctx: Context) -> Iterator[Fix]:
    lines = lines_text(place.line + 1 for place in same_cache(dockerfile, mount))
    title = f"Give each platform its own cache: id={{id}}-$TARGETARCH on {lines}"
    if any(_lacks(place) for place in same_cache(dockerfile, mount)):
        title += ", with ARG TARGETARCH in front"
    write = partial(_edits, dockerfile, mount)
    name = mount.id or (purpose.cache.id or "cache" if purpose.is_download else "")
    if name:
        yield ctx.fix(title.replace("{id}", name), partial(write, name), preferred=True)
    else:
        # Nobody else must share build output: without an id its new name has to tell the project.
        yield ctx.naming(title, wish_for(mount, ctx.path), write)


def _lacks(place: Place) -> bool:
    return "TARGETARCH" not in place.run.scope.variables


def _edits(dockerfile: Dockerfile, mount: Mount, name: str) -> Iterable[FileEdit]:
    edits = [
        FileEdit(place.path, set_option(place.mount, "id", f"{name}-$TARGETARCH"))
        for place in same_cache(dockerfile, mount)
    ]
    declared: list[Stage] = []
    for place in same_cache(dockerfile, mount):
        stage = dockerfile.stage_of(place.run)
        if _lacks(place) and not any(stage.descends_from(other) for other in declared):
            declared.append(stage)
            line = insert_line_before(dockerfile, place.run.span.start, "ARG TARGETARCH")
            edits += in_file(dockerfile.path, [line])
    return merge_edits(edits)
