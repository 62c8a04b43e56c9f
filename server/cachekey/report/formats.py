"""Which machine-readable format is which module; each is imported when it is asked for."""

from __future__ import annotations

from cachekey.markup.terminal import Output
from cachekey.report.record import Report


def render(report: Report, kind: str) -> Output:
    """Return a report in a machine-readable format: ``json``, ``sarif`` or ``github``."""
    if kind == "json":
        from cachekey.report.json import render as write
    elif kind == "sarif":
        from cachekey.report.sarif import render as write
    else:
        from cachekey.report.github import render as write
    return write(report)
