"""The JSON report: stable, zero-based lines and UTF-16 characters as in LSP."""

from __future__ import annotations

from typing import Any

from cachekey.finding import Finding, Fix
from cachekey.markup.data import dump
from cachekey.markup.message import message
from cachekey.markup.terminal import Output
from cachekey.report.record import Report
from cachekey.text import Span

VERSION = 1


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain data."""
    return {
        "version": VERSION,
        "files": report.files,
        "findings": [_finding(report, item) for item in report.findings],
    }


def render(report: Report) -> Output:
    """Return the report as JSON text."""
    return dump(document(report))


def _range(report: Report, path: str, span: Span) -> dict[str, Any]:
    start, end = report.places(path, span)
    return {"start": start._asdict(), "end": end._asdict()}


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
    return {
        "path": report.name(finding.path),
        "code": finding.code,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": message(finding.message),
        "range": _range(report, finding.path, finding.span),
        "related": [
            {
                "path": report.name(item.path),
                "range": _range(report, item.path, item.span),
                "message": message(item.message),
            }
            for item in finding.related
        ],
        "fixes": [_fix(report, fix) for fix in finding.fixes],
    }


def _fix(report: Report, fix: Fix) -> dict[str, Any]:
    return {
        "title": message(fix.title),
        "safety": fix.safety.value,
        "preferred": fix.preferred,
        "edits": [
            {
                "path": report.name(item.path),
                "range": _range(report, item.path, item.edit.span),
                "newText": item.edit.text,
            }
            for item in fix.edits
        ],
    }
