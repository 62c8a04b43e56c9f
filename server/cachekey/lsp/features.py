"""Registrations: which message goes to which function. Nothing is decided here."""

from __future__ import annotations

import asyncio
import gc
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified, JsonRpcException, JsonRpcMethodNotFound
from pygls.lsp.server import LanguageServer

from cachekey import __version__
from cachekey.lsp import words
from cachekey.lsp.names import (
    ACTION_KINDS,
    APPLY,
    CACHES,
    CHECK,
    EXPLAIN,
    MAP,
    PROOF,
    REQUEST_FAILED,
    RULES,
    TRIGGERS,
)
from cachekey.lsp.protocol import Protocol
from cachekey.lsp.types_loader import converter
from cachekey.markup.message import message

if TYPE_CHECKING:
    from pygls.server import ServerErrors

    from cachekey.lsp.connection import Connection

logger = logging.getLogger(__name__)


class Server(LanguageServer):
    """pygls' server with the backend that it works for."""

    started: types.InitializeParams
    """What ``initialize`` said."""

    @cached_property
    def backend(self) -> Connection:
        """Load the engine, once ``initialize`` has been answered."""
        gc.disable()
        try:
            from cachekey.lsp.connection import Connection

            backend = Connection(self, self.started)
        finally:
            # What is loaded by now stays: no later collection needs to look at it.
            gc.freeze()
            gc.enable()
        return backend

    def wake(self) -> None:
        """Load the engine; an installation that cannot do that must not fail without a word."""
        try:
            self.backend  # noqa: B018
        except Exception as error:
            logger.exception("cannot start")
            text = message(f"Cachekey cannot start: {type(error).__name__}: {error}")
            self.window_show_message(words.pop_up(types.MessageType.Error, text))

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:
        """Log what went wrong in a handler; nobody wants a pop-up while typing."""
        told = isinstance(error, JsonRpcException) and error.code == REQUEST_FAILED
        if told or isinstance(error, JsonRpcContentModified | JsonRpcMethodNotFound):
            logger.debug("refused: %s", error)
            return
        # pygls has put the traceback of what happened into the error's data.
        data = error.data if isinstance(error, JsonRpcException) else None
        trace = data.get("traceback") if isinstance(data, dict) else None
        logger.error("%s: %s\n%s", source.__name__, error, "".join(trace or ()))


def build() -> Server:
    """Build a server with every feature registered."""
    server = Server(
        "cachekey",
        __version__,
        types.TextDocumentSyncKind.Incremental,
        protocol_cls=Protocol,
        converter_factory=converter,
    )
    _register_lifecycle(server)
    _register_documents(server)
    _register_workspace(server)
    _register_requests(server)
    _register_navigation(server)
    _register_names(server)
    return server


def _register_lifecycle(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(ls: Server, params: types.InitializeParams) -> None:
        ls.started = params
        document = params.capabilities.text_document
        if document is not None and document.diagnostic is not None:
            _register_pull(ls)
        # The answer goes out first.
        asyncio.get_running_loop().call_soon(ls.wake)

    @server.feature(types.INITIALIZED)
    async def initialized(ls: Server, params: types.InitializedParams) -> None:
        await ls.backend.settle_in()

    @server.feature(types.SHUTDOWN)
    def shutdown(ls: Server, params: Any) -> None:
        ls.backend.scanner.stop_all()


def _register_documents(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
        ls.backend.opened(params)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
        ls.backend.changed(params)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
        ls.backend.saved(params)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        ls.backend.closed(params)


def _register_workspace(server: Server) -> None:
    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_settings(ls: Server, params: types.DidChangeConfigurationParams) -> None:
        await ls.backend.configure(params.settings)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def did_change_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
        await ls.backend.files_changed(params)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def did_change_folders(ls: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
        await ls.backend.folders_changed(params)

    @server.command(EXPLAIN)
    def explain_rule(ls: Server, code: str) -> str | None:
        return ls.backend.explain_rule(code)

    @server.command(RULES)
    def rules(ls: Server) -> list[dict[str, str]]:
        return ls.backend.rules()

    @server.command(CHECK)
    async def check(ls: Server) -> None:
        await ls.backend.check.run()

    @server.command(MAP)
    async def cache_map(ls: Server) -> list[dict[str, str]]:
        return await ls.backend.cache_map()

    @server.command(CACHES)
    def take_caches(ls: Server, given: dict[str, Any]) -> dict[str, str]:
        return ls.backend.take_caches(given)

    @server.command(PROOF)
    def take_proof(ls: Server, given: dict[str, Any]) -> dict[str, str]:
        return ls.backend.take_proof(given)

    @server.command(APPLY)
    async def apply(ls: Server, data: dict[str, Any]) -> None:
        await ls.backend.apply(data)


def _register_pull(server: Server) -> None:
    options = types.DiagnosticOptions(
        identifier="cachekey", inter_file_dependencies=True, workspace_diagnostics=True
    )

    @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)
    async def diagnostic(
        ls: Server, params: types.DocumentDiagnosticParams
    ) -> types.DocumentDiagnosticReport:
        # A task begins when all that has arrived is handled: of a burst the last text is checked.
        reporter = ls.backend.reporter
        return await reporter.report(params.text_document.uri, params.previous_result_id)

    @server.feature(types.WORKSPACE_DIAGNOSTIC)
    async def workspace_diagnostic(
        ls: Server, params: types.WorkspaceDiagnosticParams
    ) -> types.WorkspaceDiagnosticReport:
        return await ls.backend.check.report(params)


def _register_requests(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
        return ls.backend.hover(params)

    kinds = types.CodeActionOptions(code_action_kinds=list(ACTION_KINDS), resolve_provider=True)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)
    def code_action(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
        return ls.backend.code_actions(params)

    @server.feature(types.CODE_ACTION_RESOLVE)
    def resolve(ls: Server, params: types.CodeAction) -> types.CodeAction:
        return ls.backend.resolve_action(params)

    triggers = types.CompletionOptions(trigger_characters=list(TRIGGERS))

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, triggers)
    def complete(ls: Server, params: types.CompletionParams) -> types.CompletionList | None:
        return ls.backend.complete(params)


def _register_navigation(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(ls: Server, params: types.DefinitionParams) -> list[types.Location]:
        return ls.backend.definition(params)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(ls: Server, params: types.ReferenceParams) -> list[types.Location]:
        return ls.backend.references(params)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlight(
        ls: Server, params: types.DocumentHighlightParams
    ) -> list[types.DocumentHighlight] | None:
        return ls.backend.highlights(params)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    def link(ls: Server, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        return ls.backend.links(params)


def _register_names(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def rename(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
        return await ls.backend.rename(params)

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare_rename(
        ls: Server, params: types.PrepareRenameParams
    ) -> types.PrepareRenamePlaceholder | None:
        return ls.backend.prepare_rename(params)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(ls: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        return ls.backend.symbols(params)

    @server.feature(types.WORKSPACE_SYMBOL)
    def workspace_symbols(
        ls: Server, params: types.WorkspaceSymbolParams
    ) -> list[types.WorkspaceSymbol]:
        return ls.backend.workspace_symbols(params)

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    def lenses(ls: Server, params: types.CodeLensParams) -> list[types.CodeLens]:
        return ls.backend.lenses(params)

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def hints(ls: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
        return ls.backend.hints(params)
