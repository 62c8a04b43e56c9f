"""JUnit's XML, which nearly every build server shows as a table of tests.

A file is a suite; each finding is a case that failed. What nobody needs to mend has not failed.
Source: the Jenkins xUnit schema of JUnit 10, the common part of what readers take.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.etree.ElementTree import Element

from cachekey.finding import Finding, Severity
from cachekey.markup.message import message
from cachekey.markup.terminal import Output
from cachekey.markup.xml import document, element
from cachekey.report.record import Report

_FAILURES = {Severity.ERROR, Severity.WARNING}


def render(report: Report) -> Output:
    """Return the report as an XML document."""
    suites = [
        _suite(report, path, list(found))
        for path, found in groupby(report.findings, lambda finding: finding.path)
    ]
    count = {"tests": str(len(report.findings)), "failures": _failures(report.findings)}
    return document(element("testsuites", {"name": "Cachekey", **count, "errors": "0"}, suites))


def _failures(findings: Sequence[Finding]) -> str:
    return str(sum(finding.severity in _FAILURES for finding in findings))


def _suite(report: Report, path: str, findings: list[Finding]) -> Element:
    cases = [_case(report, finding) for finding in findings]
    count = {"tests": str(len(findings)), "failures": _failures(findings)}
    return element("testsuite", {"name": report.name(path), **count, "errors": "0"}, cases)


def _case(report: Report, finding: Finding) -> Element:
    line, column = report.point(finding.path, finding.span.start)
    name = report.name(finding.path)
    text = {"message": message(finding.message)}
    if finding.severity in _FAILURES:
        said = element("failure", {**text, "type": finding.severity.value})
    else:
        said = element("skipped", text)
    attributes = {
        "name": f"{finding.code} {finding.rule} ({line}:{column})",
        "classname": name,
        "file": name,
        "line": str(line),
    }
    return element("testcase", attributes, [said])
