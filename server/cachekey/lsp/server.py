"""Starts the language server; imports as late as it can."""

from __future__ import annotations

import gc
import logging
import sys

from cachekey.markup.terminal import text_output


class _Harmless(logging.Formatter):
    """Editors show the log, and a terminal may: what files are called must not steer either."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record, with its traceback if there is one."""
        return text_output(super().format(record))


def serve(tcp: tuple[str, int] | None = None) -> int:
    """Serve one client over the standard streams, or over TCP; return the exit code."""
    log = logging.StreamHandler(sys.stderr)
    log.setFormatter(_Harmless("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[log])
    # Whatever matters of it comes to Server.report_server_error as well.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    # Imports make no garbage: collecting meanwhile is time lost.
    gc.disable()
    _import_asyncio()
    from cachekey.lsp import types_loader

    types_loader.load()
    from cachekey.lsp import features, transport

    gc.freeze()
    gc.enable()
    # A document's records come and go by thousands with each keystroke, nearly all without cycles. What
    # goes in circles must not pile up: memory that was taken once is seldom given back.
    gc.set_threshold(5_000, 10, 5)
    server = features.build()
    return transport.serve_stdio(server) if tcp is None else transport.serve_tcp(server, *tcp)


def _import_asyncio() -> None:
    """Import asyncio without TLS, which nobody speaks here: it can do that, and OpenSSL is 4 MB."""
    sys.modules["ssl"] = None  # type: ignore[assignment]
    import asyncio  # noqa: F401

    del sys.modules["ssl"]
