"""Hostile text goes in everywhere, and nothing but text comes out, whatever the exit."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from cachekey.cli import main
from lsprotocol import converters

from tests.lsp.test_transport import EXIT, SHUTDOWN, frame, messages
from tests.markup import hostile
from tests.markup.hostile import WORDS
from tests.support.client import PATIENCE, PULLING, capabilities, command, environment

Check = Callable[[str], "str | None"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile")
    for name, word in WORDS.items():
        hostile.write(root, name, word)
    return root


# -- the command line -----------------------------------------------------------------------------


SAID: dict[tuple[str, ...], tuple[str, str]] = {}
"""What a command has said once of a folder, for whoever looks at it next."""


def said(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    asked = (os.getcwd(), *arguments)
    if asked not in SAID:
        main(list(arguments))
        SAID[asked] = capfd.readouterr()
    return SAID[asked]


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("check", "--format", "json"),
        ("check", "--format", "sarif"),
        ("check", "--format", "gitlab", "--hints"),
        ("check", "--format", "junit", "--hints"),
        ("check", "--format", "markdown", "--hints"),
        ("check", "--statistics", "--hints"),
        ("settings",),
        ("check", "--diff", "--unsafe-fixes"),
        ("keys",),
        ("keys", "--format", "json"),
        *(
            (command, word)
            for command in ("check", "keys", "rule", "explain")
            for word in WORDS.values()
        ),
        *(("check", "--select", word) for word in WORDS.values()),
        *(("check", "--config", word) for word in WORDS.values()),
    ],
    ids=lambda arguments: " ".join(arguments).encode("ascii", "backslashreplace").decode(),
)
def test_terminals_and_logs(
    arguments: tuple[str, ...],
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(place)
    out, err = said(capfd, *arguments)
    assert out or err
    for text in (out, err):
        assert (why := hostile.wrong_in_log(text)) is None, why


@pytest.mark.parametrize("name", WORDS)
def test_explain(
    name: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(place / (WORDS[name].replace("/", "_")))
    told = 0
    for file, count, step in (
        ("Dockerfile", 16, 1),
        (".devcontainer/devcontainer.json", 30, 3),
        (".devcontainer/composed/devcontainer.json", 30, 5),
        (".devcontainer/composed/compose.yaml", 40, 5),
    ):
        for line in range(1, count, step):
            out, err = said(capfd, "explain", f"{file}:{line}")
            told += bool(out)
            for text in (out, err):
                assert (why := hostile.wrong_in_log(text)) is None, why
    assert told > 3


def test_annotations(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each line is one command, of one of three names, and its fields are those that are meant."""
    monkeypatch.chdir(place)
    out, _ = said(capfd, "check", "--format", "github")
    for line in out.splitlines():
        assert not hostile.steers(line)
        assert "##[" not in line
        _, head, text = line.split("::", 2)
        kind, _, fields = head.partition(" ")
        assert kind in {"error", "warning", "notice"}
        names = [field.partition("=")[0] for field in fields.split(",")]
        assert set(names) <= {"file", "line", "endLine", "col", "endColumn", "title"}
        assert len(names) == len(set(names))
        assert hostile.wrong_in_message(text) is None
    assert len(out.splitlines()) > len(WORDS)


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_reports_hold_what_was_meant(
    form: str, place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Escapes of JSON keep paths and edits as they are; words for people are messages."""
    monkeypatch.chdir(place)
    out, _ = said(capfd, "check", "--format", form)
    document = json.loads(out)
    for key, text in strings(document):
        if key in {"message", "title"} or (key == "text" and "results" in str(form)):
            assert (why := hostile.wrong_in_message(text)) is None, (why, text)
    if form == "json":
        for finding in document["findings"]:
            assert Path(finding["path"]).is_file()
    else:
        results = document["runs"][0]["results"]
        uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results}
        assert not [uri for uri in uris if ":" in uri.partition("/")[0] or " " in uri]
        assert not [r for r in results if hostile.wrong_in_message(r["message"]["text"])]


def strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, key)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from strings(item, name)


# -- the language server --------------------------------------------------------------------------

MESSAGES = {"message", "title", "label", "detail", "description"}


def walk(answer: Any) -> Iterator[tuple[str, str, Check]]:
    """Yield each text of an answer that an editor shows, with what judges it."""
    if isinstance(answer, list):
        for item in answer:
            yield from walk(item)
    elif isinstance(answer, dict):
        if set(answer) == {"kind", "value"}:
            markdown = answer["kind"] == "markdown"
            judge = hostile.wrong_in_markdown if markdown else hostile.wrong_in_plain
            yield answer["kind"], answer["value"], judge
            return
        for key, item in answer.items():
            if key in MESSAGES and isinstance(item, str):
                yield key, item, hostile.wrong_in_message
            elif key == "documentation" and isinstance(item, str):
                yield key, item, hostile.wrong_in_plain
            else:
                yield from walk(item)


class Wire:
    """A conversation with a server process, written in one go."""

    def __init__(self, root: Path, flavour: str) -> None:
        self.number = 1
        self.frames: list[bytes] = []
        self.asked: dict[int, str] = {}
        self.pulls = flavour in PULLING
        folder = {"uri": root.as_uri(), "name": root.name}
        able = converters.get_converter().unstructure(capabilities(flavour))
        able.get("workspace", {}).pop("configuration", None)
        self.ask(
            "initialize", {"processId": None, "workspaceFolders": [folder], "capabilities": able}
        )
        self.tell("initialized", {})

    def ask(self, method: str, params: Any) -> None:
        self.asked[self.number] = method
        self.frames.append(
            frame({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        )
        self.number += 1

    def tell(self, method: str, params: Any) -> None:
        self.frames.append(frame({"jsonrpc": "2.0", "method": method, "params": params}))

    def open(self, path: Path, language: str) -> dict[str, str]:
        item = {"uri": path.as_uri(), "languageId": language, "version": 1}
        self.tell("textDocument/didOpen", {"textDocument": {**item, "text": path.read_text()}})
        return {"uri": path.as_uri()}

    def answers(self) -> tuple[list[Any], str]:
        """Send it all, wait until everything is answered, say goodbye."""
        with (
            tempfile.TemporaryFile() as log,
            subprocess.Popen(
                command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(),
            ) as server,
        ):
            assert server.stdin is not None
            assert server.stdout is not None
            threading.Thread(target=self._send, args=[server.stdin]).start()
            found: list[Any] = []
            waiting = set(self.asked)
            while waiting:
                message = receive(server.stdout)
                found.append(message)
                waiting -= {message.get("id")}
            server.stdin.write(frame({**SHUTDOWN, "id": self.number}) + frame(EXIT))
            server.stdin.flush()
            found += messages(server.stdout.read())
            assert server.wait(PATIENCE) == 0
            log.seek(0)
            return found, log.read().decode()

    def _send(self, pipe: IO[bytes]) -> None:
        pipe.write(b"".join(self.frames))
        pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read one message."""
    length = 0
    while line := pipe.readline().strip():
        if line.lower().startswith(b"content-length"):
            length = int(line.split(b":")[1])
    return json.loads(pipe.read(length))


def interesting(text: str) -> Iterator[dict[str, int]]:
    """Yield places of a text: behind each sign at which something begins, ends, or can be written."""
    for number, line in enumerate(text.split("\n")):
        for column, char in enumerate(line):
            if char in ":=,\"'`" or not column:
                yield {"line": number, "character": column + 1}


@pytest.mark.parametrize("flavour", ["vscode", "emacs"])
def test_the_language_server(flavour: str, place: Path) -> None:
    wire = Wire(place, flavour)
    words = list(WORDS.values())
    tools = {word: {"name": word, word: word} for word in words}
    told: dict[str, object] = dict.fromkeys(words, 1)
    told |= {"select": words, "severity": dict.fromkeys(words, "x"), "tools": tools}
    wire.tell("workspace/didChangeConfiguration", {"settings": {"cachekey": told}})
    for word in words:
        root = place / word.replace("/", "_")
        ask_everywhere(wire, root / "Dockerfile", "dockerfile")
        ask_everywhere(wire, root / ".devcontainer/devcontainer.json", "jsonc")
        ask_everywhere(wire, root / ".devcontainer/composed/devcontainer.json", "jsonc")
        ask_everywhere(wire, root / ".devcontainer/composed/compose.yaml", "dockercompose")
        wire.tell("cachekey/unknown", {word: word})
        for name, arguments in (("cachekey.explainRule", [word]), (word, [])):
            wire.ask("workspace/executeCommand", {"command": name, "arguments": arguments})
    answers, log = wire.answers()
    seen: Counter[str] = Counter()
    for answer in answers:
        method = answer.get("method") or wire.asked.get(answer["id"], "")
        for kind, text, judge in walk(answer):
            seen[f"{method} {kind}"] += 1
            assert (why := judge(text)) is None, (method, kind, why)
    assert hostile.wrong_in_log(log) is None
    for kind in EXPECTED[flavour]:
        assert seen[kind] >= len(WORDS), (kind, seen)


EXPECTED = {
    "vscode": (
        "window/showMessage message",
        "textDocument/diagnostic message",
        "textDocument/publishDiagnostics message",
        "textDocument/codeAction title",
        "textDocument/completion label",
        "textDocument/completion detail",
        "textDocument/completion markdown",
        "textDocument/hover markdown",
        "workspace/executeCommand message",
    ),
    "emacs": (
        "window/showMessage message",
        "textDocument/publishDiagnostics message",
        "textDocument/codeAction title",
        "textDocument/completion label",
        "textDocument/hover markdown",
    ),
}
"""What must have been seen, or the test is one of nothing."""


def ask_everywhere(wire: Wire, file: Path, language: str) -> None:
    """Open a document and ask everything that an editor may ask."""
    document = wire.open(file, language)
    lines = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    wire.ask("textDocument/documentLink", {"textDocument": document})
    if wire.pulls:
        wire.ask("textDocument/diagnostic", {"textDocument": document})
    params = {"textDocument": document, "range": lines, "context": {"diagnostics": []}}
    wire.ask("textDocument/codeAction", params)
    places = list(interesting(file.read_text()))
    for what, step in (("hover", 4), ("completion", 16)):
        for at in places[::step]:
            wire.ask(f"textDocument/{what}", {"textDocument": document, "position": at})
