"""pygls' protocol, with what it says to people escaped as everything else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol, lsp_method

from cachekey.lsp import words
from cachekey.lsp.sync import changed_text
from cachekey.markup.message import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cachekey.text import Encoding


class Protocol(LanguageServerProtocol):
    """Answers requests; an error's text may quote the request, which may quote a workspace."""

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(
        self, params: types.DidChangeTextDocumentParams
    ) -> Iterator[Any]:
        """Take in changes as one of the whole text; pygls would count lines at form feeds, too."""
        document = self.workspace.text_documents.get(unquote(params.text_document.uri))
        if document is not None and params.content_changes:
            encoding: Encoding = types.PositionEncodingKind(self.workspace.position_encoding).value
            text = changed_text(document.source, params.content_changes, encoding)
            params.content_changes = [types.TextDocumentContentChangeWholeDocument(text=text)]
        yield from super().lsp_text_document__did_change(params)

    def _send_response(
        self, msg_id: Any, result: Any = None, error: types.ResponseError | None = None
    ) -> None:
        if error is not None:
            error = words.refusal(error.code, message(error.message))
        super()._send_response(msg_id, result, error)

    def _execute_handler(self, msg_id: Any, handler: Any, *args: Any, **more: Any) -> None:
        super()._execute_handler(msg_id, handler, *args, **more)
        # pygls 2.1 forgets a request when it answers, and a notification never: two kilobytes each.
        future: Any = self._request_futures.get(msg_id)
        if future is None or future.done():
            self._request_futures.pop(msg_id, None)
        elif isinstance(future, asyncio.Future):
            # Called by the loop, and so never while pygls goes through them to cancel all.
            future.add_done_callback(lambda _: self._request_futures.pop(msg_id, None))
