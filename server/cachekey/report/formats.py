"""Which machine-readable format is which module; each is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cachekey.markup.terminal import Output
    from cachekey.report.record import Report

FORMATS = ("json", "sarif", "github", "gitlab", "junit", "markdown")
"""What programs and services read; ``text`` is for people."""
COMPLETE = frozenset({"json"})
"""Formats that always hold the hints: whoever reads them chooses."""


def render(report: Report, kind: str) -> Output:
    """Return a report in one of the :data:`FORMATS`."""
    return _writer(kind)(report)


def _writer(kind: str) -> Callable[[Report], Output]:
    if kind == "json":
        from cachekey.report.json import render
    elif kind == "sarif":
        from cachekey.report.sarif import render
    elif kind == "gitlab":
        from cachekey.report.gitlab import render
    elif kind == "junit":
        from cachekey.report.junit import render
    elif kind == "markdown":
        from cachekey.report.markdown import render
    else:
        from cachekey.report.github import render
    return render
