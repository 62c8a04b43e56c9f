"""What a rule reports: findings, what they relate to, and the fixes they offer."""

from __future__ import annotations

from enum import Enum

from cachekey.record import record, replace
from cachekey.text import Edit, Span


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
class FileEdit:
    """An edit in one file; ``path`` names a document of the project."""

    path: str
    edit: Edit


@record(frozen=True)
class Fix:
    """One complete way to mend a finding, as edits that are applied together."""

    title: str
    """Imperative sentence for the light bulb, for instance ``Give both mounts id=uv-cache``."""
    edits: tuple[FileEdit, ...]
    safety: Safety = Safety.SAFE
    preferred: bool = False
    reason: str = ""
    """Why the fix is not safe, in one sentence; shown before an unsafe fix is applied."""


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
    fixes: tuple[Fix, ...] = ()
    unnecessary: bool = False
    """Editors may fade the span out: it does nothing and can be deleted."""

    def with_severity(self, severity: Severity) -> Finding:
        """Return the finding at another severity, as the settings ask for it."""
        return replace(self, severity=severity)

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """Sort key: by document, place, code."""
        return (self.path, self.span.start, self.span.end, self.code, self.message)
