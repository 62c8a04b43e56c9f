"""Builds a Dockerfile with an empty cache and again with a full one, in a namespace of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence

from cachekey.builder.build import NAMESPACE, BuildRequest, build
from cachekey.builder.join import Cache, join
from cachekey.builder.namespaces import Namespace, mine, namespace
from cachekey.builder.places import Place, places
from cachekey.builder.probe import probed
from cachekey.builder.progress import Progress, Step, runs_of
from cachekey.builder.records import CACHE, BuilderError, Usage
from cachekey.builder.source import Source
from cachekey.builder.verdicts import Measured
from cachekey.dockerfile.records import Dockerfile
from cachekey.record import replace

Tell = Callable[[str, bool], None]
"""Told what is being done, a line at a time; the second argument marks the steps of a build."""


def measure(
    source: Source,
    model: Dockerfile,
    request: BuildRequest,
    runs: int,
    keep: bool,
    tell: Tell,
) -> list[Measured]:
    """Return what each cache mount of a file came to in ``runs`` builds, the first one cold.

    The model's keys must be those of the request. Raises ``BuilderError``; whatever happens, what was
    made is removed again, unless it is to be kept.
    """
    if runs < 2:
        raise BuilderError("a cold and a warm build are two: --runs takes a number from 2")
    source.building(request)
    with namespace(source, keep, lambda text: tell(text, False)) as private:
        request = replace(request, folder=private.folder)
        _ignored(model, request)
        private.usage = source.usage()
        private.note.put(
            before=[item.id for item in private.usage.records],
            commands=sorted({place.command for place in places(model) if place.command}),
        )
        rounds: list[Progress] = []
        for number in range(runs):
            what = "cold build" if number == 0 else f"warm build {number} of {runs - 1}"
            rounds.append(_build(source, model, request, private, number, what, tell))
        private.usage = source.usage()
        if keep:
            tell(f"the caches stay in the namespace {private.name}", False)
        return _measured(model, private, private.usage, rounds)


def _ignored(model: Dockerfile, request: BuildRequest) -> None:
    """Take along the ignore file that counts for this Dockerfile only."""
    beside = os.path.join(request.context, f"{model.path}.dockerignore")
    if os.path.isfile(beside):
        shutil.copyfile(beside, os.path.join(request.folder, "Dockerfile.dockerignore"))


def _build(
    source: Source,
    model: Dockerfile,
    request: BuildRequest,
    private: Namespace,
    number: int,
    what: str,
    tell: Tell,
) -> Progress:
    path = os.path.join(private.folder, "Dockerfile")
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(probed(model, f"{private.name}-{number}"))
    asked = replace(request, args={**request.args, NAMESPACE: private.name})

    def begun(step: Step) -> None:
        if step.started is not None:
            private.note.put(last=step.started.isoformat())
        if not step.name.startswith("[internal]"):
            tell(f"{what}: {step.name}", True)

    tell(what, False)
    private.usage = None
    return build(source.building(asked), source.builder.name, begun)


def _measured(
    model: Dockerfile, private: Namespace, usage: Usage, rounds: Sequence[Progress]
) -> list[Measured]:
    wanted = list(places(model))
    sizes = _sizes(usage, private, wanted)
    steps = [runs_of(model, progress.steps.values()) for progress in rounds]
    readonly = {(m.span.start): m.readonly for _, m in model.caches}
    found = []
    for place in wanted:
        times = [_seconds(item.get(place.run_line, ())) for item in steps]
        ran = [time for time in times[1:] if time is not None]
        log = "".join(step.log for step in steps[0].get(place.run_line, ()))
        found.append(
            Measured(
                place,
                times[0],
                min(ran) if ran else None,
                sizes.get(place.key.identity),
                log,
                readonly.get(place.start, False),
                max(ran) if ran else None,
            )
        )
    return found


def _seconds(steps: Sequence[Step]) -> float | None:
    times = [step.seconds for step in steps if step.seconds is not None]
    return sum(times) if times else None


def _sizes(usage: Usage, private: Namespace, wanted: Sequence[Place]) -> dict[object, int]:
    """Return the bytes of each key of the namespace."""
    ours = {record.id for record in mine(usage, private.name)}
    parents = tuple(r for r in usage.records if r.id in ours or r.type != CACHE)
    moved = [place.moved_to(private.name) for place in wanted]
    sizes: dict[object, int] = {}
    caches: Sequence[Cache] = join(replace(usage, records=parents), moved).caches
    for cache in caches:
        for place in cache.places:
            original = wanted[moved.index(place)]
            sizes[original.key.identity] = cache.size
    return sizes
