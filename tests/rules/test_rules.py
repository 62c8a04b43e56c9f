"""Every rule does what its documentation and its annotated cases say, and its fixes mend it.

``CACHEKEY_UPDATE=1 pytest tests/rules/test_rules.py`` rewrites caret lines and fixed texts from what the
engine says now; the diff is then to be read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cachekey.finding import Finding, Safety
from cachekey.rules import ALL
from cachekey.rules.rule import Fixable, Rule
from cachekey.text import Source

from tests.support.checking import apply_fix, check, fix_all, make_settings, mark_of
from tests.support.markdown import LANGUAGES, Block, Case, Mark, join_marks, read_cases

FIXTURES = Path(__file__).parent
BY_NAME = {rule.name: rule for rule in ALL}
UPDATE = bool(os.environ.get("CACHEKEY_UPDATE"))


def fixture_cases() -> Iterator[tuple[Rule, Case]]:
    for path in sorted(FIXTURES.glob("*.md")):
        for case in read_cases(path.read_text(encoding="utf-8"), path):
            if case.files:
                yield BY_NAME[path.stem], case


CASES = list(fixture_cases())


def ids(items: list[tuple[Rule, Case]]) -> list[str]:
    return [f"{rule.name}: {case.title}" for rule, case in items]


def texts(case: Case) -> dict[str, str]:
    return {path: block.text for path, block in case.files.items()}


def settings_of(rule: Rule, case: Case):
    return make_settings((rule.code,), case.settings)


def found(rule: Rule, case: Case) -> list[Finding]:
    return check(texts(case), settings_of(rule, case))


def shown(findings: list[Finding], path: str, text: str) -> list[Mark]:
    source = Source(text)
    return sorted(mark_of(item, source) for item in findings if item.path == path)


@pytest.mark.parametrize(("rule", "case"), CASES, ids=ids(CASES))
def test_annotations(rule: Rule, case: Case) -> None:
    findings = found(rule, case)
    if UPDATE:
        _update(rule, case, findings)
        return
    for path, block in case.files.items():
        actual = shown(findings, path, block.text)
        assert actual == sorted(block.marks), _report(block, actual)
        for mark, expected in zip(actual, sorted(block.marks), strict=True):
            assert not expected.message or mark.message == expected.message


def _report(block: Block, actual: list[Mark]) -> str:
    return "the engine says:\n" + "\n".join(join_marks(block.text, actual))


FIXED = [(rule, case) for rule, case in CASES if case.fixed]


@pytest.mark.skipif(UPDATE, reason="the fixed texts are being rewritten")
@pytest.mark.parametrize(("rule", "case"), FIXED, ids=ids(FIXED))
def test_fixed_texts(rule: Rule, case: Case) -> None:
    for block in case.fixed:
        path, text = fixed_text(rule, case, block)
        assert text == block.text, path


def fixed_text(rule: Rule, case: Case, block: Block) -> tuple[str, str]:
    """Return what a ``fixed`` block claims: ``safe``, ``unsafe``, or the title of one fix."""
    files, settings = texts(case), settings_of(rule, case)
    info, _, path = block.info.partition(" in ")
    path = path or next(iter(files))
    if block.language == "fixed:":
        fix = next(
            fix for item in check(files, settings) for fix in item.fixes if fix.title == info
        )
        return path, apply_fix(files, fix)[path]
    return path, fix_all(files, Safety(info), settings)[path]


@pytest.mark.parametrize(("rule", "case"), CASES, ids=ids(CASES))
def test_each_fix_removes_its_finding_and_makes_no_new_one(rule: Rule, case: Case) -> None:
    """Promise 2: under all rules, what is there after a fix was there before it."""
    files = texts(case)
    everything = make_settings((), case.settings)
    before = check(files, everything)
    for item in found(rule, case):
        for fix in item.fixes:
            if fix.safety is Safety.MANUAL:
                continue
            after = check(apply_fix(files, fix), everything)
            same = [other for other in after if signature(other) == signature(item)]
            was = [other for other in before if signature(other) == signature(item)]
            assert len(same) < len(was), f"{fix.title!r} leaves its finding"
            known = [signature(other) for other in before]
            for other in after:
                assert signature(other) in known or is_hint(other), f"{fix.title!r} makes {other}"


def signature(finding: Finding) -> tuple[str, str]:
    return (finding.path, finding.code)


def is_hint(finding: Finding) -> bool:
    return finding.severity.value in ("hint", "information")


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_documentation_examples(rule: Rule) -> None:
    bad, good = doc_examples(rule)
    selected = make_settings((rule.code,))
    findings = check(bad, selected)
    assert any(item.code == rule.code for item in findings), "Bad is not flagged"
    complaints = [item for item in check(good) if not is_hint(item) or item.code == rule.code]
    assert complaints == [], "Good is not silent"
    if rule.fixable is Fixable.ALWAYS:
        assert fix_all(bad, Safety.UNSAFE, selected) == good, "the fix of Bad is not Good"


def doc_examples(rule: Rule) -> tuple[dict[str, str], dict[str, str]]:
    examples: dict[str, dict[str, str]] = {}
    for case in read_cases(rule.doc):
        for path, block in case.files.items():
            examples.setdefault(case.title, {})[path] = block.text
    return examples["Bad"], examples["Good"]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_rule_is_documented_and_has_cases(rule: Rule) -> None:
    assert (FIXTURES / f"{rule.name}.md").is_file()
    headings = [line[3:] for line in rule.doc.splitlines() if line.startswith("## ")]
    assert {"Bad", "Good"} <= set(headings)
    assert ("Fix" in headings) == (rule.fixable is not Fixable.NEVER)
    assert rule.summary
    own = [case for other, case in CASES if other is rule]
    assert any(block.marks for case in own for block in case.files.values()), "no flagged case"
    assert any(not any(block.marks for block in case.files.values()) for case in own), (
        "no silent case"
    )


def test_every_rule_file_is_listed() -> None:
    import cachekey.rules

    folder = Path(cachekey.rules.__file__).parent
    files = {
        path.stem for path in folder.glob("*.py") if "@rule(" in path.read_text(encoding="utf-8")
    }
    assert files == {rule.name.replace("-", "_") for rule in ALL}
    codes = [rule.code for rule in ALL]
    assert codes == sorted(set(codes))


@pytest.mark.parametrize("change", ["crlf", "non-bmp"])
@pytest.mark.parametrize(("rule", "case"), CASES, ids=ids(CASES))
def test_line_ends_and_wide_characters_change_nothing(rule: Rule, case: Case, change: str) -> None:
    files = texts(case)
    shift = 0
    if change == "crlf":
        changed = {path: text.replace("\n", "\r\n") for path, text in files.items()}
    elif any(text.startswith(("#", "//")) for text in files.values()):
        pytest.skip("the first comment lines may be directives")
    else:
        shift = 1
        changed = {path: comment(path) + text for path, text in files.items()}
    settings = settings_of(rule, case)
    expected = check(files, settings)
    actual = check(changed, settings)
    assert [(item.path, line_of(item, changed) - shift, item.code) for item in actual] == [
        (item.path, line_of(item, files), item.code) for item in expected
    ]


def comment(path: str) -> str:
    if path.endswith("package.json"):
        return "\n"
    return "// \U0001f433\n" if path.endswith(".json") else "# \U0001f433\n"


def line_of(finding: Finding, files: dict[str, str]) -> int:
    return Source(files[finding.path]).line_of(finding.span.start)


def _update(rule: Rule, case: Case, findings: list[Finding]) -> None:
    assert case.path is not None
    lines = case.path.read_text(encoding="utf-8").split("\n")
    current = next(
        item for item in read_cases("\n".join(lines), case.path) if item.title == case.title
    )
    for block in reversed(current.blocks):
        first, last = block.lines
        if block.language in LANGUAGES or block.language == "file":
            path = block.info or LANGUAGES[block.language]
            lines[first + 1 : last] = join_marks(block.text, shown(findings, path, block.text))
        elif block.language.startswith("fixed"):
            _, text = fixed_text(rule, case, block)
            lines[first + 1 : last] = text.removesuffix("\n").split("\n")
    case.path.write_text("\n".join(lines), encoding="utf-8")
