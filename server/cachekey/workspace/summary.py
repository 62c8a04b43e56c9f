"""What other files need to know of a file: small, plain, and good for another process.

A model weighs a hundred times as much. Models are kept of open documents only; every question
across files is answered from summaries.
"""

from __future__ import annotations

import posixpath
from collections.abc import Hashable, Iterator, Mapping, Sequence
from zlib import crc32

from cachekey.buildkit.keys import Base, Key, NameFrom
from cachekey.buildkit.mounts import Mount
from cachekey.builds.composefile import compose_builds
from cachekey.builds.devfile import devcontainer_build
from cachekey.builds.invocation import BuildFile, Dance, Invocation, unique
from cachekey.builds.places import Looker, Read
from cachekey.devcontainer.caches import cache_of
from cachekey.devcontainer.compose import ComposeFile, engine_name, taken_in
from cachekey.devcontainer.read import Devcontainer
from cachekey.dockerfile.coverage import surely_idle, wanted
from cachekey.dockerfile.purpose import Purpose, purpose_of, writer
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.kinds import Kind
from cachekey.knowledge import Knowledge
from cachekey.record import record
from cachekey.text import Source, Span, Where, where_of
from cachekey.workspace.keyed import Built

Document = Dockerfile | Devcontainer | ComposeFile | BuildFile

Topic = tuple[str, Hashable]
"""What a question across files is about: ``("key", identity)``, ``("tool", (tool, role))``..."""


@record(frozen=True, slots=True)
class CacheUse:
    """What a cache mount holds: a directory of a tool, or a part of one."""

    tool: str
    """The tool's id."""
    name: str
    """What people call the tool."""
    role: str
    cache: str
    """The id that is offered for such a cache; may be empty."""
    part: str
    """Which piece of the tool's directory; empty for all of it."""
    download: bool
    """Projects may share it."""


@record(frozen=True, slots=True)
class CacheKey:
    """What other files need to know of a key: see :class:`cachekey.buildkit.keys.Key`."""

    identity: Hashable
    label: str
    name: str
    name_from: NameFrom
    full: str
    """Namespace and name, by which two explicit ids are one."""
    base: Base | None


@record(frozen=True, slots=True)
class CacheMount:
    """One cache mount that the builder accepts."""

    path: str
    """The Dockerfile."""
    span: Span
    """The flag."""
    name_span: Span
    """What names the cache: the value of ``id``, else of the target, else the flag."""
    where: Where
    """The place of ``name_span``."""
    stage: str
    """The stage as a message names it."""
    who: str
    """The user of the RUN as a message names it; empty when unknown."""
    key: CacheKey
    id: str
    """The ``id`` as it is written, empty without one."""
    directory: str | None
    uid: int | None
    """Owner of a new cache."""
    user_uid: int | None
    """Number of the user that USER names."""
    writer: object
    """Number or name of whoever writes; None when unknown or when the mount is read-only."""
    use: CacheUse | None
    around: tuple[tuple[str, str], ...]
    """Tool and role of the download caches that lie whole below the mount and that its RUN uses."""
    meant: bool
    """Key and target say what was meant: no variable is missing, no ``~``, no ONBUILD."""
    also: tuple[CacheKey, ...] = ()
    """Other keys that it has in builds of the workspace."""
    source: str = "/"
    """Which directory of the volume the mount opens."""
    beside: tuple[Hashable, ...] = ()
    """Keys of other directories that are mounted beside it, in one RUN, for the same cache of one
    command: whichever of them the tool uses is there."""

    @property
    def line(self) -> int:
        """Return the zero-based line."""
        return self.where.line

    def same_as(self, other: CacheMount) -> bool:
        """Tell whether two mounts are one cache."""
        return self.key.identity == other.key.identity


@record(frozen=True, slots=True)
class Volume:
    """One mount of a dev container, or a compose file's volume that all projects know."""

    line: int
    """Zero-based."""
    volume: str | None
    """What the engine calls the volume; None for other mounts, and where Compose names it."""
    name: str | None
    """The volume's name as it is written; None for a mount of another kind."""
    tool: str | None
    """The id of the tool whose cache it is at run time."""


@record(frozen=True)
class Summary:
    """One file of the workspace."""

    path: str
    kind: Kind
    mounts: tuple[CacheMount, ...] = ()
    """A Dockerfile's accepted cache mounts, in file order."""
    volumes: tuple[Volume, ...] = ()
    """A devcontainer.json's mounts, or a compose file's volumes, in file order."""
    builds: tuple[Invocation, ...] = ()
    """What it builds, in file order."""
    dances: tuple[Dance, ...] = ()
    """Steps of a workflow that carry caches over runs."""
    reads: tuple[str, ...] = ()
    """Other files that were read for what it builds, or that are not there to be read."""
    looks: tuple[str, ...] = ()
    """Files of which only matters whether they are there."""
    missed: tuple[str, ...] = ()
    """Those of both that were not there."""
    composes: tuple[str, ...] = ()
    """The compose files that a devcontainer.json names; a compose file names itself."""
    takes_in: tuple[str, ...] = ()
    """The files that a compose file includes, or whose services its own extend."""
    state: int = 0
    """Differs for two texts of a file that starts builds or has to do with compose files."""

    @property
    def topics(self) -> Mapping[Topic, list[object]]:
        """Return what the file says to each question across files; equal answers change nothing."""
        found: dict[Topic, list[object]] = {}
        for mount in self.mounts:
            for topic in _topics(mount):
                found.setdefault(topic, []).append(mount)
        for volume in self.volumes:
            if volume.volume is not None:
                found.setdefault(("volume", volume.volume), []).append(volume)
        for build in self.builds:
            if build.dockerfile is not None:
                found.setdefault(("built", build.dockerfile), []).append(build)
                # Whether its caches last is as good as another builder.
                lasts = any(dance.job == build.job for dance in self.dances)
                found.setdefault(("keys of", build.dockerfile), []).append((build.means, lasts))
                found.setdefault(("build of", build.dockerfile), []).append(build)
        if self.kind == "dockerfile":
            # Asked anew when somebody builds it in another way.
            found[("keys of", self.path)] = []
            # What is said of it names the place of a build, and a fix may edit it there.
            found[("build of", self.path)] = []
        for path in self.reads:
            found[("read", path)] = [self.kind]
        for path in self.looks:
            found[("looked for", path)] = [self.kind]
        for path in self.missed:
            found[("missed", path)] = [self.kind]
        for path in self.composes:
            # What runs may depend on any line: both sides look anew when the other has changed.
            found[("composes", path)] = [self.state]
        for path in self.takes_in:
            found[("taken in", path)] = [self.kind]
        return found


def _topics(mount: CacheMount) -> Iterator[Topic]:
    yield ("key", mount.key.identity)
    if mount.id:
        yield ("name", mount.key.full)
    for key in mount.also:
        yield ("also", key.identity)
    folder = posixpath.basename(mount.directory or "")
    yield ("folder", folder)
    yield ("folder and key", (folder, mount.key.identity))
    if mount.use is not None and mount.use.download and mount.meant:
        tool = (mount.use.tool, mount.use.role)
        yield ("tool", tool)
        yield ("tool and key", (tool, mount.key.identity))
    for what in mount.around if mount.meant else ():
        yield ("around tool", what)


def _no_file(path: str) -> None:
    return None


def summarise(
    document: Document,
    knowledge: Knowledge,
    read: Read = _no_file,
    builds: Sequence[Built] = (),
) -> Summary:
    """Return the summary of a document.

    ``read`` gives the texts of other files, ``builds`` is what builds make of a Dockerfile.
    """
    if isinstance(document, Dockerfile):
        mounts = tuple(_mounts(document, builds))
        return Summary(document.path, "dockerfile", mounts=mounts)
    if isinstance(document, BuildFile):
        return Summary(
            document.path,
            "builds",
            builds=document.invocations,
            dances=document.dances,
            reads=document.reads,
            looks=document.looks,
            missed=document.missed,
            state=_state(document.source.text),
        )
    if isinstance(document, ComposeFile):
        looker = Looker(read)
        return Summary(
            document.path,
            "compose",
            builds=unique(compose_builds(document, looker)),
            reads=looker.asked,
            volumes=tuple(_engine_volumes(document)),
            missed=looker.missed,
            composes=(document.path,),
            takes_in=tuple(taken_in(document)),
            state=_state(document.source.text),
        )
    paths = tuple(path for path in document.compose_paths if path is not None)
    return Summary(
        document.path,
        "devcontainer",
        volumes=tuple(_volumes(document, knowledge)),
        builds=devcontainer_build(document),
        composes=paths,
        state=_state(document.source.text) if paths else 0,
    )


def build_file(summary: Summary, text: str) -> BuildFile | None:
    """Return the file that starts builds whose summary this is; None when its text was another one."""
    if summary.kind != "builds" or summary.state != _state(text):
        return None
    found = (summary.builds, summary.dances, summary.reads, summary.looks, summary.missed)
    return BuildFile(summary.path, Source(text), *found)


def _state(text: str) -> int:
    return len(text) << 32 | crc32(text.encode("utf-8", "surrogatepass"))


def _mounts(document: Dockerfile, builds: Sequence[Built]) -> Iterator[CacheMount]:
    also: dict[int, dict[object, CacheKey]] = {}
    for item in builds:
        for start, keys in item.keys.items():
            for one in keys:
                also.setdefault(start, {})[one.key.identity] = _key(one.key)
    for run, mount in document.caches:
        if mount.key is None:
            continue
        user = run.scope.user
        span = name_span(mount)
        yield CacheMount(
            document.path,
            # A summary outlives the model, whose places move.
            mount.span.fixed,
            span.fixed,
            where_of(document.source, span),
            document.stage_of(run).label,
            user.label if user.account is not None else "",
            _key(mount.key),
            mount.id or "",
            mount.directory,
            mount.uid,
            user.uid,
            None if mount.readonly else _writer(run, mount),
            _use(run, mount),
            tuple(_around(run, mount)),
            _is_meant(run, mount, mount.key),
            tuple(
                key
                for identity, key in also.get(mount.span.start, {}).items()
                if identity != mount.key.identity
            ),
            mount.source,
            tuple(_beside(run, mount)),
        )


def _key(key: Key) -> CacheKey:
    full = f"{key.namespace}/{key.name.key}"
    return CacheKey(key.identity, key.label, key.name.text, key.name_from, full, key.base)


def name_span(mount: Mount) -> Span:
    """Return the span of what names a cache: the ``id``'s value, else the target's, else all."""
    for name in ("id", "target"):
        if (option := mount.options.get(name)) is not None and option.value.text:
            return option.span
    return mount.span


def _writer(run: Run, mount: Mount) -> object:
    user = writer(run, mount)
    return None if user is None else user.uid if user.uid is not None else user.name


def _use(run: Run, mount: Mount) -> CacheUse | None:
    purpose = purpose_of(run, mount)
    if purpose is None:
        return None
    tool, cache = purpose.tool, purpose.cache
    part = part_of(purpose, mount.directory or "")
    return CacheUse(tool.id, tool.name, cache.role, cache.id, part, purpose.is_download)


def _beside(run: Run, mount: Mount) -> Iterator[Hashable]:
    """Yield the keys of the RUN's other mounts that may hold what this one does."""
    purpose = purpose_of(run, mount) if len(run.caches) > 1 else None
    if purpose is None:
        return
    for other in run.caches:
        theirs = purpose_of(run, other) if other.directory != mount.directory else None
        if theirs is None or other.key is None:
            continue
        if theirs.use is purpose.use and theirs.cache is purpose.cache:
            yield other.key.identity


def _around(run: Run, mount: Mount) -> Iterator[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    for item in wanted(run):
        found = (item.use.tool.id, item.directory.role)
        if mount.directory and item.directory.relation(mount.directory) == "parent":
            nested = (m.directory for m in run.caches if m is not mount and m.directory)
            if found not in seen and not any(item.directory.relation(x) == "exact" for x in nested):
                seen.add(found)
                yield found


def part_of(purpose: Purpose, folder: str) -> str:
    """Return which piece of its tool's directory a mount holds, empty for all of it."""
    item = purpose.use.directory(purpose.cache.role)
    if item is not None and item.path is not None and item.relation(folder) == "part":
        return posixpath.relpath(folder, item.path)
    return next((part for part in purpose.cache.parts if folder.endswith(f"/{part}")), "")


def _is_meant(run: Run, mount: Mount, key: Key) -> bool:
    odd = mount.undefined or mount.target.text.startswith("~")
    return not (key.unresolved or run.onbuild or odd or surely_idle(run, mount))


def _engine_volumes(document: ComposeFile) -> Iterator[Volume]:
    """Yield the volumes that the engine knows by the very name that the file tells."""
    for _, key, value in document.section("volumes"):
        name = engine_name(key, value)
        if name is not None:
            yield Volume(document.source.line_of(name.span().start), name.text, name.text, None)


def _volumes(document: Devcontainer, knowledge: Knowledge) -> Iterator[Volume]:
    effective = document.effective_mounts
    for mount in document.mounts:
        cache = cache_of(mount, document, knowledge) if mount in effective else None
        named = mount.names_volume and mount.source
        yield Volume(
            document.source.line_of(mount.span.start),
            mount.volume if mount.external or not document.compose else None,
            mount.source.text if named and mount.source else None,
            cache.claim.tool.id if cache is not None and mount.type != "cache" else None,
        )
