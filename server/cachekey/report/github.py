"""Annotations for GitHub Actions: one workflow command a finding."""

from __future__ import annotations

from collections.abc import Mapping

from cachekey.finding import Finding, Severity
from cachekey.markup.annotation import Command, annotation
from cachekey.markup.message import message
from cachekey.markup.terminal import Output, together
from cachekey.report.record import Report

_COMMANDS: Mapping[Severity, Command] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "notice",
    Severity.HINT: "notice",
}


def render(report: Report) -> Output:
    """Return the workflow commands, a line each."""
    return together(*(_command(report, finding) for finding in report.findings))


def _command(report: Report, finding: Finding) -> Output:
    line, column = report.point(finding.path, finding.span.start)
    last, end = report.point(finding.path, finding.span.end)
    properties = {"file": report.name(finding.path), "line": str(line), "endLine": str(last)}
    if line == last:
        # The runner refuses columns on annotations over several lines; its end column counts.
        properties |= {"col": str(column), "endColumn": str(max(column, end - 1))}
    properties["title"] = f"{finding.code} {finding.rule}"
    return annotation(_COMMANDS[finding.severity], properties, message(finding.message))
