"""Ways between a Dockerfile and those who build it, in the editor."""

from __future__ import annotations

from lsprotocol import types

from tests.support.client import Client

DOCKERFILE = """\
FROM python:3.13
ARG VARIANT=full
RUN --mount=type=cache,id=pip-$VARIANT,target=/root/.cache/pip pip install x
"""
COMPOSE = """\
services:
  api:
    build:
      context: .
      dockerfile: shop.Dockerfile
      args: {VARIANT: slim}
"""
MAKEFILE = "image:\n\tdocker build -f shop.Dockerfile .\n"


def at(uri: str, line: int, character: int) -> types.DefinitionParams:
    document = types.TextDocumentIdentifier(uri=uri)
    return types.DefinitionParams(document, types.Position(line=line, character=character))


async def test_there_and_back(client: Client) -> None:
    dockerfile = client.open(client.uri("built/shop.Dockerfile"), DOCKERFILE, "dockerfile")
    compose = client.open(client.uri("built/compose.yaml"), COMPOSE, "yaml")
    makefile = client.open(client.uri("built/Makefile"), MAKEFILE, "makefile")
    await client.diagnose(dockerfile, 1)
    for uri, place in ((compose, (4, 20)), (makefile, (1, 20))):
        document = types.TextDocumentIdentifier(uri=uri)
        (link,) = await client.text_document_document_link_async(types.DocumentLinkParams(document))
        assert link.target == dockerfile
        assert link.range.start.line == place[0]
        (found,) = await client.text_document_definition_async(at(uri, *place))
        assert found.uri == dockerfile
    context = types.ReferenceContext(include_declaration=True)

    async def builders(line: int, character: int) -> set[str]:
        document = types.TextDocumentIdentifier(uri=dockerfile)
        place = types.Position(line=line, character=character)
        asked = types.ReferenceParams(context, document, place)
        return {item.uri for item in await client.text_document_references_async(asked) or ()}

    assert await builders(0, 2) == {compose, makefile}
    # An ARG counts in mounts of its own file, too.
    assert await builders(1, 5) == {compose, dockerfile}
    hover = await client.text_document_hover_async(
        types.HoverParams(
            types.TextDocumentIdentifier(uri=dockerfile), types.Position(line=1, character=5)
        )
    )
    assert hover is not None
    assert "passes `slim`" in str(hover.contents)
    assert "Not passed by" in str(hover.contents)
    for uri in (dockerfile, compose, makefile):
        client.close(uri)
