"""GitLab's Code Quality report, which a merge request shows beside the lines.

Source: GitLab's documentation, "Code Quality report format": a list of objects with description,
check_name, fingerprint, severity and location.
"""

from __future__ import annotations

from cachekey.finding import Severity
from cachekey.markup.data import dump
from cachekey.markup.message import message
from cachekey.markup.terminal import Output
from cachekey.report.fingerprint import fingerprints
from cachekey.report.record import Report

_SEVERITIES = {
    Severity.ERROR: "critical",
    Severity.WARNING: "major",
    Severity.INFORMATION: "minor",
    Severity.HINT: "info",
}


def render(report: Report) -> Output:
    """Return the report as a JSON list."""
    names = fingerprints(report.findings, report.sources, report.name)
    return dump(
        [
            {
                "description": message(finding.message),
                "check_name": f"{finding.code} {finding.rule}",
                "fingerprint": fingerprint,
                "severity": _SEVERITIES[finding.severity],
                "location": {
                    "path": report.name(finding.path),
                    "lines": {"begin": report.point(finding.path, finding.span.start)[0]},
                },
            }
            for finding, fingerprint in zip(report.findings, names, strict=True)
        ]
    )
