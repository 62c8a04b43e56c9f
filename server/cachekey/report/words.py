"""Counts in words, as every report says them."""

from __future__ import annotations

from collections.abc import Mapping

from cachekey.finding import Severity
from cachekey.report.record import Report

_WORDS = {
    Severity.ERROR: ("error", "errors"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.INFORMATION: ("note", "notes"),
    Severity.HINT: ("hint", "hints"),
}


def counted(counts: Mapping[Severity, int]) -> str:
    """Return how many there are of each severity, the worst first."""
    parts = [
        f"{counts[severity]} {_WORDS[severity][counts[severity] > 1]}"
        for severity in Severity
        if counts.get(severity)
    ]
    return ", ".join(parts)


def files_of(report: Report) -> str:
    """Return how many files were checked."""
    return f"{report.files} file{'' if report.files == 1 else 's'}"
