"""What the papers tell people to copy: the blocks of code in Markdown, by where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"```(\w+)?$")
_NAME = re.compile(r"#{1,3} (.+)|\*\*([^*]+)\*\*")


@dataclass(frozen=True)
class Block:
    """A block of code, and the heading or the word in bold that it stands below."""

    paper: str
    name: str
    language: str
    text: str


def blocks(paper: str) -> Iterator[Block]:
    """Yield the blocks of a file of this repository that say which language they are in."""
    name, language, lines = "", None, []
    for line in (ROOT / paper).read_text(encoding="utf-8").split("\n"):
        fence = _FENCE.match(line)
        if language is None and fence:
            language, lines = fence[1] or "", []
        elif fence:
            if language:
                yield Block(paper, name, language, "\n".join([*lines, ""]))
            language = None
        elif language is not None:
            lines.append(line)
        elif found := _NAME.match(line):
            name = found[1] or found[2].rstrip(".:")


def snippets(name: str, language: str, paper: str = "README.md") -> list[str]:
    """Return the blocks below a heading or a word in bold."""
    found = [
        block.text for block in blocks(paper) if (block.name, block.language) == (name, language)
    ]
    assert found, (paper, name, language)
    return found
