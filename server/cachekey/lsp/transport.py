"""Bytes to messages: reads JSON-RPC from a pipe or a socket and hands it to pygls' protocol.

All that has arrived is handled before anything else runs on the loop, so work that a handler
schedules with ``call_soon`` starts when the client has nothing more to say: a burst of changes
costs one analysis. (pygls' own reader waits for a thread three times a message.)
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
import threading
from typing import TYPE_CHECKING, Any, BinaryIO

from pygls.exceptions import JsonRpcException, JsonRpcInternalError

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)

_LENGTH = re.compile(rb"content-length\s*:\s*(\d+)\s*", re.IGNORECASE)
_CHUNK = 1 << 16
_BUFFER = 1 << 20
_MAX_BODY = 1 << 28
"""No message is this long (256 MiB): a length beyond it is noise on the line."""


def serve_stdio(server: LanguageServer) -> int:
    """Serve one client over the process' standard streams; return the exit code."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whoever prints, prints to stderr: stdout belongs to the protocol.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return asyncio.run(_serve_pipe(server, sys.stdin.fileno(), output))


def serve_tcp(server: LanguageServer, host: str, port: int) -> int:
    """Serve one client over TCP; return the exit code when it has gone."""
    return asyncio.run(_serve_socket(server, host, port))


async def _serve_pipe(server: LanguageServer, descriptor: int, output: BinaryIO) -> int:
    reader = asyncio.StreamReader(limit=_BUFFER)
    loop = asyncio.get_running_loop()

    def pump() -> None:
        # os.read, not sys.stdin: a buffered reader's lock would stop the interpreter from ending.
        try:
            while chunk := os.read(descriptor, _CHUNK):
                loop.call_soon_threadsafe(reader.feed_data, chunk)
            loop.call_soon_threadsafe(reader.feed_eof)
        except (OSError, RuntimeError) as error:  # RuntimeError: the loop has been closed
            logger.debug("input ended: %s", error)

    threading.Thread(target=pump, name="cachekey-stdin", daemon=True).start()
    server.protocol.set_writer(_PipeWriter(output))
    return await _converse(server, reader)


async def _serve_socket(server: LanguageServer, host: str, port: int) -> int:
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.protocol.writer is not None:
            writer.close()
            return
        server.protocol.set_writer(_SocketWriter(writer))
        code = await _converse(server, reader)
        if not done.done():
            done.set_result(code)

    listener = await asyncio.start_server(connected, host, port, limit=_BUFFER)
    address = listener.sockets[0].getsockname()
    print(f"cachekey: listening on {address[0]}:{address[1]}", file=sys.stderr, flush=True)
    try:
        return await done
    finally:
        listener.close()


class _PipeWriter:
    """The writer pygls wants, for a pipe."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output

    def write(self, data: bytes) -> None:
        self._output.write(data)
        self._output.flush()

    def close(self) -> None:
        self._output.close()


class _SocketWriter:
    """The writer pygls wants, without a task for every message."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def close(self) -> None:
        self._writer.close()


async def _converse(server: LanguageServer, reader: asyncio.StreamReader) -> int:
    """Handle messages until the client says ``exit`` or goes away; return the exit code."""
    try:
        while (body := await _read_body(reader)) is not None:
            _dispatch(server, body)
    except SystemExit as stop:
        return int(stop.code or 0)
    except (BrokenPipeError, ConnectionError):
        logger.info("the client has gone")
    return 0


async def _read_body(reader: asyncio.StreamReader) -> bytes | None:
    """Read one message's body; ``None`` at the end of the stream."""
    length: int | None = None
    try:
        while True:
            line = await reader.readline()
            if not line:
                return None
            if match := _LENGTH.fullmatch(line):
                length = int(match.group(1))
            elif not line.strip() and length is not None:
                if length > _MAX_BODY:
                    logger.error("a message of %d bytes was announced", length)
                    return None
                return await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return None
    except ValueError as error:
        logger.error("the stream holds no messages: %s", error)
        return None


def _dispatch(server: LanguageServer, body: bytes) -> None:
    """Hand one message to pygls; a message that cannot be read is answered, not dropped."""
    protocol = server.protocol
    try:
        message = json.loads(body, object_hook=protocol.structure_message)
        protocol.handle_message(message)
    except (BrokenPipeError, ConnectionError):
        raise
    except Exception as error:
        logger.exception("cannot handle a message")
        _refuse(server, body, error)


def _refuse(server: LanguageServer, body: bytes, error: Exception) -> None:
    """Answer an unreadable request, so that the client does not wait for ever."""
    try:
        message: Any = json.loads(body)
    except ValueError:
        message = None
    if not isinstance(message, dict) or "method" not in message or "id" not in message:
        return
    problem = error if isinstance(error, JsonRpcException) else JsonRpcInternalError(str(error))
    answer = {"code": problem.code, "message": problem.message}
    data = json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": answer}).encode()
    if (writer := server.protocol.writer) is not None:
        writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
