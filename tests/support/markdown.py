"""Annotated cases: Markdown with fenced files, caret lines under what is flagged, and fixed texts.

One ``##`` heading is one case. Caret lines are taken out before the text is checked, so that they
can mark column 0 and stand inside a continued RUN. ``fixed safe`` holds the text after all safe
fixes, ``fixed unsafe`` after the unsafe ones too, ``fixed: TITLE`` after the one fix of that title.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

LANGUAGES = {"dockerfile": "Dockerfile", "jsonc": ".devcontainer/devcontainer.json"}
_FENCE = re.compile(r"^(`{3,})(\S+)?(?: (.*))?$")
_CARET = re.compile(r"^( *)(\^+) (CK\d{3})(?: (.*))?$")


@dataclass(frozen=True, order=True)
class Mark:
    """A finding as the annotation shows it: clipped to its first line, columns in characters."""

    line: int
    column: int
    width: int
    code: str
    message: str = field(default="", compare=False)


@dataclass
class Block:
    """One fenced block: a file, a fixed text or settings."""

    language: str
    info: str
    text: str
    marks: list[Mark]
    lines: tuple[int, int]
    """Zero-based lines of the fences."""


@dataclass
class Case:
    """One heading with its blocks."""

    title: str
    blocks: list[Block]
    path: Path | None = None

    @property
    def files(self) -> dict[str, Block]:
        """Return the files of the case by path."""
        return {
            block.info or LANGUAGES[block.language]: block
            for block in self.blocks
            if block.language in LANGUAGES or (block.language == "file")
        }

    @property
    def fixed(self) -> list[Block]:
        """Return the fixed texts."""
        return [block for block in self.blocks if block.language.startswith("fixed")]

    @property
    def settings(self) -> str:
        """Return the TOML of the case."""
        return "\n".join(block.text for block in self.blocks if block.language == "toml")


def read_cases(text: str, path: Path | None = None) -> list[Case]:
    """Read all cases of a Markdown text."""
    cases: list[Case] = []
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        if line.startswith("## "):
            cases.append(Case(line[3:].strip(), [], path))
        fence = _FENCE.match(line)
        if fence and cases:
            end = number + 1
            while lines[end] != fence[1]:
                end += 1
            body, marks = split_marks(lines[number + 1 : end])
            cases[-1].blocks.append(
                Block(fence[2] or "", fence[3] or "", body, marks, (number, end))
            )
            number = end
        number += 1
    return cases


def split_marks(lines: list[str]) -> tuple[str, list[Mark]]:
    """Take the caret lines out of a text."""
    body: list[str] = []
    marks: list[Mark] = []
    for line in lines:
        caret = _CARET.match(line)
        if caret:
            marks.append(
                Mark(len(body) - 1, len(caret[1]), len(caret[2]), caret[3], caret[4] or "")
            )
        else:
            body.append(line)
    return "\n".join(body) + "\n", marks


def join_marks(text: str, marks: list[Mark]) -> list[str]:
    """Put caret lines back under the lines of a text."""
    result: list[str] = []
    for number, line in enumerate(text.removesuffix("\n").split("\n")):
        result.append(line)
        for mark in sorted(marks):
            if mark.line == number:
                result.append(f"{' ' * mark.column}{'^' * mark.width} {mark.code} {mark.message}")
    return result
