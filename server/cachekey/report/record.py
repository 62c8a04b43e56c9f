"""Findings together with all that is needed to show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cachekey.finding import Finding
from cachekey.text import Position, Source, Span

_NOTHING = Source("")


class Sources(Mapping[str, Source]):
    """Texts with their line index, which weighs more than the text: made when a file is shown."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._recent: dict[str, Source] = {}

    def __getitem__(self, path: str) -> Source:
        if path not in self._recent:
            if len(self._recent) >= _RECENT:
                self._recent.clear()
            self._recent[path] = Source(self._texts[path])
        return self._recent[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


_RECENT = 32
"""A report goes from file to file, and looks from each at a few others."""


@dataclass(frozen=True)
class Report:
    """What a check found, and what is needed to say where."""

    findings: Sequence[Finding]
    sources: Mapping[str, Source]
    """The text of every document that a finding, its fixes or related places name."""
    files: int
    """How many files were checked."""
    name: Callable[[str], str] = lambda path: path
    """Turns a document's name into the path to print."""

    def places(self, path: str, span: Span) -> tuple[Position, Position]:
        """Return start and end of a span: zero-based lines, UTF-16 characters."""
        source = self.sources.get(path, _NOTHING)
        return source.position(span.start), source.position(span.end)

    def point(self, path: str, offset: int) -> tuple[int, int]:
        """Return a line and a column as people count them: from one, in characters."""
        source = self.sources.get(path, _NOTHING)
        line, column = source.position(offset, "utf-32")
        # Nobody sees the byte order mark in front of the first character.
        marked = line == 0 and column > 0 and source.text.startswith("\ufeff")
        return line + 1, column + (0 if marked else 1)
