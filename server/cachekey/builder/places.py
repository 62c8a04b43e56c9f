"""The cache mounts of the workspace, with what a builder's records may be compared with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from cachekey.buildkit.keys import Base, Key
from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.record import cached_property, record, replace
from cachekey.tools.uses import relation_to
from cachekey.workspace.keyed import Built
from cachekey.workspace.summary import Document, name_span

BaseKind = Literal["plain", "owner", "from", "from+owner"]


@record(frozen=True, eq=False)
class Place:
    """One cache mount of a Dockerfile."""

    path: str
    line: int
    """Zero-based."""
    stage: str
    tools: tuple[str, ...]
    """Ids of the tools of its RUN that cache there."""
    key: Key
    directory: str | None
    uid: int | None
    gid: int | None
    command: str
    """The RUN's command as the builder's records end with it."""
    run_line: int = 0
    """The first line of the RUN."""
    start: int = 0
    """Where the flag stands."""

    @property
    def name(self) -> str:
        """Return namespace, slash and id, as the builder's records have them."""
        return f"{self.key.namespace}/{self.key.name.text}"

    @property
    def base(self) -> BaseKind:
        """Return what joined the key."""
        return base_kind(self.key.base)

    @property
    def open(self) -> bool:
        """Tell whether the key depends on something that the files do not say."""
        return bool(self.key.unresolved)

    def moved_to(self, namespace: str) -> Place:
        """Return the same mount of a build in another namespace."""
        return replace(self, key=replace(self.key, namespace=namespace))

    @property
    def beginning(self) -> str:
        """Return what the name of an open key begins with, whatever its variables are."""
        symbols = self.key.name.symbols
        return f"{self.key.namespace}/{self.key.name.text[: symbols[0][0]] if symbols else ''}"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return what the name of an open key looks like when it is built."""
        parts, at = [re.escape(f"{self.key.namespace}/")], 0
        text = self.key.name.text
        for start, end in self.key.name.symbols:
            parts += [re.escape(text[at:start]), "[^/]*?"]
            at = end
        return re.compile("".join([*parts, re.escape(text[at:])]))


def base_kind(base: Base | None) -> BaseKind:
    """Tell what kind of base a key has."""
    if base is None:
        return "plain"
    if base.origin and base.fingerprint and not base.fingerprint.startswith("["):
        # An owner that a variable decides is written behind the fingerprint, in brackets.
        return "from+owner" if base.owner or base.fingerprint.endswith("]") else "from"
    return "owner"


def places(document: Document, builds: Iterable[Built] = ()) -> Iterator[Place]:
    """Yield the cache mounts of a document that the builder accepts, in file order.

    A mount has one key for each of the ``builds`` that pass other arguments to it.
    """
    if not isinstance(document, Dockerfile):
        return
    passed: dict[int, list[Key]] = {}
    for built in builds:
        for start, keys in built.keys.items():
            passed.setdefault(start, []).extend(one.key for one in keys)
    for run, mount in document.caches:
        if mount.key is None or run.dormant:
            continue
        found = {key.identity: key for key in passed.get(mount.span.start, ())}
        if not mount.key.unresolved or not found:
            found[mount.key.identity] = mount.key
        for key in found.values():
            yield _place(document, run, mount, key)


@record(frozen=True)
class Refused:
    """A cache mount that the builder refuses, so that it has no cache."""

    path: str
    line: int
    """Zero-based."""
    stage: str
    why: str
    """In the builder's words."""


def refused(document: Document) -> list[Refused]:
    """Return the cache mounts of a document that the builder refuses, in file order."""
    if not isinstance(document, Dockerfile):
        return []
    return [
        Refused(
            document.path,
            document.source.line_of(mount.error.span.start),
            document.stage_of(run).label,
            str(mount.error),
        )
        for run, mount in document.mounts
        if mount.type == "cache" and mount.error is not None and not run.dormant
    ]


def _place(document: Dockerfile, run: Run, mount: Mount, key: Key) -> Place:
    return Place(
        document.path,
        document.source.line_of(name_span(mount).start),
        document.stage_of(run).label,
        _tools(run, mount),
        key,
        mount.directory,
        mount.uid,
        mount.gid,
        _command(run),
        run.instruction.first_line,
        mount.span.start,
    )


def _tools(run: Run, mount: Mount) -> tuple[str, ...]:
    found = {
        use.tool.id
        for use in run.uses
        if mount.directory and relation_to(mount.directory, use) in ("exact", "part", "parent")
    }
    return tuple(sorted(found))


def _command(run: Run) -> str:
    if run.instruction.json is not None:
        return plain(" ".join(word.text for word in run.instruction.json))
    bodies = [heredoc.body.text for heredoc in run.instruction.heredocs]
    # A here-document without a command in front of it is the script itself.
    script = run.instruction.args.text.lstrip().startswith("<<")
    return plain(bodies[0] if bodies and script else run.instruction.args.text)


def plain(text: str) -> str:
    """Return a command without differences of blanks: the builder keeps those of joined lines."""
    return " ".join(text.split())
