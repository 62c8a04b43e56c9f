"""What a builder remembers of its builds: which line used which cache, and when a key changed.

Source: SLSA provenance as BuildKit writes it (``util/llbutil``, ``solver/llbsolver/provenance``):
steps, their mounts and their Dockerfile lines, for cached steps as well.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from cachekey.builder.progress import Progress
from cachekey.buildkit.keys import Owner
from cachekey.record import record

PROOF = "cachekey-prove-"
"""How the namespaces of ``cachekey prove`` begin."""

MOST = 200
"""Builds that are asked about at most: each is two questions to the builder."""


@record(frozen=True)
class PastMount:
    """A cache mount of a past build."""

    name: str
    """Namespace, slash and id."""
    target: str
    base: str
    """What joined the key: an owner, ``from``, or nothing."""

    @property
    def label(self) -> str:
        """Name the cache without the slash of no namespace."""
        return self.name.removeprefix("/") or self.name


@record(frozen=True)
class PastStep:
    """A RUN with cache mounts in a past build."""

    line: int
    """Zero-based, in the file as it was."""
    seconds: float | None
    """None when it was cached, or did not end."""
    cached: bool
    mounts: tuple[PastMount, ...]


@record(frozen=True)
class PastBuild:
    """One build that the builder remembers."""

    ref: str
    created: datetime
    completed: datetime | None
    file: str
    """The Dockerfile's name as the client gave it."""
    text: str | None
    """The Dockerfile as it was."""
    steps: tuple[PastStep, ...]

    @property
    def is_proof(self) -> bool:
        """Tell whether this was a build of ``cachekey prove``."""
        names = [mount.name for step in self.steps for mount in step.mounts]
        return any(name.startswith(PROOF) for name in names)


@record(frozen=True)
class Change:
    """A cache that another build of the same file has left behind."""

    since: datetime
    file: str
    target: str
    words: str


def latest(builds: Iterable[PastBuild | None], most: int) -> list[PastBuild]:
    """Return the first of ``builds`` that can be read, as many as wanted; those of ``prove`` are left out.

    No more are asked for than it takes.
    """
    asked = islice(builds, MOST)
    fine = (build for build in asked if build is not None and not build.is_proof)
    return list(islice(fine, most))


def read_build(
    ref: str,
    created: datetime,
    completed: datetime | None,
    provenance: Mapping[str, Any],
    progress: Progress,
) -> PastBuild:
    """Read one build; what the provenance does not tell is left out."""
    config = _at(provenance, "buildDefinition", "internalParameters", "buildConfig")
    metadata = _at(provenance, "runDetails", "metadata", "buildkit_metadata")
    if not metadata:
        metadata = _at(
            provenance, "runDetails", "metadata", "https://mobyproject.org/buildkit@v1#metadata"
        )
    source = _at(metadata, "source")
    definition = {str(step.get("id")): step for step in config.get("llbDefinition") or ()}
    vertices = {str(step): str(digest) for digest, step in _at(config, "digestMapping").items()}
    lines = _at(source, "locations")
    steps = []
    for ident, step in definition.items():
        mounts = tuple(_mounts(step, definition))
        line = _line(_at(lines, ident))
        if mounts and line is not None:
            vertex = progress.steps.get(vertices.get(ident, ""))
            cached = vertex is not None and vertex.cached
            steps.append(PastStep(line, vertex.seconds if vertex else None, cached, mounts))
    steps.sort(key=lambda step: step.line)
    infos = source.get("infos") or [{}]
    name = str(infos[0].get("filename") or "Dockerfile")
    return PastBuild(ref, created, completed, name, _text(infos[0]), tuple(steps))


def _at(told: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        told = told.get(name) if isinstance(told, Mapping) else None
    return told if isinstance(told, Mapping) else {}


def _mounts(step: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[PastMount]:
    execution = _at(step, "op", "Op", "exec")
    for mount in execution.get("mounts") or ():
        name = _at(mount, "cacheOpt").get("ID")
        if name:
            base = _base(step, mount, definition)
            yield PastMount(str(name), str(mount.get("dest", "")), base)


def _base(step: Mapping[str, Any], mount: Mapping[str, Any], definition: Mapping[str, Any]) -> str:
    """Tell what joined the key: the step that makes ``/cache`` holds the owner."""
    number = int(mount.get("input") or 0)
    inputs = step.get("inputs") or ()
    if not 0 <= number < len(inputs):
        return ""
    below = definition.get(str(inputs[number]).partition(":")[0], {})
    for action in _at(below, "op", "Op", "file").get("actions") or ():
        made = _at(action, "Action", "mkdir")
        if made.get("path") == "/cache":
            owner = _at(made, "owner")
            uid, gid = (_number(_at(owner, who, "User")) for who in ("user", "group"))
            text = str(Owner(uid, gid, int(made.get("mode") or 0)))
            return f"from,{text}" if below.get("inputs") else text
    return "from"


def _number(user: Mapping[str, Any]) -> int:
    return int(user.get("byId") or user.get("byID") or 0)


def _line(location: Mapping[str, Any]) -> int | None:
    for place in location.get("locations") or ():
        for span in place.get("ranges") or ():
            if line := _at(span, "start").get("line"):
                return int(line) - 1
    return None


def _text(info: Mapping[str, Any]) -> str | None:
    try:
        data = base64.b64decode(str(info.get("data") or ""), validate=True)
    except ValueError:
        return None
    return data.decode("utf-8", "surrogateescape") or None


def seconds_of(told: Mapping[str, Any] | None) -> datetime | None:
    """Read a time as protobuf's JSON of Go writes it."""
    if not told or not told.get("seconds"):
        return None
    moment = int(told["seconds"]) + int(told.get("nanos") or 0) / 1e9
    return datetime.fromtimestamp(moment, timezone.utc)


def path_of(
    build: PastBuild, texts: Mapping[str, str], names: Mapping[str, set[str]]
) -> str | None:
    """Return which file of the workspace a build was of, if that can be told.

    It is the file with the very text, else the only file of this name that has one of its caches, or of
    several the one that is plainly the most alike.
    ``names`` are the caches of each file.
    """
    same = [path for path, text in texts.items() if text == build.text]
    if len(same) == 1:
        return same[0]
    used = {mount.name for step in build.steps for mount in step.mounts}
    near = [
        path
        for path in same or names
        if path.rpartition("/")[2] == build.file.rpartition("/")[2]
        and used & names.get(path, set())
    ]
    if len(near) < 2:
        return near[0] if near else None
    return _most_alike(build.text or "", {path: texts.get(path, "") for path in near})


def _most_alike(text: str, texts: Mapping[str, str]) -> str | None:
    """Return the one of whose own lines a text has far more than of any other's."""
    lines = {path: _lines(other) for path, other in texts.items()}
    count = Counter(line for there in lines.values() for line in there)
    own = {line for line in _lines(text) if count[line] == 1}
    shared = sorted(((len(own & there), path) for path, there in lines.items()), reverse=True)
    (best, path), (second, _) = shared[:2]
    return path if best > 2 * second else None


def _lines(text: str) -> frozenset[str]:
    return frozenset(line.strip() for line in text.splitlines() if line.strip())


def changes(builds: Sequence[tuple[PastBuild, str | None]]) -> list[Change]:
    """Tell which caches changed their keys between two builds of one file, oldest first.

    ``builds`` come with the file of the workspace that each was of; others are not compared.
    """
    last: dict[tuple[str, str], PastMount] = {}
    found = []
    for build, path in sorted(builds, key=lambda item: item[0].created):
        if path is None:
            continue
        for mount in _once(build):
            before = last.get((path, mount.target))
            last[path, mount.target] = mount
            if before is not None and (before.name, before.base) != (mount.name, mount.base):
                words = _change(before, mount)
                found.append(Change(build.created, path, mount.target, words))
    return found


def _once(build: PastBuild) -> Iterable[PastMount]:
    """Return the mounts whose target has one cache only in this build."""
    seen: dict[str, set[PastMount]] = {}
    for step in build.steps:
        for mount in step.mounts:
            seen.setdefault(mount.target, set()).add(mount)
    return [next(iter(mounts)) for mounts in seen.values() if len(mounts) == 1]


def _change(before: PastMount, now: PastMount) -> str:
    if before.name != now.name:
        return f"the cache on {now.target} is {now.label}, it was {before.label}: it began empty"
    base = now.base or "no uid, gid, mode or from any more"
    return f"{now.label} has {base}, it had {before.base or 'none'}: it began empty"
