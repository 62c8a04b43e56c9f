"""Dockerfiles: text to a tree that never fails and loses no byte.

dockerfile-parse splits the file into instructions. ``lines`` prepares the text for it, and here
its result is mapped back to exact spans. BuildKit's parser is the model for every detail.
"""

from __future__ import annotations

from io import BytesIO

from dockerfile_parse import DockerfileParser

from cachekey.syntax.dockerfile.directives import DIRECTIVES
from cachekey.syntax.dockerfile.lines import Lines
from cachekey.syntax.dockerfile.statement import KEYWORDS, Frame, read
from cachekey.syntax.dockerfile.tree import (
    Comment,
    Directive,
    DockerfileTree,
    Flag,
    Heredoc,
    Instruction,
    SyntaxProblem,
)
from cachekey.syntax.shell.scan import TEMPLATE
from cachekey.text import Source

__all__ = [
    "KEYWORDS",
    "Comment",
    "Directive",
    "DockerfileTree",
    "Flag",
    "Heredoc",
    "Instruction",
    "SyntaxProblem",
    "parse",
]

_TEMPLATE_MARKS = ("{{", "{%", "<%")
_FRONTENDS = ("docker/dockerfile", "docker/dockerfile-upstream")
_REGISTRIES = ("docker.io/", "index.docker.io/")


def parse(source: Source, *, check_directive: bool = True) -> DockerfileTree:
    """Read a Dockerfile. Takes any text, raises nothing, needs time linear in its length.

    Older frontends and Buildah take ``# check=`` for a comment, which ends the directives;
    ``check_directive`` says whether it is one.

    A byte order mark is skipped. Lines are counted as ``source`` counts them, so that a lone
    carriage return, which for BuildKit is only a blank, still opens a line of the editor.
    """
    return _read(Lines(source, DIRECTIVES if check_directive else DIRECTIVES[:2]))


def parse_part(source: Source, escape: str) -> DockerfileTree:
    """Read a part of a Dockerfile that begins and ends between instructions, behind its directives."""
    return _read(Lines(source, (), escape))


def _read(lines: Lines) -> DockerfileTree:
    source = lines.source
    problems = list(lines.problems)
    instructions: list[Instruction] = []
    foreign = any(
        directive.name == "syntax" and not _is_dockerfile(directive.value.text)
        for directive in lines.block.found
    )
    misspelt: list[SyntaxProblem] = []
    unknown_before = False
    for first, last in _split(lines):
        text = lines.joined(first, last)
        if not text.text:
            continue
        instruction = read(text, lines.escape, _frame(lines, first, last), problems)
        instructions.append(instruction)
        unknown = not foreign and _is_unknown(instruction.keyword)
        # Shell text behind a lost continuation mark is one mistake, not one on every line.
        if unknown and not unknown_before:
            message = f"unknown instruction: {instruction.keyword}"
            misspelt.append(SyntaxProblem(instruction.keyword_span, message))
            problems.append(misspelt[-1])
        unknown_before = unknown
    if misspelt and TEMPLATE.search(source.text):
        # What a template's own language spans over several lines is no instruction either.
        problems = [item for item in problems if item not in misspelt]
    problems.sort(key=lambda problem: problem.span)
    return DockerfileTree(
        source,
        tuple(lines.block.found),
        lines.escape,
        tuple(instructions),
        tuple(lines.comments),
        tuple(problems),
    )


def _split(lines: Lines) -> list[tuple[int, int]]:
    """Return the first and last row of every instruction."""
    text = "".join(lines.normal).encode("utf-8", "replace")
    structure = DockerfileParser(fileobj=BytesIO(text), env_replace=False).structure
    return [
        (item["startline"], item["endline"])
        for item in structure
        if item["startline"] in lines.firsts
    ]


def _frame(lines: Lines, first: int, last: int) -> Frame:
    """Turn rows, which end at ``\\n`` only, into the lines of the source."""
    frame = lines.frames.get(first) or Frame(first, last, None, ())
    if not lines.lone_returns:
        return frame
    line_of = lines.source.line_of
    begin = line_of(lines.starts[first])
    lines.anchors[first].line = begin
    return frame._replace(first_line=begin, last_line=line_of(lines.row_end(frame.last_line)))


def _is_dockerfile(frontend: str) -> bool:
    """Tell whether a ``syntax`` value names Docker's own frontend, whose instructions we know."""
    image = frontend.split(" ")[0].partition("@")[0]
    for registry in _REGISTRIES:
        image = image.removeprefix(registry)
    return image.partition(":")[0] in _FRONTENDS


def _is_unknown(keyword: str) -> bool:
    # A template's own lines are no instructions that somebody misspelt.
    return keyword not in KEYWORDS and not keyword.startswith(_TEMPLATE_MARKS)
