"""Records to protocol types: the one place where offsets become ranges, findings diagnostics."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.finding import Severity
from cachekey.lsp import words
from cachekey.markup.message import message
from cachekey.text import Edit, Position, Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from cachekey.finding import Finding, Related
    from cachekey.lsp.abilities import Abilities
    from cachekey.text import Encoding, Where

SEVERITY = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFORMATION: types.DiagnosticSeverity.Information,
    Severity.HINT: types.DiagnosticSeverity.Hint,
}

_MAX_DIFF_LINES = 2000
"""A longer changed region is replaced whole: line matching is quadratic at worst."""


def to_position(source: Source, offset: int, encoding: Encoding) -> types.Position:
    """Turn an offset into the client's position."""
    line, character = source.position(offset, encoding)
    return types.Position(line=line, character=character)


def to_range(source: Source, span: Span, encoding: Encoding) -> types.Range:
    """Turn a span into the client's range."""
    return types.Range(
        start=to_position(source, span.start, encoding),
        end=to_position(source, span.end, encoding),
    )


def where_range(where: Where, encoding: Encoding) -> types.Range:
    """Turn a place of a file whose text is not at hand into the client's range."""
    source = Source(where.head)
    end = len(where.head)
    found = to_range(source, Span(end - where.width, end), encoding)
    found.start.line = found.end.line = where.line
    return found


def to_offset(source: Source, position: types.Position, encoding: Encoding) -> int:
    """Turn the client's position into an offset; what lies outside is clamped."""
    return source.offset(Position(position.line, position.character), encoding)


def to_span(source: Source, where: types.Range, encoding: Encoding) -> Span:
    """Turn the client's range into a span."""
    start = to_offset(source, where.start, encoding)
    return Span(start, max(start, to_offset(source, where.end, encoding)))


def to_text_edit(source: Source, edit: Edit, encoding: Encoding) -> types.TextEdit:
    """Turn an edit of ``source`` into the client's."""
    return types.TextEdit(range=to_range(source, edit.span, encoding), new_text=edit.text)


def to_diagnostic(
    finding: Finding,
    source: Source,
    encoding: Encoding,
    abilities: Abilities,
    place: Callable[[Related], types.Location | None],
    data: dict[str, object],
) -> types.Diagnostic:
    """Turn a finding into a diagnostic; ``place`` locates what it relates to."""
    related = None
    if abilities.related and finding.related:
        related = [
            words.related(location, message(item.message))
            for item in finding.related
            if (location := place(item)) is not None
        ]
    tags = None
    if finding.unnecessary and types.DiagnosticTag.Unnecessary in abilities.tags:
        tags = [types.DiagnosticTag.Unnecessary]
    return words.diagnostic(
        to_range(source, finding.span, encoding),
        SEVERITY[finding.severity],
        finding.code,
        message(finding.message),
        page=abilities.rule_pages and f"{abilities.rule_pages}{finding.code}.md",
        tags=tags,
        related=related or None,
        data=data,
    )


def difference(old: str, new: str) -> list[Edit]:
    """Return the edits, line by line, that turn ``old`` into ``new``; carets elsewhere stay put."""
    if old == new:
        return []
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    start = sum(map(len, before[:head]))
    left, right = before[head : len(before) - tail], after[head : len(after) - tail]
    if max(len(left), len(right)) > _MAX_DIFF_LINES:
        return [Edit(Span(start, start + sum(map(len, left))), "".join(right))]
    offsets = [start]
    for line in left:
        offsets.append(offsets[-1] + len(line))
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    return [
        Edit(Span(offsets[i1], offsets[i2]), "".join(right[j1:j2]))
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]
