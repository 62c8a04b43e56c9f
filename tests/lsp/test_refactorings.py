"""What is offered where nothing is wrong: naming a cache, and the two ways to share one at run time."""

from __future__ import annotations

from lsprotocol import types

from tests.support.client import Client, apply, edits_of

DOCKERFILE = """\
FROM python:3.13
ENV UV_LINK_MODE=copy
RUN --mount=type=cache,target=/root/.cache/uv uv sync
RUN --mount=type=cache,target=/root/.cache/uv uv sync --all-extras
"""
DEVCONTAINER = """\
{
  "image": "python:3.13",
  // tools
  "features": { "ghcr.io/devcontainers/features/node:1": {} },
  "postCreateCommand": "npm ci",
}
"""


def at(line: int, character: int) -> types.Range:
    place = types.Position(line=line, character=character)
    return types.Range(start=place, end=place)


async def refactorings(client: Client, uri: str, place: types.Range) -> list[types.CodeAction]:
    actions = await client.actions(uri, place, "refactor")
    return [item for item in actions if item.kind == types.CodeActionKind.RefactorRewrite]


async def test_name_a_cache(client: Client) -> None:
    uri = client.open(client.uri("refactor/Dockerfile"), DOCKERFILE)
    await client.diagnose(uri, 1)
    (action,) = await refactorings(client, uri, at(2, 20))
    assert action.title == "Name this cache: add id=uv-cache to lines 3 and 4"
    changed = apply(DOCKERFILE, edits_of(action.edit)[uri], client.encoding)
    assert changed == DOCKERFILE.replace("type=cache,", "type=cache,id=uv-cache,")
    assert await refactorings(client, uri, at(0, 2)) == []
    client.close(uri)


async def test_share_a_cache_at_run_time(client: Client) -> None:
    uri = client.open(client.uri("refactor/.devcontainer/devcontainer.json"), DEVCONTAINER)
    await client.diagnose(uri, 1)
    actions = await refactorings(client, uri, at(3, 5))
    titles = [action.title.partition(" (")[0] for action in actions]
    assert "Share the npm cache by a volume" in titles
    action = actions[titles.index("Share the npm cache by a volume")]
    changed = apply(DEVCONTAINER, edits_of(action.edit)[uri], client.encoding)
    assert "type=volume,source=npm-cache,target=/cache/npm" in changed
    assert '"containerEnv"' in changed
    assert "// tools" in changed
    assert await refactorings(client, uri, at(0, 0)) == []
    client.close(uri)
