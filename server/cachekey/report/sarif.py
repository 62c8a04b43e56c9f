"""SARIF 2.1.0, as code scanning services take it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from cachekey import __version__
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.markup.data import dump
from cachekey.markup.message import message
from cachekey.markup.terminal import Output
from cachekey.report.fingerprint import fingerprints
from cachekey.report.record import Report
from cachekey.text import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def render(report: Report) -> Output:
    """Return the report as a SARIF log of one run."""
    rules = _rules(report.findings)
    numbers = {rule["id"]: index for index, rule in enumerate(rules)}
    names = fingerprints(report.findings, report.sources, report.name)
    found = zip(report.findings, names, strict=True)
    results = [_result(report, finding, numbers, name) for finding, name in found]
    driver = {"name": "Cachekey", "semanticVersion": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    return dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rules(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    from cachekey.report.rules import catalog

    known = {entry.code: entry for entry in catalog()}
    rules: list[dict[str, Any]] = []
    for code, name in sorted({(finding.code, finding.rule) for finding in findings}):
        rule: dict[str, Any] = {"id": code, "name": name}
        if entry := known.get(code):
            rule |= {
                "shortDescription": {"text": f"{entry.summary}."},
                "help": {"text": entry.doc, "markdown": entry.doc},
                "defaultConfiguration": {"level": _LEVELS.get(entry.severity, "note")},
            }
        rules.append(rule)
    return rules


def _result(
    report: Report, finding: Finding, numbers: dict[str, int], fingerprint: str
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": numbers[finding.code],
        "level": _LEVELS.get(finding.severity, "note"),
        "message": {"text": message(finding.message)},
        "locations": [_location(report, finding.path, finding.span)],
        "partialFingerprints": {"cachekey/v2": fingerprint},
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                **_location(report, item.path, item.span),
                "message": {"text": message(item.message)},
            }
            for number, item in enumerate(finding.related, 1)
        ]
    fixes = [_fix(report, fix) for fix in finding.fixes if fix.edits]
    if fixes := [fix for fix in fixes if fix]:
        result["fixes"] = fixes
    return result


def _artifact(report: Report, path: str) -> dict[str, str]:
    name = report.name(path)
    if not os.path.isabs(name):
        # A colon must not make a scheme of a folder's name.
        return {"uri": quote(name, errors="surrogateescape")}
    drive = name[1:2] == ":"
    safe = "/:" if drive else "/"
    return {"uri": f"file://{'/' * drive}{quote(name, safe=safe, errors='surrogateescape')}"}


def _region(report: Report, path: str, span: Span) -> dict[str, int]:
    start, end = report.places(path, span)
    return {
        "startLine": start.line + 1,
        "startColumn": start.character + 1,
        "endLine": end.line + 1,
        "endColumn": end.character + 1,
    }


def _location(report: Report, path: str, span: Span) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": _artifact(report, path),
            "region": _region(report, path, span),
        }
    }


def _fix(report: Report, fix: Fix) -> dict[str, Any] | None:
    if fix.safety is Safety.MANUAL:
        # Whoever applies fixes of a log does not complete them.
        return None
    replacements: dict[str, list[dict[str, Any]]] = {}
    for item in fix.edits:
        replacements.setdefault(item.path, []).append(
            {
                "deletedRegion": _region(report, item.path, item.edit.span),
                "insertedContent": {"text": item.edit.text},
            }
        )
    changes = [
        {"artifactLocation": _artifact(report, path), "replacements": listed}
        for path, listed in replacements.items()
    ]
    return {"description": {"text": message(fix.title)}, "artifactChanges": changes}
