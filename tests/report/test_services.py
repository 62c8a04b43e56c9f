"""Reports for the services that show them beside a change: GitLab, JUnit's readers, pull requests."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from cachekey.finding import Finding, Severity
from cachekey.markup.terminal import Style
from cachekey.report import baseline, statistics
from cachekey.report.fingerprint import fingerprints
from cachekey.report.formats import FORMATS, render
from cachekey.report.record import Report
from cachekey.text import Source, Span

from tests.report.test_report import OTHER, SOURCE, at, example, report

HINT = Finding("o", "CK503", "no-cache-mount", Severity.HINT, at("other", OTHER), "a|b `c`\n</x>")


def test_gitlab_takes_a_list_of_issues() -> None:
    first, second = json.loads(render(report(example(Severity.ERROR), HINT), "gitlab"))
    assert set(first) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert first["location"] == {"path": "root/d/x", "lines": {"begin": 3}}
    assert (first["severity"], second["severity"]) == ("critical", "info")
    assert first["fingerprint"] != second["fingerprint"]
    assert json.loads(render(report(), "gitlab")) == []


def test_junit_counts_what_failed() -> None:
    root = ElementTree.fromstring(render(report(example(), HINT), "junit"))
    assert root.attrib == {"name": "Cachekey", "tests": "2", "failures": "1", "errors": "0"}
    assert [suite.attrib["name"] for suite in root] == ["root/d/x", "root/o"]
    failure = root[0][0][0]
    assert (failure.tag, failure.attrib["type"]) == ("failure", "warning")
    assert root[0][0].attrib["line"] == "3"
    assert (root[1][0][0].tag, root[1][0][0].attrib["message"]) == ("skipped", "a|b `c`\u240a< /x>")


def test_markdown_is_one_table_row_a_finding() -> None:
    text = render(report(example(Severity.ERROR), HINT), "markdown")
    head, _, names, rule, *rows = text.splitlines()
    assert head == "**Cachekey**: 1 error, 1 hint in 2 files."
    assert (names.count("|"), rule) == (5, "| --- | --- | --- | --- |")
    assert rows[0].startswith("| `root/d/x:3` | CK101 split-cache | **error** | ")
    # Nothing of a message begins a cell, ends its code or becomes a tag.
    assert rows[1].endswith(r"| hint | ``a\|b `c`␊</x>`` |")
    assert "`cachekey check --fix` mends 1 of them." in text
    assert render(report(), "markdown") == "**Cachekey**: no problems in 2 files.\n"


def test_long_markdown_is_cut() -> None:
    text = render(report(*[HINT] * 250), "markdown")
    assert text.count("CK503") == 200
    assert "50 more are not shown." in text


@pytest.mark.parametrize("kind", FORMATS)
def test_a_place_without_a_text_is_no_failure(kind: str) -> None:
    found = Finding("no\x00\udc80", "CK002", "unreadable-file", Severity.ERROR, Span(0, 0), "\x1b")
    assert "CK002" in render(Report([found], {}, 1), kind)


def test_statistics_count_rules() -> None:
    found = report(HINT, example(), HINT)
    assert statistics.as_data(found)["rules"] == [
        {
            "code": "CK503",
            "rule": "no-cache-mount",
            "severity": "hint",
            "count": 2,
            "fixable": 0,
        },
        {
            "code": "CK101",
            "rule": "split-cache",
            "severity": "warning",
            "count": 1,
            "fixable": 1,
        },
    ]
    assert statistics.render(found, Style(False)).splitlines() == [
        "2  CK503 no-cache-mount (hint)",
        "1  CK101 split-cache (warning), 1 fixable",
    ]


# -- fingerprints and baselines --------------------------------------------------------------------


def named(text: str, *words: str) -> list[str]:
    source = Source(text)
    found = [
        Finding("f", "CK101", "split-cache", Severity.ERROR, at(word, source), f"line {number}")
        for number, word in enumerate(words)
    ]
    return list(fingerprints(found, {"f": source}, str))


def test_a_fingerprint_moves_with_its_text() -> None:
    before = named("FROM a\nRUN x=1\n", "x=1")
    assert named("# more\n\nFROM a\nRUN   y && x=1\n", "x=1") == before
    assert named("FROM a\nRUN x=2\n", "x=2") != before


def test_equal_fingerprints_are_numbered() -> None:
    one, two = named("RUN x=1\n", "x=1", "x=1")
    assert (one[:32], one[-2:], two[-2:]) == (two[:32], ":1", ":2")


def test_a_baseline_holds_what_was_there() -> None:
    sources = {"d/x": SOURCE, "o": OTHER}
    known = baseline.read(baseline.render([example(), HINT], sources, str))
    assert baseline.fresh([example(), HINT], known, sources, str) == []
    # One more of the same kind on the same text is new.
    assert baseline.fresh([HINT, HINT], known, sources, str) == [HINT]
    assert baseline.fresh([HINT], known, sources, lambda name: f"moved/{name}") == [HINT]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "this is no JSON"),
        ("[" * 99999, "this is no JSON"),
        ("[]", "this is no baseline: it has no version"),
        ('{"version": 2, "findings": []}', "it has version 2, and this Cachekey reads version 1"),
        ('{"version": 1}', "its findings are not what --write-baseline writes"),
        ('{"version": 1, "findings": [{}]}', "its findings are not what --write-baseline writes"),
    ],
)
def test_what_is_no_baseline_is_told(text: str, why: str) -> None:
    with pytest.raises(baseline.BaselineError, match=why.replace("(", r"\(")):
        baseline.read(text)
