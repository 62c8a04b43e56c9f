"""The Dockerfile tree: its promises for any text, and single facts."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from cachekey.syntax.dockerfile.go import SPACE
from cachekey.syntax.dockerfile.parse import DockerfileTree, Instruction, parse
from cachekey.text import Mapped, Source, Span
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.syntax.samples import HANDWRITTEN, PIECES


def check_promises(text: str) -> DockerfileTree:
    source = Source(text)
    tree = parse(source)
    spans = [directive.span for directive in tree.directives]
    spans += [comment.span for comment in tree.comments]
    spans += [problem.span for problem in tree.problems]
    for instruction in tree.instructions:
        spans += [instruction.span, instruction.keyword_span]
        assert instruction.span.covers(instruction.keyword_span)
        assert 0 <= instruction.first_line <= instruction.last_line < len(source.line_starts)
        check_instruction(source, instruction)
    for span in spans:
        assert 0 <= span.start <= span.end <= len(text)
    for before, after in pairwise(tree.instructions):
        assert before.span.end <= after.span.start
        assert before.last_line <= after.first_line
    for before, behind in pairwise(tree.comments):
        assert before.span.end < behind.span.start
    for comment in tree.comments:
        assert source.slice(comment.span).startswith("#")
        assert comment.text in source.slice(comment.span)
        if "\r" not in text and tree.instructions:
            line = source.line_of(comment.span.start)
            within = any(one.first_line < line <= one.last_line for one in tree.instructions)
            # A lone continuation mark that nothing follows makes no instruction.
            assert comment.inside == within or line > tree.instructions[-1].last_line
    check_nothing_lost(text, tree)
    return tree


def check_mapped(source: Source, mapped: Mapped) -> None:
    assert mapped.pieces[0][0] == 0
    for index, char in enumerate(mapped.text):
        assert source.text[mapped.offset(index)] == char


def check_instruction(source: Source, instruction: Instruction) -> None:
    written = source.slice(instruction.keyword_span)
    assert written.upper() == instruction.keyword or "\n" in written
    check_mapped(source, instruction.args)
    for flag in instruction.flags:
        assert source.slice(flag.span).startswith("--") or "\n" in source.slice(flag.span)
        check_mapped(source, flag.name)
        if flag.value is not None:
            check_mapped(source, flag.value)
        assert instruction.span.covers(flag.span)
    for doc in instruction.heredocs:
        check_mapped(source, doc.body)
        if not re.search(r"[$\\`]", source.text):
            assert source.slice(doc.marker).startswith("<<")
        if doc.end is not None:
            assert source.slice(doc.end) == doc.name
            assert instruction.span.covers(doc.end)
    if instruction.inner is not None:
        check_instruction(source, instruction.inner)


def check_nothing_lost(text: str, tree: DockerfileTree) -> None:
    """Outside of the tree's spans there are only blanks, marks of continuation, and a BOM."""
    left: list[str] = []
    at = 0
    spans = [part.span for part in (*tree.instructions, *tree.comments, *tree.directives)]
    for span in sorted(spans):
        if span.start > at:
            left.append(text[at : span.start])
        at = max(at, span.end)
    left.append(text[at:])
    rest = "".join(left).removeprefix("\ufeff")
    assert set(rest) <= set(SPACE) | {"\\", "`"}


@pytest.mark.parametrize("text", HANDWRITTEN)
def test_every_prefix_of_a_file_keeps_the_promises(text: str) -> None:
    for stop in range(len(text) + 1):
        check_promises(text[:stop])


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.one_of(PIECES, st.text(max_size=60)))
def test_any_text_keeps_the_promises(text: str) -> None:
    check_promises(text)


@pytest.mark.parametrize(
    "text", ["", "\ufeff", "\n", "\r", "\\", "\\\n", "#", "\0", "\ud800", "R\ud800 <<\ud800"]
)
def test_odd_texts(text: str) -> None:
    tree = check_promises(text)
    assert len(tree.instructions) == (1 if text.strip("\ufeff\n\r\\#") else 0)


@pytest.mark.parametrize(
    "text",
    [
        "\\\n" * 20_000,
        "RUN a" + " b \\\n" * 20_000,
        "".join(f"RUN <<A{number}\n" for number in range(20_000)),
        "RUN " + "<<A " * 20_000,
        "ONBUILD " * 20_000,
        "CMD " + "[" * 20_000,
        "RUN <<E " + "${A:-" * 20_000,
        'ENV A="' + "\\a" * 20_000,
        "RUN --a=" + "'\"'" * 20_000,
        'CMD ["' + "\\n" * 20_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_monsters_are_read(text: str) -> None:
    # Quadratic reading would need minutes here; the runner's own limit would notice.
    tree = parse(Source(text))
    assert all(one.span.end <= len(text) for one in tree.instructions)


# -- single facts -----------------------------------------------------------------------------


def only(text: str) -> Instruction:
    (instruction,) = parse(Source(text)).instructions
    return instruction


def test_spans_of_a_flag_over_two_lines() -> None:
    text = "RUN --mount=type=cache,\\\n  target=/x \\\n  # why\n  pip install x"
    run = only(text)
    assert [flag.name.text for flag in run.flags] == ["mount"]
    value = run.flags[0].value
    assert value is not None
    assert value.text == "type=cache,"
    assert text[slice(*value.span())] == "type=cache,"
    assert run.args.text == "target=/x   pip install x"
    assert run.args.offset(run.args.text.index("pip")) == text.index("pip")
    assert (run.first_line, run.last_line) == (0, 3)


def test_quotes_and_escapes_leave_the_flag_but_not_the_map() -> None:
    text = 'RUN --mount=\'type=cache,"id=a b"\',x=\\"y z'
    flag = only(text).flags[0]
    assert flag.value is not None
    assert flag.value.text == 'type=cache,"id=a b",x="y'
    assert flag.span == Span(4, text.index(" z"))
    assert flag.value.offset(flag.value.text.index("x=")) == text.index("x=")


def test_a_half_byte_ends_a_flag() -> None:
    # BuildKit looks at bytes: the second byte of "à" is a blank of Latin-1.
    run = only("RUN --mount=id=à,target=/x y")
    assert [flag.value.text for flag in run.flags if flag.value] == ["id=à"]
    assert run.args.text == ",target=/x y"


def test_exec_form_maps_escapes() -> None:
    text = 'CMD ["a\\u00e9\\ud83d\\ude00", "", "x\\\n y"]'
    command = only(text)
    assert command.json is not None
    assert [part.text for part in command.json] == ["aé😀", "", "x y"]
    assert command.json[0].offset(1) == text.index("\\u00e9")
    assert command.json[0].offset(2) == text.index("\\ud83d")
    assert command.json[2].offset(1) == text.index(" y")


@pytest.mark.parametrize(
    "text", ['CMD ["a"', "CMD ['a']", 'CMD ["a",]', 'CMD ["a"] b', 'CMD ["\t"]', "CMD [NaN]"]
)
def test_what_is_no_json_is_the_shell_form(text: str) -> None:
    tree = parse(Source(text))
    assert tree.instructions[0].json is None
    assert not tree.problems


def test_heredoc_parts() -> None:
    text = 'RUN 3<<-"E F" cat\n\ta\n\tE F\nCMD x'
    run, command = parse(Source(text)).instructions
    (doc,) = run.heredocs
    assert (doc.name, doc.fd, doc.strip_tabs, doc.expand) == ("E F", 3, True, False)
    assert text[slice(*doc.marker)] == '<<-"E F"'
    assert doc.body.text == "a\n"
    assert doc.body.offset(0) == text.index("a\n")
    assert doc.end == Span(text.index("\tE F") + 1, text.index("\nCMD"))
    assert run.span.end == text.index("\nCMD")
    assert command.first_line == 3


def test_onbuild_shares_the_heredoc() -> None:
    onbuild = only("ONBUILD RUN --network=none <<E\nx\nE")
    assert onbuild.inner is not None
    assert onbuild.inner.keyword == "RUN"
    assert [flag.name.text for flag in onbuild.inner.flags] == ["network"]
    assert onbuild.inner.heredocs == onbuild.heredocs != ()
    assert onbuild.flags == ()


def test_an_unclosed_heredoc_leaves_the_rest_readable() -> None:
    text = "FROM a\nRUN <<EOF\necho\nRUN --mount=type=cache,target=/x y\nCMD z\n"
    tree = parse(Source(text))
    assert [one.keyword for one in tree.instructions] == ["FROM", "RUN", "RUN", "CMD"]
    (problem,) = tree.problems
    assert text[slice(*problem.span)] == "<<EOF"
    assert tree.instructions[1].heredocs[0].end is None
    assert tree.instructions[1].heredocs[0].body.text == "echo\n"


def test_comments_know_where_they_stand() -> None:
    tree = parse(Source("#  one \nRUN a \\\n  # two\n  b\nRUN <<E\n# no\nE\n# three"))
    assert [(comment.text, comment.inside) for comment in tree.comments] == [
        ("one", False),
        ("two", True),
        ("three", False),
    ]


def test_directives() -> None:
    text = "#syntax = docker/dockerfile:1 \n# ESCAPE=`\n# check=skip=all;error=true\n# x=y\nFROM a"
    tree = parse(Source(text))
    assert [(one.name, one.value.text) for one in tree.directives] == [
        ("syntax", "docker/dockerfile:1"),
        ("escape", "`"),
        ("check", "skip=all;error=true"),
    ]
    assert text[slice(*tree.directives[0].span)] == "#syntax = docker/dockerfile:1"
    assert [comment.text for comment in tree.comments] == ["x=y"]


@pytest.mark.parametrize(
    ("text", "escape", "syntax"),
    [
        ("#!/usr/bin/env x\n# syntax=a/b\n# escape=`\nFROM a", "\\", "a/b"),
        ("// syntax=a/b\nFROM a", "\\", "a/b"),
        ("# escape=`\n// syntax=a/b\nFROM a", "`", None),
        ("# c\n# syntax=a/b\nFROM a", "\\", None),
        ("# escape=`\n\n# syntax=a/b\nFROM a", "`", None),
    ],
)
def test_where_directives_count(text: str, escape: str, syntax: str | None) -> None:
    tree = parse(Source(text))
    found = [one.value.text for one in tree.directives if one.name == "syntax"]
    assert tree.escape == escape
    assert found == ([syntax] if syntax else [])


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("FROM a\nTOUCH x\nb\n", "TOUCH", "unknown instruction: TOUCH"),
        ("# escape=x\nFROM a", "x", "invalid escape token 'x' does not match ` or \\"),
        (
            "# check=a\n# check=b\nFROM a",
            "# check=b",
            "only one check parser directive can be used",
        ),
        ("ENV A", "ENV", "ENV must have two arguments"),
        (
            "LABEL a=b c",
            "c",
            'Syntax error - can\'t find = in "c". Must be of the form: name=value',
        ),
        (
            "CMD [1]",
            "[1]",
            "when using JSON array syntax, arrays must be comprised of strings only",
        ),
        ("RUN <<E\nx", "<<E", "unterminated heredoc: no line says E"),
    ],
)
def test_problems(text: str, place: str, message: str) -> None:
    (problem,) = parse(Source(text)).problems
    assert problem.message == message
    assert text[slice(*problem.span)] == place


@pytest.mark.parametrize(
    "text",
    [
        "# syntax=example/other\nINCLUDE x",
        "{% if x %}\nFROM a\n{% endif %}",
        "ENV A b c",
        "LABEL a='b c'",
        'ENV A="b c" D=e',
        "FROM a\nRUN \\",
        "",
    ],
)
def test_no_problem(text: str) -> None:
    assert parse(Source(text)).problems == ()


def test_a_line_that_buildkit_cannot_read() -> None:
    fits = parse(Source("RUN " + "x" * 65531 + "\n"))
    too_long = parse(Source("RUN " + "x" * 65532 + "\n"))
    assert fits.problems == ()
    assert [one.message for one in too_long.problems] == [
        "dockerfile line greater than max allowed size of 65535"
    ]


def test_lines_are_the_editors() -> None:
    tree = parse(Source("FROM a\rx\nRUN b"))
    assert [(one.first_line, one.last_line) for one in tree.instructions] == [(0, 1), (2, 2)]
