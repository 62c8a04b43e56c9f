"""Expansion: BuildKit's recorded answers, and what happens to values nobody knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cachekey.syntax.dockerfile.expand import Expansion, Unknown, expand, expand_words
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parent.parent / "data"
HEAD: dict[str, Any] = json.loads((DATA / "buildkit-syntax.json").read_text("utf-8"))
KNOWN: dict[str, str] = HEAD["env"]


@pytest.mark.parametrize(
    ("kind", "escape", "text", "judged"),
    HEAD["words"],
    ids=[f"{kind}-{text!r}" for kind, _, text, _ in HEAD["words"]],
)
def test_agrees_with_buildkit(kind: str, escape: str, text: str, judged: dict[str, Any]) -> None:
    if kind == "word":
        result = expand(text, KNOWN.get, escape)
        assert result.error == judged.get("error")
        assert result.text == judged.get("result", "")
        assert sorted(result.undefined) == judged["unmatched"]
        assert result.undefined <= result.used
        assert not result.unresolved
        return
    results = expand_words(text, KNOWN.get, escape)
    if "error" in judged:
        assert [result.error for result in results] == [judged["error"]]
    else:
        assert [result.text for result in results] == judged["result"]


def lookup(name: str) -> str | Expansion | Unknown | None:
    """A known, an empty, two unknown variables, one that is half known, one alias of an unknown."""
    values: dict[str, str | Expansion | Unknown] = {
        "K": "known",
        "N": "",
        "U": Unknown("U"),
        "V": Unknown("V"),
        "ALIAS": expand("$U", lambda _: Unknown("U")),
        "HALF": expand("a-$U", lambda _: Unknown("U")),
    }
    return values.get(name)


@pytest.mark.parametrize(
    ("word", "text", "unresolved"),
    [
        ("cache-$U", "cache-${U}", "U"),
        ("$K-${U}-$V", "known-${U}-${V}", "UV"),
        ("${U:-x}", "${U:-x}", "U"),
        ("${U:-$K}", "${U:-known}", "U"),
        ("${U-$V}", "${U-${V}}", "UV"),
        ("${U:+x}", "${U:+x}", "U"),
        ("${U?no}", "${U}", "U"),
        ("${U:?no}", "${U}", "U"),
        ("${U#a*}", "${U#a*}", "U"),
        ("${U/a/b}", "${U/a/b}", "U"),
        ("${K:-$U}", "known", ""),
        ("${K:+$U}", "${U}", "U"),
        ("${N:-$U}", "${U}", "U"),
        ("${K/n/$U}", "${known/n/${U}}", "U"),
        ("$ALIAS", "${U}", "U"),
        ("${ALIAS:-x}", "${U:-x}", "U"),
        ("${ALIAS-x}", "${U}", "U"),
        ("${HALF:-x}", "a-${U}", "U"),
        ("${HALF:+x}", "x", ""),
        ("${HALF+x}", "x", ""),
        ("'$U'", "$U", ""),
        ('"$U"', "${U}", "U"),
    ],
)
def test_unknown_values_stay_symbolic(word: str, text: str, unresolved: str) -> None:
    result = expand(word, lookup)
    assert result.text == text
    assert result.unresolved == frozenset(unresolved)
    assert result.known == (not unresolved)


def test_what_was_asked_for() -> None:
    result = expand("$K${MISSING:-$U}", lookup)
    assert result.used == {"K", "MISSING", "U"}
    assert result.undefined == {"MISSING"}
    assert result.unresolved == {"U"}


def test_a_failure_carries_buildkits_words() -> None:
    result = expand("${MISSING:?setme}", lookup)
    assert result.error == 'failed to process "${MISSING:?setme}": MISSING: setme'
    assert result.text == ""
    assert not result.known


def test_words_keep_a_symbol_together() -> None:
    assert [(one.text, one.unresolved) for one in expand_words("a $U'b c' d", lookup)] == [
        ("a", frozenset()),
        ("${U}b c", {"U"}),
        ("d", frozenset()),
    ]


def test_a_symbol_never_equals_a_literal() -> None:
    words = ["$U", "\\${U}", "'${U}'", "'\\'$U", "'\\${U}'", "'\\\\'$U", "\\$$U", "'$${U}'"]
    results = [expand(word, lookup) for word in words]
    keys = {result.key for result in results}
    texts = {(result.text, result.symbols) for result in results}
    assert len(keys) == len(texts) == 7
    assert expand("$U", lookup).key == "${U}"
    assert expand("'${U}'", lookup).key == "\\${U}"
    assert Expansion.literal("a\\b$c").key == "a\\b$c"


PARTS = st.lists(
    st.sampled_from(["$", "{", "}", "U", "K", "${U}", "$U", "\\", "'", "a", "\\$", "/", ":-"]),
    max_size=8,
).map("".join)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(PARTS, PARTS)
def test_keys_are_equal_for_equal_results_only(left: str, right: str) -> None:
    first, second = expand(left, lookup), expand(right, lookup)
    if first.error or second.error:
        return
    same = (first.text, first.symbols) == (second.text, second.symbols)
    assert (first.key == second.key) == same


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.text(max_size=40), st.sampled_from("\\`"))
def test_nothing_raises(text: str, escape: str) -> None:
    result = expand(text, lookup, escape)
    assert (result.text == "") or result.error is None
    for start, end in result.symbols:
        assert 0 <= start < end <= len(result.text)
    expand_words(text, lookup, escape)


def test_nesting_beyond_reason_is_unknown() -> None:
    word = "${M:-" * 50_000 + "x" + "}" * 50_000
    assert not expand(word, lookup).known
    assert not expand_words(word, lookup)[0].known


def test_a_costly_pattern_is_not_tried() -> None:
    value = "a" * 5000
    result = expand("${X//*b/}", {"X": value}.get)
    assert result.unresolved == {"X"}
    assert expand("${X#*a*a*a*a*b}", {"X": value}.get).text == value
    assert expand("${X%%a*}", {"X": value}.get).text == ""
