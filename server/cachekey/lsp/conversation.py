"""What may be said when: messages on their way to pygls, in the order that the protocol demands.

Every request is answered, also one that comes too early, too late or in a shape that nothing can
be made of; nothing that a client sends ends the server but ``exit``.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError

from cachekey.lsp import words
from cachekey.lsp.parent import Watch
from cachekey.markup.message import message as escaped
from cachekey.nesting import deeper_than

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)

DEEPEST = 64
"""Lists and tables in each other; the protocol itself needs twenty."""
PARSE_ERROR, INVALID_REQUEST, NOT_INITIALIZED = -32700, -32600, -32002

_TOO_DEEP = "the message is nested too deeply, it does not count"
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


class Conversation:
    """One client's messages; ``leave`` ends it when the client's process has gone."""

    def __init__(self, server: LanguageServer, leave: Callable[[], None]) -> None:
        self._server = server
        self._leave = leave
        self._begun = False
        self._over = False

    def take(self, body: bytes) -> bool:
        """Handle one message; false when the bytes are no JSON at all."""
        try:
            message, deep = _read(body)
        except ValueError as error:
            logger.error("a message is not JSON: %s", error)
            self.refuse(None, PARSE_ERROR, f"this is not JSON: {error}")
            return False
        if not isinstance(message, dict) or not message.keys() & {"method", "id"}:
            self.refuse(None, INVALID_REQUEST, "this is no message")
        elif deep:
            self._refuse_deep(message)
        elif (why := self._out_of_order(message)) is not None:
            if "id" in message:
                self.refuse(message["id"], *why)
        else:
            self._hand_over(message)
        return True

    def refuse(self, number: object, code: int, why: str) -> None:
        """Answer with an error; ``number`` is ``None`` when nobody knows which request it was."""
        known = number if isinstance(number, (str, int)) else None
        error = words.refusal(code, escaped(why))
        answer = {"code": error.code, "message": error.message}
        data = json.dumps({"jsonrpc": "2.0", "id": known, "error": answer}).encode()
        if (writer := self._server.protocol.writer) is not None:
            writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))

    def _out_of_order(self, message: dict[str, Any]) -> tuple[int, str] | None:
        method = message.get("method")
        if method is None or method == types.EXIT:
            return None
        if message.get("jsonrpc") != "2.0" or not isinstance(method, str):
            return INVALID_REQUEST, "this is no message of JSON-RPC 2.0"
        if self._over:
            return INVALID_REQUEST, "the server is shutting down"
        if self._begun == (method == types.INITIALIZE):
            code = INVALID_REQUEST if self._begun else NOT_INITIALIZED
            return code, "the server is initialized" + (" already" if self._begun else " first")
        return None

    def _hand_over(self, message: dict[str, Any]) -> None:
        protocol, method = self._server.protocol, message.get("method")
        try:
            structured = protocol.structure_message(message)
            # From here on it is pygls that answers.
            self._begun = self._begun or method == types.INITIALIZE
            self._over = self._over or method == types.SHUTDOWN
            protocol.handle_message(structured)
        except (BrokenPipeError, ConnectionError):
            raise
        except Exception as error:
            told = not isinstance(error, JsonRpcException)
            logger.error("cannot handle a message: %s", error, exc_info=told)
            if method is not None and "id" in message:
                known = error if isinstance(error, JsonRpcException) else None
                problem = known or JsonRpcInternalError(str(error))
                self.refuse(message["id"], problem.code, problem.message)
            return
        if method == types.INITIALIZE:
            Watch(message["params"].get("processId"), self._leave)

    def _refuse_deep(self, message: dict[str, Any]) -> None:
        """Answer what is too deep to be looked at, and what was waiting for it."""
        logger.error(_TOO_DEEP)
        if "method" in message and "id" in message:
            self.refuse(message["id"], INVALID_REQUEST, _TOO_DEEP)
            return
        if self._begun and not self._over:
            text = escaped(f"Cachekey: {_TOO_DEEP}")
            self._server.window_show_message(words.pop_up(types.MessageType.Error, text))
        if "id" in message:
            # Whoever asked the client goes on without its answer.
            error = {"code": INVALID_REQUEST, "message": _TOO_DEEP}
            self._hand_over({"jsonrpc": "2.0", "id": message["id"], "error": error})


def _read(body: bytes) -> tuple[Any, bool]:
    """Return a message, and whether it goes deeper than it may; then not all of it is there."""
    try:
        message = json.loads(body)
    except RecursionError:
        return json.loads(_shallow(body)), True
    return message, deeper_than(message, DEEPEST)


def _shallow(body: bytes) -> bytes:
    """Cut off what is nested too deeply: who asks, and what, is said near the surface."""
    depth, at = 0, 0
    parts: list[bytes] = []
    for match in _TOKEN.finditer(body):
        sign = match.group()
        if sign in (b"[", b"{"):
            depth += 1
            if depth == DEEPEST:
                parts.append(body[at : match.start()] + b"null")
        elif sign in (b"]", b"}"):
            if depth == DEEPEST:
                at = match.end()
            depth -= 1
    return b"".join([*parts, body[at:]]) if depth < DEEPEST else b""
