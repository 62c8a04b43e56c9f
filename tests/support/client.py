"""A test client on pytest-lsp: remembers versions of what is published, and waits for them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Union

import pytest_lsp
from lsprotocol import converters, types
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds until a test gives up on an answer: machines that run tests can be slow."""
FLAVOURS = {
    "vscode": "utf-16",
    "visual-studio-code": "utf-16",
    "neovim": "utf-8",
    "emacs": "utf-32",
}
"""Clients by name, with the encoding that they and the server agree on.

``vscode`` is today's and written down in tests/lsp/vscode.json, ``visual-studio-code`` the one of
2022 that pytest-lsp knows. The first and Neovim pull diagnostics, the others are pushed to.
"""
PULLING = ("vscode", "neovim")
PUSHED = ("visual-studio-code", "emacs")


def capabilities(flavour: str) -> types.ClientCapabilities:
    """Return what a client says it can do."""
    if flavour == "vscode":
        text = (ROOT / "tests/lsp/vscode.json").read_text(encoding="utf-8")
        return converters.get_converter().structure(json.loads(text), types.ClientCapabilities)
    return pytest_lsp.client_capabilities(flavour)


def command() -> list[str]:
    """Return the command that starts the server as editors do."""
    return [sys.executable, "-m", "cachekey", "lsp"]


def environment() -> dict[str, str]:
    """Return the environment for the server: this source tree, coverage and all."""
    path = os.pathsep.join(filter(None, (str(ROOT / "server"), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def _converter() -> Any:
    converter = default_converter()

    def action(item: Any, _: type) -> Any:
        # lsprotocol takes every code action that has a command for a bare command.
        bare = isinstance(item.get("command"), str)
        return converter.structure(item, types.Command if bare else types.CodeAction)

    # cattrs looks for the very form that lsprotocol uses.
    either = Union[types.Command, types.CodeAction]  # noqa: UP007
    converter.register_structure_hook(either, action)
    return converter


class Client(LanguageClient):
    """What an editor would remember."""

    def __init__(self) -> None:
        super().__init__(converter_factory=_converter)
        self.flavour = ""
        self.encoding = ""
        self.root = Path()
        self.started: types.InitializeResult
        self.published: list[types.PublishDiagnosticsParams] = []
        self.parts: list[types.ProgressParams] = []
        """Parts of answers that came before the answer."""
        self.registrations: dict[str, Any] = {}
        self.complaints: list[str] = []
        """Lines that the server wrote to stderr."""
        self.applied: list[types.ApplyWorkspaceEditParams] = []
        """Edits that the server had applied; nothing is done with them."""
        self.questions: list[types.ShowMessageRequestParams] = []
        self.answer: str | None = None
        """The button that the user presses in answer to every question."""
        self._news = asyncio.Event()

    async def start_io(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        await super().start_io(cmd, *args, **kwargs)
        if self._stderr_forwarder is not None:
            self._stderr_forwarder.cancel()
        self._stderr_forwarder = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self._server is not None
        assert self._server.stderr is not None
        while line := await self._server.stderr.readline():
            self.complaints.append(line.decode("utf-8", "replace").rstrip())

    # -- what the server says -------------------------------------------------------------------

    def note(self, params: types.PublishDiagnosticsParams) -> None:
        self.published.append(params)
        self._news.set()

    async def until(self, uri: str, version: int | None) -> tuple[types.Diagnostic, ...]:
        """Wait for what is published for this version; nothing older counts."""

        async def wait() -> tuple[types.Diagnostic, ...]:
            while True:
                for params in reversed(self.published):
                    if params.uri == uri and params.version == version:
                        return tuple(params.diagnostics)
                self._news.clear()
                await self._news.wait()

        return await asyncio.wait_for(wait(), PATIENCE)

    async def next_for(self, uri: str) -> types.PublishDiagnosticsParams:
        """Wait for the next publication about a document."""
        seen = len(self.published)

        async def wait() -> types.PublishDiagnosticsParams:
            while True:
                for params in self.published[seen:]:
                    if params.uri == uri:
                        return params
                self._news.clear()
                await self._news.wait()

        return await asyncio.wait_for(wait(), PATIENCE)

    async def registered(self, methods: set[str]) -> None:
        """Wait until the server has registered for these methods."""

        async def wait() -> None:
            while not methods <= set(self.registrations):
                self._news.clear()
                await self._news.wait()

        await asyncio.wait_for(wait(), PATIENCE)

    async def until_asked(self) -> None:
        """Wait for a question of the server."""
        await self._while(lambda: not self.questions)

    async def until_applied(self, count: int) -> None:
        """Wait until the server has had so many edits applied."""
        await self._while(lambda: len(self.applied) < count)

    async def _while(self, still: Callable[[], bool]) -> None:
        async def wait() -> None:
            while still():
                self._news.clear()
                await self._news.wait()

        await asyncio.wait_for(wait(), PATIENCE)

    async def until_shown(self, uri: str, wanted: list[dict[str, Any]]) -> None:
        """Wait until an open document shows exactly these diagnostics."""
        from tests.support.expected import flat

        await self._until(uri, lambda items: flat(items) == wanted)

    async def until_codes(self, uri: str, wanted: list[str]) -> None:
        """Wait until an open document shows diagnostics with exactly these codes."""
        await self._until(uri, lambda items: [item.code for item in items] == wanted)

    async def until_none(self, uri: str) -> None:
        """Wait until an open document shows nothing."""
        await self.until_codes(uri, [])

    async def _until(self, uri: str, good: Callable[[Sequence[types.Diagnostic]], bool]) -> None:
        """A client that pulls asks at once, and then when the server says so, if it listens."""
        diagnostics = self.capabilities.workspace and self.capabilities.workspace.diagnostics
        deaf = self.flavour in PULLING and not (diagnostics and diagnostics.refresh_support)

        async def wait() -> None:
            while True:
                self._news.clear()
                if self.flavour in PULLING:
                    report = await self.pull(uri)
                    items = report.items
                else:
                    said = [params for params in self.published if params.uri == uri]
                    items = said[-1].diagnostics if said else None
                if items is not None and good(items):
                    return
                if deaf:
                    await asyncio.sleep(0.02)
                else:
                    await self._news.wait()

        await asyncio.wait_for(wait(), PATIENCE)

    # -- what the user does ---------------------------------------------------------------------

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def write(self, name: str, text: str) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return path.as_uri()

    def open(self, uri: str, text: str, language: str = "dockerfile", version: int = 1) -> str:
        item = types.TextDocumentItem(uri=uri, language_id=language, version=version, text=text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
        return uri

    def change(self, uri: str, version: int, text: str) -> None:
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(uri=uri, version=version),
                content_changes=[types.TextDocumentContentChangeWholeDocument(text=text)],
            )
        )

    def tell_changed(
        self, uri: str, kind: types.FileChangeType = types.FileChangeType.Changed
    ) -> None:
        """Say that a file changed on disk; a client that does not watch says that it saved."""
        if types.WORKSPACE_DID_CHANGE_WATCHED_FILES not in self.registrations:
            self.text_document_did_save(
                types.DidSaveTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=uri))
            )
            return
        self.workspace_did_change_watched_files(
            types.DidChangeWatchedFilesParams(changes=[types.FileEvent(uri=uri, type=kind)])
        )

    def close(self, uri: str) -> None:
        self.text_document_did_close(
            types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=uri))
        )

    async def pull(self, uri: str, previous: str | None = None) -> types.DocumentDiagnosticReport:
        params = types.DocumentDiagnosticParams(
            text_document=types.TextDocumentIdentifier(uri=uri), previous_result_id=previous
        )
        return await asyncio.wait_for(self.text_document_diagnostic_async(params), PATIENCE)

    async def diagnose(self, uri: str, version: int) -> tuple[types.Diagnostic, ...]:
        """Return the diagnostics of a version in the way this client gets them."""
        if self.flavour in PULLING:
            report = await self.pull(uri)
            assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
            return tuple(report.items)
        return await self.until(uri, version)

    async def actions(
        self, uri: str, where: types.Range, *only: str, diagnostics: Any = ()
    ) -> list[types.CodeAction]:
        """Return the code actions at a place, each with its edit."""
        params = types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri=uri),
            range=where,
            context=types.CodeActionContext(diagnostics=list(diagnostics), only=list(only) or None),
        )
        found = await asyncio.wait_for(self.text_document_code_action_async(params), PATIENCE)
        actions = [item for item in found or () if isinstance(item, types.CodeAction)]
        return [
            await self.code_action_resolve_async(item) if item.data and not item.edit else item
            for item in actions
        ]


def make_client() -> Client:
    """Make a client with every handler that the server may ask for."""
    client = Client()
    own = (
        types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS,
        types.WORKSPACE_DIAGNOSTIC_REFRESH,
        types.PROGRESS,
    )
    register_lsp_features(
        client, {name: f for name, f in DEFAULT_CLIENT_FEATURES.items() if name not in own}
    )

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def published(params: types.PublishDiagnosticsParams) -> None:
        client.note(params)

    @client.feature(types.PROGRESS)
    def progress(params: types.ProgressParams) -> None:
        if isinstance(params.value, dict) and "items" in params.value:
            # pytest-lsp knows the bars that the server begins, and no parts of answers.
            client.parts.append(params)
        else:
            DEFAULT_CLIENT_FEATURES[types.PROGRESS](client, params)

    @client.feature(types.WORKSPACE_DIAGNOSTIC_REFRESH)
    def refresh(params: None) -> None:
        client.diagnostic_refresh_count += 1
        client._news.set()

    @client.feature(types.WORKSPACE_CODE_LENS_REFRESH)
    @client.feature(types.WORKSPACE_INLAY_HINT_REFRESH)
    def refresh_others(params: None) -> None:
        client._news.set()

    @client.feature(types.WORKSPACE_APPLY_EDIT)
    def apply_edit(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        client.applied.append(params)
        client._news.set()
        return types.ApplyWorkspaceEditResult(applied=True)

    @client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)
    def ask(params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
        client.questions.append(params)
        client._news.set()
        return types.MessageActionItem(title=client.answer) if client.answer else None

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(params: types.RegistrationParams) -> None:
        for item in params.registrations:
            client.registrations[item.method] = item.register_options
        client._news.set()

    return client


async def start(client: Client, root: Path, flavour: str, **more: Any) -> types.InitializeResult:
    """Open a folder with a client of this flavour."""
    client.flavour, client.root = flavour, root
    folder = types.WorkspaceFolder(uri=root.as_uri(), name=root.name)
    client.started = await client.initialize_session(
        types.InitializeParams(
            capabilities=more.pop("capabilities", None) or capabilities(flavour),
            **{"workspace_folders": [folder], **more},
        )
    )
    client.encoding = types.PositionEncodingKind(
        client.started.capabilities.position_encoding
    ).value
    return client.started


@asynccontextmanager
async def connect(root: Path, flavour: str = "vscode", **more: Any) -> AsyncIterator[Client]:
    """Start a server of one's own; it must end well and have nothing to complain about."""
    client = make_client()
    if (configuration := more.pop("configuration", None)) is not None:
        client.set_configuration(configuration, section="cachekey")
    await client.start_io(*more.pop("program", command()), env=environment())
    try:
        await start(client, root, flavour, **more)
        yield client
        await finish(client)
    finally:
        # A test that failed has not said goodbye.
        if client._server is not None and client._server.returncode is None:
            client._server.kill()
        await client.stop()


async def finish(client: Client) -> None:
    """End a session; the server must not have complained."""
    await client.shutdown_session()
    assert not client.complaints, "\n".join(client.complaints)


# -- text and edits ------------------------------------------------------------------------------


def units(text: str, encoding: str) -> int:
    """Count code units, by Python's own codecs: independent of the code under test."""
    size = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    return len(text.encode(codec, "surrogatepass")) // size


def span_of(text: str, part: str, encoding: str, nth: int = 0) -> types.Range:
    """Return the range of the ``nth`` occurrence of ``part``; lines end at LF, CRLF and CR only."""
    at = -1
    for _ in range(nth + 1):
        at = text.index(part, at + 1)
    return types.Range(start=place(text, at, encoding), end=place(text, at + len(part), encoding))


def place(text: str, offset: int, encoding: str) -> types.Position:
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    line = before.count("\n")
    return types.Position(line=line, character=units(before.rpartition("\n")[2], encoding))


def offset_of(text: str, position: types.Position, encoding: str) -> int:
    """Turn a position back into an offset, by trying every one."""
    for offset in range(len(text) + 1):
        if offset and text[offset - 1 : offset + 1] == "\r\n":
            continue
        if place(text, offset, encoding) == position:
            return offset
    raise AssertionError(f"there is no {position} in the text")


def apply(text: str, edits: Any, encoding: str) -> str:
    """Apply text edits the way an editor does."""
    placed = sorted(
        (
            (
                offset_of(text, edit.range.start, encoding),
                offset_of(text, edit.range.end, encoding),
                number,
                edit.new_text,
            )
            for number, edit in enumerate(edits)
        ),
        reverse=True,
    )
    for start, end, _, new in placed:
        text = text[:start] + new + text[end:]
    return text


def edits_of(edit: types.WorkspaceEdit) -> dict[str, list[Any]]:
    """Return the text edits of a workspace edit by URI, whichever form it has."""
    found = {uri: list(edits) for uri, edits in (edit.changes or {}).items()}
    for change in edit.document_changes or ():
        if isinstance(change, types.TextDocumentEdit):
            found.setdefault(change.text_document.uri, []).extend(change.edits)
    return found
