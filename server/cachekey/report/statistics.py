"""How often each rule spoke, instead of what it said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cachekey.finding import Safety
from cachekey.markup.data import dump
from cachekey.markup.terminal import Output, Style, Terminal, line, output, terminal
from cachekey.report.record import Report

VERSION = 1


def as_data(report: Report) -> dict[str, Any]:
    """Return the counts as plain data, the most frequent rule first."""
    counts = Counter((item.code, item.rule, item.severity) for item in report.findings)
    fixable = Counter(
        (item.code, item.rule, item.severity)
        for item in report.findings
        if any(fix.safety is Safety.SAFE for fix in item.fixes)
    )
    rows = [
        {
            "code": key[0],
            "rule": key[1],
            "severity": key[2].value,
            "count": count,
            "fixable": fixable[key],
        }
        for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0][0]))
    ]
    return {"version": VERSION, "files": report.files, "rules": rows}


def as_json(report: Report) -> Output:
    """Return the counts for programs."""
    return dump(as_data(report))


def render(report: Report, style: Style) -> Output:
    """Return a line for each rule: how often, what, and how many of them ``--fix`` mends."""
    return output(_lines(as_data(report)["rules"], style))


def _lines(rows: list[dict[str, Any]], style: Style) -> Iterator[Terminal]:
    width = max((len(str(row["count"])) for row in rows), default=0)
    for row in rows:
        count = terminal(str(row["count"]).rjust(width))
        name = terminal(f"{row['code']} {row['rule']} ({row['severity']})")
        tail = f", {row['fixable']} fixable" if row["fixable"] else ""
        yield line("{}  {}{}", style(count, "1"), name, terminal(tail))
