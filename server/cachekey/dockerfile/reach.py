"""Which stages a build comes to: the target's, and those that it takes something from.

Source: BuildKit ``dockerfile2llb/convert.go``: a stage is built when it is needed, and a named context of
a stage's name stands in its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from cachekey.dockerfile.records import Dockerfile, Stage


def reached(
    dockerfile: Dockerfile, target: str | None, replaced: Collection[str] = ()
) -> frozenset[int] | None:
    """Return the indexes of the stages that are built for ``target`` (None: the last one).

    ``replaced`` are the names of named contexts, in lower case. None: there is no such target, or a
    variable tells which stage another one is built on.
    """
    first = _target(dockerfile, target)
    if first is None:
        return None
    found: set[int] = set()
    waiting = [first]
    while waiting:
        stage = waiting.pop()
        if stage.index in found or (stage.name or "").lower() in replaced:
            continue
        if stage.base.may_be_stage:
            # It could be any of the stages in front of it.
            return None
        found.add(stage.index)
        waiting += _needed(dockerfile, stage, replaced)
    return frozenset(found)


def _target(dockerfile: Dockerfile, target: str | None) -> Stage | None:
    if not dockerfile.stages:
        return None
    if not target:
        return dockerfile.stages[-1]
    named = [stage for stage in dockerfile.stages if (stage.name or "").lower() == target.lower()]
    if named:
        return named[-1]
    if target.isdecimal() and len(target) < 6 and int(target) < len(dockerfile.stages):
        return dockerfile.stages[int(target)]
    return None


def _needed(dockerfile: Dockerfile, stage: Stage, replaced: Collection[str]) -> Iterator[Stage]:
    if stage.parent is not None:
        yield stage.parent
    names: set[str] = set()
    for step in stage.steps:
        if step.copied is not None and step.copied.origin:
            names.add(step.copied.origin.lower())
        for mount in step.run.mounts if step.run is not None and not step.run.dormant else ():
            if mount.origin:
                names.add(mount.origin.lower())
    for name in names - set(replaced):
        found = dockerfile.stage_named(name, stage)
        if found is not None:
            yield found
