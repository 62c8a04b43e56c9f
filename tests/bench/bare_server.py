"""A bare pygls server: one diagnostic a change, one hover. What any server on pygls costs at least."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("bare", "0", text_document_sync_kind=types.TextDocumentSyncKind.Incremental)
START = types.Range(types.Position(0, 0), types.Position(0, 1))


def publish(uri: str, version: int) -> None:
    diagnostic = types.Diagnostic(
        range=START,
        message="something",
        severity=types.DiagnosticSeverity.Warning,
        code="B1",
        source="bare",
    )
    server.text_document_publish_diagnostics(
        types.PublishDiagnosticsParams(uri=uri, version=version, diagnostics=[diagnostic])
    )


@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
def opened(params: types.DidOpenTextDocumentParams) -> None:
    publish(params.text_document.uri, params.text_document.version)


@server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
def changed(params: types.DidChangeTextDocumentParams) -> None:
    item = params.text_document
    assert server.workspace.get_text_document(item.uri).source
    publish(item.uri, item.version)


@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(params: types.HoverParams) -> types.Hover:
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, "**something**"))


if __name__ == "__main__":
    server.start_io()
