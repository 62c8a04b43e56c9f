"""What an editor tells of its changes comes to the text that it has."""

from __future__ import annotations

import random

import pytest
from cachekey.lsp.sync import changed_text
from cachekey.text import Encoding, Source
from lsprotocol import types

from tests.support.client import Client

PIECES = ["a", "RUN x", "\n", "\r\n", "\r", "", "ä", "\U0001f433", "\f", "\u2028", " "]


def _change(source: Source, start: int, end: int, text: str, encoding: Encoding):
    places = (types.Position(*source.position(offset, encoding)) for offset in (start, end))
    return types.TextDocumentContentChangePartial(range=types.Range(*places), text=text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("seed", range(150))
def test_any_changes_come_to_the_text_of_the_editor(seed: int, encoding: Encoding) -> None:
    dice = random.Random(seed)

    def some(most: int) -> str:
        return "".join(dice.choices(PIECES, k=dice.randrange(most)))

    before = text = some(30)
    changes: list[types.TextDocumentContentChangeEvent] = []
    for _ in range(dice.randrange(1, 6)):
        source, new = Source(text), some(5)
        start, end = sorted(dice.randrange(len(text) + 1) for _ in range(2))
        if "\r\n" in (text[start - 1 : start + 1], text[end - 1 : end + 1]):
            # No caret stands within a line end.
            continue
        changes.append(_change(source, start, end, new, encoding))
        text = text[:start] + new + text[end:]
    assert changed_text(before, changes, encoding) == text


def test_a_whole_text_and_places_outside() -> None:
    whole = types.TextDocumentContentChangeWholeDocument(text="x\ny")
    far = types.Range(types.Position(7, 3), types.Position(9, 9))
    wide = types.Range(types.Position(0, 9), types.Position(1, 0))
    back = types.Range(types.Position(1, 1), types.Position(0, 0))
    partial = types.TextDocumentContentChangePartial
    assert changed_text("abc", [whole, partial(range=far, text="!")], "utf-16") == "x\ny!"
    assert changed_text("x\ny", [partial(range=wide, text="")], "utf-16") == "xy"
    assert changed_text("x\ny", [partial(range=back, text="-")], "utf-16") == "x\ny-"
    assert changed_text("abc", [partial(range=far, text="!"), whole], "utf-16") == "x\ny"


async def test_keys_are_told_alone(client: Client) -> None:
    """An editor tells what it changed, and finds what it finds in the whole text."""
    text = "# \U0001f433\f\nFROM python:3.13\nRUN --mount=type=cache,target=/x \\\n  pip list\n"
    uri = client.open(client.uri("keys/Dockerfile"), text)
    await client.diagnose(uri, 1)
    at = text.index("target")
    change = _change(Source(text), at, at + len("target"), "destinatoin", "utf-16")
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            text_document=types.VersionedTextDocumentIdentifier(uri=uri, version=2),
            content_changes=[change],
        )
    )
    (found,) = [item for item in await client.diagnose(uri, 2) if item.code == "CK601"]
    assert (found.range.start.line, found.range.start.character) == (2, 23)
    client.close(uri)
