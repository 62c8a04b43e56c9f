"""The Dockerfile tree, judged by BuildKit's own parser.

Two judges. The package ``dockerfile`` runs BuildKit v0.12.5's Go parser on anything, also on
generated text. ``buildkit-syntax.json`` holds what BuildKit's parser at commit 73ed682 answered.
We follow the newer one; they were found to differ in four things:

* text behind a JSON array: v0.12.5 ignores it, the newer one takes the whole for the shell form;
* ``# check=`` was no directive yet, so it ended the block of directives;
* in flags only the backslash escaped, whatever ``# escape=`` said;
* blanks between ``<<`` and the name were not allowed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import dockerfile
import pytest
from cachekey.syntax.dockerfile.parse import DockerfileTree, Flag, Instruction, parse
from cachekey.text import Source
from hypothesis import given, settings

from tests.syntax.samples import HANDWRITTEN, PIECES

DATA = Path(__file__).parent.parent / "data"
HEAD: dict[str, Any] = json.loads((DATA / "buildkit-syntax.json").read_text("utf-8"))
CASES: list[dict[str, Any]] = json.loads((DATA / "buildkit-cases.json").read_text("utf-8"))
FILES = HANDWRITTEN + [case["dockerfile"] for case in CASES if case.get("dockerfile")]
FILES += [
    build["dockerfile"]
    for case in CASES
    for build in case.get("builds", ())
    if build.get("dockerfile")
]

KNOWN_DIFFERENCE = re.compile(r'\]["\\\]]*[^\S\n]*[^\s"]|\[1\]|<<-?[\s\\`\ufeff]')


def as_go_has_it(flag: Flag) -> str:
    """Return a flag as BuildKit hands it on: every byte of it has become a character."""
    text = "--" + flag.name.text + ("" if flag.value is None else "=" + flag.value.text)
    return text.encode().decode("latin-1")


def refusals(tree: DockerfileTree) -> list[str]:
    """Return what the parser refuses; unknown instructions are refused one step later."""
    messages = [problem.message for problem in tree.problems]
    return [message for message in messages if not message.startswith("unknown instruction")]


def chomped(content: str, strip_tabs: bool) -> str:
    return re.sub(r"(?m)^\t+", "", content) if strip_tabs else content


def judged_by_package(text: str) -> tuple[tuple[dockerfile.Command, ...], str]:
    try:
        return dockerfile.parse_string(text), ""
    except dockerfile.GoParseError as error:
        return (), str(error)


def check_against_package(text: str) -> None:
    tree = parse(Source(text))
    commands, error = judged_by_package(text)
    if error:
        # What is behind ONBUILD ONBUILD is not read here; it is refused one step later.
        chained = any(one.inner and one.inner.keyword == "ONBUILD" for one in tree.instructions)
        assert refusals(tree) or chained or "file with no instructions" in error
        return
    assert not refusals(tree)
    # An instruction without a keyword, a lone continuation mark, is none for us.
    commands = tuple(command for command in commands if command.cmd)
    assert len(tree.instructions) == len(commands)
    for ours, theirs in zip(tree.instructions, commands, strict=True):
        assert ours.keyword == theirs.cmd.upper()
        if "\r" not in text.replace("\r\n", ""):
            assert (ours.first_line + 1, ours.last_line + 1) == (theirs.start_line, theirs.end_line)
        if tree.escape == "\\":
            assert [as_go_has_it(flag) for flag in ours.flags] == list(theirs.flags)
        is_json = (ours.inner or ours).json is not None
        assert is_json == theirs.json or ends_behind_array(ours)
        if ours.keyword == "ONBUILD":
            assert (ours.inner.keyword if ours.inner else "") == (theirs.sub_cmd or "").upper()
            continue  # the package leaves the here-documents of ONBUILD out
        assert [(doc.name, doc.fd) for doc in ours.heredocs] == [
            (doc.name, doc.file_descriptor) for doc in theirs.heredocs
        ]
        for doc, judged in zip(ours.heredocs, theirs.heredocs, strict=True):
            assert doc.body.text == chomped(judged.content, doc.strip_tabs)
        if ours.keyword in ("RUN", "CMD", "ENTRYPOINT") and not theirs.json:
            assert ours.args.text == "".join(theirs.value)
        if ours.json is not None:
            kind = ours.keyword == "HEALTHCHECK"
            assert [text.text for text in ours.json] == list(theirs.value)[kind:]


def ends_behind_array(instruction: Instruction) -> bool:
    """The known difference between the package and a newer BuildKit."""
    text = (instruction.inner or instruction).args.text
    return "[" in text and not text.endswith("]")


@pytest.mark.parametrize("text", FILES)
def test_agrees_with_buildkit_on_files(text: str) -> None:
    check_against_package(text)


@settings(derandomize=True, max_examples=700, deadline=None)
@given(PIECES)
def test_agrees_with_buildkit_on_generated_text(text: str) -> None:
    if not KNOWN_DIFFERENCE.search(text):
        check_against_package(text)


@pytest.mark.parametrize("case", HEAD["parse"], ids=lambda case: repr(case[0])[:60])
def test_agrees_with_newer_buildkit(case: tuple[str, dict[str, Any]]) -> None:
    text, judged = case
    tree = parse(Source(text))
    if "error" in judged:
        assert refusals(tree) or judged["error"] == "file with no instructions"
        return
    assert not refusals(tree)
    assert tree.escape == judged["escape"]
    nodes = [node for node in judged["nodes"] if node[0]]
    assert len(tree.instructions) == len(nodes)
    for ours, node in zip(tree.instructions, nodes, strict=True):
        keyword, start, end, flags, inner, inner_flags, is_json, words, documents = node
        assert ours.keyword == keyword.upper()
        assert (ours.first_line + 1, ours.last_line + 1) == (start, end) or "\r" in text
        assert [as_go_has_it(flag) for flag in ours.flags] == flags
        assert (ours.inner.keyword if ours.inner else "") == inner.upper()
        assert [as_go_has_it(flag) for flag in (ours.inner.flags if ours.inner else ())] == (
            inner_flags
        )
        assert ((ours.inner or ours).json is not None) == is_json
        assert [
            [doc.name, doc.fd, doc.expand, doc.strip_tabs, doc.body.text] for doc in ours.heredocs
        ] == [[*doc[:4], chomped(doc[4], doc[3])] for doc in documents]
        if ours.json is not None and ours.keyword != "HEALTHCHECK":
            assert [text.text for text in ours.json] == words
        elif ours.keyword in ("RUN", "CMD", "USER", "WORKDIR"):
            assert ours.args.text == "".join(words)
