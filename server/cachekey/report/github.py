"""Annotations for GitHub Actions: one workflow command a finding."""

from __future__ import annotations

from cachekey.finding import Finding, Severity
from cachekey.report.record import Report

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def render(report: Report) -> str:
    """Return the workflow commands, a line each."""
    return "".join(f"{_command(report, finding)}\n" for finding in report.findings)


def _command(report: Report, finding: Finding) -> str:
    line, column = report.point(finding.path, finding.span.start)
    last, end = report.point(finding.path, finding.span.end)
    properties = {"file": report.name(finding.path), "line": str(line), "endLine": str(last)}
    if line == last:
        # The runner refuses columns on annotations over several lines; its end column counts.
        properties |= {"col": str(column), "endColumn": str(max(column, end - 1))}
    properties["title"] = f"{finding.code} {finding.rule}"
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    command = _COMMANDS.get(finding.severity, "notice")
    return f"::{command} {written}::{_data(finding.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
