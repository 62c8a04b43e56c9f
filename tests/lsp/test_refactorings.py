"""What is offered where nothing is wrong: naming a cache, and the two ways to share one at run time."""

from __future__ import annotations

import json
from pathlib import Path

from lsprotocol import types

from tests.support.client import Client, apply, capabilities, connect, edits_of

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
    action = (await refactorings(client, uri, at(2, 20)))[0]
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


async def test_a_compose_configuration_shares_a_volume_with_other_projects(client: Client) -> None:
    text = """{
  "dockerComposeFile": "compose.yaml", "service": "app", "workspaceFolder": "/w",
  "postCreateCommand": "npm ci"
}
"""
    client.write("shared/.devcontainer/compose.yaml", "services:\n  app:\n    image: node:22\n")
    uri = client.open(client.uri("shared/.devcontainer/devcontainer.json"), text, "jsonc")
    await client.diagnose(uri, 1)
    action = await titled(client, uri, at(1, 5), "Share the npm cache by a volume")
    changed = apply(text, edits_of(action.edit)[uri], client.encoding)
    assert "source=npm-cache,target=/cache/npm,external=true" in changed
    assert "docker volume create npm-cache" in changed
    client.close(uri)


async def titled(client: Client, uri: str, place: types.Range, start: str) -> types.CodeAction:
    found = await refactorings(client, uri, place)
    return next(item for item in found if item.title.startswith(start))


async def test_start_fresh_in_every_file(client: Client) -> None:
    one = DOCKERFILE.replace("type=cache,", "type=cache,id=uv-7,")
    first = client.open(client.uri("fresh/one/Dockerfile"), one)
    second = client.open(client.uri("fresh/two/Dockerfile"), one)
    action = await titled(client, first, at(2, 20), "Start with an empty cache: id=uv-8")
    changed = edits_of(action.edit)
    assert set(changed) == {first, second}
    assert apply(one, changed[first], client.encoding) == one.replace("uv-7", "uv-8")
    client.close(first)
    client.close(second)


async def test_one_directory_in_every_file_shows_its_places_first(client: Client) -> None:
    first = client.open(client.uri("whole/one/Dockerfile"), DOCKERFILE)
    second = client.open(client.uri("whole/two/Dockerfile"), DOCKERFILE.replace("/root/", "/r/"))
    action = await titled(client, first, at(2, 20), "Keep the uv cache in /cache/uv in every file")
    assert "UV_CACHE_DIR becomes part of the images' environment" in action.title
    changed = edits_of(action.edit)
    after = apply(DOCKERFILE, changed[first], client.encoding)
    assert after.count("id=uv-cache,target=/cache/uv") == 2
    assert after.count("ENV UV_CACHE_DIR=/cache/uv\n") == 1
    abilities = client.capabilities.workspace.workspace_edit
    notes = action.edit.change_annotations or {}
    assert bool(notes) == (abilities.change_annotation_support is not None)
    client.close(first)
    client.close(second)


async def test_small_helps(client: Client) -> None:
    text = "FROM python:3.13\nRUN --mount=type=cache,target=/root/.cache/pip pip install x\n"
    uri = client.open(client.uri("small/Dockerfile"), text)
    syntax = await titled(client, uri, at(1, 20), "Add # syntax=")
    after = apply(text, edits_of(syntax.edit)[uri], client.encoding)
    assert after == "# syntax=docker/dockerfile:1\n" + text
    quiet = await titled(client, uri, at(1, 20), "Tell hadolint")
    lines = apply(text, edits_of(quiet.edit)[uri], client.encoding).splitlines()
    assert lines[2] == "# hadolint ignore=DL3042"
    client.close(uri)


async def test_what_can_be_copied(tmp_path: Path) -> None:
    made = capabilities("vscode")
    made.experimental = {"cachekey": {"silence": True}}
    async with connect(tmp_path, "vscode", capabilities=made) as client:
        uri = client.open(client.uri("Dockerfile"), DOCKERFILE)
        found = await refactorings(client, uri, at(2, 20))
        texts = [item.command.arguments[0] for item in found if item.command]
        assert texts[0].startswith("docker builder prune ")
        assert json.loads(texts[1]) == {"cache-mounts/root-.cache-uv": "/root/.cache/uv"}
        owned = DOCKERFILE.replace(
            "target=/root/.cache/uv", "id=uv,uid=1000,target=/root/.cache/uv"
        )
        client.change(uri, 2, owned)
        found = await refactorings(client, uri, at(2, 20))
        texts = [item.command.arguments[0] for item in found if item.command]
        assert json.loads(texts[1]) == {
            "cache-mounts/uv": {"target": "/root/.cache/uv", "id": "uv", "uid": 1000}
        }
