"""The extension inside VS Code's extension host: the cases are in host/extension.test.cjs."""

from __future__ import annotations

import re

from tests.editors.conftest import HERE, Drive


def test_suite(drive: Drive) -> None:
    output = drive("host.mjs")
    cases = re.findall(r"^  it\(", (HERE / "host" / "extension.test.cjs").read_text(), re.MULTILINE)
    assert len(re.findall(r"\bok {6}", output)) == len(cases), "every case has run"
