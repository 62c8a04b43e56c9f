"""The published schemas hold for what Cachekey writes, and accept the settings that it accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cachekey.cli import main
from cachekey.finding import Finding, Severity
from cachekey.report.formats import render
from cachekey.report.record import Report
from cachekey.report.rules import catalog
from cachekey.report.schemas import report_schema, settings_schema
from cachekey.text import Span
from cachekey.workspace.settings_reader import from_toml
from jsonschema import Draft4Validator, Draft202012Validator

from tests.cli.test_cli import BROKEN
from tests.report.test_report import example, report
from tests.support.judges import schema

TWO_OWNERS = BROKEN + (
    "RUN --mount=type=cache,id=a,uid=1,target=/a true\n"
    "RUN --mount=type=cache,id=a,uid=2,target=/a true\n"
)
GOOD: list[dict[str, Any]] = [
    {},
    {"select": ["CK1", "ALL"], "ignore": ["split-cache", "CK503", "CK"]},
    {"severity": {"CK503": "warning", "unused-ignore": "off", "CK7": "info"}},
    {"exclude": ["vendor/"], "namespace": "team", "engine": "buildah"},
    {"build-args": {"VERSION": "1"}},
    {"extend": "shared/cachekey.toml"},
    {"overrides": [{"paths": ["old/"], "ignore": ["CK5"], "severity": {"CK1": "off"}}]},
    {"tools": {"acme": {"commands": ["acme"]}}, "images": {"base": {"match": ["x"]}}},
]
BAD: list[dict[str, Any]] = [
    {"slect": []},
    {"select": "CK1"},
    {"ignore": ["CK9"]},
    {"severity": {"CK503": "loud"}},
    {"severity": {"no-such-rule": "off"}},
    {"exclude": [1]},
    {"namespace": 1},
    {"engine": "docker"},
    {"build-args": {"VERSION": 1}},
    {"tools": {"acme": []}},
    {"extend": ["shared/cachekey.toml"]},
    {"overrides": {"paths": ["old/"]}},
    {"overrides": [{"ignore": ["CK5"]}]},
    {"overrides": [{"paths": ["old/"], "engine": "buildah"}]},
    {"overrides": [{"paths": ["old/"], "ignore": ["CK9"]}]},
]


def errors(judged: dict[str, Any], documents: list[Any]) -> list[list[str]]:
    Draft202012Validator.check_schema(judged)
    judge = Draft202012Validator(judged)
    return [[error.message for error in judge.iter_errors(item)] for item in documents]


def inline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {inline(item)}' for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    return json.dumps(value)


def test_the_settings_schema_judges_as_the_reader_does() -> None:
    for settings, fine in [*((item, True) for item in GOOD), *((item, False) for item in BAD)]:
        # All that TOML has beside JSON are dates, and a table may be written on one line.
        text = "\n".join(f"{key} = {inline(value)}" for key, value in settings.items())
        assert (from_toml(text, catalog())[1] == []) is fine, settings
    found = errors(settings_schema(), [*GOOD, *BAD])
    assert found[: len(GOOD)] == [[]] * len(GOOD)
    assert [item for item, said in zip(BAD, found[len(GOOD) :], strict=True) if not said] == []


def test_the_report_schema_holds_for_a_report_and_for_no_other(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text(TWO_OWNERS)
    main(["check", "--format", "json"])
    found = json.loads(capfd.readouterr().out)
    findings = found["findings"]
    assert any(item["related"] for item in findings)
    assert any(fix["edits"] for item in findings for fix in item["fixes"])
    spoilt = json.loads(json.dumps(found))
    spoilt["findings"][0]["range"]["start"]["line"] = -1
    less = json.loads(json.dumps(found))
    del less["findings"][0]["fixes"]
    empty = {"version": 1, "files": 0, "findings": []}
    judged = errors(report_schema(), [found, empty, spoilt, less, {**empty, "version": 2}])
    assert [bool(said) for said in judged] == [False, False, True, True, True]


# -- SARIF, by the schema of its committee ---------------------------------------------------------


def sarif_errors(log: object) -> list[str]:
    return [error.message for error in Draft4Validator(schema("sarif-2.1.0.json")).iter_errors(log)]


def test_sarif_holds_to_the_official_schema() -> None:
    Draft4Validator.check_schema(schema("sarif-2.1.0.json"))
    odd = Finding("a:b\udc80/\x1b", "CK002", "unreadable-file", Severity.HINT, Span(0, 9), "\0")
    unknown = Finding("o", "CK999", "of-tomorrow", Severity.WARNING, Span(0, 0), "m")
    reports = [
        report(example(Severity.ERROR), odd, unknown, odd),
        report(),
        Report([odd], {}, 1, lambda name: f"/somewhere/{name}"),
    ]
    for log in (json.loads(render(item, "sarif")) for item in reports):
        assert sarif_errors(log) == []
    # The judge does judge.
    log = json.loads(render(reports[0], "sarif"))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    log["runs"][0]["tool"]["driver"]["rulez"] = []
    assert len(sarif_errors(log)) == 2


def test_fingerprints_of_a_run_survive_lines_that_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    def names(text: str) -> list[str]:
        (tmp_path / "Dockerfile").write_text(text)
        main(["check", "--format", "sarif"])
        log = json.loads(capfd.readouterr().out)
        assert sarif_errors(log) == []
        results = log["runs"][0]["results"]
        return sorted(result["partialFingerprints"]["cachekey/v2"] for result in results)

    before = names(TWO_OWNERS)
    assert len(set(before)) == len(before) > 1
    moved = TWO_OWNERS.replace("RUN", "\n# more of it\nENV A=1\nRUN")
    assert names(moved.replace("\n", "\r\n")) == before
    assert names(TWO_OWNERS.replace("uid=2", "uid=3")) != before
