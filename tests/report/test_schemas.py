"""The published schemas hold for what Cachekey writes, and accept the settings that it accepts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cachekey.cli import main
from cachekey.report.rules import catalog
from cachekey.report.schemas import report_schema, settings_schema
from cachekey.workspace.settings import from_mapping

from tests.cli.test_adoption import unavailable
from tests.cli.test_cli import BROKEN

ROOT = Path(__file__).parents[2]
LIMIT_S = 300
JUDGE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from jsonschema import Draft202012Validator
schema, documents = json.load(sys.stdin)
Draft202012Validator.check_schema(schema)
judge = Draft202012Validator(schema)
print(json.dumps([[error.message for error in judge.iter_errors(item)] for item in documents]))
"""
GOOD: list[dict[str, Any]] = [
    {},
    {"select": ["CK1", "ALL"], "ignore": ["split-cache", "CK503", "CK"]},
    {"severity": {"CK503": "warning", "unused-ignore": "off", "CK7": "info"}},
    {"exclude": ["vendor/"], "namespace": "team", "engine": "buildah"},
    {"build-args": {"VERSION": "1"}},
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
]


@pytest.fixture(scope="session")
def validator() -> Path:
    """The jsonschema package, from the registry; kept for the next run."""
    place = ROOT / ".cache" / f"jsonschema-{sys.version_info[0]}.{sys.version_info[1]}"
    if not (place / "jsonschema").is_dir():
        command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(place)]
        done = subprocess.run(
            [*command, "jsonschema"], capture_output=True, text=True, check=False, timeout=LIMIT_S
        )
        unavailable("jsonschema", done)
        assert done.returncode == 0, done.stderr
    return place


def errors(place: Path, schema: dict[str, Any], documents: list[Any]) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", JUDGE, str(place)],
        input=json.dumps([schema, documents]),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def test_the_settings_schema_judges_as_the_reader_does(validator: Path) -> None:
    for settings, fine in [*((item, True) for item in GOOD), *((item, False) for item in BAD)]:
        assert (from_mapping(settings, catalog())[1] == []) is fine, settings
    found = errors(validator, settings_schema(), [*GOOD, *BAD])
    assert found[: len(GOOD)] == [[]] * len(GOOD)
    assert [item for item, said in zip(BAD, found[len(GOOD) :], strict=True) if not said] == []


def test_the_report_schema_holds_for_a_report_and_for_no_other(
    validator: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    two = BROKEN + (
        "RUN --mount=type=cache,id=a,uid=1,target=/a true\n"
        "RUN --mount=type=cache,id=a,uid=2,target=/a true\n"
    )
    (tmp_path / "Dockerfile").write_text(two)
    main(["check", "--format", "json"])
    report = json.loads(capfd.readouterr().out)
    findings = report["findings"]
    assert any(item["related"] for item in findings)
    assert any(fix["edits"] for item in findings for fix in item["fixes"])
    spoilt = json.loads(json.dumps(report))
    spoilt["findings"][0]["range"]["start"]["line"] = -1
    less = json.loads(json.dumps(report))
    del less["findings"][0]["fixes"]
    empty = {"version": 1, "files": 0, "findings": []}
    judged = errors(
        validator, report_schema(), [report, empty, spoilt, less, {**empty, "version": 2}]
    )
    assert [bool(said) for said in judged] == [False, False, True, True, True]
