"""Squiggles: the right ones, in the right columns, for the last text only."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest
from lsprotocol import types

from tests.fuzz import grammar
from tests.support.client import PULLING, Client, capabilities, connect
from tests.support.expected import findings, flat, shown

SPLIT = """\
# syntax=docker/dockerfile:1
FROM python:3.13 AS build
RUN --mount=type=cache,target=/root/.cache/uv uv sync
RUN --mount=type=cache,target=/home/app/.cache/uv uv sync
"""
INVALID = "FROM python:3.13\nRUN --mount=type=cache,targ___=/root/.cache/pip pip install x\n"
CLEAN = INVALID.replace("targ___", "target")
"""It differs in more than one key writes: what is typed key by key is shown later (test_calm.py)."""
ODD_LINES = (
    "FROM python:3.13\r\n"
    "# é \x0c form feed \x0b \u2028 \u2029 \x85 no line ends\r\n"
    "# to an editor a lone \r ends a line, to the builder it does not\n"
    "RUN echo '🐳é' \x0c \u2028 && true\n"
    "RUN \\\n"
    "# a comment\n"
    "\n"
    "  --mount=type=cache,id=🐳é,taget=/x --mount=type=cache,id=é🐳,sharng=locked uv sync\n"
)
TEXTS = {"split": SPLIT, "invalid": INVALID, "clean": CLEAN, "odd lines": ODD_LINES}


@pytest.mark.parametrize("name", TEXTS)
async def test_what_the_engine_finds_is_what_the_editor_shows(client: Client, name: str) -> None:
    path = f"{name.replace(' ', '_')}/Dockerfile"
    uri = client.open(client.uri(path), TEXTS[name])
    received = await client.diagnose(uri, 1)
    expected = shown(client, {path: TEXTS[name]}, path)
    assert flat(received) == expected
    assert bool(expected) == (name != "clean"), "a test of nothing"
    client.close(uri)


@pytest.mark.parametrize("seed", range(8))
async def test_texts_that_nobody_has_written(editor: Client, seed: int) -> None:
    text = grammar.dockerfile(Random(seed))
    path = f"seed{seed}/Dockerfile"
    uri = editor.open(editor.uri(path), text)
    received = await editor.diagnose(uri, 1)
    assert flat(received) == shown(editor, {path: text}, path)
    editor.close(uri)


async def test_what_every_server_says_is_said_once(tmp_path: Path) -> None:
    text = "FROM python:3.13\nRUM pip install x\nRUN <<EOF\n"
    for own, codes in (({}, ["CK002", "CK002"]), ({"others": True}, ["CK002"])):
        made = capabilities("vscode")
        made.experimental = {"cachekey": own}
        async with connect(tmp_path, "vscode", capabilities=made) as client:
            uri = client.open(client.uri("Dockerfile"), text)
            found = await client.diagnose(uri, 1)
            errors = [item.code for item in found if item.code == "CK002"]
            assert errors == codes


async def test_a_change_moves_and_removes_squiggles(client: Client) -> None:
    path = "change/Dockerfile"
    uri = client.open(client.uri(path), CLEAN)
    assert not await client.diagnose(uri, 1)
    moved = "# one more line\n" + INVALID
    for version, text in ((2, INVALID), (3, moved), (7, CLEAN)):
        client.change(uri, version, text)
        received = await client.diagnose(uri, version)
        assert flat(received) == shown(client, {path: text}, path, version)
    client.close(uri)


async def test_never_pushed_and_pulled(client: Client) -> None:
    uri = client.open(client.uri("both/Dockerfile"), INVALID)
    await client.diagnose(uri, 1)
    client.change(uri, 2, INVALID + "\n")
    await client.diagnose(uri, 2)
    pushed = [params.version for params in client.published if params.uri == uri]
    assert pushed == ([] if client.flavour in PULLING else [1, 2])
    client.close(uri)


async def test_closing_clears(pushed: Client) -> None:
    uri = pushed.open(pushed.uri("close/Dockerfile"), INVALID)
    assert await pushed.until(uri, 1)
    pushed.close(uri)
    assert not await pushed.until(uri, None)
    pushed.open(uri, INVALID, version=1)
    assert flat(await pushed.until(uri, 1)) == shown(
        pushed, {"close/Dockerfile": INVALID}, "close/Dockerfile"
    )
    pushed.close(uri)


async def test_of_a_burst_the_last_version_is_right(client: Client) -> None:
    path = "burst/Dockerfile"
    uri = client.open(client.uri(path), CLEAN)
    for version in range(2, 60):
        client.change(uri, version, "#\n" * version + (INVALID if version % 2 else CLEAN))
    client.change(uri, 60, INVALID)
    received = await client.diagnose(uri, 60)
    assert flat(received) == shown(client, {path: INVALID}, path, 60)
    versions = [params.version for params in client.published if params.uri == uri]
    assert versions == sorted(versions)
    client.close(uri)


async def test_pulling_twice_says_that_nothing_changed(pulling: Client) -> None:
    uri = pulling.open(pulling.uri("again/Dockerfile"), INVALID)
    first = await pulling.pull(uri)
    again = await pulling.pull(uri, first.result_id)
    assert again == types.RelatedUnchangedDocumentDiagnosticReport(result_id=first.result_id)
    pulling.change(uri, 2, CLEAN)
    cleaned = await pulling.pull(uri, first.result_id)
    assert cleaned.kind == "full"
    assert list(cleaned.items) == []
    pulling.change(uri, 3, INVALID)
    assert (await pulling.pull(uri, cleaned.result_id)).kind == "full"
    pulling.close(uri)


async def test_a_pull_can_be_cancelled(pulling: Client) -> None:
    uri = pulling.open(pulling.uri("cancel/Dockerfile"), INVALID)
    params = types.DocumentDiagnosticParams(text_document=types.TextDocumentIdentifier(uri=uri))
    answer = pulling.protocol.send_request_async(
        types.TEXT_DOCUMENT_DIAGNOSTIC, params, msg_id="doomed"
    )
    task = asyncio.ensure_future(answer)
    await asyncio.sleep(0)
    pulling.cancel_request(types.CancelParams(id="doomed"))
    outcome = (await asyncio.gather(task, return_exceptions=True))[0]
    # Either it was in time or the answer was already under way; the server goes on in both cases.
    assert getattr(outcome, "code", -32800) == -32800
    assert flat((await pulling.pull(uri)).items) == shown(
        pulling, {"cancel/Dockerfile": INVALID}, "cancel/Dockerfile"
    )
    pulling.close(uri)


@pytest.mark.parametrize(
    ("name", "language", "ours"),
    [
        ("Dockerfile.dev", "dockerfile", True),
        ("whatever", "dockerfile", True),
        ("Containerfile", "plaintext", True),
        ("api.dockerfile", "", True),
        ("Dockerfile.md", "markdown", False),
        ("compose.yaml", "dockercompose", False),
        (".dockerignore", "ignore", False),
        ("settings.json", "jsonc", False),
    ],
)
async def test_which_documents_are_ours(
    pulling: Client, name: str, language: str, ours: bool
) -> None:
    uri = pulling.open(pulling.uri(f"ours/{name}"), INVALID, language)
    report = await pulling.pull(uri)
    assert [item.code for item in report.items] == (["CK601"] if ours else [])
    pulling.close(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:Untitled-1",
        "untitled:Dockerfile",
        "vscode-remote://ssh/work/Dockerfile",
        "file:///somewhere%20else/a%23b%3Fc%25d/caf%C3%A9%20%F0%9F%90%B3/Dockerfile",
        "file:///c%3A/Users/me/Dockerfile",
        "file:///C:/Users/me/Dockerfile",
        "file://server/share/Dockerfile",
        "git:/work/Dockerfile?%7B%22ref%22%3A%22HEAD%22%7D",
    ],
)
async def test_documents_outside_every_folder(client: Client, uri: str) -> None:
    client.open(uri, SPLIT)
    received = await client.diagnose(uri, 1)
    expected = shown(client, {"Dockerfile": SPLIT}, "Dockerfile", uri=lambda path: uri)
    assert flat(received) == expected
    client.close(uri)


async def test_two_spellings_are_one_document(pulling: Client) -> None:
    pulling.open("file:///c%3A/two/Dockerfile", INVALID)
    report = await pulling.pull("file:///C:/two/Dockerfile")
    assert [item.code for item in report.items] == ["CK601"]
    pulling.close("file:///C:/two/Dockerfile")
    assert not (await pulling.pull("file:///c%3A/two/Dockerfile")).items


async def test_every_beginning_of_a_file_is_fine(tmp_path: Path) -> None:
    # A client that cannot be told to ask again hears the whole truth at every key.
    async with connect(tmp_path, "neovim") as client:
        await _every_beginning(client)


async def _every_beginning(editor: Client) -> None:
    path = "typing/Dockerfile"
    whole = SPLIT + ODD_LINES + 'RUN --mount=type=cache,target=/x <<EOF\necho $X\nEOF\nCMD ["a"]'
    uri = editor.open(editor.uri(path), "")
    for end in range(len(whole)):
        editor.change(uri, end + 2, whole[:end])
        report = await editor.pull(uri)
        assert [item.code for item in report.items] == [
            finding.code for finding in findings({path: whole[:end]}, path)
        ]
    editor.close(uri)


STRANGE = {
    "empty": "",
    "blank": " \t\r\n\x0c\n",
    "binary": bytes(range(256)).decode("latin-1") * 8,
    "nul": "FROM a\n\0\0RUN --mount=type=cache,target=\0 x\n",
    "surrogates": "FROM a\nRUN --mount=type=cache,taget=\ud800 x\n",
    "byte order mark": "\ufeffFROM a\nRUN --mount=type=cache,taget=/x x\n",
    "unclosed heredoc": "FROM a\nRUN --mount=type=cache,taget=/x <<EOF\necho\n",
    "unclosed json": 'FROM a\nRUN --mount=type=cache,taget=/x ["a", "b\n',
    "backslashes": "FROM a\nRUN " + "\\\n" * 500 + "--mount=type=cache,taget=/x x\n",
    "huge line": "FROM a\nRUN --mount=type=cache,taget=/x " + "echo " * 20_000 + "\n",
    "many mounts": "FROM a\nRUN " + "--mount=type=cache,target=/x " * 300 + "x\n",
    "deep": "FROM a\nRUN " + "(" * 3000 + "x" + ")" * 3000 + "\n",
}


@pytest.mark.parametrize("name", STRANGE)
async def test_strange_texts_are_survived(editor: Client, name: str) -> None:
    uri = editor.open(editor.uri("strange/Dockerfile"), STRANGE[name])
    await editor.pull(uri)
    where = types.Range(
        start=types.Position(line=0, character=0), end=types.Position(line=999, character=0)
    )
    await editor.actions(uri, where)
    editor.change(uri, 2, INVALID)
    assert [item.code for item in (await editor.pull(uri)).items] == ["CK601"]
    editor.close(uri)


@pytest.mark.parametrize("name", STRANGE)
async def test_strange_devcontainers_are_survived(editor: Client, name: str) -> None:
    uri = editor.open(editor.uri("strange/.devcontainer.json"), STRANGE[name], "jsonc")
    await editor.pull(uri)
    editor.change(uri, 2, '{"mounts": ["type=cache,target=/x"]')
    assert "CK701" in [item.code for item in (await editor.pull(uri)).items]
    editor.close(uri)


async def test_a_huge_file_keeps_nobody_waiting(editor: Client) -> None:
    text = "FROM a\n" + "RUN --mount=type=cache,taget=/x echo\n" * 140_000
    uri = editor.open(editor.uri("huge/Dockerfile"), text)
    (item,) = (await editor.pull(uri)).items
    assert item.code == "CK002"
    assert item.message == "the file is larger than 500 kB: it is not checked while you type"
    assert not await editor.actions(uri, item.range, "source.fixAll")
    editor.change(uri, 2, INVALID)
    assert [item.code for item in (await editor.pull(uri)).items] == ["CK601"]
    editor.close(uri)
