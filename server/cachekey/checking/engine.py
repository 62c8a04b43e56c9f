"""Checks one document of a project: the single way from text to findings, for every face."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from cachekey.checking.suppress import apply_suppressions
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer, EnvEntry
from cachekey.dockerfile.records import Dockerfile, Run, Stage
from cachekey.finding import Finding
from cachekey.rules import ALL
from cachekey.rules.rule import Context, Rule
from cachekey.workspace.project import Document, Project
from cachekey.workspace.settings import Settings

_log = logging.getLogger(__name__)


def check(project: Project, path: str, settings: Settings | None = None) -> list[Finding]:
    """Return the findings of one document, sorted by place.

    A rule that fails costs its own findings only; the failure is logged.
    """
    settings = settings or project.settings
    document = project.documents.get(path)
    if document is None:
        return []
    findings: list[Finding] = []
    for rule in _concerning(isinstance(document, Dockerfile)):
        if settings.selects(rule):
            findings += _run(rule, Context(project, path, document, settings, rule))
    return apply_suppressions(document, findings, settings)


@lru_cache(maxsize=4)
def _concerning(dockerfile: bool) -> tuple[Rule, ...]:
    """Return the rules that look at anything in a Dockerfile, or in a devcontainer.json."""
    whole: type = Dockerfile if dockerfile else Devcontainer
    parts: tuple[type, ...] = (Stage, Run) if dockerfile else (RuntimeMount, EnvEntry)
    return tuple(rule for rule in ALL if rule.level in parts or issubclass(whole, rule.level))


def _run(rule: Rule, context: Context) -> Iterator[Finding]:
    try:
        found: list[Finding] = []
        for record in records(context.document, rule.level):
            found += rule.check(record, context)
    except Exception:
        # Invariant: one broken rule never takes the others with it.
        _log.exception("rule %s failed on %s", rule.code, context.path)
        return
    for finding in found:
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
    return document.records(level)
