"""Registrations: which message goes to which function. Nothing is decided here."""

from __future__ import annotations

import logging
import sys
from typing import Any

from lsprotocol import types

from cachekey.lsp import actions, completion, events, hover, navigate, transport
from cachekey.lsp.backend import Server


def serve(tcp: tuple[str, int] | None = None) -> int:
    """Serve one client over the standard streams, or over TCP; return the exit code."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    # Whatever matters of it comes to Server.report_server_error as well.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    server = build()
    return transport.serve_stdio(server) if tcp is None else transport.serve_tcp(server, *tcp)


def build() -> Server:
    """Build a server with every feature registered."""
    server = Server()
    _register_lifecycle(server)
    _register_documents(server)
    _register_workspace(server)
    _register_requests(server)
    _register_navigation(server)
    return server


def _register_lifecycle(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(ls: Server, params: types.InitializeParams) -> None:
        ls.begin(params)
        if ls.session.abilities.pull:
            _register_pull(ls)

    @server.feature(types.INITIALIZED)
    async def initialized(ls: Server, params: types.InitializedParams) -> None:
        await ls.settle_in()

    @server.feature(types.SHUTDOWN)
    def shutdown(ls: Server, params: Any) -> None:
        ls.scanner.stop_all()


def _register_documents(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
        events.opened(ls, params)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
        events.changed(ls, params)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
        events.saved(ls, params)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        events.closed(ls, params)


def _register_workspace(server: Server) -> None:
    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_settings(ls: Server, params: types.DidChangeConfigurationParams) -> None:
        await ls.configure(params.settings)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def did_change_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
        await events.files_changed(ls, params)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def did_change_folders(ls: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
        await events.folders_changed(ls, params)

    @server.command(actions.EXPLAIN)
    def explain_rule(ls: Server, code: str) -> str | None:
        return events.explain_rule(ls, code)


def _register_pull(server: Server) -> None:
    options = types.DiagnosticOptions(
        identifier="cachekey", inter_file_dependencies=True, workspace_diagnostics=False
    )

    @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)
    async def diagnostic(
        ls: Server, params: types.DocumentDiagnosticParams
    ) -> types.DocumentDiagnosticReport:
        # A task begins when all that has arrived is handled: of a burst the last text is checked.
        return await ls.reporter.report(params.text_document.uri, params.previous_result_id)


def _register_requests(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def on_hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
        return hover.hover(ls.session, params)

    kinds = types.CodeActionOptions(code_action_kinds=list(actions.KINDS), resolve_provider=True)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)
    def code_action(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
        return actions.code_actions(ls.session, params)

    @server.feature(types.CODE_ACTION_RESOLVE)
    def resolve(ls: Server, params: types.CodeAction) -> types.CodeAction:
        return actions.resolve(ls.session, params)

    triggers = types.CompletionOptions(trigger_characters=list(completion.TRIGGERS))

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, triggers)
    def complete(ls: Server, params: types.CompletionParams) -> types.CompletionList | None:
        return completion.complete(ls.session, params)


def _register_navigation(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(ls: Server, params: types.DefinitionParams) -> list[types.Location]:
        return navigate.definition(ls.session, params)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(ls: Server, params: types.ReferenceParams) -> list[types.Location]:
        return navigate.references(ls.session, params)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlight(
        ls: Server, params: types.DocumentHighlightParams
    ) -> list[types.DocumentHighlight] | None:
        return navigate.highlights(ls.session, params)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    def link(ls: Server, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        return navigate.links(ls.session, params)
