"""devcontainer.json in the editor: squiggles, fixes and completion beside its Dockerfile."""

from __future__ import annotations

from lsprotocol import types

from tests.support.client import Client, apply, edits_of, place
from tests.support.expected import findings, flat, shown

TEXT = """\
{
  // é 🐳: comments stay
  "image": "python:3.13", /* 🐳 */ "mounts": [
    "type=cache,id=uv-cache,target=/cache/uv", // the article's
  ],
}
"""
PATH = ".devcontainer/devcontainer.json"


async def test_what_the_engine_finds_is_what_the_editor_shows(client: Client) -> None:
    uri = client.open(client.uri(PATH), TEXT, "jsonc")
    received = await client.diagnose(uri, 1)
    assert flat(received) == shown(client, {PATH: TEXT}, PATH)
    assert "CK701" in [item.code for item in received]
    client.close(uri)


async def test_every_fix_removes_its_finding(client: Client) -> None:
    uri = client.open(client.uri(PATH), TEXT, "jsonc")
    received = await client.diagnose(uri, 1)
    (finding,) = [item for item in received if item.code == "CK701"]
    offered = await client.actions(uri, finding.range, "quickfix", diagnostics=[finding])
    fixes = [
        item
        for item in offered
        if item.edit and not item.title.startswith(("Ignore ", "Turn "))
        if [about.code for about in item.diagnostics] == ["CK701"]
    ]
    assert fixes
    for action in fixes:
        fixed = apply(TEXT, edits_of(action.edit)[uri], client.encoding)
        assert "// é 🐳: comments stay" in fixed
        assert "CK701" not in [item.code for item in findings({PATH: fixed}, PATH)]
    client.close(uri)


async def test_ignore_here(client: Client) -> None:
    uri = client.open(client.uri(PATH), TEXT, "jsonc")
    (finding,) = [item for item in await client.diagnose(uri, 1) if item.code == "CK701"]
    offered = await client.actions(uri, finding.range, "quickfix")
    action = next(item for item in offered if item.title.startswith("Ignore CK701"))
    ignored = apply(TEXT, edits_of(action.edit)[uri], client.encoding)
    client.change(uri, 2, ignored)
    assert "CK701" not in [item.code for item in await client.diagnose(uri, 2)]
    client.close(uri)


async def test_completion_of_a_mount(client: Client) -> None:
    marked = TEXT.replace("type=cache", "type=‸cache")
    offset = marked.index("‸")
    text = marked.replace("‸", "")
    uri = client.open(client.uri(PATH), text, "jsonc")
    found = await client.text_document_completion_async(
        types.CompletionParams(
            text_document=types.TextDocumentIdentifier(uri=uri),
            position=place(text, offset, client.encoding),
        )
    )
    results = [apply(text, [item.text_edit], client.encoding) for item in found.items]
    assert text.replace("type=cache", "type=volume") in results
    client.close(uri)
