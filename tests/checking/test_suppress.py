"""Comments that silence: what they stand for, which are idle, and the edits that make them."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from cachekey.budget import MOST_RELATED
from cachekey.checking.comments import ignore_here, layout
from cachekey.checking.engine import check
from cachekey.checking.suppress import apply_suppressions
from cachekey.finding import TOO, Finding, Related, Safety, Severity
from cachekey.record import replace
from cachekey.syntax.dockerfile import parse as dockerfile
from cachekey.syntax.jsonc import parse as jsonc
from cachekey.text import Source, Span, apply_edits
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings


@dataclass(frozen=True)
class Rule:
    code: str
    name: str


RULES = (
    Rule("CK101", "split-cache"),
    Rule("CK201", "cache-not-writable"),
    Rule("CK202", "mixed-users"),
    Rule("CK701", "cache-mount-at-runtime"),
)
NAMES = {rule.code: rule.name for rule in RULES}


def document(text: str) -> Any:
    source = Source(text)
    parse = jsonc.parse if text.lstrip("\ufeff").lstrip()[:1] in {"{", "/"} else dockerfile.parse
    return SimpleNamespace(path="x", source=source, tree=parse(source))


def finding(text: str, code: str, at: str, number: int = 0) -> Finding:
    start = -1
    for _ in range(number + 1):
        start = text.index(at, start + 1)
    span = Span(start, start + len(at))
    return Finding("x", code, NAMES[code], Severity.WARNING, span, "message")


def remaining(text: str, *found: Finding, settings: Settings | None = None) -> list[str]:
    """Return the codes that are left, for CK001 with the text it marks."""
    left = apply_suppressions(layout(document(text)), found, settings or Settings(), RULES)
    source = Source(text)
    return [
        f"CK001 {source.slice(item.span)}" if item.code == "CK001" else item.code for item in left
    ]


def mended(text: str, *found: Finding, level: tuple[Safety, ...] = (Safety.SAFE,)) -> str:
    left = apply_suppressions(layout(document(text)), found, Settings(), RULES)
    edits = {
        item.edit
        for finding in left
        for fix in finding.fixes
        if fix.safety in level
        for item in fix.edits
    }
    return apply_edits(text, sorted(edits))


TWO = """FROM a
# cachekey: ignore[CK201] owned by root on purpose
RUN one \\
    target
RUN two target
"""


def test_a_comment_stands_for_the_whole_instruction_below_and_no_other() -> None:
    first, second = finding(TWO, "CK201", "target", 0), finding(TWO, "CK201", "target", 1)
    assert remaining(TWO, first) == []
    assert remaining(TWO, second, first) == ["CK201"]
    assert remaining(TWO, finding(TWO, "CK202", "one"), first) == ["CK202"]


@pytest.mark.parametrize(
    "comment",
    [
        "# cachekey: ignore",
        "#cachekey:ignore",
        "# Cachekey: Ignore [ck201]",
        "# cachekey: ignore[cache-not-writable]",
        "# cachekey: ignore[CK101,CK2] because",
        "# cachekey: ignore[ALL]",
    ],
)
def test_ways_to_write_it(comment: str) -> None:
    text = f"FROM a\n{comment}\n\n# and why\nRUN target\n"
    assert "CK201" not in remaining(text, finding(text, "CK201", "target"))


@pytest.mark.parametrize(
    "comment",
    [
        "# see cachekey: ignore[CK201]",
        "# cachekey ignore",
        "# hadolint ignore=CK201",
        "# cachekey: x",
    ],
)
def test_other_comments_silence_nothing_and_are_not_idle(comment: str) -> None:
    text = f"FROM a\n{comment}\nRUN target\n"
    assert remaining(text, finding(text, "CK201", "target")) == ["CK201"]


def test_between_the_lines_of_an_instruction_it_stands_for_the_next_line() -> None:
    text = "FROM a\nRUN one \\\n  # cachekey: ignore[CK201]\n\n  two \\\n  three\n"
    assert remaining(text, finding(text, "CK201", "two")) == []
    assert remaining(text, finding(text, "CK201", "three"), finding(text, "CK201", "two")) == [
        "CK201"
    ]


def test_a_whole_file() -> None:
    text = "# syntax=docker/dockerfile:1\n# cachekey: ignore-file[CK201]\nFROM a\nRUN target\n"
    assert remaining(text, finding(text, "CK201", "target"), finding(text, "CK201", "a", 1)) == []
    assert remaining(text, finding(text, "CK202", "target")) == [
        "CK001 # cachekey: ignore-file[CK201]",
        "CK202",
    ]


def test_ignore_file_below_the_top_does_not_count() -> None:
    text = "FROM a\n# cachekey: ignore-file[CK201]\nRUN target\n"
    left = apply_suppressions(
        layout(document(text)), [finding(text, "CK201", "target")], Settings(), RULES
    )
    assert [item.code for item in left] == ["CK001", "CK201"]
    assert left[0].message == "A comment ignore-file counts only above the first instruction"


# -- idle comments ---------------------------------------------------------------------------------


def test_only_the_idle_names_go() -> None:
    text = "FROM a\n# cachekey: ignore[CK202, CK201,nonsense] why\nRUN target\n"
    found = finding(text, "CK201", "target")
    assert remaining(text, found) == ["CK001 CK202", "CK001 nonsense"]
    assert mended(text, found) == "FROM a\n# cachekey: ignore[CK201] why\nRUN target\n"


def test_an_idle_comment_goes_with_its_line() -> None:
    text = "\ufeff  # cachekey: ignore[CK201]\r\nFROM a\r\n"
    assert remaining(text) == ["CK001 # cachekey: ignore[CK201]"]
    assert mended(text) == "\ufeffFROM a\r\n"


def test_an_idle_comment_for_every_rule_may_matter_for_another_file() -> None:
    text = "FROM a\n# cachekey: ignore"
    assert mended(text) == text
    assert mended(text, level=(Safety.UNSAFE,)) == "FROM a\n"


def test_a_name_of_the_key_rules_may_matter_for_another_file() -> None:
    text = "FROM a\n# cachekey: ignore[CK101]\nRUN x\n"
    assert mended(text) == text
    assert mended(text, level=(Safety.UNSAFE,)) == "FROM a\nRUN x\n"


def test_a_rule_that_did_not_run_proves_nothing() -> None:
    text = "FROM a\n# cachekey: ignore[CK201]\nRUN x\n"
    every = "FROM a\n# cachekey: ignore\nRUN x\n"
    assert remaining(text, settings=Settings(select=("CK0", "CK1"))) == []
    assert remaining(text, settings=Settings(ignore=("CK201",))) == []
    assert remaining(every, settings=Settings(ignore=("CK202",))) == []
    assert remaining(every) == ["CK001 # cachekey: ignore"]
    assert remaining(text, settings=Settings(ignore=("unused-ignore",))) == []


def test_idle_comments_have_the_severity_of_the_settings() -> None:
    text = "FROM a\n# cachekey: ignore[CK201]\nRUN x\n"
    settings = Settings(severity={"CK0": Severity.ERROR})
    (left,) = apply_suppressions(layout(document(text)), [], settings, RULES)
    assert (left.severity, left.rule, left.unnecessary) == (Severity.ERROR, "unused-ignore", True)


def test_a_wrong_name_is_told_with_what_was_meant() -> None:
    text = "FROM a\n# cachekey: ignore[split_cache]\nRUN x\n"
    (left,) = apply_suppressions(layout(document(text)), [], Settings(), RULES)
    assert left.message == "no rule is called 'split_cache'; did you mean 'split-cache'?"


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("ignor[CK201]", "Cachekey knows no comment 'ignor'; did you mean 'ignore'?"),
        ("ignore[CK201", "The list of rules has no closing bracket"),
        ("ignore[ ]", "The list of rules is empty"),
    ],
)
def test_a_half_written_comment_silences_nothing_and_says_so(comment: str, message: str) -> None:
    text = f"FROM a\n# cachekey: {comment}\nRUN target\n"
    found = finding(text, "CK201", "target")
    left = apply_suppressions(layout(document(text)), [found], Settings(), RULES)
    assert [(item.code, item.message) for item in left] == [
        ("CK001", message),
        ("CK201", "message"),
    ]


def test_a_misspelt_word_is_corrected() -> None:
    text = "FROM a\n# cachekey: ignor[CK201]\nRUN target\n"
    assert mended(text, finding(text, "CK201", "target")) == text.replace("ignor[", "ignore[")


def test_an_idle_comment_can_be_silenced_itself() -> None:
    text = "# cachekey: ignore-file[CK001]\nFROM a\n# cachekey: ignore[CK201]\nRUN x\n"
    assert remaining(text) == []


# -- JSONC -----------------------------------------------------------------------------------------

JSON = """{
  // cachekey: ignore[CK701] why
  "mounts": [
    "type=cache,one",
    "type=cache,two"
  ],
  "runArgs": [
    /* cachekey: ignore[CK701] */
    "three",
    "four", // cachekey: ignore[CK701]
    "five"
  ]
}
"""


def test_comments_in_jsonc() -> None:
    found = [finding(JSON, "CK701", word) for word in ("one", "two", "three", "four", "five")]
    left = apply_suppressions(layout(document(JSON)), found, Settings(), RULES)
    assert [Source(JSON).slice(item.span) for item in left] == ["five"]


def test_a_comment_at_the_end_of_a_list_does_not_reach_out_of_it() -> None:
    text = '{\n  "a": [\n    1\n    // cachekey: ignore[CK701]\n  ],\n  "b": 2\n}\n'
    found = finding(text, "CK701", '"b"')
    assert remaining(text, found) == ["CK001 // cachekey: ignore[CK701]", "CK701"]


def test_a_whole_jsonc_file() -> None:
    text = '// cachekey: ignore-file[CK701]\n{"mounts": ["x"]}\n'
    assert remaining(text, finding(text, "CK701", "x")) == []


def test_an_idle_comment_in_a_line_of_jsonc_leaves_the_line() -> None:
    text = '{\n  "a": 1, // cachekey: ignore[CK701]\n  /* cachekey: ignore[CK701] */ "b": 2\n}\n'
    assert mended(text) == '{\n  "a": 1,\n  "b": 2\n}\n'


# -- Ignore here -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "at", "wanted"),
    [
        (
            "# syntax=x\nFROM a\r\n  RUN one \\\r\n  two\r\n",
            "CK201",
            "two",
            "# syntax=x\nFROM a\r\n  # cachekey: ignore[CK201]\n  RUN one \\\r\n  two\r\n",
        ),
        (TWO, "CK202", "one", TWO.replace("CK201]", "CK201, CK202]")),
        ("\ufeffFROM a\n", "CK201", "a", "\ufeff# cachekey: ignore[CK201]\nFROM a\n"),
        (
            '{\n\t"mounts": [\n\t\t"one", "two"\n\t]\n}\n',
            "CK701",
            "two",
            '{\n\t// cachekey: ignore[CK701]\n\t"mounts": [\n\t\t"one", "two"\n\t]\n}\n',
        ),
        ('{\n  "a": {"b": 1}\n}\n', "CK701", "1", None),
        ('{"mounts": ["x"]}', "CK701", "x", None),
    ],
)
def test_ignore_here_silences_the_finding(
    text: str, code: str, at: str, wanted: str | None
) -> None:
    found = finding(text, code, at)
    edit = ignore_here(document(text), found)
    assert edit is not None
    new = apply_edits(text, [edit])
    if wanted is not None:
        assert new == wanted
    again = finding(new, code, at, new[: new.rindex(at)].count(at))
    assert code not in remaining(new, again)


def test_ignore_here_has_no_place_outside_of_everything() -> None:
    text = "# only a comment\n"
    assert ignore_here(document(text), finding(text, "CK201", "only")) is None


_OPENINGS = (
    "<<A",
    "<<A <<B",
    "<<A cat <<B",
    "bash <<-A",
    "<<A\nRUN --mount=type=cache,taget=/y <<B",
)
_ENDINGS = ("", "A\n", "A\nB\n", "B\n")


@pytest.mark.parametrize("opening", _OPENINGS)
@pytest.mark.parametrize("ending", _ENDINGS)
def test_ignore_here_in_here_documents_counts_or_is_not_offered(opening: str, ending: str) -> None:
    """Where nothing ends a here-document a comment may be one of its lines."""
    text = (
        f"FROM python:3.13\nRUN --mount=type=cache,taget=/x {opening}\n"
        f"bash <<X\npip install --no-cache-dir x\n{ending}"
        "RUN --mount=type=cache,taget=/z true\n"
    )

    def codes(text: str) -> list[tuple[str, int]]:
        project = Project()
        project.add("Dockerfile", text)
        return [(found.code, found.span.start) for found in check(project, "Dockerfile")]

    project = Project()
    model = project.add("Dockerfile", text)
    seen = 0
    for found in check(project, "Dockerfile"):
        if (edit := ignore_here(model, found)) is None:
            continue
        seen += 1
        assert len(codes(apply_edits(text, [edit]))) < len(codes(text))
    assert seen > 0


# -- findings that speak for several places --------------------------------------------------------

TWICE = "FROM x\n{}RUN first\n{}RUN second\n"


def speaking_for_both(text: str) -> Finding:
    first, second = finding(text, "CK202", "RUN first"), finding(text, "CK202", "RUN second")
    return replace(first, related=(Related("x", second.span, TOO),))


@pytest.mark.parametrize(
    ("above", "between", "left", "places"),
    [
        ("", "", ["CK202"], 2),
        ("", "# cachekey: ignore[CK202]\n", ["CK202"], 1),
        ("# cachekey: ignore[CK202]\n", "", [], 0),
        ("# cachekey: ignore[CK202]\n", "# cachekey: ignore[CK202]\n", [], 0),
        ("", "# cachekey: ignore\n", ["CK202"], 1),
        ("", "# cachekey: ignore[CK201]\n", ["CK001 # cachekey: ignore[CK201]", "CK202"], 2),
    ],
)
def test_a_comment_counts_at_each_place(
    above: str, between: str, left: list[str], places: int
) -> None:
    text = TWICE.format(above, between)
    found = speaking_for_both(text)
    assert sorted(remaining(text, found)) == left
    kept = apply_suppressions(layout(document(text)), [found], Settings(), RULES)
    assert sum(len(list(item.places())) for item in kept if item.code == "CK202") == places


def test_of_more_places_than_are_named_no_comment_is_idle() -> None:
    text = TWICE.format("", "# cachekey: ignore[CK202]\n")
    first = finding(text, "CK202", "RUN first")
    many = replace(first, related=(Related("x", first.span, TOO),) * MOST_RELATED)
    assert remaining(text, many) == ["CK202"]
