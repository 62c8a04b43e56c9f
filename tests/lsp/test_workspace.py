"""Folders, files on disk, settings: everything around the open document."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from lsprotocol import types

from tests.support.client import FLAVOURS, PATIENCE, Client, connect

INVALID = "FROM python:3.13\nRUN --mount=type=cache,taget=/root/.cache/pip pip install x\n"
SHARED = "FROM python:3.13\nRUN --mount=type=cache,id=ours,target=/root/.cache/pip pip install x\n"


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


async def references(client: Client, uri: str) -> set[str]:
    params = types.ReferenceParams(
        text_document=types.TextDocumentIdentifier(uri=uri),
        position=types.Position(line=1, character=30),
        context=types.ReferenceContext(include_declaration=True),
    )
    found = await asyncio.wait_for(client.text_document_references_async(params), PATIENCE)
    return {location.uri for location in found or ()}


async def until_references(client: Client, uri: str, wanted: set[str]) -> None:
    """Files beside the open one are read in the background: ask until they are known."""
    end = time.monotonic() + 30
    while await references(client, uri) != wanted:
        assert time.monotonic() < end, await references(client, uri)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("flavour", ["vscode", "emacs"])
async def test_files_nobody_has_open_count(tmp_path: Path, flavour: str) -> None:
    write(tmp_path, a__Dockerfile=SHARED, b__Dockerfile=SHARED, c__notes="RUN")
    (tmp_path / "node_modules/x").mkdir(parents=True)
    (tmp_path / "node_modules/x/Dockerfile").write_text(SHARED)
    async with connect(tmp_path, flavour) as client:
        a, b = client.uri("a/Dockerfile"), client.uri("b/Dockerfile")
        client.open(a, SHARED)
        await until_references(client, a, {a, b})


@pytest.mark.parametrize("flavour", list(FLAVOURS))
async def test_what_opens_before_the_files_are_read_hears_of_them(
    tmp_path: Path, flavour: str
) -> None:
    """What is wrong in the compose file only the devcontainer.json knows, which is read last."""
    compose = "services:\n  app:\n    image: debian:13\n    volumes:\n      - history:/history\n"
    container = '{ "dockerComposeFile": "compose.yml", "service": "app", "workspaceFolder": "/w" }'
    write(tmp_path, **{f"a{number}__compose.yml": compose for number in range(200)})
    write(tmp_path, **{"z__.devcontainer__devcontainer.json": container})
    uri = (tmp_path / "z/.devcontainer/compose.yml").as_uri()
    write(tmp_path, **{"z__.devcontainer__compose.yml": compose})
    async with connect(tmp_path, flavour) as client:
        client.open(uri, compose, "yaml")
        if flavour == "neovim":
            # Nobody tells it to ask again.
            assert [item.code for item in (await client.pull(uri)).items] == ["CK718"]
        else:
            await client.until_codes(uri, ["CK718"])


@pytest.mark.parametrize("flavour", list(FLAVOURS))
async def test_a_compose_file_by_a_name_of_the_users(tmp_path: Path, flavour: str) -> None:
    """Only the devcontainer.json, and what it names, tell that it is one."""
    base = "services:\n  app:\n    image: debian:13\n    volumes: [{ type: cache, target: /c }]\n"
    other = base.replace("app", "web")
    compose = "services:\n  app:\n    extends: { file: ../base.yml, service: app }\n"
    container = '{ "dockerComposeFile": "x.yml", "service": "app", "workspaceFolder": "/w" }'
    write(tmp_path, **{"base.yml": base, "other.yml": other})
    write(tmp_path, **{".devcontainer__x.yml": compose})
    write(tmp_path, **{".devcontainer__devcontainer.json": container})
    async with connect(tmp_path, flavour) as client:
        uri = client.open(client.uri("base.yml"), base, "yaml")
        if flavour == "neovim":
            assert [item.code for item in (await client.pull(uri)).items] == ["CK701"]
        else:
            await client.until_codes(uri, ["CK701"])
        client.change(uri, 2, base.replace("cache", "tmpfs"))
        await client.until_none(uri)
        text = types.TextDocumentIdentifier(uri=client.open(client.uri("other.yml"), other, "yaml"))
        links = types.DocumentSymbolParams(text_document=text)
        assert not await client.text_document_document_symbol_async(links)
        client.close(uri)
        assert [item.uri for item in client.published if item.uri.endswith("other.yml")] == []


async def test_the_reading_of_many_files_is_shown(tmp_path: Path) -> None:
    files = {f"s{number}__Dockerfile": SHARED for number in range(260)}
    write(tmp_path, **files)
    async with connect(tmp_path, "vscode") as client:
        a = client.uri("s0/Dockerfile")
        client.open(a, SHARED)
        await until_references(client, a, {client.uri(name.replace("__", "/")) for name in files})
        (told,) = client.progress_reports.values()
    assert [type(item) for item in (told[0], told[-1])] == [
        types.WorkDoneProgressBegin,
        types.WorkDoneProgressEnd,
    ]
    assert told[0].title == "Reading Dockerfiles"
    shares = [item.percentage for item in told[1:-1]]
    assert shares == sorted(shares)
    assert shares[-1] == 100


async def test_nothing_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    write(root, a__Dockerfile=SHARED)
    write(outside, Dockerfile=SHARED, deep__Dockerfile=SHARED)
    (root / "link").symlink_to(outside)
    (root / "Dockerfile").symlink_to(outside / "Dockerfile")
    write(root, z__Dockerfile=SHARED)
    async with connect(root) as client:
        a, z = client.uri("a/Dockerfile"), client.uri("z/Dockerfile")
        client.open(a, SHARED)
        await until_references(client, a, {a, z})


async def test_the_disk_is_followed(tmp_path: Path) -> None:
    write(tmp_path, a__Dockerfile=SHARED)
    async with connect(tmp_path) as client:
        a, b = client.uri("a/Dockerfile"), client.uri("b/Dockerfile")
        client.open(a, SHARED)
        await until_references(client, a, {a})
        client.write("b/Dockerfile", SHARED)
        client.tell_changed(b, types.FileChangeType.Created)
        await until_references(client, a, {a, b})
        client.write("b/Dockerfile", SHARED.replace("ours", "theirs"))
        client.tell_changed(b)
        await until_references(client, a, {a})
        client.write("b/Dockerfile", SHARED)
        client.tell_changed(b)
        await until_references(client, a, {a, b})
        os.unlink(tmp_path / "b/Dockerfile")
        client.tell_changed(b, types.FileChangeType.Deleted)
        await until_references(client, a, {a})


async def test_the_editors_text_counts_while_it_is_open(tmp_path: Path) -> None:
    write(tmp_path, a__Dockerfile=SHARED, b__Dockerfile="FROM a\n")
    async with connect(tmp_path) as client:
        a, b = client.uri("a/Dockerfile"), client.uri("b/Dockerfile")
        client.open(a, SHARED)
        client.open(b, SHARED)
        assert await references(client, a) == {a, b}
        # What another program writes does not count before the editor takes it over.
        client.write("b/Dockerfile", "FROM b\n")
        client.tell_changed(b)
        client.tell_changed(a)
        assert await references(client, a) == {a, b}
        client.close(b)
        await until_references(client, a, {a})


async def test_a_broken_disk_is_survived(tmp_path: Path) -> None:
    write(tmp_path, a__Dockerfile=SHARED)
    (tmp_path / "Dockerfile").mkdir()
    (tmp_path / "Dockerfile.loop").symlink_to("Dockerfile.loop")
    (tmp_path / "Dockerfile.binary").write_bytes(bytes(range(256)) * 100)
    os.mkfifo(tmp_path / "Dockerfile.pipe")
    (tmp_path / os.fsdecode(b"Dockerfile.caf\xe9")).write_text(SHARED)
    async with connect(tmp_path) as client:
        a = client.uri("a/Dockerfile")
        client.open(a, SHARED)
        odd = f"{tmp_path.as_uri()}/Dockerfile.caf%E9"
        await until_references(client, a, {a, odd})


# -- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("flavour", ["vscode", "emacs", "neovim", "visual-studio-code"])
async def test_the_editors_settings(tmp_path: Path, flavour: str) -> None:
    async with connect(tmp_path, flavour, configuration={"ignore": ["CK601"]}) as client:
        uri = client.open(client.uri("Dockerfile"), INVALID)
        await client.until_none(uri)
        client.set_configuration({"ignore": [], "namespace": None}, section="cachekey")
        client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
        await client.until_codes(uri, ["CK601"])


async def test_settings_that_come_with_initialize(tmp_path: Path) -> None:
    capabilities = types.ClientCapabilities()
    async with connect(
        tmp_path,
        "emacs",
        capabilities=capabilities,
        initialization_options={"cachekey": {"severity": {"CK601": "info"}}},
    ) as client:
        uri = client.open(client.uri("Dockerfile"), INVALID)
        (diagnostic,) = await client.until(uri, 1)
        assert diagnostic.severity == types.DiagnosticSeverity.Information
        client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams(settings={"cachekey": {"ignore": ["CK601"]}})
        )
        await client.until_none(uri)


async def test_wrong_settings_are_named_once(tmp_path: Path) -> None:
    wrong = {"select": "CK1", "trace": {"server": "off"}, "ignore": ["split-cach"]}
    async with connect(tmp_path, "vscode", configuration=wrong) as client:
        uri = client.open(client.uri("Dockerfile"), INVALID)
        await client.until_codes(uri, ["CK601"])
        client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
        await client.until_codes(uri, ["CK601"])
        said = [message.message for message in client.messages]
        assert len(said) == 2
        assert said[0].startswith("Cachekey settings: select must be a list of rules")
        assert "did you mean 'split-cache'?" in said[1]


async def test_the_nearest_settings_file_counts(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "cachekey.toml": 'ignore = ["CK601"]\n',
            "api__pyproject.toml": '[tool.cachekey.severity]\nCK601 = "warning"\n',
        },
    )
    async with connect(tmp_path) as client:
        quiet = client.open(client.uri("web/Dockerfile"), INVALID)
        await client.until_none(quiet)
        loud = client.open(client.uri("api/x/Dockerfile"), INVALID)
        (item,) = (await client.pull(loud)).items
        assert item.severity == types.DiagnosticSeverity.Warning


async def test_a_wrong_settings_file_says_so_where_it_is_wrong(tmp_path: Path) -> None:
    write(tmp_path, **{"cachekey.toml": 'ignore = ["CK601"]\nnamespase = "x"\n'})
    async with connect(tmp_path) as client:
        settings = client.uri("cachekey.toml")
        uri = client.open(client.uri("Dockerfile"), INVALID)
        (item,) = await client.until(settings, None)
        assert (item.range.start.line, item.range.start.character) == (1, 0)
        assert "did you mean 'namespace'?" in item.message
        # What is right in the file counts all the same.
        await client.until_none(uri)
        write(tmp_path, **{"cachekey.toml": "ignore = []\n"})
        seen = len(client.published)
        client.tell_changed(settings)
        await client.until_codes(uri, ["CK601"])
        assert [list(p.diagnostics) for p in client.published[seen:] if p.uri == settings] == [[]]


async def test_a_settings_file_that_another_one_extends_counts(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "cachekey.toml": 'extend = "shared/base.toml"\n',
            "shared__base.toml": 'ignore = ["CK601"]\nnamespase = "x"\n',
        },
    )
    async with connect(tmp_path) as client:
        base = client.uri("shared/base.toml")
        uri = client.open(client.uri("Dockerfile"), INVALID)
        (item,) = await client.until(base, None)
        assert "did you mean 'namespace'?" in item.message
        await client.until_none(uri)
        write(
            tmp_path, **{"shared__base.toml": '[[overrides]]\npaths = ["old/"]\nignore = ["CK"]\n'}
        )
        client.tell_changed(base)
        await client.until_codes(uri, ["CK601"])
        await client.until_none(client.open(client.uri("old/Dockerfile"), INVALID))


async def test_without_watching_a_save_is_the_sign(tmp_path: Path) -> None:
    async with connect(tmp_path, "neovim") as client:
        uri = client.open(client.uri("Dockerfile"), INVALID)
        await client.until_codes(uri, ["CK601"])
        write(tmp_path, **{"cachekey.toml": 'ignore = ["CK601"]\n'})
        client.text_document_did_save(
            types.DidSaveTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=uri))
        )
        await client.until_none(uri)


async def test_excluded_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, **{"cachekey.toml": 'exclude = ["vendor/"]\n'})
    async with connect(tmp_path) as client:
        out = client.open(client.uri("vendor/x/Dockerfile"), INVALID)
        assert not (await client.pull(out)).items
        inside = client.open(client.uri("own/Dockerfile"), INVALID)
        assert (await client.pull(inside)).items


# -- folders ---------------------------------------------------------------------------------------


async def test_folders_come_and_go(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, a__Dockerfile=SHARED)
    write(two, Dockerfile=SHARED, b__Dockerfile=SHARED, **{"cachekey.toml": 'ignore = ["CK601"]'})
    async with connect(one) as client:
        folder = types.WorkspaceFolder(uri=two.as_uri(), name="two")
        uri = client.open((two / "c/Dockerfile").as_uri(), SHARED)
        assert await references(client, uri) == {uri}
        client.workspace_did_change_workspace_folders(
            types.DidChangeWorkspaceFoldersParams(
                event=types.WorkspaceFoldersChangeEvent(added=[folder], removed=[])
            )
        )
        known = {uri, (two / "Dockerfile").as_uri(), (two / "b/Dockerfile").as_uri()}
        await until_references(client, uri, known)
        client.workspace_did_change_workspace_folders(
            types.DidChangeWorkspaceFoldersParams(
                event=types.WorkspaceFoldersChangeEvent(added=[], removed=[folder])
            )
        )
        await until_references(client, uri, {uri})


async def test_without_any_folder_nothing_beside_a_document_counts(tmp_path: Path) -> None:
    write(tmp_path, **{"cachekey.toml": 'severity = {CK601 = "hint"}\n'})
    async with connect(tmp_path, "emacs", workspace_folders=None) as client:
        uri = client.open(client.uri("Dockerfile"), INVALID)
        (item,) = await client.until(uri, 1)
        assert item.severity == types.DiagnosticSeverity.Error


@pytest.mark.parametrize("flavour", ["vscode", "emacs"])
async def test_a_change_here_shows_there(tmp_path: Path, flavour: str) -> None:
    """A devcontainer.json speaks of its Dockerfile: when one comes or goes, the other hears."""
    text = '{"build": {"dockerfile": "Dockerfile"}}\n'
    async with connect(tmp_path, flavour) as client:
        uri = client.open(client.uri(".devcontainer/devcontainer.json"), text, "jsonc")
        await client.until_codes(uri, ["CK710"])
        # It is only in the editor: nothing has been saved.
        dockerfile = client.open(client.uri(".devcontainer/Dockerfile"), SHARED)
        if flavour == "vscode":
            await client.pull(dockerfile)
        await client.until_none(uri)
        client.close(dockerfile)
        await client.until_codes(uri, ["CK710"])
        client.write(".devcontainer/Dockerfile", SHARED)
        client.tell_changed(dockerfile, types.FileChangeType.Created)
        await client.until_none(uri)
