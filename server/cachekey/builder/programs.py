"""Starts the builders' own clients, and says in one sentence what went wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from cachekey.builder.records import BuilderError

_Row = TypeVar("_Row")

PATIENCE = 120
"""Seconds for one answer: a builder measures every record's size for it."""
_STOPPING = 20
"""Seconds for a client to take its build back."""
_SHELL = "/bin/sh"
_TIED = """\
exec 3<&0 </dev/null
{
  read -r word && exit
  trap '' TERM
  kill -s TERM -- "-$$"
  sleep 5
  kill -s KILL -- "-$$"
} <&3 >/dev/null 2>&1 &
exec "$@" 3<&-
"""
"""Ends a client when whoever has started it is gone, which closes the pipe without a word."""


def has(program: str) -> bool:
    """Tell whether a program is on the path."""
    return shutil.which(program) is not None


def run(command: Sequence[str], whom: str) -> str:
    """Return what a client writes; raises :class:`BuilderError` about ``whom`` when it fails."""
    return _finished(command, whom)[0]


def told(command: Sequence[str], whom: str) -> str:
    """Return what a client writes on its standard error, where some put their progress."""
    return _finished(command, whom)[1]


def _finished(command: Sequence[str], whom: str) -> tuple[str, str]:
    with started(command, whom) as process:
        try:
            out, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise BuilderError(f"{whom} does not answer within {PATIENCE} s") from None
    if process.returncode:
        raise BuilderError(complaint(errors.decode("utf-8", "replace"), whom))
    return out.decode("utf-8", "surrogateescape"), errors.decode("utf-8", "surrogateescape")


def answer(command: Sequence[str], whom: str) -> Any:
    """Return the JSON that a client writes, None for nothing."""
    text = run(command, whom)
    return decoded(text, whom) if text.strip() else None


def decoded(text: str | bytes, whom: str) -> Any:
    """Read an answer's JSON; what is none is said of ``whom``."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BuilderError(f"{whom} answers with something that is not JSON") from None


def rows(items: Any, read: Callable[[Any], _Row], whom: str) -> tuple[_Row, ...]:
    """Read the rows of an answer; one of another form is said of ``whom``."""
    try:
        return tuple(read(row) for row in items or ())
    except (AttributeError, KeyError, TypeError, ValueError):
        raise BuilderError(f"{whom} answers in a form that Cachekey does not know") from None


@contextmanager
def started(
    command: Sequence[str], whom: str, pipe: bool = False, tied: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a client and see that it has ended when the block is left, however it is left.

    With ``pipe`` its standard input can be written to. With ``tied`` it ends as well when this process
    is killed, which leaves no block; not so on Windows.
    """
    tied = tied and os.path.exists(_SHELL)
    try:
        if not has(command[0]):
            raise FileNotFoundError
        process = subprocess.Popen(
            [_SHELL, "-c", _TIED, "sh", *command] if tied else list(command),
            stdin=subprocess.PIPE if pipe or tied else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Control-C is ours to hear: the client is then asked to stop, and waited for.
            start_new_session=os.name != "nt",
        )
    except FileNotFoundError:
        raise BuilderError(f"{command[0]} is not installed: it is what asks {whom}") from None
    except OSError as error:
        raise BuilderError(f"{command[0]} cannot be started: {error.strerror}") from None
    try:
        yield process
    finally:
        _end(process, tied)


def _end(process: subprocess.Popen[bytes], tied: bool) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            if tied and process.poll() is not None:
                process.stdin.write(b"ended\n")
            process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOPPING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


_GONE = ("connection reset", "unexpected eof", "broken pipe", "error reading from server")
_NO_PLUGIN = ("unknown command: docker buildx", "'buildx' is not a docker command")
_ABSENT = (
    "no such file",
    "connection refused",
    "cannot connect",
    "no such host",
    "deadline exceeded",
)


def complaint(errors: str, whom: str) -> str:
    """Make one sentence of what a client says on its standard error."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    said = next((x for x in reversed(lines) if x.lower().startswith("error")), None)
    said = said or (lines[-1] if lines else "it says nothing")
    lower = said.lower()
    if any(words in errors for words in _NO_PLUGIN):
        return f"docker buildx is not installed: it is what asks {whom}"
    if "permission denied" in lower:
        return f"{whom} may not be asked by this user: permission denied"
    if any(words in lower for words in _GONE) or "graceful_stop" in lower:
        return f"{whom} went away while it was asked"
    if any(words in lower for words in _ABSENT):
        return f"no builder answers at {whom}: is it running?"
    return f"{whom} refuses: {said.removeprefix('error: ').removeprefix('ERROR: ')}"
