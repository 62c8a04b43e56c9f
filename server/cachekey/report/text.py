"""The report for people: where, what, the line with carets, related places, the fixes' titles."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.markup.terminal import (
    Output,
    Style,
    Terminal,
    joined,
    line,
    output,
    terminal,
    trimmed,
)
from cachekey.report.record import Report
from cachekey.report.words import counted, files_of
from cachekey.text import Source

WIDTH = 120
"""Columns of a source line that are shown; of a longer one, those around the place."""
SHOWN_FIXES = 3

_TAB = 4
_COLOURS = {
    Severity.ERROR: "31",
    Severity.WARNING: "33",
    Severity.INFORMATION: "34",
    Severity.HINT: "36",
}
_FIX_WORDS = {Safety.SAFE: "fix", Safety.UNSAFE: "unsafe fix", Safety.MANUAL: "by hand"}


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def render(report: Report, style: Style) -> Iterator[Output]:
    """Yield the findings, each as a block of lines and an empty one."""
    for finding in report.findings:
        yield output([*_block(report, finding, style), Terminal("")])


def _block(report: Report, finding: Finding, style: Style) -> Iterator[Terminal]:
    where = _where(report, finding.path, finding.span.start)
    colour = _COLOURS[finding.severity]
    label = style(terminal(f"[{finding.severity.value}]"), colour)
    code = style(terminal(finding.code), f"1;{colour}")
    yield line("{}: {} {} {}", style(where, "1"), code, label, terminal(finding.message))
    source = report.sources.get(finding.path)
    gutter = terminal("")
    if source is not None and source.text:
        number, text, carets = excerpt(source, finding.span.start, finding.span.end)
        gutter = terminal(" " * len(number))
        bar = style(terminal("|"), "34")
        yield line("{} {}", gutter, bar)
        yield trimmed(line("{} {} {}", style(number, "34"), bar, text))
        yield line("{} {} {}", gutter, bar, style(carets, colour))
    equals, see = style(terminal("="), "34"), style(terminal("see"), "1")
    for item in finding.related:
        place = _where(report, item.path, item.span.start)
        yield line("{} {} {}: {}: {}", gutter, equals, see, place, terminal(item.message))
    for fix in _ordered(finding.fixes)[:SHOWN_FIXES]:
        word = style(terminal(_FIX_WORDS[fix.safety]), "1;32")
        yield line("{} {} {}: {}", gutter, equals, word, terminal(fix.title))


def _ordered(fixes: Iterable[Fix]) -> list[Fix]:
    return sorted(fixes, key=lambda fix: (not fix.preferred, list(Safety).index(fix.safety)))


def _where(report: Report, path: str, offset: int) -> Terminal:
    row, column = report.point(path, offset)
    return line("{}:{}:{}", terminal(report.name(path)), terminal(f"{row}"), terminal(f"{column}"))


def excerpt(source: Source, start: int, end: int) -> tuple[Terminal, Terminal, Terminal]:
    """Return a line's number, its text, and carets below ``start`` to ``end`` or the line's end."""
    number = source.line_of(min(start, len(source.text)))
    span = source.line_span(number)
    text = source.slice(span)
    left = min(start, span.end) - span.start
    right = min(max(end, start), span.end) - span.start
    first, last = 0, len(text)
    if len(text) > WIDTH:
        first = max(0, min(left - WIDTH // 3, len(text) - WIDTH))
        last = min(len(text), first + WIDTH)
    head, tail = terminal("…" * (first > 0)), terminal("…" * (last < len(text)))
    before = joined("", (head, _shown(text[first:left])))
    marked = _shown(text[left : min(right, last)])
    after = joined("", (_shown(text[max(left, min(right, last)) : last]), tail))
    more = "…" if end > span.end + 1 or right > last else ""
    carets = " " * _width(before) + "^" * max(1, _width(marked)) + more
    return terminal(str(number + 1)), joined("", (before, marked, after)), terminal(carets)


def _shown(text: str) -> Terminal:
    return terminal(text.replace("\ufeff", "").replace("\t", " " * _TAB))


def summary(
    report: Report, fixed: int, *, unsafe: bool, unlisted: int = 0, known: int = 0
) -> Output:
    """Return the last line: how much was found, how much was and can be fixed.

    ``unlisted`` hints are counted without being shown, ``known`` findings are those of a baseline.
    """
    parts = [
        *([f"Fixed {fixed}."] if fixed else []),
        _found(report),
        *([_fixable(report, unsafe=unsafe)] if report.findings else []),
        *([f"{unlisted} hint{_s(unlisted)} not shown (--hints)."] if unlisted else []),
        *([f"{known} known from the baseline."] if known else []),
    ]
    return output([terminal(" ".join(part for part in parts if part))])


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _found(report: Report) -> str:
    if not report.files:
        return "Nothing to check: no Dockerfile, Containerfile or devcontainer.json found."
    if not report.findings:
        return f"No problems in {files_of(report)}."
    counts = Counter(finding.severity for finding in report.findings)
    return f"Found {counted(counts)} in {files_of(report)}."


def _fixable(report: Report, *, unsafe: bool) -> str:
    """Count what ``--fix`` will try: whether a fix keeps everything is known when all are tried."""
    safe = sum(_has(finding, Safety.SAFE) for finding in report.findings)
    more = sum(
        _has(finding, Safety.UNSAFE) and not _has(finding, Safety.SAFE)
        for finding in report.findings
    )
    if unsafe and safe + more:
        return f"Fixes to try with --fix --unsafe-fixes: {safe + more}."
    if safe:
        hidden = f" ({more} more with --unsafe-fixes)" if more else ""
        return f"Fixes to try with --fix: {safe}{hidden}."
    return f"Fixes to try with --fix --unsafe-fixes: {more}." if more else ""


def _has(finding: Finding, safety: Safety) -> bool:
    return any(fix.safety is safety for fix in finding.fixes)
