"""A summary in Markdown, for a pull request's comment or the summary of a job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cachekey.finding import Finding, Safety, Severity
from cachekey.markup.markdown import Markdown, markdown, paragraphs, table
from cachekey.markup.rich import Rich, rich
from cachekey.markup.terminal import Output, text_output
from cachekey.report.record import Report
from cachekey.report.words import counted, files_of

MOST = 200
"""Rows of the table: GitHub takes comments of 65,536 characters."""


def render(report: Report) -> Output:
    """Return a heading, a table with a row for each finding, and what ``--fix`` would mend."""
    if not report.findings:
        return _written([paragraphs([rich("**Cachekey**: no problems in {}.", files_of(report))])])
    counts = Counter(finding.severity for finding in report.findings)
    head = rich("**Cachekey**: {} in {}.", counted(counts), files_of(report))
    rows = [_row(report, finding) for finding in report.findings[:MOST]]
    parts = [markdown(head), table(("Place", "Rule", "", "What"), rows)]
    return _written([*parts, *map(markdown, _rest(report))])


def _written(parts: list[Markdown]) -> Output:
    return text_output("\n\n".join(parts) + "\n")


def _row(report: Report, finding: Finding) -> tuple[Rich, ...]:
    line, _ = report.point(finding.path, finding.span.start)
    place = rich("`{}`", f"{report.name(finding.path)}:{line}")
    word = finding.severity.value
    severity = rich("**{}**", word) if finding.severity is Severity.ERROR else rich("{}", word)
    return place, rich("{} {}", finding.code, finding.rule), severity, rich("{}", finding.message)


def _rest(report: Report) -> Iterator[Rich]:
    if len(report.findings) > MOST:
        yield rich("{} more are not shown.", f"{len(report.findings) - MOST:,}")
    fixable = sum(
        any(fix.safety is Safety.SAFE for fix in finding.fixes) for finding in report.findings
    )
    if fixable:
        yield rich("`cachekey check --fix` mends {} of them.", f"{fixable}")
