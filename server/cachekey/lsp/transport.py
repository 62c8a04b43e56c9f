"""Bytes to messages: reads JSON-RPC from a pipe or a socket and hands it to the conversation.

All that has arrived is handled before anything else runs on the loop, so work that a handler
schedules with ``call_soon`` starts when the client has nothing more to say: a burst of changes
costs one analysis. (pygls' own reader waits for a thread three times a message.)
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, BinaryIO

from cachekey.lsp.conversation import PARSE_ERROR, Conversation
from cachekey.lsp.frames import Frames, Noise

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)

_CHUNK = 1 << 16
_BUFFER = 1 << 20


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

    def take(chunk: bytes) -> None:
        # Nobody is listening any more when the editor's process has gone.
        if not reader.at_eof():
            reader.feed_data(chunk)

    def pump() -> None:
        # os.read, not sys.stdin: a buffered reader's lock would stop the interpreter from ending.
        try:
            while chunk := os.read(descriptor, _CHUNK):
                loop.call_soon_threadsafe(take, chunk)
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
    conversation = Conversation(server, reader.feed_eof)
    frames = Frames()
    try:
        while data := await reader.read(_CHUNK):
            frames.feed(data)
            while (found := frames.next()) is not None:
                if isinstance(found, Noise):
                    logger.error("noise on the line: %s", found.why)
                    conversation.refuse(None, PARSE_ERROR, found.why)
                elif not conversation.take(found):
                    frames.look_inside(found)
    except SystemExit as stop:
        return int(stop.code or 0)
    except (BrokenPipeError, ConnectionError):
        logger.info("the client has gone")
    return 0
