"""Checking thinks of no fix: they are made when somebody asks, their edits when somebody presses."""

from __future__ import annotations

import pytest
from cachekey.finding import FileEdit, Finding, Fix
from cachekey.rules import ALL
from cachekey.rules.rule import Fixable, Rule
from cachekey.text import Edit

from tests.rules.test_rules import CASES, found

LOOKS_AT_EDITS = ("missing-cache-mount",)
"""Says nothing where a clean-up cannot be cut, which only making that edit tells."""

FIXED = [rule for rule in ALL if rule.fixable is not Fixable.NEVER]


class Made:
    """Counts what is made of fixes and edits, and goes on making them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kinds: list[str] = []
        for kind in (Fix, FileEdit, Edit):
            monkeypatch.setattr(kind, "__init__", self._counted(kind))

    def _counted(self, kind: type):
        make = kind.__init__

        def counted(item: object, *args: object, **named: object) -> None:
            self.kinds.append(kind.__name__)
            make(item, *args, **named)

        return counted


def findings_of(rule: Rule) -> list[Finding]:
    return [item for other, case in CASES if other is rule for item in found(rule, case)]


@pytest.mark.parametrize("rule", FIXED, ids=lambda rule: rule.name)
def test_checking_makes_no_fix_and_no_edit(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(monkeypatch)
    findings = findings_of(rule)
    assert findings
    kinds = set(made.kinds)
    assert kinds <= ({"Edit"} if rule.name in LOOKS_AT_EDITS else set())
    # Twin: the counter sees what is made when somebody asks.
    assert any(fix.edits for item in findings for fix in item.fixes)
    assert {"Fix", "FileEdit", "Edit"} <= set(made.kinds)


def test_an_idle_comment_has_its_fix_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.checking import check

    made = Made(monkeypatch)
    text = "# cachekey: ignore[CK601]\nFROM debian:13\n"
    (finding,) = check({"Dockerfile": text})
    assert made.kinds == []
    assert [fix.title for fix in finding.fixes] == ["Delete the comment"]
