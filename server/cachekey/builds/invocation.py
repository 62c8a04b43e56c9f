"""One build as a file of the workspace starts it: what decides its keys, and whether caches stay.

Plain and picklable: invocations live in summaries. Paths are those of the workspace, ``""`` is its
root. What is computed when the build starts has no text, and nobody guesses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from cachekey.record import record
from cachekey.text import Mapped, Source, Span, Where

Kind = Literal["compose", "bake", "workflow", "command", "devcontainer"]
Runner = Literal["fresh", "kept", "unknown"]

MOST_INVOCATIONS = 200
"""Of one file."""


@record(frozen=True, slots=True)
class Said:
    """A value that a file gives to a build."""

    text: str | None
    """None: computed when the build starts."""
    span: Span
    """In the file that says it; fixed."""
    open: frozenset[str] = frozenset()
    """Variables of the caller that could change the value; ``text`` is what it is without them."""

    @property
    def sure(self) -> bool:
        """Tell whether the file alone decides the value."""
        return self.text is not None and not self.open


@record(frozen=True)
class Invocation:
    """One build of one Dockerfile."""

    path: str
    """The file that starts it."""
    kind: Kind
    name: str
    """What people call it: a service, a target, ``job/step``, a rule of a Makefile."""
    span: Span
    """Where it stands; fixed."""
    where: Where
    folder: str | None = None
    """The build context; None when it is not known or not in the workspace."""
    dockerfile: str | None = None
    """The Dockerfile; None like ``folder``, and when it is written inline."""
    file: Said | None = None
    """What names the Dockerfile, None for the default."""
    args: tuple[tuple[str, Said], ...] = ()
    """Build arguments, each name once."""
    contexts: tuple[tuple[str, Said], ...] = ()
    """Named contexts: one of a stage's name stands in the stage's place."""
    target: Said | None = None
    platforms: tuple[Said, ...] = ()
    cache_from: tuple[Said, ...] = ()
    cache_to: tuple[Said, ...] = ()
    runner: Runner = "unknown"
    """Whether the builder is thrown away behind the build."""
    runs_on: str = ""
    """What makes it so, in words."""
    native: str = ""
    """The platform of the builder, for which is built when no other is named."""
    job: str = ""
    step: int = -1
    """Of a workflow: the job, and the place of the step in it."""
    builder: str | None = None
    """Of a workflow: the builder, see :mod:`cachekey.builds.runner`."""
    values_in: str = ""
    """The file in which the values stand, when it is another: a Bake file that a workflow calls."""
    open: frozenset[str] = frozenset()
    """What may be more or other than is said here: ``args``, ``platforms``, ``target``, ``file``."""

    @property
    def arguments(self) -> Mapping[str, str]:
        """Return the build arguments whose values are known."""
        return {name: said.text for name, said in self.args if said.text is not None}

    @property
    def passed(self) -> frozenset[str]:
        """Return the names of all build arguments."""
        return frozenset(name for name, _ in self.args)

    @property
    def means(self) -> object:
        """Return by what two builds come to the same keys."""
        said = (self.target, *self.platforms, *(said for _, said in self.contexts))
        names = tuple(name for name, _ in (*self.args, *self.contexts))
        args = tuple((value.text, value.open) for _, value in self.args)
        texts = tuple(None if one is None else one.text for one in said)
        return (self.path, self.dockerfile, names, args, texts, self.open, self.runner, self.native)

    @property
    def several(self) -> bool:
        """Tell whether it surely builds for more than one platform."""
        return len({said.text for said in self.platforms if said.text}) > 1

    @property
    def label(self) -> str:
        """Name the build for people: ``api in compose.yaml``."""
        return f"{self.name} in {self.path}" if self.name else self.path


@record(frozen=True, slots=True)
class Entry:
    """One entry of a dance map: a folder of the host, and the options of the mount it feeds."""

    folder: str
    options: tuple[tuple[str, str], ...]
    """As the action writes them behind ``type=cache``."""
    span: Span
    where: Where


@record(frozen=True)
class Dance:
    """A step that carries the contents of cache mounts over runs: ``buildkit-cache-dance``."""

    path: str
    job: str
    step: int
    name: str
    span: Span
    where: Where
    version: tuple[int, int] | None
    """Of the action; None for a branch or a commit."""
    entries: tuple[Entry, ...] | None
    """None: the map is computed, or cannot be read."""
    discovers: str | None = None
    """The Dockerfile that the action looks through itself, without a map."""
    builder: str | None = None
    """Which builder it feeds, see :mod:`cachekey.builds.runner`; None: not known."""
    restored: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """Steps of the job that restore folders (``actions/cache``), with the folders."""
    problem: str | None = None
    """What is wrong with the step itself."""


@record(frozen=True, eq=False)
class BuildFile:
    """A file that starts builds: Bake, a workflow, a Makefile, a script. Offsets are its own."""

    path: str
    source: Source
    invocations: tuple[Invocation, ...] = ()
    dances: tuple[Dance, ...] = ()
    reads: tuple[str, ...] = ()
    """The other files that were read for it, or that are not there to be read."""
    looks: tuple[str, ...] = ()
    """Files of which only matters whether they are there."""
    missed: tuple[str, ...] = ()
    """Those of both that were not there."""
    spent: Span | None = None
    """Where the budget was gone: nowhere, what is too large is not read at all."""


def said(text: Mapped) -> Said:
    """Return a literal value with its place."""
    return Said(text.text, text.span().fixed)


def unique(invocations: Iterator[Invocation]) -> tuple[Invocation, ...]:
    """Return the first builds of a file, as many as count."""
    found: list[Invocation] = []
    for item in invocations:
        if len(found) >= MOST_INVOCATIONS:
            break
        found.append(item)
    return tuple(found)
