"""How fast the language server is, measured on the real process over its real pipe.

    python tests/bench/lsp_bench.py [--rounds N] [--edits N] [--json FILE]

start       the process is started until the answer to ``initialize``, with warm byte code
first       ``didOpen`` until the first diagnostics, in a new process
edit        ``didChange`` until the diagnostics of that version (pushed), one at a time
pull        ``didChange`` and ``textDocument/diagnostic`` until its answer
burst       a hundred changes at once, per change, until the diagnostics of the last
hover       a hover on a mount

Milliseconds of wall time: median, 95th percentile, maximum. The edits type into a mount's target,
so nothing is answered from memory.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
now = time.perf_counter

_STAGE = """
FROM python:3.13-slim AS stage{n}
ARG TARGETARCH
ENV UV_LINK_MODE=copy \\
    PATH=/opt/venv/bin:$PATH
WORKDIR /srv/{n}
# the system packages
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\
    --mount=type=cache,target=/var/lib/apt,sharing=locked \\
    apt-get update && \\
    apt-get install -y --no-install-recommends build-essential git curl
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \\
    uv sync --frozen --no-install-project
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install -r requirements.txt
COPY . .
RUN useradd -u 1000 -m app{n}
USER app{n}
RUN --mount=type=cache,id=uv-{n},target=/home/app{n}/.cache/uv,uid=1000,gid=1000 \\
    uv sync --frozen
CMD ["python", "-m", "app"]
"""
TEXT = "# syntax=docker/dockerfile:1" + "".join(_STAGE.format(n=n) for n in range(4))
"""A Dockerfile of a hundred lines that gives the engine something to say."""


class Server:
    """A server process and the messages on its pipe."""

    def __init__(self, folder: Path, *, pull: bool = False) -> None:
        path = os.pathsep.join(filter(None, (str(ROOT / "server"), os.environ.get("PYTHONPATH"))))
        begin = now()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cachekey", "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self.number = 0
        document: dict[str, Any] = {"publishDiagnostics": {"relatedInformation": True}}
        if pull:
            document["diagnostic"] = {}
        self.request(
            "initialize",
            processId=None,
            rootUri=None,
            workspaceFolders=[{"uri": folder.as_uri(), "name": "bench"}],
            capabilities={"textDocument": document},
        )
        self.start = now() - begin
        self.notify("initialized")

    def send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def notify(self, method: str, **params: Any) -> None:
        self.send(method=method, params=params)

    def request(self, method: str, **params: Any) -> Any:
        self.number += 1
        number = self.number
        self.send(id=number, method=method, params=params)
        return self.wait(lambda message: message.get("id") == number)["result"]

    def wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        assert self.process.stdout is not None
        while True:
            length = 0
            while line := self.process.stdout.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                raise RuntimeError("the server has ended")
            message = json.loads(self.process.stdout.read(length))
            if wanted(message):
                return dict(message)

    def open(self, uri: str, text: str) -> None:
        item = {"uri": uri, "languageId": "dockerfile", "version": 1, "text": text}
        self.notify("textDocument/didOpen", textDocument=item)

    def change(self, uri: str, version: int, text: str) -> None:
        self.notify(
            "textDocument/didChange",
            textDocument={"uri": uri, "version": version},
            contentChanges=[{"text": text}],
        )

    def published(self, version: int) -> int:
        message = self.wait(
            lambda m: (
                m.get("method") == "textDocument/publishDiagnostics"
                and m["params"].get("version") == version
            )
        )
        return len(message["params"]["diagnostics"])

    def close(self) -> None:
        self.request("shutdown")
        self.notify("exit")
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def edited(version: int) -> str:
    """Return the text after one more keystroke in a mount's target."""
    return TEXT.replace("/root/.cache/pip", "/root/.cache/pip" + "x" * (version % 7))


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="processes to start (default 5)")
    parser.add_argument("--edits", type=int, default=200, help="edits in all (default 200)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    figures: dict[str, list[float]] = {
        name: [] for name in ("start", "first", "edit", "pull", "burst", "hover")
    }
    count = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Server(folder).close()  # warms the byte code
        for _ in range(options.rounds):
            count = measure(folder, figures, max(2, options.edits // options.rounds))
    lines = TEXT.count("\n")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"{lines} lines, {len(TEXT)} bytes, {count} diagnostics; ms; load {load:.1f}")
    print("| what | n | median | p95 | max |\n|---|---|---|---|---|")
    for what, values in figures.items():
        values.sort()
        p95 = values[min(len(values) - 1, round(len(values) * 0.95))]
        row = (statistics.median(values), p95, values[-1])
        print(f"| {what} | {len(values)} | " + " | ".join(f"{v * 1e3:.2f}" for v in row) + " |")
    if options.json:
        options.json.write_text(json.dumps(figures))


def measure(folder: Path, figures: dict[str, list[float]], edits: int) -> int:
    """Run one round in a process that is pushed to and one that pulls."""
    uri = (folder / "Dockerfile").as_uri()
    server = Server(folder)
    figures["start"].append(server.start)
    begin = now()
    server.open(uri, TEXT)
    count = server.published(1)
    figures["first"].append(now() - begin)
    for version in range(2, edits + 2):
        begin = now()
        server.change(uri, version, edited(version))
        server.published(version)
        figures["edit"].append(now() - begin)
    begin = now()
    for version in range(1000, 1100):
        server.change(uri, version, edited(version))
    server.published(1099)
    figures["burst"].append((now() - begin) / 100)
    line = next(n for n, text in enumerate(TEXT.splitlines()) if "id=uv-0" in text)
    for _ in range(edits):
        begin = now()
        server.request(
            "textDocument/hover",
            textDocument={"uri": uri},
            position={"line": line, "character": 40},
        )
        figures["hover"].append(now() - begin)
    server.close()
    server = Server(folder, pull=True)
    server.open(uri, TEXT)
    server.request("textDocument/diagnostic", textDocument={"uri": uri})
    for version in range(2, edits + 2):
        begin = now()
        server.change(uri, version, edited(version))
        server.request("textDocument/diagnostic", textDocument={"uri": uri})
        figures["pull"].append(now() - begin)
    server.close()
    return count


if __name__ == "__main__":
    main()
