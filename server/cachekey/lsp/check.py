"""*Check Workspace*: what is to be said about the files that nobody has open.

Clients that pull get it when they ask for it; our own asks all the time, and is answered when the user
wants to know, or when files that were checked have changed. To others it is pushed.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.checking import engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from cachekey.lsp.area import Area
    from cachekey.lsp.progress import Progress
    from cachekey.lsp.session import Session

logger = logging.getLogger(__name__)

_SLICE = 0.004
"""Seconds of checking between two looks at what the client has said."""
_PATIENCE = 60.0
"""Seconds that the command waits for a folder that is still being read."""
_PART = 0.3
"""Seconds of checking between two parts of an answer, where the client takes parts."""


@dataclass(frozen=True)
class Checked:
    """What was found in a file that nobody has open."""

    uri: str
    diagnostics: tuple[types.Diagnostic, ...]

    @property
    def result_id(self) -> str:
        """Return what is equal exactly when the diagnostics are."""
        return hashlib.blake2b(repr(self.diagnostics).encode(), digest_size=16).hexdigest()


class WorkspaceCheck:
    """Checks the files of all folders, and remembers for whom."""

    def __init__(
        self,
        session: Session,
        publish: Callable[[types.PublishDiagnosticsParams], None],
        bar: Callable[[int], Progress],
        tell: Callable[[types.ProgressParams], None],
        around: Callable[[Area, float], Awaitable[None]],
    ) -> None:
        """Begin with what sends.

        ``publish`` pushes, ``bar`` makes a bar for so many files that can be stopped, ``tell`` sends a
        part of an answer, ``around`` waits until the files of an area are read, so many seconds at most.
        """
        self._session, self._publish, self._bar, self._tell = session, publish, bar, tell
        self._around = around
        self._wanted = asyncio.Event()
        self._asked = False
        """The user has asked, at least once."""
        self._pushed: set[str] = set()

    # -- what happened --------------------------------------------------------------------------

    async def run(self) -> None:
        """Answer *Check Workspace*."""
        self._asked = True
        abilities = self._session.abilities
        if abilities.pull:
            # Whoever pulls asks by itself, and is answered from now on.
            self._wanted.set()
            return
        # Nobody asks again when more files are read.
        for area in list(self._session.areas):
            await self._around(area, _PATIENCE)
        async for item in self._check():
            self._push(item.uri, item.diagnostics)
        for uri in [uri for uri in self._pushed if not self._knows(uri)]:
            self._push(uri, ())

    def stirred(self) -> None:
        """Note that files have changed: what was told about them may no longer hold."""
        if self._asked and self._session.abilities.pull:
            self._wanted.set()

    def _push(self, uri: str, diagnostics: tuple[types.Diagnostic, ...]) -> None:
        if self._session.find(uri) is not None or not (diagnostics or uri in self._pushed):
            return
        self._publish(types.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics))
        (self._pushed.add if diagnostics else self._pushed.discard)(uri)

    def _knows(self, uri: str) -> bool:
        """Tell whether a file is still there: one that a stopped check has not reached keeps its findings."""
        found = self._session.area_of(uri)
        return found is not None and found[1] in found[0].project.index

    async def report(
        self, params: types.WorkspaceDiagnosticParams
    ) -> types.WorkspaceDiagnosticReport:
        """Answer ``workspace/diagnostic``, in parts where the client takes them."""
        if self._session.abilities.chooses:
            await self._wanted.wait()
            self._wanted.clear()
        before = {item.uri: item.value for item in params.previous_result_ids}
        items: list[types.WorkspaceDocumentDiagnosticReport] = []
        part = types.WorkspaceDiagnosticReport(items=items)
        due = time.monotonic() + _PART
        async for item in self._check():
            if before.pop(item.uri, None) == item.result_id:
                items.append(_unchanged(item))
            else:
                items.append(_full(item.uri, item.diagnostics, item.result_id))
            if params.partial_result_token is not None and time.monotonic() > due:
                self._tell(types.ProgressParams(params.partial_result_token, part))
                items.clear()
                due = time.monotonic() + _PART
        gone = (uri for uri in before if not self._knows(uri) and self._session.find(uri) is None)
        items += [_full(uri, (), None) for uri in gone]
        if params.partial_result_token is not None and items:
            self._tell(types.ProgressParams(params.partial_result_token, part))
            return types.WorkspaceDiagnosticReport(items=[])
        return part

    # -- checking -------------------------------------------------------------------------------

    async def _check(self) -> AsyncIterator[Checked]:
        for area in list(self._session.areas):
            paths = [path for path in sorted(area.project.index) if not area.is_open(path)]
            bar = self._bar(len(paths))
            await bar.begin("Checking the workspace")
            until = time.monotonic() + _SLICE
            try:
                for number, path in enumerate(paths):
                    if bar.cancelled:
                        return
                    if not area.is_open(path):
                        yield Checked(area.uri_of(path), self._file(area, path))
                    bar.at(number + 1)
                    if time.monotonic() > until:
                        await asyncio.sleep(0)
                        until = time.monotonic() + _SLICE
            finally:
                bar.end()

    def _file(self, area: Area, path: str) -> tuple[types.Diagnostic, ...]:
        """Check one file; what is left out or cannot be read has nothing to say."""
        text = area.load(path)
        if text is None or area.excluded(path):
            return ()
        session = self._session
        try:
            document = area.project.add(path, text)
            if document is None:
                return ()
            findings = engine.check(area.project, path, area.settings(path))
            return session.diagnostics(area, document.source, findings, None)
        except Exception:  # one broken file must not cost the others theirs
            logger.exception("cannot check %s", path)
            return ()
        finally:
            area.project.release(path)


def _full(
    uri: str, diagnostics: tuple[types.Diagnostic, ...], result_id: str | None
) -> types.WorkspaceFullDocumentDiagnosticReport:
    return types.WorkspaceFullDocumentDiagnosticReport(
        uri=uri, items=diagnostics, version=None, result_id=result_id
    )


def _unchanged(item: Checked) -> types.WorkspaceUnchangedDocumentDiagnosticReport:
    return types.WorkspaceUnchangedDocumentDiagnosticReport(
        uri=item.uri, version=None, result_id=item.result_id
    )
