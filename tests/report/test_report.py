"""Reports: the same findings for people, programs, code scanning and GitHub."""

from __future__ import annotations

import io
import json
import os
import re

import pytest
from cachekey.cli.terminal import Progress, wants_colour
from cachekey.finding import FileEdit, Finding, Fix, Related, Safety, Severity
from cachekey.markup.terminal import Style
from cachekey.markup.visible import visible
from cachekey.report import rules as rule_docs
from cachekey.report.formats import render
from cachekey.report.keys import render as render_keys
from cachekey.report.record import Report
from cachekey.report.text import excerpt, summary
from cachekey.report.text import render as render_text
from cachekey.text import Edit, Source, Span

PLAIN = Style(False)
TEXT = 'FROM a\nRUN echo "\U0001f40b" \\\n\t--mount=x,y\nRUN z\n'
SOURCE = Source(TEXT)
OTHER = Source("FROM b\nRUN other\n")


def at(word: str, source: Source = SOURCE) -> Span:
    start = source.text.index(word)
    return Span(start, start + len(word))


def example(severity: Severity = Severity.WARNING) -> Finding:
    one = (FileEdit("d/x", Edit(at("x,y"), "w")),)
    safe = Fix("Write w", lambda: one, preferred=True)
    both = (FileEdit("d/x", Edit(at("z"), "y")), FileEdit("o", Edit(at("other", OTHER), "\n")))
    unsafe = Fix("Write y", lambda: both, Safety.UNSAFE, reason="It may not.")
    manual = Fix("Look", lambda: (FileEdit("d/x", Edit(at("z"), "")),), Safety.MANUAL)
    related = (Related("o", at("other", OTHER), "the other place"),)
    message = "uv caches in /a: 100%, not\n/b"
    fixes = (manual, unsafe, safe)
    return Finding(
        "d/x", "CK101", "split-cache", severity, at("x,y"), message, related, lambda: fixes
    )


def report(*findings: Finding, files: int = 2) -> Report:
    return Report(findings, {"d/x": SOURCE, "o": OTHER}, files, lambda name: f"root/{name}")


# -- text ------------------------------------------------------------------------------------------


def test_text_shows_place_line_related_and_fixes() -> None:
    assert "".join(render_text(report(example()), PLAIN)) == (
        "root/d/x:3:10: CK101 [warning] uv caches in /a: 100%, not\u240a/b\n"
        "  |\n"
        "3 |     --mount=x,y\n"
        "  |             ^^^\n"
        "  = see: root/o:2:5: the other place\n"
        "  = fix: Write w\n"
        "  = unsafe fix: Write y\n"
        "  = by hand: Look\n"
        "\n"
    )


def test_colour_adds_escapes_only() -> None:
    plain = "".join(render_text(report(example()), PLAIN))
    painted = "".join(render_text(report(example()), Style(True)))
    assert painted != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain


def test_a_finding_without_a_text_has_no_excerpt() -> None:
    found = Finding("no", "CK002", "unreadable-file", Severity.ERROR, Span(0, 0), "binary")
    assert "".join(render_text(report(found), PLAIN)) == "root/no:1:1: CK002 [error] binary\n\n"


@pytest.mark.parametrize(
    ("text", "start", "end", "line", "carets"),
    [
        ("abc", 1, 2, "abc", " ^"),
        ("abc", 1, 1, "abc", " ^"),
        ("abc\n", 3, 3, "abc", "   ^"),
        ("abc\n", 4, 4, "", "^"),
        ("", 0, 0, "", "^"),
        ("ab\ncd", 1, 5, "ab", " ^…"),
        ("ab\r\ncd", 0, 3, "ab", "^^"),
        ("\ufeffab", 1, 2, "ab", "^"),
        ("漢字 x", 3, 4, "漢字 x", "     ^"),
        ("e\u0301 x", 3, 4, "e\u0301 x", "  ^"),
        ("a\tb", 2, 3, "a    b", "     ^"),
        ("\x1b[31mx", 5, 6, "\u241b[31mx", "     ^"),
    ],
)
def test_carets_stand_below_what_they_mean(
    text: str, start: int, end: int, line: str, carets: str
) -> None:
    assert excerpt(Source(text), start, end)[1:] == (line, carets)


def test_of_a_long_line_only_the_surroundings_are_shown() -> None:
    text = "a" * 5000 + "HERE" + "b" * 5_000_000
    _, line, carets = excerpt(Source(text), 5000, 5004)
    assert line.startswith("…aaa")
    assert line.endswith("bbb…")
    assert len(line) < 130
    assert line[carets.index("^") : carets.rindex("^") + 1] == "HERE"
    _, line, carets = excerpt(Source(text), 4000, 6000)
    assert carets.endswith("^…")
    assert len(carets) <= len(line) + 1


def test_control_characters_never_reach_a_terminal() -> None:
    text = "".join(map(chr, [*range(0x100), 0x202E, 0x2066, 0xDCFF, 0xE000]))
    assert all(char.isprintable() or char == "\xa0" for char in visible(text))
    assert visible("plain ä 漢") == "plain ä 漢"


@pytest.mark.parametrize(
    ("found", "files", "fixed", "unsafe", "text"),
    [
        ((), 1, 0, False, "No problems in 1 file.\n"),
        ((), 0, 0, False, "Nothing to check: no Dockerfile, Containerfile or devcontainer.json"),
        ((), 3, 2, False, "Fixed 2. No problems in 3 files.\n"),
        (
            (Severity.WARNING, Severity.ERROR, Severity.WARNING),
            2,
            0,
            False,
            "Found 1 error, 2 warnings in 2 files. Fixes to try with --fix: 3.\n",
        ),
        (
            (Severity.INFORMATION, Severity.HINT),
            2,
            0,
            True,
            "Found 1 note, 1 hint in 2 files. Fixes to try with --fix --unsafe-fixes: 2.\n",
        ),
    ],
)
def test_the_summary(
    found: tuple[Severity, ...], files: int, fixed: int, unsafe: bool, text: str
) -> None:
    made = report(*map(example, found), files=files)
    assert summary(made, fixed, unsafe=unsafe).startswith(text)


# -- JSON ------------------------------------------------------------------------------------------


def test_json_follows_the_contract() -> None:
    def place(line: int, start: int, end: int) -> dict[str, object]:
        return {
            "start": {"line": line, "character": start},
            "end": {"line": line, "character": end},
        }

    assert json.loads(render(report(example()), "json")) == {
        "version": 1,
        "files": 2,
        "findings": [
            {
                "path": "root/d/x",
                "code": "CK101",
                "rule": "split-cache",
                "severity": "warning",
                "message": "uv caches in /a: 100%, not␊/b",
                "range": place(2, 9, 12),
                "related": [
                    {"path": "root/o", "range": place(1, 4, 9), "message": "the other place"}
                ],
                "fixes": [
                    {
                        "title": "Look",
                        "safety": "manual",
                        "preferred": False,
                        "edits": [{"path": "root/d/x", "range": place(3, 4, 5), "newText": ""}],
                    },
                    {
                        "title": "Write y",
                        "safety": "unsafe",
                        "preferred": False,
                        "edits": [
                            {"path": "root/d/x", "range": place(3, 4, 5), "newText": "y"},
                            {"path": "root/o", "range": place(1, 4, 9), "newText": "\n"},
                        ],
                    },
                    {
                        "title": "Write w",
                        "safety": "safe",
                        "preferred": True,
                        "edits": [{"path": "root/d/x", "range": place(2, 9, 12), "newText": "w"}],
                    },
                ],
            }
        ],
    }


def test_json_counts_utf16_units() -> None:
    quote = at('" \\')
    found = Finding("d/x", "CK101", "split-cache", Severity.HINT, quote, "m")
    (row,) = json.loads(render(report(found), "json"))["findings"]
    assert row["range"]["start"] == {"line": 1, "character": 12}
    assert row["severity"] == "hint"


# -- SARIF and GitHub ------------------------------------------------------------------------------


def test_sarif_has_rules_places_and_fixes() -> None:
    again = Finding("a b/ü", "CK002", "unreadable-file", Severity.INFORMATION, Span(0, 0), "m")
    log = json.loads(render(report(example(Severity.ERROR), again, again), "sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["CK002", "CK101"]
    assert all("## Bad" in rule["help"]["markdown"] for rule in rules)
    first, second, third = run["results"]
    assert (first["ruleId"], rules[first["ruleIndex"]]["id"]) == ("CK101", "CK101")
    assert [item["level"] for item in run["results"]] == ["error", "note", "note"]
    location = first["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "root/d/x"}
    assert location["region"] == {"startLine": 3, "startColumn": 10, "endLine": 3, "endColumn": 13}
    assert first["relatedLocations"][0]["message"] == {"text": "the other place"}
    assert [fix["description"]["text"] for fix in first["fixes"]] == ["Write y", "Write w"]
    changes = first["fixes"][0]["artifactChanges"]
    assert [change["artifactLocation"]["uri"] for change in changes] == ["root/d/x", "root/o"]
    assert changes[1]["replacements"][0]["insertedContent"] == {"text": "\n"}
    uri = second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "root/a%20b/%C3%BC"
    assert second["partialFingerprints"] != third["partialFingerprints"]


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("a:b/Dockerfile", "a%3Ab/Dockerfile"),
        ("c:/Dockerfile", "c%3A/Dockerfile"),
        ("javascript:x", "javascript%3Ax"),
        ("/work/a:b", "file:///work/a%3Ab"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="a colon is a drive's there")
def test_a_colon_makes_no_scheme_in_sarif(name: str, uri: str) -> None:
    found = Finding(name, "CK002", "unreadable-file", Severity.ERROR, Span(0, 0), "m")
    log = json.loads(render(Report([found], {}, 1), "sarif"))
    (result,) = log["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_github_commands_are_escaped() -> None:
    found = example()
    odd = Finding("o,:%", found.code, "split-cache", Severity.ERROR, Span(0, 0), "a:b,c")
    wide = Finding("d/x", "CK101", "split-cache", Severity.HINT, Span(0, 9), "m")
    assert render(report(found, odd, wide), "github").splitlines() == [
        (
            "::warning file=root/d/x,line=3,endLine=3,col=10,endColumn=12,title=CK101 split-cache"
            "::uv caches in /a: 100%25, not␊/b"
        ),
        (
            "::error file=root/o%2C%3A%25,line=1,endLine=1,col=1,endColumn=1,"
            "title=CK101 split-cache::a:b,c"
        ),
        "::notice file=root/d/x,line=1,endLine=2,title=CK101 split-cache::m",
    ]


# -- keys, rules, terminal -------------------------------------------------------------------------


def test_keys_as_text() -> None:
    base = {
        "range": {"start": {"line": 4, "character": 4}},
        "stage": "build",
        "user": "root",
        "tools": ["uv"],
        "sharing": "locked",
        "unresolved": ["X"],
        "builds": [],
        "target": "/c",
        "error": None,
    }
    document = {
        "mounts": [
            {**base, "path": "Dockerfile"},
            {**base, "path": "api/Dockerfile", "user": None, "tools": [], "stage": "b"},
            {**base, "path": "z", "error": "unexpected key", "target": None},
        ],
        "caches": [{"key": "uv-${X}", "mounts": [0, 1]}],
    }
    assert render_keys(document, PLAIN) == (
        "uv-${X}  (2 mounts, depends on X, locked)\n"
        "  Dockerfile:5:5      build  /c  root  uv\n"
        "  api/Dockerfile:5:5  b      /c  ?\n"
        "refused by the builder\n"
        "  z:5:5: unexpected key\n"
    )
    assert render_keys({"mounts": [], "caches": []}, PLAIN) == "No cache mounts.\n"


def test_every_rule_is_documented_once_and_in_order() -> None:
    entries = rule_docs.catalog()
    codes = [entry.code for entry in entries]
    assert codes == sorted(set(codes))
    assert {"CK001", "CK002"} < set(codes)
    assert all(entry.summary and entry.doc.startswith(entry.summary) for entry in entries)
    assert len(rule_docs.table(PLAIN).splitlines()) == len(entries)
    page = rule_docs.page(entries[0], PLAIN)
    assert page.startswith("CK001 unused-ignore (information, sometimes fixable)\n\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("terminal", "environment", "wanted"),
    [
        (False, {}, False),
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals(terminal: bool, environment: dict[str, str], wanted: bool) -> None:
    stream = Terminal() if terminal else io.StringIO()
    assert wants_colour(stream, environment) is wanted


def test_progress_is_for_terminals_and_long_work() -> None:
    for stream, patience, drawn in (
        (Terminal(), 0.0, True),
        (Terminal(), 3600.0, False),
        (io.StringIO(), 0.0, False),
    ):
        with Progress(stream, patience) as progress:
            progress("Checking", 3, 12)
        assert ("Checking [######" in stream.getvalue()) is drawn
        assert stream.getvalue().endswith("\r\x1b[K") is drawn
