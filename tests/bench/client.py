"""An editor, as far as a benchmark needs one: a server process and the messages on its pipe.

It declares what VS Code declares where that changes a server's work: it watches files, shows progress,
resolves code actions later. Diagnostics are pushed, which every server here can do.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.bench import processes

Message = dict[str, Any]
now = time.perf_counter

_INCREMENTAL = 2
_CHUNK = 1 << 16
CAPABILITIES: Message = {
    "textDocument": {
        "publishDiagnostics": {"versionSupport": True, "relatedInformation": True},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "completion": {"completionItem": {"documentationFormat": ["markdown"]}},
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "refactor"]}},
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        },
    },
    "workspace": {
        "workspaceFolders": True,
        "didChangeWatchedFiles": {"dynamicRegistration": True},
        "workspaceEdit": {"documentChanges": True},
    },
    "window": {"workDoneProgress": True},
}


class ServerError(RuntimeError):
    """A server that has ended, refuses, or does not answer in time."""


class Server:
    """A language server that runs, and the one document that is open in it."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        """Start it, and measure the time until it has answered ``initialize``."""
        self.began = now()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout.fileno()
        self._buffer = bytearray()
        self._waiting: deque[Message] = deque()
        self._number = 0
        self.progress: list[str] = []
        """What it said of its progress: ``begin``, ``report``, ``end``."""
        self.diagnostics: list[Message] = []
        self.uri, self.text, self.version = "", "", 0
        answer = self.request(
            "initialize",
            processId=os.getpid(),
            rootUri=folder.as_uri(),
            workspaceFolders=[{"uri": folder.as_uri(), "name": "bench"}],
            capabilities=CAPABILITIES,
        )
        self.start = now() - self.began
        sync = answer["capabilities"].get("textDocumentSync")
        self._sync = sync.get("change") if isinstance(sync, dict) else sync
        self.notify("initialized")

    # -- messages -------------------------------------------------------------------------------

    def notify(self, method: str, **params: Any) -> None:
        self._send(method=method, params=params)

    def request(self, method: str, seconds: float = 60, **params: Any) -> Any:
        """Ask, and return the result."""
        self._number += 1
        number = self._number
        self._send(id=number, method=method, params=params)
        answer = self._wait(lambda m: m.get("id") == number and "method" not in m, seconds)
        if "error" in answer:
            raise ServerError(f"{method}: {answer['error']}")
        return answer["result"]

    def _send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._input.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._input.flush()

    def _wait(self, wanted: Callable[[Message], bool], seconds: float) -> Message:
        end = now() + seconds
        while True:
            while self._waiting:
                message = self._waiting.popleft()
                self._note(message)
                if wanted(message):
                    return message
            self._read(end)

    def _note(self, message: Message) -> None:
        method = message.get("method")
        if method and "id" in message:
            # Whatever a server asks of its client, it gets an answer.
            items = (message.get("params") or {}).get("items")
            self._send(id=message["id"], result=[None] * len(items) if items else None)
        elif method == "$/progress":
            self.progress.append(message["params"]["value"].get("kind", ""))

    def _drain(self) -> None:
        """Take in what was said before, so that it is not taken for an answer."""
        while select.select([self._output], [], [], 0)[0]:
            self._read(now() + 1)
        while self._waiting:
            self._note(self._waiting.popleft())

    def _read(self, end: float) -> None:
        left = end - now()
        if left <= 0 or not select.select([self._output], [], [], left)[0]:
            raise ServerError("no answer in time")
        chunk = os.read(self._output, _CHUNK)
        if not chunk:
            raise ServerError("the server has ended")
        self._buffer += chunk
        while (head := self._buffer.find(b"\r\n\r\n")) >= 0:
            fields = bytes(self._buffer[:head]).lower().split(b"\r\n")
            length = next(int(x.split(b":")[1]) for x in fields if x.startswith(b"content-length:"))
            stop = head + 4 + length
            if len(self._buffer) < stop:
                return
            self._waiting.append(json.loads(self._buffer[head + 4 : stop]))
            del self._buffer[:stop]

    # -- the document ---------------------------------------------------------------------------

    def open(self, path: Path, text: str, seconds: float = 60) -> float:
        """Open a document; return the seconds until its diagnostics."""
        self.uri, self.text, self.version = path.as_uri(), text, 1
        self._drain()
        begin = now()
        item = {"uri": self.uri, "languageId": "dockerfile", "version": 1, "text": text}
        self.notify("textDocument/didOpen", textDocument=item)
        self._published(seconds)
        return now() - begin

    def replace(self, line: int, start: int, end: int, new: str, seconds: float = 60) -> float:
        """Replace characters of a line; return the seconds until the diagnostics of that version."""
        self._change(line, start, end, new)
        self._drain()
        begin = now()
        self._send_change(line, start, end, new)
        self._published(seconds)
        return now() - begin

    def burst(self, changes: Sequence[tuple[int, int, int, str]], seconds: float = 60) -> float:
        """Make changes without waiting; return the seconds until the last version's diagnostics."""
        self._drain()
        begin = now()
        for change in changes:
            self._change(*change)
            self._send_change(*change)
        self._published(seconds)
        return now() - begin

    def _change(self, line: int, start: int, end: int, new: str) -> None:
        lines = self.text.split("\n")
        lines[line] = lines[line][:start] + new + lines[line][end:]
        self.text = "\n".join(lines)
        self.version += 1

    def _send_change(self, line: int, start: int, end: int, new: str) -> None:
        change: Message = {"text": self.text}
        if self._sync == _INCREMENTAL:
            span = {
                "start": {"line": line, "character": start},
                "end": {"line": line, "character": end},
            }
            change = {"range": span, "text": new}
        document = {"uri": self.uri, "version": self.version}
        self.notify("textDocument/didChange", textDocument=document, contentChanges=[change])

    def _published(self, seconds: float) -> None:
        """Wait for this version's diagnostics; of a server that names no version, the next ones."""

        def wanted(message: Message) -> bool:
            return (
                message.get("method") == "textDocument/publishDiagnostics"
                and message["params"]["uri"] == self.uri
                and message["params"].get("version") in {None, self.version}
            )

        self.diagnostics = self._wait(wanted, seconds)["params"]["diagnostics"]

    # -- the process ----------------------------------------------------------------------------

    def cpu(self) -> float | None:
        """Return the seconds of processor time so far."""
        return processes.cpu_seconds(self._process.pid)

    def peak(self) -> float | None:
        """Return the most memory so far, in megabytes."""
        return processes.peak_megabytes(self._process.pid)

    def close(self) -> None:
        """End the process, politely first."""
        try:
            self.request("shutdown", 5)
            self.notify("exit")
            self._process.wait(5)
        except (ServerError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
        self._input.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
