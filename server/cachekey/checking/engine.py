"""From a text to its findings, for every face: map one file, then reduce with what others say.

*Map* needs the file and what it is built with; what it hands on is small and may come from another
process. *Reduce* needs summaries of the whole workspace, and no model.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from itertools import islice
from typing import Any

from cachekey.budget import MOST_FINDINGS, TOLD
from cachekey.builds.invocation import BuildFile
from cachekey.checking.comments import Layout, layout
from cachekey.checking.generated import is_generated
from cachekey.checking.suppress import UNREADABLE, apply_suppressions
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer, EnvEntry
from cachekey.dockerfile.records import Dockerfile, Run, Stage
from cachekey.edits.everywhere import settled
from cachekey.finding import Finding, Severity, once
from cachekey.record import record, replace
from cachekey.rules import ALL
from cachekey.rules.rule import Context, Rule
from cachekey.text import Span
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings
from cachekey.workspace.summary import Document

_log = logging.getLogger(__name__)

_ACROSS = tuple(rule for rule in ALL if rule.across is not None)


@record(frozen=True)
class Examined:
    """What one file tells by itself."""

    path: str
    findings: tuple[Finding, ...]
    """Those that need no other file, before comments silence any of them."""
    layout: Layout | None
    """Where comments stand, for a file that may hold comments of ours."""
    quiet: bool = False
    """Nothing is said about the file: it is generated."""


def check(project: Project, path: str, settings: Settings | None = None) -> list[Finding]:
    """Return the findings of one document, sorted by place.

    A rule that fails costs its own findings only; the failure is logged.
    """
    settings = settings or project.settings
    examined = examine(project, path, settings)
    return conclude(project, examined, settings) if examined is not None else []


def examine(project: Project, path: str, settings: Settings) -> Examined | None:
    """Map: return what a document tells by itself; None when the project has no model of it."""
    document = project.documents.get(path)
    if document is None:
        return None
    if is_generated(path, document.source.text):
        return Examined(path, (), None, quiet=True)
    findings: list[Finding] = []
    spent = document.spent
    whole: type = type(document)
    for rule in _concerning(whole):
        if settings.selects(rule):
            context = Context(project, path, document, settings, rule)
            found = list(_run(context, rule.check, records(document, rule.level)))
            if len(found) > MOST_FINDINGS:
                spent = spent or found[MOST_FINDINGS].span
            findings += found[:MOST_FINDINGS]
    if spent is not None and settings.selects(UNREADABLE):
        findings.append(_told(path, spent, settings))
    marked = "cachekey" in document.source.text.lower()
    place = replace(layout(document), partly=spent is not None) if marked else None
    return Examined(path, tuple(findings), place)


def _told(path: str, place: Span, settings: Settings) -> Finding:
    """Say that a budget was gone at this place of a file."""
    severity = settings.severity_of(UNREADABLE, Severity.INFORMATION)
    return Finding(path, UNREADABLE.code, UNREADABLE.name, severity, place, TOLD)


def conclude(project: Project, examined: Examined, settings: Settings) -> list[Finding]:
    """Reduce: add what follows from other files, take away what comments silence, and sort."""
    if examined.quiet:
        return []
    path = examined.path
    findings = list(examined.findings)
    summary = project.index.get(path)
    for rule in _ACROSS:
        if summary is not None and rule.across is not None and settings.selects(rule):
            context = Context(project, path, None, settings, rule)
            findings += list(_run(context, rule.across, (summary,)))[:MOST_FINDINGS]
    return apply_suppressions(examined.layout, findings, settings)


def wished(project: Project, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Fill in what fixes ask the workspace for, now that the whole of it is known."""
    for finding in findings:
        if any(fix.wish or fix.reach for fix in finding.fixes):
            fixes = [settled(project, finding.path, fix) for fix in finding.fixes]
            yield replace(finding, offer=partial(tuple, fixes))
        else:
            yield finding


_PARTS: dict[type, tuple[type, ...]] = {
    Dockerfile: (Stage, Run),
    Devcontainer: (RuntimeMount, EnvEntry),
    ComposeFile: (),
    BuildFile: (),
}


@lru_cache(maxsize=4)
def _concerning(whole: type) -> tuple[Rule, ...]:
    """Return the rules that look at anything in a document of this type."""
    parts = _PARTS[whole]
    return tuple(rule for rule in ALL if rule.level in parts or issubclass(whole, rule.level))


def _run(
    context: Context, check: Callable[[Any, Context], Iterator[Finding]], seen: Iterable[Any]
) -> Iterator[Finding]:
    rule = context.rule
    try:
        found: list[Finding] = []
        for item in seen:
            found += islice(check(item, context), MOST_FINDINGS + 1)
            if len(found) > MOST_FINDINGS:
                break
    except Exception:
        # Invariant: one broken rule never takes the others with it.
        _log.exception("rule %s failed on %s", rule.code, context.path)
        return
    for finding in once(found):
        severity = context.settings.severity_of(rule, finding.severity)
        yield finding if severity is finding.severity else finding.with_severity(severity)


def records(document: Document, level: type) -> Iterable[Any]:
    """Return the records of ``level`` in a document, in file order."""
    if isinstance(document, level):
        return (document,)
    if isinstance(document, Dockerfile):
        if level is Stage:
            return document.stages
        if level is Run:
            return document.runs
        return ()
    return document.records(level) if isinstance(document, Devcontainer) else ()
