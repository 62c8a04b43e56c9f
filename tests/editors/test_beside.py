"""Beside Docker's and Microsoft's servers nothing is said twice, and what they say better is theirs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cachekey.rules import ALL
from lsprotocol import types

from tests.editors.conftest import Drive
from tests.editors.servers import OtherServer, dockers, extension, microsofts
from tests.support.client import Client, capabilities, connect, make_client
from tests.support.markdown import read_cases

HEAD = "FROM python:3.13\n"
BARE = ["", "F", "FRO", "FROM", "FROM ", "RUN true\n"]
KEYWORDS = ["R", "RU", "RUN", "RUNN true", "USER", "ENV", "ENV A", "ARG", "WORKDIR", "COPY a"]
MOUNTS = ["--mount", "--mount=", "--mount=ty", "--mount=type=", "--mount=type=cahce,target=/x"]
MOUNTS += ["--muont=type=cache,target=/x", "--mount=type=cache,target=/x,sharing=lock"]
HALF_TYPED = [
    *BARE,
    *(f"{HEAD}{word}\n" for word in KEYWORDS),
    *(f"{HEAD}RUN {flag} pip install x\n" for flag in MOUNTS),
    f"{HEAD}RUN <<EOF\npip install x\n",
]
COMPLEMENTS = {("UndefinedVar", "CK105"), ("UndefinedVar", "CK302")}
"""What theirs calls a variable that is not defined, and ours what becomes of the key or the target."""


def texts() -> Iterator[str]:
    """Yield half-typed texts, and every Dockerfile of the rules' examples."""
    yield from HALF_TYPED
    for rule in ALL:
        for case in read_cases(rule.doc):
            for path, block in case.files.items():
                if path.endswith("Dockerfile"):
                    yield block.text


@asynccontextmanager
async def other(server: OtherServer, root: Path) -> AsyncIterator[Client]:
    """Run another server."""
    client = make_client()
    environment = {**os.environ, **server.environment}
    await client.start_io(server.command, *server.args, env=environment)
    try:
        made = capabilities("vscode")
        made.text_document.diagnostic = None
        folder = types.WorkspaceFolder(uri=root.as_uri(), name=root.name)
        await client.initialize_session(
            types.InitializeParams(
                capabilities=made,
                workspace_folders=[folder],
                initialization_options=server.options,
            )
        )
        client.root = root
        yield client
    finally:
        assert client._server is not None
        client._server.kill()
        await client.stop()


async def told(client: Client, name: str, text: str) -> tuple[types.Diagnostic, ...]:
    """Return what a server says of a new file."""
    (client.root / name).parent.mkdir(exist_ok=True)
    uri = (client.root / name).as_uri()
    if client.flavour:
        client.open(uri, text)
        found = await client.diagnose(uri, 1)
    else:
        waiting = asyncio.create_task(client.next_for(uri))
        await asyncio.sleep(0)
        client.open(uri, text)
        found = tuple((await waiting).diagnostics)
    client.close(uri)
    return found


def echoes(ours: types.Diagnostic, theirs: types.Diagnostic) -> bool:
    """Tell whether ours is what the extension leaves to them, as its unit tests have it."""
    words = theirs.message.partition("dockerfile parse error on line ")[2].partition(": ")[2]
    words = words or theirs.message
    return " " in words and (ours.message.startswith(words) or f": {words}" in ours.message)


def meet(ours: types.Diagnostic, theirs: types.Diagnostic) -> bool:
    mine, other = ours.range, theirs.range
    return other.start.line <= mine.end.line and mine.start.line <= other.end.line


@pytest.mark.parametrize("name", ["Microsoft", "Docker"])
async def test_nothing_is_said_twice(name: str, tmp_path: Path) -> None:
    server = microsofts() if name == "Microsoft" else dockers(tmp_path)
    root = tmp_path / "ws"
    root.mkdir()
    beside = capabilities("vscode")
    beside.experimental = {"cachekey": {"others": True}}
    heard, echoed, pairs = 0, 0, set()
    async with (
        other(server, root) as them,
        connect(root, "vscode", capabilities=beside) as us,
    ):
        for number, text in enumerate(dict.fromkeys(texts())):
            file = f"{number}/Dockerfile"
            theirs, ours = await told(them, file, text), await told(us, file, text)
            heard += len(theirs)
            for one in ours:
                for said in filter(lambda said: meet(one, said), theirs):
                    if echoes(one, said):
                        echoed += 1
                    elif said.code or one.severity == types.DiagnosticSeverity.Error:
                        pairs.add((str(said.code), str(one.code)))
    assert heard >= len(BARE) + len(KEYWORDS) - 1, "a test of nothing"
    if name == "Microsoft":
        assert not echoed
        assert not pairs
    else:
        # BuildKit's words for what it refuses: the extension leaves them to Docker's.
        assert echoed >= len(MOUNTS)
        assert {pair for pair in pairs if pair[1] != "CK503"} <= COMPLEMENTS


def test_one_window(drive: Drive, tmp_path: Path) -> None:
    vsix = extension([microsofts(), dockers(tmp_path)], tmp_path / "beside.vsix")
    output = drive("beside.mjs", other=str(vsix))
    assert "ours of the half-typed word: 0" in output
    assert "ours of the refused mount: 0" in output
    assert "our fix at their squiggle" in output
    assert "hovers stack" in output
