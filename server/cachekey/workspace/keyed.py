"""The keys that a Dockerfile's cache mounts have in the builds of the workspace.

A build passes arguments, builds for platforms, and comes to some stages only: for each of them the file is
read with what it passes, where that makes a difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from cachekey.buildkit.keys import Key
from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import NAMESPACE_ARG, PLATFORM_ARGS
from cachekey.builds.invocation import Invocation
from cachekey.dockerfile.reach import reached
from cachekey.dockerfile.records import Dockerfile
from cachekey.record import record
from cachekey.syntax.dockerfile.namevalue import arg_pairs

Read = Callable[[Mapping[str, str], frozenset[str], frozenset[str]], Dockerfile]
"""Reads the Dockerfile with these build arguments, with others of unknown values, and without some."""

_NOTHING: frozenset[str] = frozenset()
BY_CLIENT = re.compile(r"(?i:\w+_proxy)|SOURCE_DATE_EPOCH|BUILDKIT_\w+")
"""Arguments that a client passes unasked, from its configuration or environment."""
_MOST_READINGS = 12
"""Of one Dockerfile with other arguments; of builds beyond that the keys are not told."""


@record(frozen=True)
class BuildKey:
    """The key of one mount in one build."""

    build: Invocation
    platforms: tuple[str, ...]
    """The platforms for which it is this key; none: those that nobody names."""
    key: Key


@record(frozen=True, eq=False)
class Built:
    """One build of a Dockerfile: the mounts that it comes to, with their keys."""

    build: Invocation
    keys: Mapping[int, tuple[BuildKey, ...]]
    """By the place of the mount. Mounts of stages that the build does not come to are left out."""
    told: bool = True
    """False: which stages it comes to is not known."""
    args: tuple[tuple[str, str | None], ...] = ()
    """The arguments that it passes and that decide; None for a value that nobody knows."""


def agreed(builds: Iterable[Invocation]) -> dict[str, str]:
    """Return the arguments that whoever passes them passes with one known value."""
    found: dict[str, str | None] = {}
    for build in builds:
        for name, said in build.args:
            text = said.text if said.sure else None
            found[name] = text if found.get(name, text) == text else None
    found.pop(NAMESPACE_ARG, None)
    return {name: text for name, text in found.items() if text is not None}


def platform_args(platform: str) -> dict[str, str]:
    """Return the arguments that BuildKit sets for a platform.

    Source: ``containerd/platforms`` (``Normalize``) and ``dockerfile2llb/platform.go``.
    """
    parts = platform.lower().split("/")
    system, architecture = parts[0], parts[1] if len(parts) > 1 else ""
    variant = parts[2] if len(parts) > 2 else ""
    architecture = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}.get(
        architecture, architecture
    )
    if architecture == "arm64" and variant in ("8", "v8"):
        variant = ""
    if architecture == "amd64" and variant == "v1":
        variant = ""
    if architecture == "arm":
        variant = {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"}.get(variant, variant)
    full = "/".join(part for part in (system, architecture, variant) if part)
    return {
        "TARGETPLATFORM": full,
        "TARGETOS": system,
        "TARGETARCH": architecture,
        "TARGETVARIANT": variant,
    }


def built(
    document: Dockerfile, builds: Iterable[Invocation], own: Mapping[str, str], read: Read
) -> tuple[Built, ...]:
    """Return what the builds of a Dockerfile make of its cache mounts.

    ``own`` are the build arguments with which the document was read.
    """
    reader = _Readings(document, own, read)
    return tuple(_built(build, reader) for build in builds)


class _Readings:
    """Reads a Dockerfile with other arguments, once for each set that makes a difference."""

    def __init__(self, document: Dockerfile, own: Mapping[str, str], read: Read) -> None:
        self._read = read
        self.names = _deciding(document)
        mine = {name: text for name, text in own.items() if name in self.names}
        self._bare = _bare(document) & self.names
        alone = (frozenset(mine.items()), _NOTHING, _NOTHING)
        self._known: dict[object, Dockerfile] = {alone: document}

    def of(self, build: Invocation, platform: Mapping[str, str]) -> Dockerfile | None:
        """Return the file as a build for a platform has it; None when there were too many."""
        given = {**build.arguments, **platform}
        wanted = {name: text for name, text in given.items() if name in self.names}
        passed = self.names - PLATFORM_ARGS if "args" in build.open else build.passed & self.names
        unknown = passed.difference(wanted)
        # A default counts as ever; what has none and is not passed is empty.
        left = _NOTHING if "args" in build.open else self._bare.difference(given)
        left = left - unknown
        key = (frozenset(wanted.items()), unknown, left)
        if key not in self._known:
            if len(self._known) > _MOST_READINGS:
                return None
            self._known[key] = self._read(wanted, unknown, left)
        return self._known[key]

    def shown(self, build: Invocation) -> tuple[tuple[str, str | None], ...]:
        """Return the arguments of a build that decide."""
        return tuple((name, said.text) for name, said in build.args if name in self.names)


def _deciding(document: Dockerfile) -> frozenset[str]:
    """Return the arguments that may change a key, or the choice of stages."""
    found: set[str] = {NAMESPACE_ARG}
    for _, mount in document.caches:
        waiting = list(mount.used)
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            variable = mount.scope.variables.get(name)
            waiting += variable.value.used if variable is not None else ()
    bases = frozenset[str]().union(*(stage.base.reference.used for stage in document.stages))
    # What a base image is called may come from any of the arguments in front of the first FROM.
    return frozenset(found | bases | (document.global_args if bases else _NOTHING))


def _bare(document: Dockerfile) -> frozenset[str]:
    """Return the arguments that some ARG declares without a default."""
    found: set[str] = set()
    for instruction in document.tree.instructions:
        if instruction.keyword == "ARG":
            pairs = arg_pairs(instruction.args, document.tree.escape)
            found |= {name.text for name, default in pairs if default is None}
    return frozenset(name for name in found - PLATFORM_ARGS if not BY_CLIENT.fullmatch(name))


def _built(build: Invocation, reader: _Readings) -> Built:
    # `local` is the platform of whoever builds.
    platforms = {said.text: said for said in build.platforms if said.text != "local"}
    known = [text for text in platforms if text is not None]
    rounds: list[tuple[str, ...]] = [(text,) for text in known] or [()]
    if len(known) != len(platforms) or "platforms" in build.open:
        rounds = [()]
    found: dict[int, dict[object, BuildKey]] = {}
    told = "target" not in build.open and (build.target is None or build.target.text is not None)
    for platform in rounds:
        # Where no platform is named the builder's own is built.
        named = (
            platform[0]
            if platform
            else ""
            if platforms or "platforms" in build.open
            else build.native
        )
        extra = platform_args(named) if named else {}
        document = reader.of(build, extra)
        if document is None:
            return Built(build, {}, False, reader.shown(build))
        stages = _stages(document, build) if told else None
        told = told and stages is not None
        for mount in _mounts(document, stages):
            assert mount.key is not None
            keys = found.setdefault(mount.span.start, {})
            before = keys.get(mount.key.identity)
            names = (*(before.platforms if before is not None else ()), *platform)
            keys[mount.key.identity] = BuildKey(build, names, mount.key)
    keys_ = {start: tuple(keys.values()) for start, keys in found.items()}
    return Built(build, keys_, told, reader.shown(build))


def _stages(document: Dockerfile, build: Invocation) -> frozenset[int] | None:
    target = build.target.text if build.target is not None else None
    return reached(document, target, {name.lower() for name, _ in build.contexts})


def _mounts(document: Dockerfile, stages: frozenset[int] | None) -> Iterator[Mount]:
    for run, mount in document.caches:
        if not run.dormant and (stages is None or run.stage in stages):
            yield mount
