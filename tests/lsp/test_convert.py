"""Offsets to positions in three encodings, and texts to edits."""

from __future__ import annotations

import pytest
from cachekey.finding import Finding, Related, Severity
from cachekey.lsp import convert
from cachekey.lsp.abilities import Abilities
from cachekey.text import Source, Span, apply_edits
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from tests.support.client import place

LINES = st.text(st.sampled_from("ab \t\n\r\x0c\x0b\x1c\x85  é𝄞🐳\ufeff\ud800"), max_size=60)
ENCODINGS = ("utf-8", "utf-16", "utf-32")


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=LINES, data=st.data())
def test_positions_are_those_of_python_codecs(encoding, text, data) -> None:
    offset = data.draw(st.integers(0, len(text)))
    if text[offset - 1 : offset + 1] == "\r\n":
        return
    source = Source(text)
    position = convert.to_position(source, offset, encoding)
    assert position == place(text, offset, encoding)
    assert convert.to_offset(source, position, encoding) == offset


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_positions_outside_are_clamped(encoding) -> None:
    source = Source("FROM a\nRUN é🐳\n")
    assert convert.to_offset(source, types.Position(line=0, character=99), encoding) == 6
    assert convert.to_offset(source, types.Position(line=99, character=0), encoding) == 14
    backwards = types.Range(
        start=types.Position(line=1, character=3), end=types.Position(line=0, character=0)
    )
    assert convert.to_span(source, backwards, encoding) == Span(10, 10)


@given(old=LINES, new=LINES)
def test_a_difference_leads_from_one_text_to_the_other(old: str, new: str) -> None:
    assert apply_edits(old, convert.difference(old, new)) == new


def test_a_difference_leaves_other_lines_alone() -> None:
    old = "FROM a\nRUN one\nRUN two\nRUN three\n"
    edits = convert.difference(old, old.replace("two", "2"))
    assert [(edit.span, edit.text) for edit in edits] == [(Span(15, 23), "RUN 2\n")]
    assert convert.difference(old, old) == []


def test_a_huge_difference_is_one_edit() -> None:
    old = "".join(f"RUN {number}\n" for number in range(5000))
    edits = convert.difference(old, old.replace("RUN", "run"))
    assert len(edits) == 1


def test_a_diagnostic_says_only_what_the_client_understands() -> None:
    finding = Finding(
        "Dockerfile",
        "CK101",
        "split-cache",
        Severity.HINT,
        Span(5, 6),
        "two caches",
        (Related("Dockerfile", Span(0, 4), "the first"),),
        unnecessary=True,
    )
    source = Source("FROM a\n")
    where = types.Location(
        uri="file:///Dockerfile",
        range=types.Range(
            start=types.Position(line=0, character=0), end=types.Position(line=0, character=4)
        ),
    )

    def diagnostic(abilities: Abilities) -> types.Diagnostic:
        return convert.to_diagnostic(
            finding, source, "utf-16", abilities, lambda related: where, {"rule": "split-cache"}
        )

    poor = types.Diagnostic(
        range=types.Range(
            start=types.Position(line=0, character=5), end=types.Position(line=0, character=6)
        ),
        message="two caches",
        severity=types.DiagnosticSeverity.Hint,
        code="CK101",
        source="cachekey",
        data={"rule": "split-cache"},
    )
    assert diagnostic(Abilities()) == poor
    rich = diagnostic(Abilities(related=True, tags=frozenset([1])))
    assert rich.tags == [types.DiagnosticTag.Unnecessary]
    assert rich.related_information == [
        types.DiagnosticRelatedInformation(location=where, message="the first")
    ]
    linked = diagnostic(Abilities(rule_pages="cachekey-rule:/"))
    assert linked.code_description == types.CodeDescription(href="cachekey-rule:/CK101.md")
