"""Ways between a Dockerfile and those who build it, in the editor."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
import yaml
from lsprotocol import types

from tests.support.client import Client, apply, connect, span_of

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
    # An ARG counts in mounts of its own file, too, and is asked about in a key as well.
    assert await builders(1, 5) == {compose, dockerfile}
    assert await builders(2, 32) == {compose, dockerfile}
    hover = await client.text_document_hover_async(
        types.HoverParams(
            types.TextDocumentIdentifier(uri=dockerfile), types.Position(line=1, character=5)
        )
    )
    assert hover is not None
    assert "passes `slim`" in str(hover.contents)
    assert "Not passed by" in str(hover.contents)
    # Where an argument is passed the ARG is found, on its name and on its value, and what it decides.
    for character in (14, 24):
        (found,) = await client.text_document_definition_async(at(compose, 5, character))
        assert (found.uri, found.range.start.line) == (dockerfile, 1)
        hover = await client.text_document_hover_async(
            types.HoverParams(
                types.TextDocumentIdentifier(uri=compose),
                types.Position(line=5, character=character),
            )
        )
        assert hover is not None
        assert "`pip-slim`" in str(hover.contents)
    for uri in (dockerfile, compose, makefile):
        client.close(uri)


async def test_a_volume_is_found_where_it_is_declared_and_used(client: Client) -> None:
    text = (
        "services:\n  api:\n    image: python:3.13\n    volumes: [pip:/cache]\n"
        "  web:\n    image: node:22\n    volumes: [pip:/c, /x]\nvolumes:\n  pip:\n"
    )
    uri = client.open(client.uri("volumes/compose.yaml"), text, "yaml")
    await client.diagnose(uri, 1)
    (found,) = await client.text_document_definition_async(at(uri, 3, 15))
    assert found.range.start.line == 8
    context = types.ReferenceContext(include_declaration=True)
    for line, character in ((3, 15), (8, 3)):
        place = types.Position(line=line, character=character)
        asked = types.ReferenceParams(context, types.TextDocumentIdentifier(uri=uri), place)
        shown = await client.text_document_references_async(asked)
        assert [item.range.start.line for item in shown or ()] == [3, 6, 8]
    assert not await client.text_document_definition_async(at(uri, 6, 22))
    client.close(uri)


WORKFLOW = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with: {file: danced.Dockerfile}
"""
DANCED = """\
FROM python:3.13
RUN --mount=type=cache,id=uv,target=/cache,uid=1000,gid=1000 uv --cache-dir /cache sync
RUN --mount=type=cache,target=/root/.npm npm ci
"""


async def test_a_dance_is_inserted_and_mended_in_the_workflow(client: Client) -> None:
    dockerfile = client.open(client.uri("danced.Dockerfile"), DANCED, "dockerfile")
    name = ".github/workflows/dance.yml"
    uri = client.open(client.uri(name), WORKFLOW, "yaml")
    await client.diagnose(uri, 1)
    where = span_of(WORKFLOW, "file", client.encoding)

    async def pressed(text: str, title: str) -> str:
        actions = await client.actions(uri, where)
        action = next(item for item in actions if item.title.startswith(title))
        return applied(client, action, uri, text)

    text = await pressed(WORKFLOW, "Carry the cache mounts of this job over its runs")
    steps = yaml.safe_load(text)["jobs"]["image"]["steps"]
    assert steps[0]["id"] == "buildx"
    assert steps[2]["with"]["builder"] == "${{ steps.buildx.outputs.name }}"
    assert json.loads(steps[2]["with"]["cache-map"]) == {
        "cache-mounts/uv": {"target": "/cache", "id": "uv", "uid": 1000, "gid": 1000},
        "cache-mounts/root-.npm": "/root/.npm",
    }
    client.change(uri, 2, text)
    assert not await client.diagnose(uri, 2)

    # Each part of the entry that is wrong is told, and mended where it stands.
    broken = (
        ('"uid": 1000, "gid": 1000', '"uid": 1000', "Give the entry the options of"),
        ('"id": "uv"', '"id": "pip"', "Give the entry the options of"),
        ('"/root/.npm"', '"/somewhere/else"', "Give the entry the options of"),
        ("          builder: ${{ steps.buildx.outputs.name }}\n", "", "Name the builder"),
        ("path: cache-mounts", "path: other", "Let the cache step of this job restore"),
        (
            ',\n              "cache-mounts/root-.npm": "/root/.npm"',
            "",
            "Add an entry for /root/.npm",
        ),
    )
    version = 2
    for good, bad, title in broken:
        assert good in text
        wrong = text.replace(good, bad, 1)
        version += 1
        client.change(uri, version, wrong)
        found = await client.diagnose(uri, version)
        assert [item.code for item in found][:1] == ["CK506"], bad
        rest = len(found)
        while found:
            where = found[0].range
            wrong = await pressed(wrong, title)
            version += 1
            client.change(uri, version, wrong)
            found = await client.diagnose(uri, version)
            assert len(found) < rest
            rest = len(found)

    # The other way: the note in the Dockerfile leads to the same steps.
    client.change(uri, version + 1, WORKFLOW)
    await client.diagnose(uri, version + 1)
    client.change(dockerfile, 2, DANCED + "# It is pushed.\n")
    assert "CK505" in [item.code for item in await client.diagnose(dockerfile, 2)]
    where = span_of(DANCED, "/cache", client.encoding)
    actions = await client.actions(dockerfile, where)
    action = next(
        item for item in actions if item.title.startswith("Carry the caches from run to run:")
    )
    assert applied(client, action, uri, WORKFLOW) == text
    for item in (dockerfile, uri):
        client.close(item)


def applied(client: Client, action: types.CodeAction, uri: str, text: str) -> str:
    """Return what an action makes of a document."""
    assert action.edit is not None
    if action.edit.changes:
        assert list(action.edit.changes) == [uri]
        return apply(text, action.edit.changes[uri], client.encoding)
    (change,) = action.edit.document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)
    assert change.text_document.uri == uri
    return apply(text, change.edits, client.encoding)


# -- who builds it has changed on disk --------------------------------------------------------------

ARGUED = """\
FROM python:3.13
ARG VARIANT=full
RUN --mount=type=cache,id=pip-$VARIANT,target=/root/.cache/pip pip install x
"""
COMMAND = "docker build --build-arg VARIANT=one ."
JOB = "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n"
FILES = {
    "compose.yaml": "services:\n  api:\n    build: {context: ., args: {VARIANT: one}}\n",
    "compose.prod.yml": "services:\n  api:\n    build: {context: ., args: {VARIANT: one}}\n",
    "docker-bake.hcl": 'target "api" {\n  args = { VARIANT = "one" }\n}\n',
    "docker-bake.json": '{"target": {"api": {"args": {"VARIANT": "one"}}}}',
    ".github/workflows/ci.yml": f"{JOB}      - run: {COMMAND}\n",
    ".github/actions/image/action.yml": f"runs:\n  steps: [{{run: {COMMAND}, shell: bash}}]\n",
    ".gitlab-ci.yml": f"image:\n  script:\n    - {COMMAND}\n",
    "Makefile": f"image:\n\t{COMMAND}\n",
    "GNUmakefile": f"image:\n\t{COMMAND}\n",
    "images.mk": f"image:\n\t{COMMAND}\n",
    "justfile": f"image:\n    {COMMAND}\n",
    ".justfile": f"image:\n    {COMMAND}\n",
    "images.just": f"image:\n    {COMMAND}\n",
    "build.sh": f"{COMMAND}\n",
    "build.bash": f"{COMMAND}\n",
    ".devcontainer.json": '{"build": {"dockerfile": "Dockerfile", "args": {"VARIANT": "one"}}}',
}


@pytest.mark.parametrize("flavour", ["vscode", "neovim"])
async def test_what_changes_on_disk_renews_the_dockerfile(tmp_path: Path, flavour: str) -> None:
    """The key that a hover shows is that of the build as it stands on disk now.

    The one client watches files for us, for the other we look when something is saved.
    """
    (tmp_path / "Dockerfile").write_text(ARGUED)
    caller = tmp_path / ".github/workflows/caller.yml"
    caller.parent.mkdir(parents=True)
    caller.write_text(f"{JOB}      - uses: ./.github/actions/image\n")
    (tmp_path / ".github/actions/image").mkdir(parents=True)
    watching = flavour == "vscode"
    async with connect(tmp_path, flavour) as client:
        uri = client.open(client.uri("Dockerfile"), ARGUED)
        for name, text in FILES.items():
            path = tmp_path / name
            path.write_text(text)
            client.tell_changed(path.as_uri(), types.FileChangeType.Created)
            await until_hovered(client, uri, "pip-one", name)
            path.write_text(text.replace("one", "another"))
            client.tell_changed(path.as_uri())
            await until_hovered(client, uri, "pip-another", name)
            path.unlink()
            client.tell_changed(path.as_uri(), types.FileChangeType.Deleted)
            await until_hovered(client, uri, "pip-full", name)
            assert is_watched(client, name) == watching, name


async def until_hovered(client: Client, uri: str, wanted: str, name: str) -> None:
    """Ask until the hover on the mount speaks of a key: the index is read in the background."""
    document = types.TextDocumentIdentifier(uri=uri)
    asked = types.HoverParams(document, types.Position(line=2, character=50))
    text = ""
    for _ in range(100):
        found = await client.text_document_hover_async(asked)
        text = str(found.contents) if found is not None else ""
        if wanted in text:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"after a change of {name} {wanted} is not in {text}")


def is_watched(client: Client, name: str) -> bool:
    """Tell whether a glob that the server has registered matches a file of the workspace."""
    options = client.registrations.get(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    globs = [item["globPattern"] for item in options["watchers"]] if options is not None else []
    return any(re.fullmatch(pattern(glob), name) for glob in globs)


def pattern(glob: str) -> str:
    """Translate a glob of LSP into a regular expression."""
    parts = {"**/": "(?:.*/)?", "*": "[^/]*", "{": "(?:", "}": ")", ",": "|"}
    found = re.findall(r"\*\*/|[*{},]|[^*{},]+", glob)
    return "".join(parts.get(part, re.escape(part)) for part in found)


async def test_an_edit_of_a_workflow_renews_the_dockerfile_s_findings(client: Client) -> None:
    kept = WORKFLOW.replace("danced", "noted").replace("ubuntu-latest", "self-hosted")
    kept = kept.replace("      - uses: docker/setup-buildx-action@v3\n", "")
    dockerfile = client.open(client.uri("noted.Dockerfile"), DANCED, "dockerfile")
    uri = client.open(client.uri(".github/workflows/noted.yml"), kept, "yaml")
    await client.diagnose(uri, 1)
    await client._until(dockerfile, lambda items: "CK505" not in [one.code for one in items])
    client.change(uri, 2, kept.replace("self-hosted", "ubuntu-latest"))
    await client._until(dockerfile, lambda items: "CK505" in [one.code for one in items])
    client.change(uri, 3, kept)
    await client._until(dockerfile, lambda items: "CK505" not in [one.code for one in items])
    client.close(uri)
    client.close(dockerfile)
