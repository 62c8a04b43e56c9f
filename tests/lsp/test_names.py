"""Names over the workspace: renaming, lenses, hints, outlines, and the ways to variables in keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.support.client import Client, apply, connect, edits_of, span_of
from tests.support.expected import findings

ONE = """\
FROM python:3.13 AS build
ENV UV_LINK_MODE=copy
ARG TARGETARCH
RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv uv sync
RUN --mount=type=cache,id=x-$TARGETARCH,target=/x true
RUN --mount=type=cache,target=uv-cache true
"""
TWO = """\
FROM python:3.13
USER 1000
RUN --mount=type=cache,id=uv-cache,target=/c uv sync --cache-dir /c
RUN --mount=type=cache,id=taken,target=/d true
"""


def at(client: Client, uri: str, text: str, part: str, nth: int = 0) -> dict:
    found = span_of(text, part, client.encoding, nth)
    place = types.Position(line=found.start.line, character=found.start.character + 1)
    return {"text_document": types.TextDocumentIdentifier(uri=uri), "position": place}


def two(client: Client) -> tuple[str, str]:
    client.write("two/Dockerfile", TWO)
    client.write("one/Dockerfile", ONE)
    return client.open(client.uri("one/Dockerfile"), ONE), client.open(
        client.uri("two/Dockerfile"), TWO
    )


async def test_a_new_id_in_every_file(client: Client) -> None:
    one, two_ = two(client)
    place = at(client, one, ONE, "uv-cache")
    ready = await client.text_document_prepare_rename_async(types.PrepareRenameParams(**place))
    assert ready.placeholder == "uv-cache"
    assert ready.range == span_of(ONE, "uv-cache", client.encoding)
    edit = await client.text_document_rename_async(types.RenameParams(**place, new_name="fresh"))
    changed = edits_of(edit)
    assert set(changed) == {one, two_}
    # The mount that names the same cache by its target goes with it.
    wanted = ONE.replace("id=uv-cache", "id=fresh").replace(
        "cache,target=uv-cache", "cache,id=fresh,target=uv-cache"
    )
    assert apply(ONE, changed[one], client.encoding) == wanted
    assert apply(TWO, changed[two_], client.encoding) == TWO.replace("uv-cache", "fresh")
    assert not edit.change_annotations
    for uri in (one, two_):
        client.close(uri)


async def test_nothing_to_rename(client: Client) -> None:
    one, two_ = two(client)
    for part in ("FROM", "target=/x", "uv sync"):
        params = types.PrepareRenameParams(**at(client, one, ONE, part))
        assert await client.text_document_prepare_rename_async(params) is None
    # What the target names has no name to change yet: it is said how it gets one.
    params = types.PrepareRenameParams(**at(client, one, ONE, "=uv-cache", 1))
    with pytest.raises(JsonRpcException, match=r"has no id.*Name this cache") as unnamed:
        await client.text_document_prepare_rename_async(params)
    assert unnamed.value.code == -32803
    with pytest.raises(JsonRpcException) as refused:
        await client.text_document_rename_async(
            types.RenameParams(**at(client, one, ONE, "uv-cache"), new_name="a,b")
        )
    assert refused.value.code == -32803
    for uri in (one, two_):
        client.close(uri)


async def test_a_name_that_is_taken_asks(client: Client) -> None:
    one, two_ = two(client)
    params = types.RenameParams(**at(client, one, ONE, "uv-cache"), new_name="taken")
    abilities = client.capabilities.workspace.workspace_edit
    if abilities.change_annotation_support is not None:
        edit = await client.text_document_rename_async(params)
        (note,) = edit.change_annotations.values()
        assert note.needs_confirmation
        assert "has the name taken already" in note.label
    else:
        client.answer = None
        with pytest.raises(JsonRpcException):
            await client.text_document_rename_async(params)
    for uri in (one, two_):
        client.close(uri)


async def test_a_volume_of_a_dev_container(client: Client) -> None:
    mounts = '["type=volume,source=uv,target=/c", "source=uv,target=/d,type=volume"]'
    text = f'{{"image": "x", "mounts": {mounts}}}\n'
    uri = client.open(client.uri(".devcontainer/devcontainer.json"), text, "jsonc")
    place = at(client, uri, text, "uv,")
    edit = await client.text_document_rename_async(types.RenameParams(**place, new_name="uv-two"))
    assert apply(text, edits_of(edit)[uri], client.encoding) == text.replace("=uv,", "=uv-two,")
    client.close(uri)


async def test_a_volume_in_compose_and_devcontainer_together(client: Client) -> None:
    compose = "services:\n  app:\n    volumes: [uv:/c]\nvolumes:\n  uv-cache:\n  pip-cache:\n"
    compose = compose.replace("[uv:", "[uv-cache:")
    container = """{
      "dockerComposeFile": "compose.yml", "service": "app",
      "mounts": ["type=volume,source=uv-cache,target=/d"]
    }"""
    client.write(".devcontainer/both/compose.yml", compose)
    one = client.open(client.uri(".devcontainer/both/devcontainer.json"), container, "jsonc")
    two = client.open(client.uri(".devcontainer/both/compose.yml"), compose, "yaml")
    for uri, text in ((one, container), (two, compose)):
        place = at(client, uri, text, "uv-cache")
        ready = await client.text_document_prepare_rename_async(types.PrepareRenameParams(**place))
        assert ready.placeholder == "uv-cache"
        edit = await client.text_document_rename_async(types.RenameParams(**place, new_name="uv-2"))
        changed = edits_of(edit)
        assert set(changed) == {one, two}
        for where, before in ((one, container), (two, compose)):
            after = apply(before, changed[where], client.encoding)
            assert after == before.replace("uv-cache", "uv-2")
    taken = types.RenameParams(**at(client, two, compose, "uv-cache"), new_name="pip-cache")
    if client.capabilities.workspace.workspace_edit.change_annotation_support is None:
        client.answer = None
        with pytest.raises(JsonRpcException, match="has the name pip-cache already"):
            await client.text_document_rename_async(taken)
    if client.flavour != "emacs":
        # Emacs can be asked nothing: what was refused it must do by hand.
        client.answer = "Make them one"
        edit = await client.text_document_rename_async(taken)
        after = apply(compose, edits_of(edit)[two], client.encoding)
        assert after == compose.replace("  uv-cache:\n", "").replace("uv-cache", "pip-cache")
        client.answer = None
    client.close(one)
    client.close(two)


async def test_from_a_variable_to_where_it_is_set_and_back(client: Client) -> None:
    one, two_ = two(client)
    found = await client.text_document_definition_async(
        types.DefinitionParams(**at(client, one, ONE, "TARGETARCH,"))
    )
    wanted = span_of(ONE, "TARGETARCH", client.encoding)
    assert [(item.uri, item.range) for item in found] == [(one, wanted)]
    back = await client.text_document_references_async(
        types.ReferenceParams(
            **at(client, one, ONE, "TARGETARCH"),
            context=types.ReferenceContext(include_declaration=False),
        )
    )
    assert [item.range for item in back] == [span_of(ONE, "x-$TARGETARCH", client.encoding)]
    # Where it stands in a key it has the same references.
    there = types.ReferenceParams(
        **at(client, one, ONE, "TARGETARCH,"),
        context=types.ReferenceContext(include_declaration=False),
    )
    assert list(await client.text_document_references_async(there)) == list(back)
    for uri in (one, two_):
        client.close(uri)


async def test_outlines(client: Client) -> None:
    one, two_ = two(client)
    (stage,) = await client.text_document_document_symbol_async(
        types.DocumentSymbolParams(text_document=types.TextDocumentIdentifier(uri=one))
    )
    assert stage.name == "build"
    assert [item.name for item in stage.children] == ["uv-cache", "x-${TARGETARCH}", "uv-cache"]
    found = await client.workspace_symbol_async(types.WorkspaceSymbolParams(query="UV"))
    assert [(item.name, item.container_name) for item in found] == [
        ("uv-cache", "one/Dockerfile, 3 mounts")
    ]
    for uri in (one, two_):
        client.close(uri)


def _document(uri: str) -> types.TextDocumentIdentifier:
    return types.TextDocumentIdentifier(uri=uri)


async def test_a_lens_says_who_shares_a_cache(client: Client) -> None:
    one, two_ = two(client)
    lenses = await client.text_document_code_lens_async(
        types.CodeLensParams(text_document=_document(two_))
    )
    titles = {item.range.start.line: item.command.title for item in lenses}
    assert titles[2] == "uv-cache · 3 mounts in 2 files · not writable"
    for uri in (one, two_):
        client.close(uri)


PLAIN = {
    "pip": "FROM python:3.13\nRUN pip install --no-cache-dir -r requirements.txt\n",
    "apt": "FROM debian:13\nRUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*\n",
    "npm": "FROM node:22\nUSER node\nWORKDIR /home/node/app\nRUN npm ci\n",
    "uv": "FROM python:3.13\nRUN uv sync\n",
}


@pytest.mark.parametrize("name", ["pip", "npm", "uv"])
async def test_one_click_adds_the_cache_that_is_missing(editor: Client, name: str) -> None:
    text, path = PLAIN[name], f"plain/{name}/Dockerfile"
    uri = editor.open(editor.uri(path), text)
    (lens,) = await editor.text_document_code_lens_async(
        types.CodeLensParams(text_document=_document(uri))
    )
    assert lens.command.title == f"{name} downloads everything anew · add a cache mount"
    seen = len(editor.applied)
    await editor.workspace_execute_command_async(
        types.ExecuteCommandParams(
            command=lens.command.command, arguments=list(lens.command.arguments)
        )
    )
    (applied,) = editor.applied[seen:]
    after = apply(text, edits_of(applied.edit)[uri], editor.encoding)
    assert "--mount=type=cache" in after
    assert "--no-cache-dir" not in after
    assert findings({path: after}, path) == []
    editor.close(uri)


async def test_lenses_and_hints_have_their_settings(tmp_path: Path) -> None:
    settings = {"codeLens": {"caches": False, "missing": False}, "inlayHints": {"id": True}}
    async with connect(tmp_path, "vscode", configuration=settings) as client:
        text = PLAIN["uv"] + "RUN --mount=type=cache,target=/x/ true\n"
        uri = client.open(client.uri("Dockerfile"), text)
        await client.diagnose(uri, 1)
        params = types.CodeLensParams(text_document=_document(uri))
        assert not await client.text_document_code_lens_async(params)
        whole = types.Range(
            start=types.Position(line=0, character=0), end=types.Position(line=9, character=0)
        )
        (hint,) = await client.text_document_inlay_hint_async(
            types.InlayHintParams(text_document=_document(uri), range=whole)
        )
        assert hint.label == ",id=/x"
        assert hint.position == types.Position(line=2, character=len("RUN --mount=type=cache"))
