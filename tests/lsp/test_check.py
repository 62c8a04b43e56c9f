"""*Check Workspace*: findings of files that nobody has open, pulled or pushed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.support.client import PULLING, PUSHED, Client, capabilities, connect

WRONG = "FROM python:3.13\nRUN --mount=type=cache,taget=/root/.cache/pip pip install x\n"
RIGHT = WRONG.replace("taget", "target")


def _fill(root: Path) -> None:
    for name, text in (("a", WRONG), ("b", RIGHT), ("c", WRONG)):
        (root / name).mkdir()
        (root / name / "Dockerfile").write_text(text)


async def _known(client: Client, count: int) -> None:
    """Wait until the server has read the folder."""
    for _ in range(600):
        found = await client.workspace_symbol_async(types.WorkspaceSymbolParams(query=""))
        if found and any(f"{count} mount" in (item.container_name or "") for item in found):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the folder is not read")


def _codes(report: Any) -> dict[str, list[str]]:
    return {
        item.uri.rpartition("/")[0].rpartition("/")[2]: [found.code for found in item.items]
        for item in report.items
        if item.kind == "full"
    }


async def _pull(client: Client, *previous: types.PreviousResultId) -> Any:
    params = types.WorkspaceDiagnosticParams(previous_result_ids=list(previous))
    return await client.workspace_diagnostic_async(params)


@pytest.mark.parametrize("flavour", PULLING)
async def test_closed_files_can_be_pulled(tmp_path: Path, flavour: str) -> None:
    _fill(tmp_path)
    async with connect(tmp_path, flavour) as client:
        client.open(client.uri("a/Dockerfile"), WRONG)
        await _known(client, 1)
        report = await _pull(client)
        # What is open is told by itself.
        assert _codes(report) == {"b": [], "c": ["CK601"]}
        known = [types.PreviousResultId(uri=i.uri, value=i.result_id) for i in report.items]
        again = await _pull(client, *known)
        assert [item.kind for item in again.items] == ["unchanged", "unchanged"]
        gone = types.PreviousResultId(uri=client.uri("gone/Dockerfile"), value="x")
        assert _codes(await _pull(client, *known, gone)) == {"gone": []}


async def test_a_compose_file_that_a_devcontainer_json_names(tmp_path: Path) -> None:
    (tmp_path / "a/.devcontainer").mkdir(parents=True)
    named = '{ "dockerComposeFile": "../base.yml", "service": "app", "workspaceFolder": "/w" }'
    (tmp_path / "a/.devcontainer/devcontainer.json").write_text(named)
    text = "services:\n  app:\n    image: debian:13\n    volumes: [history:/history]\n"
    (tmp_path / "a/base.yml").write_text(text)
    (tmp_path / "other.yml").write_text(text)
    (tmp_path / "Dockerfile").write_text(RIGHT)
    async with connect(tmp_path, "vscode") as client:
        await _known(client, 1)
        report = await _pull(client)
        found = {item.uri: [finding.code for finding in item.items] for item in report.items}
        assert found[client.uri("a/base.yml")] == ["CK718"]
        assert client.uri("other.yml") not in found


@pytest.mark.parametrize("flavour", PUSHED)
async def test_closed_files_are_pushed_on_demand(tmp_path: Path, flavour: str) -> None:
    _fill(tmp_path)
    async with connect(tmp_path, flavour) as client:
        await _known(client, 1)
        assert client.published == []
        command = types.ExecuteCommandParams(command="cachekey.check")
        await client.workspace_execute_command_async(command)
        found = await client.until(client.uri("c/Dockerfile"), None)
        assert [item.code for item in found] == ["CK601"]


async def test_a_check_can_be_stopped_and_begun_anew(tmp_path: Path) -> None:
    _fill(tmp_path)
    names = [f"0{number}" for number in range(500)]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(WRONG * 5)
    async with connect(tmp_path, "vscode") as client:
        await _known(client, 1)

        def bars() -> list[types.ProgressToken]:
            title = "Checking the workspace"
            told = [(token, *said[:1]) for token, said in client.progress_reports.items()]
            return [token for token, *begun in told if any(bar.title == title for bar in begun)]

        stopped = asyncio.ensure_future(_pull(client))
        while not bars() and not stopped.done():
            await asyncio.sleep(0.001)
        (token,) = bars()
        assert client.progress_reports[token][0].cancellable
        client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
        assert 0 < len(_codes(await stopped)) < len(names)
        assert _codes(await _pull(client)).keys() == {"a", "b", "c", *names}


async def test_a_check_that_is_pushed_waits_for_what_is_still_read(tmp_path: Path) -> None:
    _fill(tmp_path)
    for number in range(300):
        (tmp_path / f"0{number}").mkdir()
        (tmp_path / f"0{number}" / "Dockerfile").write_text(RIGHT)
    async with connect(tmp_path, PUSHED[0]) as client:
        command = types.ExecuteCommandParams(command="cachekey.check")
        await client.workspace_execute_command_async(command)
        told = {params.uri for params in client.published}
        assert told == {client.uri("a/Dockerfile"), client.uri("c/Dockerfile")}


async def test_our_own_client_waits_for_the_user(tmp_path: Path) -> None:
    _fill(tmp_path)
    made = capabilities("vscode")
    made.experimental = {"cachekey": {"silence": True}}
    async with connect(tmp_path, "vscode", capabilities=made) as client:
        await _known(client, 1)
        waiting = asyncio.ensure_future(_pull(client))
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done
        command = types.ExecuteCommandParams(command="cachekey.check")
        await client.workspace_execute_command_async(command)
        assert _codes(await waiting) == {"a": ["CK601"], "b": [], "c": ["CK601"]}


async def test_who_takes_parts_of_an_answer_gets_them(tmp_path: Path) -> None:
    _fill(tmp_path)
    async with connect(tmp_path, "vscode") as client:
        await _known(client, 1)
        params = types.WorkspaceDiagnosticParams(
            previous_result_ids=[], partial_result_token="part"
        )
        report = await client.workspace_diagnostic_async(params)
        assert not report.items
        assert {part.token for part in client.parts} == {"part"}
        told = [item for part in client.parts for item in part.value["items"]]
        codes = [[found["code"] for found in item["items"]] for item in told]
        assert codes == [["CK601"], [], ["CK601"]]


async def test_the_map_of_each_folder(tmp_path: Path) -> None:
    _fill(tmp_path)
    async with connect(tmp_path, "vscode") as client:
        uri = client.open(client.uri("a/Dockerfile"), RIGHT)
        # It waits until the files of the folder were read.
        command = types.ExecuteCommandParams(command="cachekey.cacheMap")
        (page,) = await client.workspace_execute_command_async(command)
        assert page["title"].startswith("Cache map of ")
        # What is open counts, saved or not; a click opens the line.
        assert f"{uri}#L2" in page["html"]
        assert client.uri("b/Dockerfile") in page["html"]
