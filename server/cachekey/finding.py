"""What a rule reports: findings, what they relate to, and the fixes they offer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import field
from enum import Enum
from functools import partial
from itertools import islice
from typing import Literal, TypeVar

from cachekey.budget import MOST_EDITS, MOST_RELATED
from cachekey.record import cached_property, record, replace
from cachekey.text import Edit, Span

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


Detail = Literal["findings", "titles", "edits", "tried"]
"""How much of the fixes somebody wants to know: nothing, what they would do, everything, or everything
of those that were tried and make nothing worse."""


class Severity(str, Enum):
    """How bad a finding is, worst first; the values are the words of the JSON report."""

    ERROR = "error"
    """The build or the container fails."""
    WARNING = "warning"
    """The cache or its result is surely lost."""
    INFORMATION = "information"
    """Worth knowing; often right on purpose."""
    HINT = "hint"
    """No squiggle, a quick fix is offered."""

    @property
    def rank(self) -> int:
        """Order severities: 0 is the worst."""
        return list(Severity).index(self)


class Safety(str, Enum):
    """How far a fix may be applied without being read."""

    SAFE = "safe"
    """Same image, comments kept; applied by ``--fix`` and ``source.fixAll.cachekey``."""
    UNSAFE = "unsafe"
    """Changes more than the cache, or rests on a guess that its title names; only when asked for."""
    MANUAL = "manual"
    """Shows where to go on; the user must complete it."""


@record(frozen=True)
class Wish:
    """An id that a fix would like to give a cache; which one is free, the workspace knows."""

    stem: str
    """The name, without what tells the project."""
    longer: str
    """What to take where another cache of the workspace lies in a directory of the same name."""
    folder: str
    """The last name of the directory."""
    identity: Hashable
    """The key of the cache that gets the name."""
    path: str = ""
    """The file whose project the name tells, where projects in other folders have the same key."""


@record(frozen=True)
class Reach:
    """The caches whose mounts a fix changes, wherever they stand in the workspace."""

    identities: tuple[Hashable, ...]
    """Their keys."""
    only: frozenset[Hashable] | None = None
    """What the mounts hold, if only some of those with the keys are changed."""
    folder: str | None = None
    """The folder of the files that are changed, if it is not all of them."""
    kept: Hashable | None = None
    """The key that all of them get, if it is one of theirs: its mounts stay as they are."""


@record(frozen=True)
class FileEdit:
    """An edit in one file; ``path`` names a document of the project."""

    path: str
    edit: Edit


@record(frozen=True)
class Fix:
    """One complete way to mend a finding: what it does at once, its edits when they are asked for."""

    title: str
    """Imperative sentence for the light bulb, for instance ``Give both mounts id=uv-cache``."""
    write: Callable[[], Iterable[FileEdit]] = field(repr=False, compare=False)
    """Makes the edits, which are applied together; asked once, see :attr:`edits`."""
    safety: Safety = Safety.SAFE
    preferred: bool = False
    reason: str = ""
    """Why the fix is not safe: what else it changes. A clause, which stands in brackets behind the title."""
    choose: bool = False
    """It changes many places of the workspace, among which the user may choose."""
    apart: bool = False
    """It takes one cache apart, or moves to another one, and its title says so."""
    wish: Wish | None = None
    """The title holds ``{id}``, for which the workspace is still to be asked."""
    reach: Reach | None = None
    """The title holds ``{places}``, for which the workspace is still to be asked."""

    def told(self, detail: Detail) -> Fix:
        """Return the fix as data alone, with its edits or without."""
        edits = self.edits if detail in {"edits", "tried"} else ()
        return replace(self, write=partial(tuple, edits))

    @cached_property
    def edits(self) -> tuple[FileEdit, ...]:
        """Return the edits; none when they cannot be made after all, which is logged.

        There are none either when they are more than anybody would read.
        """
        edits = _made(lambda: islice(self.write(), MOST_EDITS + 1), f"the fix '{self.title}'")
        return edits if len(edits) <= MOST_EDITS else ()


TOO = "Here, too"
"""What a related place says where a finding speaks for several of one cause."""


@record(frozen=True)
class Related:
    """Another place that explains a finding."""

    path: str
    span: Span
    message: str


@record(frozen=True)
class Finding:
    """One defect at one place. ``span`` is in code-point offsets of the document ``path``."""

    path: str
    code: str
    rule: str
    severity: Severity
    span: Span
    message: str
    related: tuple[Related, ...] = ()
    offer: Callable[[], Iterable[Fix]] = field(default=tuple, repr=False, compare=False)
    """Thinks of the fixes; asked once, see :attr:`fixes`."""
    unnecessary: bool = False
    """Editors may fade the span out: it does nothing and can be deleted."""
    missing: bool = False
    """It says that something is not there, which may be about to be typed."""
    common: bool = False
    """Every language server for Dockerfiles says it, too."""
    cause: Hashable = None
    """What findings of one rule in one file have in common that one fix mends: see :func:`once`."""

    def places(self) -> Iterator[Span]:
        """Yield where in its file it stands: its span, and those for which it speaks, too."""
        yield self.span
        for place in self.related:
            if place.path == self.path and place.message == TOO:
                yield place.span

    @cached_property
    def fixes(self) -> tuple[Fix, ...]:
        """Return the ways to mend it, best first; a failure of the rule is logged and costs these only."""
        return _made(self.offer, f"the fixes of {self.code}")

    def told(self, detail: Detail) -> Finding:
        """Return the finding as data alone, which another process can be handed.

        Its fixes are left out, named without their edits, or written out whole.
        """
        if detail == "findings":
            return replace(self, offer=tuple)
        return replace(self, offer=partial(tuple, [fix.told(detail) for fix in self.fixes]))

    def with_severity(self, severity: Severity) -> Finding:
        """Return the finding at another severity, as the settings ask for it."""
        return replace(self, severity=severity)

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """Sort key: by document, place, code."""
        return (self.path, self.span.start, self.span.end, self.code, self.message)


def once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Let the first of several findings with one cause speak; the places of the others are related."""
    groups: dict[Hashable, list[Finding]] = {}
    for number, finding in enumerate(findings):
        told = number if finding.cause is None else (finding.cause, finding.severity)
        groups.setdefault(told, []).append(finding)
    for first, *more in groups.values():
        others = (Related(item.path, item.span, TOO) for item in more)
        related = tuple(islice((*first.related, *others), MOST_RELATED))
        yield replace(first, related=related) if more else first


def _made(make: Callable[[], Iterable[_T]], what: str) -> tuple[_T, ...]:
    # Invariant: a rule that fails costs its own findings and fixes only, whenever it is asked.
    try:
        return tuple(make())
    except Exception:
        _log.exception("cannot make %s", what)
        return ()
