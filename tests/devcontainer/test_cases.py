"""Small files with what a checker must say about them: exact ranges, exact fixed texts, or silence.

``on`` is the text that the range covers, ``fix`` the file after the preferred fix; without one no
fix may be preferred.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cachekey.checking import engine
from cachekey.finding import Finding
from cachekey.kinds import kind_of

from tests.support.checking import apply_fix, make_project

CASES = json.loads((Path(__file__).parents[1] / "data/devcontainer-cases.json").read_text("utf-8"))

CODES = {
    "mount-type-cache": "CK701",
    "containerenv-unresolved": "CK703",
    "variable-unknown": "CK703",
    "mount-localenv-may-be-empty": "CK704",
    "variable-default-cut-at-colon": "CK708",
    "mount-unknown-key": "CK709",
    "mount-key-whitespace": "CK709",
    "mount-missing-target": "CK709",
    "mount-target-not-absolute": "CK709",
    "mount-bad-value": "CK709",
    "mount-object-missing-type": "CK709",
    "build-options-mount": "CK712",
    "mount-anonymous-volume": "CK713",
    "mount-duplicate-target": "CK714",
    "mount-object-key-dropped": "CK715",
    "cache-env-remote-only": "CK716",
    "cache-on-tmpfs": "CK717",
    "compose-undefined-volume": "CK718",
    "compose-mount-option-dropped": "CK719",
    "compose-runargs-ignored": "CK720",
    "compose-volume-project-scoped": "CK721",
}
"""The cases describe problems in words of their own."""


def devcontainer_findings(files: dict[str, str]) -> list[Finding]:
    project = make_project(files)
    return [item for path in files for item in engine.check(project, path)]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict) -> None:
    files: dict[str, str] = case["files"]
    findings = [item for item in devcontainer_findings(files) if item.code.startswith("CK7")]
    actual = [
        (item.path, item.code, item.severity.value, files[item.path][slice(*item.span)])
        for item in findings
    ]
    expected = [
        (item["file"], CODES[item["problem"]], item["severity"], item["on"])
        for item in case["expect"]
    ]
    assert actual == expected
    for finding, item in zip(findings, case["expect"], strict=True):
        preferred = [fix for fix in finding.fixes if fix.preferred]
        if item["fix"] is None:
            assert preferred == []
            continue
        assert apply_fix(files, preferred[0])[item["file"]] == item["fix"]


def test_only_the_files_that_dev_containers_reads_are_read() -> None:
    assert kind_of("settings.json") is None
    assert kind_of(".devcontainer/py/devcontainer.json") == "devcontainer"
