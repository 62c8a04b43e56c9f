"""Rich text: templates are ours, values are text, and ordinary text reads as it always did."""

from __future__ import annotations

import pytest
from cachekey.markup.annotation import annotation
from cachekey.markup.data import dump
from cachekey.markup.html import escaped, filled
from cachekey.markup.markdown import card, markdown, paragraphs, plain, plain_card
from cachekey.markup.message import message
from cachekey.markup.rich import Rich, joined, lines, link, rich
from cachekey.markup.terminal import output, terminal, text_output
from cachekey.markup.visible import one_line

from tests.markup import hostile


def test_a_template_reads_as_markdown() -> None:
    line = rich("**Cache `{}`**, {} in `from={}`", "uv", rich("named by `id`"), "base")
    assert markdown(line) == "**Cache `uv`**, named by `id` in `from=base`"
    assert plain(line) == "Cache uv, named by id in from=base"


@pytest.mark.parametrize(
    "text",
    [
        "api/Dockerfile:4",
        "build_stage",
        "python 3.13-slim",
        "#0",
        "ENV PIP_CACHE_DIR=/x",
        "its place isn't known",
        "HOME of root (the default)",
        "漢字 é",
        "$HOME/.cache ${X}",
        "100% of 3, or 4; yes?",
    ],
)
def test_ordinary_text_is_written_as_it_is(text: str) -> None:
    assert markdown(rich("{}", text)) == text
    assert markdown(link(text, "file:///x")) == f"[{text}](file:///x)"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("a``b`", "``` a``b` ```"),
        ("a``b", "`a``b`"),
        (" a ", "`  a  `"),
        ("", '`""`'),
        ("a\r\nb", "`a\u240ab`"),
    ],
)
def test_code_holds_anything(text: str, written: str) -> None:
    assert markdown(rich("`{}`", text)) in (written, written.replace("`a``b`", "```a``b```"))


@pytest.mark.parametrize("name", hostile.WORDS)
def test_no_word_becomes_anything(name: str) -> None:
    word = hostile.WORDS[name]
    said = [rich("**{}**: `{}` and {}", word, word, link(word, "file:///x")), rich("{}", word)]
    for text in (card(said), paragraphs(said), markdown(joined(", ", said))):
        assert (why := hostile.wrong_in_markdown(text)) is None, why
    assert hostile.wrong_in_plain(plain_card(said)) is None
    assert hostile.wrong_in_message(message(word)) is None
    for text in (output([terminal(word), terminal(f" {word}")]), text_output(word), dump([word])):
        assert (why := hostile.wrong_in_log(text)) is None, why
    assert "<" not in escaped(word)
    assert not hostile.steers(filled('<a title="{}">{}</a>', escaped(word), escaped(word)))


def test_links_lead_to_our_own_places_only() -> None:
    for uri in ("command:x", "javascript:x", "http://x", "data:x", "untitled:x", "FILES:x"):
        assert markdown(link("here", uri)) == "here"
    odd = markdown(link("a`b", "file:///a b/(c)<d>`e"))
    assert odd == "``a`b`` ([open](file:///a%20b/%28c%29%3Cd%3E%60e))"


def test_commands_of_runners_are_taken_apart_across_pieces() -> None:
    parts = "".join(map(terminal, ("##", "[error]x")))
    assert output([terminal(parts)]) == "#♯[error]x\n"
    assert text_output(" ::error::x\r\n+::x\n") == " ꞉:error::x\r\n+::x\n"
    assert text_output("a\rb\r\nc\td") == "a␍b\r\nc\td"
    line = annotation("error", {"file": "a:b,c\n"}, message("x\n::error::y%"))
    assert line == "::error file=a%3Ab%2Cc␊::x␊::error::y%25\n"


def test_json_says_the_same_to_a_program() -> None:
    import json

    for word in hostile.WORDS.values():
        assert json.loads(dump({"a": word})) == {"a": word}
    assert json.loads(dump("\udcff")) == "\udcff"
    assert dump("é 漢 🐋") == '"é 漢 🐋"\n'


def test_lines_and_empty_text() -> None:
    assert [plain(line) for line in lines("a", "b `c`")] == ["a", "b c"]
    assert markdown(Rich()) == ""
    assert one_line("a\n") == "a␊"
