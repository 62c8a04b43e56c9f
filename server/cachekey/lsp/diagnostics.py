"""Findings on their way to the client: pushed or pulled, never both, and only for the last text."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from lsprotocol import types

from cachekey.lsp import uris, words
from cachekey.lsp.calm import PAUSE
from cachekey.lsp.convert import to_range
from cachekey.markup.message import message
from cachekey.text import Span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from cachekey.disk.settings import SettingsFile
    from cachekey.lsp.analysis import Analysis
    from cachekey.lsp.area import Area
    from cachekey.lsp.session import Document, Session
    from cachekey.text import Encoding

_PATIENCE = 2.0
"""Seconds that a client may take to tell its settings before we go on without them."""
_PAUSE = 0.15
"""Seconds without a keystroke before other open documents are looked at again."""


class Reporter:
    """Decides when which document is analysed.

    The document in hand comes first, as soon as the client has said everything it has to say; other
    documents that it concerns follow when typing pauses, one at a time.
    """

    def __init__(
        self,
        session: Session,
        publish: Callable[[types.PublishDiagnosticsParams], None],
        refresh: Callable[[], None],
        around: Callable[[Area], Awaitable[None]],
    ) -> None:
        """Begin with what sends, and with what waits until the files around a document are known."""
        self._session = session
        self._publish = publish
        self._refresh = refresh
        self._around = around
        self._urgent: dict[str, Document] = {}
        self._later: dict[str, Document] = {}
        self._flushing: asyncio.Handle | None = None
        self._pausing: asyncio.Handle | None = None
        self._typing: dict[str, asyncio.Handle] = {}
        """For each document in which a word is being typed, who looks after it when typing pauses."""
        self._refresh_due = False
        self._ready = asyncio.Event()
        self._said: dict[str, Analysis] = {}
        """What the client was last told about each open document."""
        self._epochs: WeakKeyDictionary[Area, int] = WeakKeyDictionary()
        """Up to which state of an area the other documents were looked after."""

    def wait_for_settings(self) -> None:
        """Hold everything back until :meth:`go` is called, but not for ever."""
        asyncio.get_running_loop().call_later(_PATIENCE, self.go)

    def go(self) -> None:
        """Begin to report: the settings are known."""
        if not self._ready.is_set():
            self._ready.set()
            self._flush()

    # -- what happened --------------------------------------------------------------------------

    def touched(self, document: Document) -> None:
        """Note that a document was opened or changed."""
        if self._pausing is not None:
            self._plan(_PAUSE)
        self._wait_for_pause(document)
        if self._session.abilities.pull:
            return
        self._urgent[uris.same(document.uri)] = document
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_soon(self._flush)

    def _wait_for_pause(self, document: Document) -> None:
        """Show the whole truth about a document when no key has come for a while."""
        key = uris.same(document.uri)
        if (waiting := self._typing.pop(key, None)) is not None:
            waiting.cancel()

        def pause() -> None:
            self._typing.pop(key, None)
            document.calm.rest()
            self.concerned([document])

        if document.calm.typing:
            self._typing[key] = asyncio.get_running_loop().call_later(PAUSE, pause)

    def closed(self, document: Document) -> None:
        """Take a closed document's squiggles away."""
        key = uris.same(document.uri)
        document.calm.rest()
        self._wait_for_pause(document)
        self._urgent.pop(key, None)
        self._later.pop(key, None)
        self._said.pop(key, None)
        if not self._session.abilities.pull:
            self._publish(types.PublishDiagnosticsParams(uri=document.uri, diagnostics=[]))

    def concerned(self, documents: Iterable[Document]) -> None:
        """Note that documents may have other findings now, though their text is the same."""
        self._later.update((uris.same(item.uri), item) for item in documents)
        if self._later and self._pausing is None:
            self._plan(_PAUSE)

    def look_after(self) -> None:
        """Queue the documents that changes in other files concern."""
        stirred, self._session.stirred = self._session.stirred, {}
        if stirred:
            self.concerned(stirred.values())

    async def report(self, uri: str, previous: str | None) -> types.DocumentDiagnosticReport:
        """Answer a pull."""
        await self._ready.wait()
        if uris.same(uri) not in self._said:
            await self._wait_for_others(uri)
        document = self._session.find(uri)
        if document is None:
            return types.RelatedFullDocumentDiagnosticReport(items=[])
        analysis = self._shown(document)
        self._said[uris.same(uri)] = analysis
        if previous == analysis.result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=previous)
        return types.RelatedFullDocumentDiagnosticReport(
            items=analysis.diagnostics, result_id=analysis.result_id
        )

    async def _wait_for_others(self, uri: str) -> None:
        """Hold the first answer about a document back where nobody can be told to ask again.

        Other files may say what it is, too.
        """
        place = self._session.area_of(uri)
        if place is not None and not self._session.abilities.refresh:
            await self._around(place[0])

    # -- what follows ---------------------------------------------------------------------------

    def _shown(self, document: Document) -> Analysis:
        """Return what is to be shown of a document now."""
        encoding = self._session.encoding
        held = document.calm.in_word(document.uri, document.text, document.version, encoding)
        if held is not None:
            return held
        analysis = self._analyse(document)
        model = document.area.project.documents.get(document.path)
        return document.calm.complete(analysis, half_typed=getattr(model, "half_typed", False))

    def _analyse(self, document: Document) -> Analysis:
        """Analyse a document, and queue those that its change concerns."""
        analysis = self._session.analyse(document)
        area = document.area
        if self._epochs.get(area) != area.epoch:
            self._epochs[area] = area.epoch
            self.concerned(self._session.siblings(area))
        self.look_after()
        self._later.pop(uris.same(document.uri), None)
        return analysis

    def _flush(self) -> None:
        self._flushing = None
        if not self._ready.is_set():
            return
        urgent, self._urgent = self._urgent, {}
        for document in urgent.values():
            self._send(document)

    def _plan(self, seconds: float) -> None:
        """Look after the queue in some time, and not earlier."""
        if self._pausing is not None:
            self._pausing.cancel()
        self._pausing = asyncio.get_running_loop().call_later(seconds, self._follow_up)

    def _follow_up(self) -> None:
        self._pausing = None
        if not self._ready.is_set():
            self._plan(_PAUSE)
            return
        if self._later:
            document = self._later.pop(next(iter(self._later)))
            if self._session.abilities.pull:
                self._compare(document)
            else:
                self._send(document)
        if self._later:
            self._plan(0)
        elif self._refresh_due:
            self._refresh_due = False
            self._refresh()

    def _send(self, document: Document) -> None:
        if self._session.find(document.uri) is not document:
            return
        analysis, key = self._shown(document), uris.same(document.uri)
        if _same(self._said.get(key), analysis):
            return
        self._said[key] = analysis
        self._publish(
            types.PublishDiagnosticsParams(
                uri=document.uri, version=analysis.version, diagnostics=analysis.diagnostics
            )
        )

    def _compare(self, document: Document) -> None:
        """See whether a client that pulls would hear something new."""
        said = self._said.get(uris.same(document.uri))
        if said is None or self._session.find(document.uri) is not document:
            return
        if not _same(said, self._shown(document)):
            self._refresh_due = True


def _same(said: Analysis | None, analysis: Analysis) -> bool:
    return said is analysis or (
        said is not None
        and said.version == analysis.version
        and said.diagnostics == analysis.diagnostics
    )


def setting_diagnostics(file: SettingsFile, encoding: Encoding) -> list[types.Diagnostic]:
    """Say what is wrong in a settings file, where it stands."""
    return [
        words.diagnostic(
            to_range(file.source, problem.span or Span(0, 0), encoding),
            types.DiagnosticSeverity.Warning,
            "settings",
            message(problem.message),
        )
        for problem in file.problems
    ]
