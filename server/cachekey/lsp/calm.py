"""Calm while typing: what a word says before it is complete is not shown.

While a word is typed, key by key, an editor shows what was known in front of it, moved along. When the
word is complete (a blank, another place, a bigger change) everything is looked at again; only what says
that something is not there yet waits until typing pauses.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.lsp.convert import to_position
from cachekey.text import Source, changed

if TYPE_CHECKING:
    from cachekey.lsp.analysis import Analysis
    from cachekey.text import Encoding

PAUSE = 0.5
"""Seconds without a key after which a half-typed word is taken for what is meant."""
_A_KEY = 2
"""Characters that one key may write or take away: an editor closes brackets and quotes by itself."""
_A_BURST = 16
"""Characters of keys that arrive together: some clients gather those of a quarter of a second."""


@dataclass(eq=False)
class Calm:
    """How far one document has been shown."""

    typing: bool = False
    """The last change was a key, and typing has not paused since."""
    shown: Analysis | None = None
    """What was shown when the last word was complete."""
    _end: int = -1
    """Where the last change ended that was typed; a fix may well begin where another edit has ended."""

    def changed(self, before: str, after: str) -> None:
        """Note a change of the text.

        What is more than a key counts as typed only where the last change ended, or behind a key: a fix
        comes out of the blue. On a busy machine keys arrive late, and many of them at once.
        """
        gone, come = changed(before, after)
        less, more = sorted((gone.end - gone.start, come.end - come.start))
        goes_on = come.start == self._end or (self.typing and more <= _A_BURST)
        burst = goes_on and "\n" not in after[come.start : come.end]
        self.typing = less <= _A_KEY and (more <= _A_KEY or burst)
        self._end = come.end if self.typing else -1

    def rest(self) -> None:
        """Note that typing has paused."""
        self.typing = False

    def in_word(self, uri: str, text: str, version: int, encoding: Encoding) -> Analysis | None:
        """Return what is to be shown in the middle of a word; None where no word is being typed."""
        shown = self.shown
        if not self.typing or shown is None:
            return None
        gone, come = changed(shown.source.text, text)
        if _has_blank(shown.source.text[gone.start : gone.end]):
            return None
        typed = text[come.start : come.end]
        if typed[-1:].isspace() or "\n" in typed:
            return None
        new = Source(text)
        move = _Move(
            uri,
            to_position(shown.source, gone.start, encoding),
            to_position(shown.source, gone.end, encoding).character,
            to_position(new, come.end, encoding).character,
        )
        moved = tuple(move.diagnostic(item, version) for item in shown.diagnostics)
        return replace(shown, source=new, version=version, findings=(), diagnostics=moved)

    def complete(self, analysis: Analysis, *, half_typed: bool) -> Analysis:
        """Return what is to be shown of an analysis; ``half_typed`` says that the text has no end yet."""
        if self.typing and self.shown is not None:
            known = {(item.code, item.message) for item in self.shown.diagnostics}
            pairs = zip(analysis.findings, analysis.diagnostics, strict=True)
            kept = tuple(
                item
                for finding, item in pairs
                if not (half_typed or finding.missing) or (item.code, item.message) in known
            )
            if len(kept) < len(analysis.diagnostics):
                analysis = replace(analysis, diagnostics=kept)
        self.shown = analysis
        return analysis


def _has_blank(text: str) -> bool:
    return any(map(str.isspace, text))


@dataclass(frozen=True)
class _Move:
    """How places move when a part of one line is replaced."""

    uri: str
    start: types.Position
    old_end: int
    new_end: int

    def diagnostic(self, item: types.Diagnostic, version: int) -> types.Diagnostic:
        """Return a diagnostic at its new place."""
        moved = copy.copy(item)
        moved.range = self._range(item.range)
        moved.data = {**item.data, "version": version} if isinstance(item.data, dict) else item.data
        if item.related_information:
            moved.related_information = list(map(self._related, item.related_information))
        return moved

    def _related(
        self, item: types.DiagnosticRelatedInformation
    ) -> types.DiagnosticRelatedInformation:
        if item.location.uri != self.uri:
            return item
        moved = copy.copy(item)
        moved.location = types.Location(uri=self.uri, range=self._range(item.location.range))
        return moved

    def _range(self, where: types.Range) -> types.Range:
        return types.Range(
            start=self._place(where.start, self.start.character),
            end=self._place(where.end, self.new_end),
        )

    def _place(self, place: types.Position, inside: int) -> types.Position:
        if place.line != self.start.line or place.character < self.start.character:
            return place
        character = place.character + self.new_end - self.old_end
        if place.character < self.old_end:
            character = inside
        return types.Position(line=place.line, character=character)
