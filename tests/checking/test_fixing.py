"""Fixing: what goes together, what waits, when it ends, and the diff."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from cachekey.checking.fixing import Outcome, apply_fixes, best_fix, choose, diff
from cachekey.finding import FileEdit, Finding, Fix, Safety, Severity
from cachekey.record import replace
from cachekey.text import Edit, Span


def edit(start: int, end: int, text: str, path: str = "x") -> FileEdit:
    return FileEdit(path, Edit(Span(start, end), text))


def fix(*edits: FileEdit, safety: Safety = Safety.SAFE, preferred: bool = False) -> Fix:
    return Fix("title", lambda: edits, safety, preferred)


def finding(*fixes: Fix, at: int = 0, code: str = "CK101", message: str = "m") -> Finding:
    return Finding(
        "x", code, "rule", Severity.WARNING, Span(at, at + 1), message, (), lambda: fixes
    )


def chosen(*findings: Finding, level: Safety = Safety.SAFE) -> dict[str, list[Edit]]:
    choice = choose(findings, level)
    return {path: list(edits) for path, edits in choice.edits.items()}


Rule = Callable[[Mapping[str, str]], list[Finding]]


def repair(text: str, rule: Rule, level: Safety = Safety.SAFE, **others: str) -> Outcome:
    texts = {"x": text, **others}
    live = dict(texts)

    def recheck(news: Mapping[str, str]) -> list[Finding]:
        live.update(news)
        return rule(live)

    return apply_fixes(texts, rule(live), level, recheck)


# -- choosing --------------------------------------------------------------------------------------


def test_the_preferred_fix_then_a_safe_one_then_the_first() -> None:
    safe, unsafe = fix(edit(0, 1, "a")), fix(edit(0, 1, "b"), safety=Safety.UNSAFE)
    wanted = fix(edit(0, 1, "c"), safety=Safety.UNSAFE, preferred=True)
    manual = fix(edit(0, 1, "d"), safety=Safety.MANUAL, preferred=True)
    assert best_fix(finding(unsafe, safe, wanted, manual), Safety.SAFE) is safe
    assert best_fix(finding(unsafe, safe, manual), Safety.UNSAFE) is safe
    assert best_fix(finding(safe, wanted), Safety.UNSAFE) is wanted
    assert best_fix(finding(manual), Safety.UNSAFE) is None
    assert best_fix(finding(fix()), Safety.SAFE) is None


def test_edits_apart_go_together_and_edits_that_touch_wait() -> None:
    first, touching, apart = (
        finding(fix(edit(2, 4, "a")), at=2),
        finding(fix(edit(4, 4, "b")), at=4),
        finding(fix(edit(6, 7, "c")), at=6),
    )
    assert chosen(apart, touching, first) == {"x": [edit(2, 4, "a").edit, edit(6, 7, "c").edit]}


@pytest.mark.parametrize("second", [(2, 5), (3, 3), (0, 2), (2, 2), (0, 9), (4, 6)])
def test_whatever_meets_the_first_edit_waits(second: tuple[int, int]) -> None:
    found = (finding(fix(edit(2, 4, "a"))), finding(fix(edit(*second, "b")), at=1))
    assert chosen(*found) == {"x": [edit(2, 4, "a").edit]}


def test_a_fix_is_applied_whole_or_not_at_all() -> None:
    found = (
        finding(fix(edit(0, 1, "a"))),
        finding(fix(edit(5, 6, "b"), edit(0, 1, "c")), at=1),
        finding(fix(edit(5, 6, "d"), edit(1, 2, "e", "y")), at=2),
    )
    assert chosen(*found) == {
        "x": [edit(0, 1, "a").edit, edit(5, 6, "d").edit],
        "y": [edit(1, 2, "e", "y").edit],
    }


def test_the_same_edit_of_two_findings_is_made_once() -> None:
    together = fix(edit(0, 0, "ENV A\n"), edit(5, 6, "a"))
    other = fix(edit(0, 0, "ENV A\n"), edit(8, 9, "a"))
    found = (finding(together), finding(together, at=1), finding(other, at=2))
    choice = choose(found, Safety.SAFE)
    assert len(choice.applied) == 3
    assert list(choice.edits["x"]) == [
        edit(0, 0, "ENV A\n").edit,
        edit(5, 6, "a").edit,
        edit(8, 9, "a").edit,
    ]


def test_a_fix_waits_while_another_changes_the_place_that_it_is_about() -> None:
    about = finding(fix(edit(8, 8, "mkdir")), at=2)
    elsewhere = finding(fix(edit(9, 9, "x")), at=4)
    assert chosen(about, finding(fix(edit(1, 4, "b")), at=1))["x"] == [Edit(Span(1, 4), "b")]
    assert len(chosen(about, elsewhere)["x"]) == 2
    # Who edits the place as well is asked by its edits alone.
    both = finding(fix(edit(3, 3, "c"), edit(8, 8, "mkdir")), at=2)
    assert len(chosen(both, finding(fix(edit(2, 2, "b")), at=1))["x"]) == 3


def test_insertions_of_one_fix_at_one_place_keep_their_order() -> None:
    assert chosen(finding(fix(edit(1, 1, "b"), edit(1, 1, "a")))) == {
        "x": [edit(1, 1, "b").edit, edit(1, 1, "a").edit]
    }


def test_a_fix_that_contradicts_itself_is_left_out() -> None:
    assert chosen(finding(fix(edit(0, 3, "a"), edit(2, 4, "b")))) == {}


# -- repeating -------------------------------------------------------------------------------------


def each(character: str, replacement: str, code: str = "CK101") -> Rule:
    """Return a rule that wants every ``character`` replaced."""

    def rule(texts: Mapping[str, str]) -> list[Finding]:
        return [
            finding(fix(edit(at, at + 1, replacement)), at=at, code=code)
            for at, found in enumerate(texts["x"])
            if found == character
        ]

    return rule


def test_what_touches_is_mended_in_the_next_round() -> None:
    outcome = repair("aaa-a", each("a", "b"))
    assert outcome.texts == {"x": "bbb-b"}
    assert (len(outcome.applied), outcome.findings) == (4, ())


def test_nothing_to_do_changes_nothing() -> None:
    outcome = repair("ccc", each("a", "b"))
    assert (outcome.texts, outcome.applied) == ({}, ())


def test_fixes_that_call_for_each_other_end() -> None:
    def rule(texts: Mapping[str, str]) -> list[Finding]:
        return [*each("a", "b")(texts), *each("b", "a", "CK102")(texts)]

    outcome = repair("a", rule)
    assert outcome.texts.get("x", "a") in {"a", "b"}
    assert len(outcome.findings) == 1


def test_a_fix_that_does_not_help_is_taken_back() -> None:
    """Applied once, it would be applied again by whoever fixes the file once more."""
    outcome = repair("a", lambda texts: [finding(fix(edit(0, 0, "z")))])
    assert outcome.texts == {}
    assert [item.title for item in outcome.abandoned] == ["title"]
    assert len(outcome.findings) == 1


def test_the_same_slip_further_on_is_mended_too() -> None:
    """A builder tells the first of several slips only, with the same words at the same place."""

    def rule(texts: Mapping[str, str]) -> list[Finding]:
        at = texts["x"].find("-=")
        return [finding(fix(edit(at + 1, at + 1, "id")))] if at >= 0 else []

    outcome = repair("x-=a-=b-=c", rule)
    assert (outcome.texts, outcome.findings) == ({"x": "x-id=a-id=b-id=c"}, ())


def test_a_mount_of_very_many_slips_is_mended_at_once() -> None:
    def rule(texts: Mapping[str, str]) -> list[Finding]:
        at = texts["x"].find("-=")
        return [finding(fix(edit(at + 1, at + 1, "id")))] if at >= 0 else []

    outcome = repair("-=a" * 150, rule)
    assert (outcome.texts, outcome.findings) == ({"x": "-id=a" * 150}, ())


def test_a_rule_that_wants_ever_more_ends() -> None:
    def rule(texts: Mapping[str, str]) -> list[Finding]:
        return [finding(fix(edit(0, 0, "a" * 1000)), message=str(len(texts["x"])))]

    assert 20_000 <= len(repair("a", rule).texts["x"]) < 40_000


def test_what_moves_to_a_deleted_place_is_mended_too() -> None:
    """The second finding, with the same words at the same place, comes when the first has gone."""

    def rule(texts: Mapping[str, str]) -> list[Finding]:
        at = texts["x"].find("a")
        return [finding(fix(edit(at, at + 1, "")), at=at)] if at >= 0 else []

    assert repair("caaab", rule).texts == {"x": "cb"}


def test_a_fix_that_breaks_a_file_is_taken_back() -> None:
    def rule(texts: Mapping[str, str]) -> list[Finding]:
        broken = [finding(code="CK002", message="broken")] if "!" in texts["x"] else []
        return [*each("a", "!")(texts), *broken]

    outcome = repair("ab", rule)
    assert outcome.texts == {}
    assert [item.code for item in outcome.abandoned] == ["CK101"]
    assert [item.code for item in outcome.findings] == ["CK101"]


def test_a_fix_is_not_to_blame_for_what_one_of_another_file_does_to_its_file() -> None:
    def rule(texts: Mapping[str, str]) -> list[Finding]:
        found = []
        for path, old, new in (("x", "a", "b"), ("y", "c", "d")):
            if texts[path].startswith(old):
                item = finding(fix(edit(0, 1, new, path)), code=f"CK10{path}")
                found.append(replace(item, path=path))
        if texts["x"].startswith("b"):
            found.append(replace(finding(code="CK999"), path="y"))
        return found

    outcome = repair("a", rule, y="c")
    assert outcome.texts == {"y": "d"}
    assert [(item.path, item.code) for item in outcome.abandoned] == [("x", "CK10x")]


def test_harmful_fixes_of_many_files_are_looked_for_side_by_side() -> None:
    """Each file has one that breaks it among some that mend it."""

    def rule(texts: Mapping[str, str]) -> list[Finding]:
        return [
            Finding(
                path, code, "rule", Severity.WARNING, Span(at, at + 1), "m", (), lambda f=made: f
            )
            for path, text in texts.items()
            for at, found in enumerate(text)
            for code, made in (
                [("CK002", ())]
                if found == "!"
                else [(f"CK{found}", (fix(edit(at, at + 1, "-" if found != "3" else "!", path)),))]
                if found != "-"
                else []
            )
        ]

    made = []
    for size in (8, 16, 32, 64):
        texts = {f"f{number}": "12345" for number in range(size)}
        live, put = dict(texts), 0

        def recheck(news: Mapping[str, str]) -> list[Finding]:
            nonlocal put
            put += len(news)
            live.update(news)  # noqa: B023 -- called in this turn only
            return rule(live)  # noqa: B023

        outcome = apply_fixes(texts, rule(live), Safety.SAFE, recheck)
        assert set(outcome.texts.values()) == {"--3--"}
        made.append(put)
    assert made[3] - made[2] <= 2.1 * (made[2] - made[1])


def test_several_files_change_together_and_unknown_ones_never() -> None:
    def rule(texts: Mapping[str, str]) -> list[Finding]:
        if texts["y"] == "a":
            return [finding(fix(edit(0, 1, "b"), edit(0, 1, "b", "y")))]
        return [finding(fix(edit(0, 1, "c"), edit(0, 1, "c", "elsewhere")))]

    outcome = repair("a", rule, y="a", z="a")
    assert outcome.texts == {"x": "b", "y": "b"}
    assert len(outcome.findings) == 1


def test_unsafe_fixes_need_the_level() -> None:
    def rule(texts: Mapping[str, str]) -> list[Finding]:
        if texts["x"] != "a":
            return []
        return [finding(fix(edit(0, 1, "b"), safety=Safety.UNSAFE))]

    assert repair("a", rule).texts == {}
    assert repair("a", rule, Safety.UNSAFE).texts == {"x": "b"}


# -- the diff --------------------------------------------------------------------------------------


def test_a_diff_keeps_line_ends_and_tells_of_a_missing_one() -> None:
    assert diff("a/a/Dockerfile", "b/a/Dockerfile", "one\r\ntwo\x0c\nthree", "one\r\n2\nthree") == (
        "--- a/a/Dockerfile\n+++ b/a/Dockerfile\n@@ -1,3 +1,3 @@\n"
        " one\r\n-two\x0c\n+2\n three\n\\ No newline at end of file\n"
    )
    assert diff("a/x", "b/x", "a", "a\n") == (
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"
    )
    assert diff("a/x", "b/x", "", "a\n") == "--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+a\n"
    assert diff("a/x", "b/x", "same", "same") == ""
