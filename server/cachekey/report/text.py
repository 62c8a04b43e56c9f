"""The report for people: where, what, the line with carets, related places, the fixes' titles."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.report.record import Report
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
_PLURALS = {
    Severity.ERROR: ("error", "errors"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.INFORMATION: ("information", "information"),
    Severity.HINT: ("hint", "hints"),
}
_FIX_WORDS = {Safety.SAFE: "fix", Safety.UNSAFE: "unsafe fix", Safety.MANUAL: "by hand"}


@dataclass(frozen=True)
class Style:
    """Paints with ANSI escapes, or not at all."""

    colour: bool

    def __call__(self, text: str, code: str) -> str:
        """Return ``text`` in the style of an SGR ``code``."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


def clean(text: str) -> str:
    """Make control characters visible, so that a file cannot steer the terminal it is shown on."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    # Controls, private and bidirectional marks, halves of surrogate pairs; spaces are harmless.
    return "\ufffd" if unicodedata.category(char)[0] == "C" else char


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def render(report: Report, style: Style) -> Iterator[str]:
    """Yield the findings, each as a block of lines with a final line end."""
    for finding in report.findings:
        yield "\n".join(_block(report, finding, style)) + "\n\n"


def _block(report: Report, finding: Finding, style: Style) -> Iterator[str]:
    where = _where(report, finding.path, finding.span.start)
    colour = _COLOURS[finding.severity]
    label = style(f"[{finding.severity.value}]", colour)
    code = style(finding.code, f"1;{colour}")
    yield f"{style(where, '1')}: {code} {label} {clean(finding.message)}"
    source = report.sources.get(finding.path)
    gutter = ""
    if source is not None and source.text:
        number, line, carets = excerpt(source, finding.span.start, finding.span.end)
        gutter = " " * len(number)
        bar = style("|", "34")
        yield f"{gutter} {bar}"
        yield f"{style(number, '34')} {bar} {line}".rstrip()
        yield f"{gutter} {bar} {style(carets, colour)}"
    for item in finding.related:
        place = _where(report, item.path, item.span.start)
        yield f"{gutter} {style('=', '34')} {style('see', '1')}: {place}: {clean(item.message)}"
    for fix in _ordered(finding.fixes)[:SHOWN_FIXES]:
        word = style(_FIX_WORDS[fix.safety], "1;32")
        yield f"{gutter} {style('=', '34')} {word}: {clean(fix.title)}"


def _ordered(fixes: Iterable[Fix]) -> list[Fix]:
    return sorted(fixes, key=lambda fix: (not fix.preferred, list(Safety).index(fix.safety)))


def _where(report: Report, path: str, offset: int) -> str:
    line, column = report.point(path, offset)
    return f"{clean(report.name(path))}:{line}:{column}"


def excerpt(source: Source, start: int, end: int) -> tuple[str, str, str]:
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
    head, tail = "…" * (first > 0), "…" * (last < len(text))
    before = head + _shown(text[first:left])
    marked = _shown(text[left : min(right, last)])
    after = _shown(text[max(left, min(right, last)) : last]) + tail
    more = "…" if end > span.end + 1 or right > last else ""
    carets = " " * _width(before) + "^" * max(1, _width(marked)) + more
    return str(number + 1), before + marked + after, carets


def _shown(text: str) -> str:
    return clean(text.replace("\ufeff", "").replace("\t", " " * _TAB))


def summary(report: Report, fixed: int, *, unsafe: bool) -> str:
    """Return the last line: how much was found, how much was and can be fixed."""
    files = f"{report.files} file{'' if report.files == 1 else 's'}"
    done = f"Fixed {fixed}. " if fixed else ""
    if not report.files:
        return f"{done}Nothing to check: no Dockerfile, Containerfile or devcontainer.json found.\n"
    if not report.findings:
        return f"{done}No problems in {files}.\n"
    counts = Counter(finding.severity for finding in report.findings)
    parts = [
        f"{counts[severity]} {_PLURALS[severity][counts[severity] > 1]}"
        for severity in Severity
        if counts[severity]
    ]
    return f"{done}Found {', '.join(parts)} in {files}.{_fixable(report, unsafe=unsafe)}\n"


def _fixable(report: Report, *, unsafe: bool) -> str:
    safe = sum(_has(finding, Safety.SAFE) for finding in report.findings)
    more = sum(
        _has(finding, Safety.UNSAFE) and not _has(finding, Safety.SAFE)
        for finding in report.findings
    )
    if unsafe and safe + more:
        return f" {safe + more} can be fixed with --fix --unsafe-fixes."
    if safe:
        hidden = f" ({more} more with --unsafe-fixes)" if more else ""
        return f" {safe} can be fixed with --fix{hidden}."
    return f" {more} can be fixed with --fix --unsafe-fixes." if more else ""


def _has(finding: Finding, safety: Safety) -> bool:
    return any(fix.safety is safety for fix in finding.fixes)
