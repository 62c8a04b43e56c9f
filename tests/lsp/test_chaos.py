"""A client that breaks every rule of the conversation: it is answered, or the server ends; never deaf."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cachekey.lsp.frames import Frames, Noise
from cachekey.lsp.parent import alive
from cachekey.nesting import deeper_than

from tests.lsp.test_transport import EXIT, INITIALIZE, INITIALIZED, OPEN, SHUTDOWN, frame
from tests.support.client import PATIENCE, command, environment

HOVER = {
    "jsonrpc": "2.0",
    "id": 5,
    "method": "textDocument/hover",
    "params": {
        "textDocument": {"uri": "untitled:Dockerfile"},
        "position": {"line": 0, "character": 0},
    },
}


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


# -- frames ---------------------------------------------------------------------------------------


def cut(data: bytes, *sizes: int) -> list[bytes | Noise]:
    """Feed data in pieces and return all that comes out."""
    frames, found = Frames(), []
    pieces = iter(sizes)
    while data:
        size = next(pieces, len(data))
        frames.feed(data[:size])
        data = data[size:]
        while (item := frames.next()) is not None:
            found.append(item)
    return found


GOOD = b'Content-Length: 4\r\n\r\n"ok"'
NOISE = {
    "no number": b"Content-Length: abc\r\n\r\n",
    "negative": b"Content-Length: -5\r\n\r\n",
    "too many digits": b"Content-Length: 99999999999999999999\r\n\r\n",
    "too long to be true": b"Content-Length: 999999999\r\n\r\n",
    "float": b"Content-Length: 4.0\r\n\r\n",
    "no value": b"Content-Length:\r\n\r\n",
    "no length": b"Content-Type: text\r\n\r\n",
    "garbage": b"garbage without a line end",
    "bytes": bytes(range(256)),
    "a body nobody announced": b'{"jsonrpc":"2.0","method":"x"}',
    "the rest of a body": b'": "x"}}',
    "much": b"x" * 300_000,
    "many lines": b"a: b\r\n" * 20_000,
    "nuls": b"\0" * 1000,
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_the_message_behind_noise_is_heard(noise: bytes, size: int) -> None:
    if size < 10:
        noise = noise[:5000]
    found = cut(GOOD + noise + GOOD, *[size] * (len(noise) + 100))
    bodies = [item for item in found if isinstance(item, bytes)]
    assert bodies == [b'"ok"', b'"ok"']
    # One word about it, and not one for each piece in which it came.
    assert len(found) == 3


def test_noise_is_not_kept() -> None:
    frames = Frames()
    for _ in range(100):
        frames.feed(b"y" * 100_000)
        while frames.next() is not None:
            pass
    assert len(frames._buffer) < 1 << 14


def test_a_length_that_says_too_much_costs_one_message() -> None:
    frames = Frames()
    frames.feed(b"Content-Length: 30\r\n\r\n{}" + GOOD + GOOD)
    body = frames.next()
    assert isinstance(body, bytes)
    frames.look_inside(body)
    assert [frames.next(), frames.next()] == [b'"ok"', b'"ok"']


def test_headers_may_be_written_in_many_ways() -> None:
    for header in (
        b"content-length:4\r\n\r\n",
        b"CONTENT-LENGTH : 4 \r\n\r\n",
        b"Content-Length: 4\n\n",
        b"Content-Type: x; charset=utf-8\r\nContent-Length: 4\r\n\r\n",
        b"Content-Length: 4\r\nContent-Type: x\r\n\r\n",
        b"\r\n\r\nContent-Length: 4\r\n\r\n",
    ):
        assert cut(header + b'"ok"', 3, 5) == [b'"ok"']


@pytest.mark.parametrize("seed", range(20))
def test_however_it_is_cut_the_same_comes_out(seed: int) -> None:
    dice = random.Random(seed)
    parts = [dice.choice([GOOD, GOOD, *NOISE.values()])[:5000] for _ in range(12)]
    data = b"".join(parts)
    sizes = [dice.randint(1, 400) for _ in range(len(data))]
    assert [item for item in cut(data, *sizes) if isinstance(item, bytes)] == [
        item for item in cut(data) if isinstance(item, bytes)
    ]


def test_depth() -> None:
    assert not deeper_than(1, 0)
    assert not deeper_than([[1]], 2)
    assert deeper_than([[1]], 1)
    assert deeper_than(json.loads(nested(300)), 299)


# -- the process ----------------------------------------------------------------------------------


class Server:
    """The real process at the other end of a pipe."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def next(self) -> Any:
        pipe = self.process.stdout
        assert pipe is not None
        length = 0
        while line := pipe.readline().strip():
            if line.lower().startswith(b"content-length"):
                length = int(line.split(b":")[1])
        return json.loads(pipe.read(length)) if length else None

    def answer(self, number: object) -> Any:
        """Read up to the answer of a request."""
        while (message := self.next()) is not None:
            if message.get("id") == number and "method" not in message:
                return message
        raise AssertionError("the server has ended")

    def ask(self, message: dict[str, Any], **changes: Any) -> Any:
        self.send(frame({**message, **changes}))
        return self.answer({**message, **changes}["id"])


@contextmanager
def running(*, begun: bool = True, log: Path | None = None) -> Iterator[Server]:
    with (
        open(log or os.devnull, "wb") as errors,
        subprocess.Popen(
            command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(),
        ) as process,
    ):
        server = Server(process)
        try:
            if begun:
                server.ask(INITIALIZE)
                server.send(frame(INITIALIZED))
            yield server
        finally:
            process.kill()


def says_goodbye(server: Server) -> None:
    assert server.ask(SHUTDOWN, id="bye")["result"] is None
    server.send(frame(EXIT))
    assert server.process.wait(PATIENCE) == 0


def test_everything_in_its_order() -> None:
    with running(begun=False) as server:
        server.send(frame(OPEN))
        assert server.ask(HOVER)["error"]["code"] == -32002
        assert server.ask(SHUTDOWN)["error"]["code"] == -32002
        bad = server.ask(INITIALIZE, params={"capabilities": 3})
        assert bad["error"]["code"] == -32602
        assert server.ask(HOVER)["error"]["code"] == -32002
        assert "capabilities" in server.ask(INITIALIZE)["result"]
        assert server.ask(INITIALIZE, id=2)["error"]["code"] == -32600
        server.send(frame(INITIALIZED))
        assert "result" in server.ask(HOVER)
        assert server.ask(SHUTDOWN)["result"] is None
        server.send(frame(OPEN))
        for request in (HOVER, SHUTDOWN, INITIALIZE, {**HOVER, "method": "no/such"}):
            assert server.ask(request)["error"]["code"] == -32600
        server.send(frame(EXIT))
        assert server.process.wait(PATIENCE) == 0


BODIES: dict[str, tuple[str | bytes, object, int]] = {
    "half": ('{"jsonrpc": "2.0", "id": 3', None, -32700),
    "not text": (b"\xff\xfe\xff", None, -32700),
    "a number": ("3", None, -32600),
    "a batch": ("[]", None, -32600),
    "nothing in it": ("{}", None, -32600),
    "an old version": ('{"jsonrpc": "1.0", "id": 7, "method": "shutdown"}', 7, -32600),
    "no version": ('{"id": 7, "method": "shutdown"}', 7, -32600),
    "a method that is no text": ('{"jsonrpc": "2.0", "id": 7, "method": 3}', 7, -32600),
    "an id that is none": ('{"jsonrpc": "2.0", "id": [1], "method": "x"}', None, -32602),
    "a huge number": (
        '{"jsonrpc": "2.0", "id": 7, "method": "x", "p": ' + "9" * 5000 + "}",
        None,
        -32700,
    ),
    "a message in a message": (
        '{"jsonrpc": "2.0", "id": 7, "method": "x", "params": {"jsonrpc": "2.0", "id": 8}}',
        7,
        -32601,
    ),
    **{
        f"{depth} deep": (
            f'{{"jsonrpc": "2.0", "id": "d", "method": "x", "params": {nested(depth)}}}',
            "d",
            -32600,
        )
        for depth in (100, 990, 1100, 200_000)
    },
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as made:
        yield made
        says_goodbye(made)


@pytest.mark.parametrize("name", BODIES)
def test_what_is_no_message_is_answered(name: str, server: Server) -> None:
    body, number, code = BODIES[name]
    server.send(frame(body.encode() if isinstance(body, str) else body))
    answer = server.answer(number)
    assert answer["error"]["code"] in {code, -32603} if name == "an id that is none" else {code}
    assert server.ask(HOVER)["result"] is None


@pytest.mark.parametrize("name", NOISE)
def test_noise_on_the_line_is_answered(name: str, server: Server) -> None:
    server.send(NOISE[name])
    assert server.ask(HOVER)["result"] is None


def test_a_length_that_is_too_short(server: Server) -> None:
    body = json.dumps({**HOVER, "id": 6}).encode()
    server.send(b"Content-Length: 20\r\n\r\n" + body)
    assert server.answer(None)["error"]["code"] == -32700
    assert server.ask(HOVER)["result"] is None


@pytest.mark.parametrize("depth", [100, 990, 5000])
def test_settings_nested_too_deeply(depth: int, server: Server) -> None:
    """One clear word, and the server lives."""
    settings = f'{{"cachekey": {{"images": {{"x": {nested(depth)}}}}}}}'
    method = "workspace/didChangeConfiguration"
    body = f'{{"jsonrpc": "2.0", "method": "{method}", "params": {{"settings": {settings}}}}}'
    server.send(frame(body.encode()))
    while (message := server.next()).get("method") != "window/showMessage":
        pass
    assert "nested too deeply" in message["params"]["message"]
    assert server.ask(HOVER)["result"] is None


def test_settings_that_were_asked_for_and_are_nested_too_deeply(tmp_path: Path) -> None:
    able = {"workspace": {"configuration": True}}
    with running(begun=False) as server:
        server.ask(INITIALIZE, params={**INITIALIZE["params"], "capabilities": able})
        server.send(frame(INITIALIZED))
        while (request := server.next()).get("method") != "workspace/configuration":
            pass
        number = json.dumps(request["id"])
        answer = f'{{"jsonrpc": "2.0", "id": {number}, "result": [{nested(990)}]}}'
        server.send(frame(answer.encode()))
        while server.next().get("method") != "window/showMessage":
            pass
        server.send(frame(OPEN))
        assert "result" in server.ask(HOVER)
        says_goodbye(server)


def test_a_settings_file_nested_too_deeply(tmp_path: Path) -> None:
    """Dotted names need no brackets to go deep."""
    name = ".".join("a" * 5000)
    (tmp_path / "cachekey.toml").write_text(f"[images.x]\n{name} = 1\n")
    (tmp_path / "Dockerfile").write_text("FROM x\nRUN --mount=type=cache,target=/x true\n")
    folder = {"uri": tmp_path.as_uri(), "name": "x"}
    with running(begun=False) as server:
        server.ask(INITIALIZE, params={**INITIALIZE["params"], "workspaceFolders": [folder]})
        server.send(frame(INITIALIZED))
        while (message := server.next()).get("method") != "textDocument/publishDiagnostics":
            pass
        assert "nested too deeply" in message["params"]["diagnostics"][0]["message"]
        says_goodbye(server)


MUTATIONS = 400


def mutated(dice: random.Random) -> bytes:
    """Return a message that was good once."""
    message = dice.choice([HOVER, OPEN, INITIALIZED, SHUTDOWN | {"method": "x"}])
    data = bytearray(frame(message))
    for _ in range(dice.randint(0, 4)):
        at = dice.randrange(len(data))
        what = dice.randrange(4)
        if what == 0:
            data[at] = dice.randrange(256)
        elif what == 1:
            del data[at : at + dice.randint(1, 20)]
        elif what == 2:
            data[at:at] = dice.choice([b"\r\n", b"{", b'"', b"\0", b"Content-Length: ", b"\xff"])
        else:
            data[at:at] = data[dice.randrange(len(data)) :][:40]
        if not data:
            break
    return bytes(data)


@pytest.mark.parametrize("seed", [1, 2])
def test_chaos(seed: int, tmp_path: Path) -> None:
    """Whatever comes, a question behind it is answered: at once, or once a lost length is filled up."""
    dice = random.Random(seed)
    log = tmp_path / "log"
    with running(log=log) as server:
        for number in range(MUTATIONS):
            server.send(mutated(dice))
            if number % 40 == 39:
                # A header may have announced up to a hundred kilobytes that never came.
                server.send(b" " * 100_000 + frame({**HOVER, "id": f"q{number}"}))
                assert "error" not in server.answer(f"q{number}")
        says_goodbye(server)
    assert b"Traceback" not in log.read_bytes()


# -- the client's process -------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="the pipe is handed down by POSIX means")
def test_a_server_whose_editor_was_killed_ends() -> None:
    """Somebody else still holds the pipe: only the process tells that the editor has gone."""
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(sleeper) as editor, running(begun=False) as server:
        server.ask(INITIALIZE, params={**INITIALIZE["params"], "processId": editor.pid})
        server.send(frame(INITIALIZED))
        time.sleep(0.2)
        assert server.process.poll() is None
        editor.kill()
        editor.wait()
        assert server.process.wait(PATIENCE) is not None


def test_a_process_that_cannot_be_seen_is_not_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    assert not alive(gone.pid)
    assert alive(os.getpid())
    assert not alive(10**30)
    with running(begun=False) as server:
        server.ask(INITIALIZE, params={**INITIALIZE["params"], "processId": gone.pid})
        server.send(frame(INITIALIZED))
        time.sleep(4)
        assert "result" in server.ask(HOVER)
        says_goodbye(server)
