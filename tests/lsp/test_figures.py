"""What the client has asked a builder for: pages, and figures in lenses and hovers."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.support.client import PATIENCE, Client, connect

TEXT = """\
FROM python:3.13
RUN --mount=type=cache,id=mine,target=/root/.cache/pip pip install x
RUN --mount=type=cache,id=other,target=/root/.cache/pip pip install y
"""
AGO = datetime.now(timezone.utc) - timedelta(hours=2, minutes=5)
BUILDER = {"name": "desk<b>", "kind": "buildkitd", "version": "0.34.2", "found": "BUILDKIT_HOST"}


def mount(key: str, line: int) -> dict[str, Any]:
    """A mount as documents of the command line have it."""
    return {
        "path": "Dockerfile",
        "line": line,
        "run": line,
        "stage": "stage-0",
        "key": key,
        "target": "/root/.cache/pip",
        "tools": ["pip"],
    }


def caches(match: str = "exact", **more: object) -> dict[str, Any]:
    record = {
        "id": "abc",
        "size": 412_000_000,
        "created": AGO.isoformat(),
        "lastUsed": AGO.isoformat(),
        "useCount": 3,
        "inUse": False,
        "collected": {"rule": 0, "from": None, "order": 0},
        "prune": "buildctl prune --filter id==abc",
    }
    cache = {
        "key": "mine",
        "name": "/mine",
        "target": "/root/.cache/pip",
        "match": match,
        "doubt": None if match == "exact" else "the builder tells no ids",
        "size": 412_000_000,
        "records": [record],
        "mounts": [mount("mine", 1)],
        "duplicates": None,
        "broken": [{"key": "other", "why": "pip has its cache under two keys"}],
        "prune": "x",
    }
    policy = {
        "filters": ["type==exec.cachemount"],
        "all": False,
        "keepSeconds": 0,
        "reservedSpace": 0,
        "maxUsedSpace": 1,
        "minFreeSpace": 0,
    }
    return {
        "version": 1,
        "builder": BUILDER | {"namesCaches": True},
        "caches": [cache],
        "missing": [mount("other", 2)],
        "open": [],
        "refused": [],
        "totals": [],
        "collector": {"policies": [policy], "takesNow": ["abc"], "takesMore": False},
        **more,
    }


def proof(verdict: str, words: str) -> dict[str, Any]:
    row = {
        "coldSeconds": 2.0,
        "warmSeconds": 0.2,
        "bytes": 200_000,
        "verdict": verdict,
        "finding": None,
        "words": words,
        "contradicts": None,
    }
    return {"version": 1, "builder": BUILDER, "runs": 3, "mounts": [mount("mine", 1) | row]}


async def hand_over(client: Client, name: str, document: object) -> dict[str, str]:
    given = {
        "document": document,
        "folder": client.uri("").rstrip("/"),
        "uri": client.uri("Dockerfile"),
    }
    params = types.ExecuteCommandParams(command=name, arguments=[given])
    answer = await asyncio.wait_for(client.workspace_execute_command_async(params), PATIENCE)
    assert isinstance(answer, dict)
    return answer


async def lenses(client: Client) -> list[str]:
    at = types.TextDocumentIdentifier(uri=client.uri("Dockerfile"))
    params = types.CodeLensParams(text_document=at)
    found = await asyncio.wait_for(client.text_document_code_lens_async(params), PATIENCE)
    return [lens.command.title for lens in found or () if lens.command is not None]


async def hover(client: Client, line: int) -> str:
    at = types.TextDocumentIdentifier(uri=client.uri("Dockerfile"))
    params = types.HoverParams(text_document=at, position=types.Position(line, 30))
    found = await asyncio.wait_for(client.text_document_hover_async(params), PATIENCE)
    assert found is not None
    return str(found.contents)


async def test_figures_stand_in_lenses_and_hovers(tmp_path: Path) -> None:
    async with connect(tmp_path, "vscode") as client:
        client.open(client.uri("Dockerfile"), TEXT)
        assert await lenses(client) == []
        page = await hand_over(client, "cachekey.takeCaches", caches())
        assert page["title"] == "Caches on desk< b>"
        assert await lenses(client) == [
            "mine · 1 mount · writable · 412 MB, last used 2 h ago",
            "other · 1 mount · writable · no cache on the builder yet",
        ]
        assert "412 MB, last used 2 h ago" in await hover(client, 1)
        await hand_over(client, "cachekey.takeCaches", caches("probable", missing=[]))
        assert [title.rpartition(" · ")[2] for title in await lenses(client)] == [
            "probably 412 MB, last used 2 h ago"
        ]


async def test_a_page_loads_nothing_and_shows_text_as_text(tmp_path: Path) -> None:
    async with connect(tmp_path, "vscode") as client:
        client.open(client.uri("Dockerfile"), TEXT)
        html = (await hand_over(client, "cachekey.takeCaches", caches()))["html"]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]
    assert "desk<b>" not in html
    assert f'href="{client.uri("Dockerfile")}#L2"' in html
    assert not re.search(r"(src|style)=|https?://|@import|url\(", html)
    assert "not shared with other: pip has its cache under two keys" in html


async def test_the_page_tells_of_past_builds(tmp_path: Path) -> None:
    step = {"line": 1, "seconds": 1.42, "cached": False}
    mount_of = {"name": "/mine", "target": "/root/.cache/pip", "base": None}
    past = {
        "ref": "r1",
        "created": AGO.isoformat(),
        "completed": AGO.isoformat(),
        "file": "Dockerfile",
        "path": "Dockerfile",
        "steps": [
            step | {"mounts": [mount_of | {"base": "uid=1000,gid=0,mode=0755"}]},
            step | {"line": 2, "cached": True, "mounts": [mount_of | {"name": "/<b>"}]},
        ],
    }
    other = past | {"ref": "r2", "file": "far/Dockerfile", "path": None}
    words = "mine has uid=1000,gid=0,mode=0755, it had none: it began empty"
    change = {
        "since": AGO.isoformat(),
        "path": "Dockerfile",
        "target": "/root/.cache/pip",
        "words": words,
    }
    async with connect(tmp_path, "vscode") as client:
        client.open(client.uri("Dockerfile"), TEXT)
        told = caches(history=[past, other, past | {"steps": []}], changes=[change])
        html = (await hand_over(client, "cachekey.takeCaches", told))["html"]
        none = caches(history=None, changes=[])
        untold = (await hand_over(client, "cachekey.takeCaches", none))["html"]
        unasked = (await hand_over(client, "cachekey.takeCaches", caches()))["html"]
    builds = html.partition("<h2>Builds</h2>")[2]
    # A row for each step of two builds, and one for the build without any.
    assert builds.count("<tr>") == 1 + 2 + 2 + 1
    assert f'<a href="{client.uri("Dockerfile")}#L2">line 2</a>' in builds
    assert "1.4 s" in builds
    assert '<span class="badge good">cached</span>' in builds
    assert 'mine<span class="dim"> (uid=1000,gid=0,mode=0755) on /root/.cache/pip</span>' in builds
    assert f'<div class="broken">{words}</div>' in builds
    assert "far/Dockerfile (of another place)" in builds
    assert "no cache mount" in builds
    assert "<b>" not in builds
    assert "<h2>Builds</h2><p>This builder tells nothing of its past builds this way.</p>" in untold
    assert "<h2>Builds</h2>" not in unasked


async def test_a_proof_holds_for_the_text_that_was_proven(tmp_path: Path) -> None:
    async with connect(tmp_path, "vscode") as client:
        client.open(client.uri("Dockerfile"), TEXT)
        page = await hand_over(client, "cachekey.takeProof", proof("works", "saves 90 %"))
        assert "saves 90 %" in page["html"]
        (title,) = await lenses(client)
        assert title.endswith("proven: saves 90 %, 200 kB")
        assert "proven: saves 90 %" in await hover(client, 1)
        client.change(client.uri("Dockerfile"), 2, TEXT + "RUN true\n")
        assert len(await lenses(client)) == 1
        client.change(client.uri("Dockerfile"), 3, TEXT.replace("pip install x", "pip install z"))
        assert await lenses(client) == []
        client.change(client.uri("Dockerfile"), 4, TEXT)
        assert len(await lenses(client)) == 1
        await hand_over(client, "cachekey.takeProof", proof("unclear", "not run"))
        assert await lenses(client) == []


@pytest.mark.parametrize(
    "given", [None, [], {}, {"caches": 1}, caches(caches=[{}]), caches(builder=1)]
)
async def test_an_answer_of_another_form_is_refused(tmp_path: Path, given: object) -> None:
    async with connect(tmp_path, "vscode") as client:
        client.open(client.uri("Dockerfile"), TEXT)
        for name in ("cachekey.takeCaches", "cachekey.takeProof"):
            with pytest.raises(JsonRpcException, match="another version"):
                await hand_over(client, name, given)
        assert await lenses(client) == []
