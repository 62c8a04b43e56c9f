"""Bytes on the wire: order, bursts, noise and the end of the conversation."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any

from tests.support.client import PATIENCE, command, environment

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"processId": None, "rootUri": None, "capabilities": {}},
}
INITIALIZED = {"jsonrpc": "2.0", "method": "initialized", "params": {}}
SHUTDOWN = {"jsonrpc": "2.0", "id": 9, "method": "shutdown", "params": None}
EXIT = {"jsonrpc": "2.0", "method": "exit", "params": None}


def frame(message: dict[str, Any] | bytes) -> bytes:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def messages(data: bytes) -> list[Any]:
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        found.append(json.loads(data[:length]))
        data = data[length:]
    return found


def converse(*frames: bytes) -> tuple[list[Any], int]:
    """Send everything at once, close the pipe and return what was answered."""
    done = subprocess.run(
        command(),
        input=b"".join(frames),
        capture_output=True,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    return messages(done.stdout), done.returncode


def change(version: int, text: str) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0",
        "method": "textDocument/didChange",
        "params": {
            "textDocument": {"uri": "untitled:Dockerfile", "version": version},
            "contentChanges": [{"text": text}],
        },
    }


OPEN = {
    "jsonrpc": "2.0",
    "method": "textDocument/didOpen",
    "params": {
        "textDocument": {
            "uri": "untitled:Dockerfile",
            "languageId": "dockerfile",
            "version": 1,
            "text": "FROM a\n",
        }
    },
}


def test_a_whole_session_in_one_breath() -> None:
    answers, code = converse(*map(frame, (INITIALIZE, INITIALIZED, SHUTDOWN, EXIT)))
    assert [answer.get("id") for answer in answers] == [1, 9]
    assert answers[0]["result"]["serverInfo"]["name"] == "cachekey"
    assert answers[1]["result"] is None
    assert code == 0


def test_exit_without_shutdown_is_an_error() -> None:
    assert converse(frame(INITIALIZE), frame(EXIT))[1] == 1


def test_a_client_that_goes_away_ends_the_server() -> None:
    assert converse(frame(INITIALIZE))[1] == 0
    assert converse()[1] == 0


def test_of_a_burst_only_the_last_text_is_analysed() -> None:
    burst = [change(version, f"FROM a{version}\n") for version in range(2, 200)]
    # A first request lets the pipe fill up behind it while the server is busy starting.
    answers, _ = converse(*map(frame, (INITIALIZE, INITIALIZED, OPEN, *burst, SHUTDOWN)))
    published = [
        answer["params"]["version"]
        for answer in answers
        if answer.get("method") == "textDocument/publishDiagnostics"
    ]
    assert published == sorted(published)
    assert len(published) < 10


NOISE = (
    frame(b"{not json"),
    frame(b"[]"),
    frame(b"null"),
    frame(b"\xff\xfe"),
    frame({"jsonrpc": "2.0", "method": "unknown/notification", "params": {}}),
    frame({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"text": 3}}),
    frame({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": None}),
    frame({"jsonrpc": "2.0", "id": 77, "result": None}),
    frame({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 77}}),
    b"X-Other: 1\r\n\r\nContent-Type: text\r\n",
)


def test_noise_on_the_line_is_survived() -> None:
    answers, code = converse(frame(INITIALIZE), *NOISE, frame(SHUTDOWN), frame(EXIT))
    assert [answer["id"] for answer in answers if answer.get("id") is not None] == [1, 9]
    # What nobody can tell the sender of is an answer to nobody in particular.
    lost = [answer["error"]["code"] for answer in answers if "id" in answer and not answer["id"]]
    assert set(lost) == {-32700, -32600}
    assert code == 0


def test_a_request_that_cannot_be_read_is_answered() -> None:
    bad = {"jsonrpc": "2.0", "id": 5, "method": "textDocument/hover", "params": {"position": 1}}
    unknown = {"jsonrpc": "2.0", "id": 6, "method": "cachekey/unknown", "params": {}}
    answers, _ = converse(*map(frame, (INITIALIZE, bad, unknown, SHUTDOWN, EXIT)))
    errors = {answer["id"]: answer["error"]["code"] for answer in answers if "error" in answer}
    assert errors == {5: -32602, 6: -32601}


def test_nothing_but_the_protocol_is_written_to_stdout() -> None:
    loud = "import cachekey.lsp.backend as b\nb.Backend._begin = lambda s, p: print('noise')\n"
    program = loud + "from cachekey.lsp.server import serve\nraise SystemExit(serve())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=frame(INITIALIZE),
        capture_output=True,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    assert [answer["id"] for answer in messages(done.stdout)] == [1]
    assert "noise" in done.stderr.decode()


def test_a_broken_installation_is_not_silent() -> None:
    broken = "import sys\nsys.modules['cachekey.checking.engine'] = None\n"
    program = broken + "from cachekey.lsp.server import serve\nraise SystemExit(serve())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=b"".join(map(frame, (INITIALIZE, INITIALIZED))),
        capture_output=True,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    answer, message = messages(done.stdout)
    assert answer["id"] == 1
    assert message["method"] == "window/showMessage"
    assert message["params"]["message"].startswith("Cachekey cannot start: ModuleNotFoundError: ")


def test_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [*command(), "--tcp", f"127.0.0.1:{port}"], stderr=subprocess.PIPE, env=environment()
    ) as server:
        assert server.stderr is not None
        for line in server.stderr:
            if b"listening" in line:
                break
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(b"".join(map(frame, (INITIALIZE, INITIALIZED, SHUTDOWN, EXIT))))
            data = b""
            while chunk := client.recv(1 << 16):
                data += chunk
        assert [answer.get("id") for answer in messages(data)] == [1, 9]
        assert server.wait(PATIENCE) == 0
