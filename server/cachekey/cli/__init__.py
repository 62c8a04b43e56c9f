"""The command line: ``cachekey check``, ``keys``, ``ci``, ``diff``, ``explain``, ``builder``, ``prove``...

Exit status: 0 clean, 1 findings, 2 wrong usage or a file that cannot be read or written. Whatever
goes wrong is one line on stderr. Everything is imported when a command needs it.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cachekey.cli.terminal import UsageError, complain, write
from cachekey.failure import internal_error
from cachekey.markup.terminal import text_output

if TYPE_CHECKING:
    from argparse import Namespace

DEBUG = "CACHEKEY_DEBUG"
"""Environment variable that shows tracebacks."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _open_streams()
    try:
        if list(arguments) in (["lsp"], ["lsp", "--stdio"]):
            # What editors start waits for no grammar of commands and options.
            return _serve(None)
        return _main(arguments)
    except UsageError as error:
        from cachekey.cli.usage import COMMANDS

        command = arguments[0] if arguments and arguments[0] in COMMANDS else ""
        complain(f"{error} (see cachekey {command + ' ' if command else ''}--help)")
    except BrokenPipeError:
        # Whoever reads has seen enough: no failure, as with ripgrep and ruff.
        _silence_stdout()
        return 0
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except OSError as error:
        _silence_stdout()
        complain(f"{error.filename or 'output'}: {error.strerror or error}")
    except (Exception, RecursionError) as error:
        if os.environ.get(DEBUG):
            raise
        complain(f"{internal_error(error)}; {DEBUG}=1 shows where")
    return 2


def _main(arguments: Sequence[str]) -> int:
    from cachekey.cli.usage import overview, parse

    if arguments and arguments[0] in {"-h", "--help", "help"}:
        write(sys.stdout, text_output(overview()))
        return 0
    if arguments and arguments[0] in {"-V", "--version"}:
        from cachekey import __version__

        write(sys.stdout, text_output(f"cachekey {__version__}\n"))
        return 0
    try:
        command, options = parse(arguments)
    except SystemExit:
        # argparse has printed a command's help.
        return 0
    if command == "lsp":
        return _lsp(options)
    # A run keeps what it reads to its end: looking through it for garbage is time lost.
    gc.disable()
    from cachekey.cli import commands

    gc.freeze()
    gc.enable()
    gc.set_threshold(100_000, 20, 100)
    return commands.RUN[command](options)


def _lsp(options: Namespace) -> int:
    tcp: tuple[str, int] | None = None
    if options.tcp is not None:
        host, colon, port = options.tcp.rpartition(":")
        if not (colon and port.isascii() and port.isdigit() and int(port) < 65536):
            raise UsageError(f"--tcp takes HOST:PORT, not '{options.tcp}'")
        tcp = (host.strip("[]") or "127.0.0.1", int(port))
    return _serve(tcp)


def _serve(tcp: tuple[str, int] | None) -> int:
    from cachekey.lsp.server import serve

    return serve(tcp)


def _open_streams() -> None:
    """Give output a place to go when the caller has closed it: Python leaves ``None`` there."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def _silence_stdout() -> None:
    """Keep Python from failing once more when it flushes stdout at its exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return
