"""pygls' protocol, with what it says to people escaped as everything else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pygls.protocol import LanguageServerProtocol

from cachekey.lsp import words
from cachekey.markup.message import message

if TYPE_CHECKING:
    from lsprotocol import types


class Protocol(LanguageServerProtocol):
    """Answers requests; an error's text may quote the request, which may quote a workspace."""

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
