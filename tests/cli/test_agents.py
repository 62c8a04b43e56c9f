"""``cachekey mcp``, asked by the client of the protocol's own library."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cachekey.cli import main

from tests.cli.test_cli import BROKEN
from tests.support.judges import library

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
LIMIT_S = 120
CLIENT = """
import asyncio, json, sys
from mcp import Client, StdioServerParameters

async def ask():
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "cachekey", "mcp"], env={"PYTHONPATH": sys.argv[1]}
    )
    async with Client(server) as client:
        tools = await client.list_tools()
        told = [[tool.name, tool.description, tool.input_schema] for tool in tools.tools]
        answers = []
        for name, arguments in json.load(sys.stdin):
            answer = await client.call_tool(name, arguments)
            answers.append([answer.is_error, answer.content[0].text])
        print(json.dumps([told, answers]))

asyncio.run(ask())
"""
SHARED = """FROM python:3.13
RUN --mount=type=cache,id=pip,target=/root/.cache/pip pip install flask
"""


def ask(place: Path, *questions: tuple[str, dict[str, Any]]) -> tuple[Any, list[Any]]:
    """Return what the server tells of its tools, and its answers."""
    given = str(library("mcp-2.3.0"))
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, given],
        cwd=place,
        env={**os.environ, "PYTHONPATH": given},
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stderr
    told, answers = json.loads(done.stdout)
    return told, answers


def test_an_agent_is_answered_as_the_command_line_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for folder in ("api", ".git"):
        (tmp_path / folder).mkdir()
    for name in ("Dockerfile", "api/Dockerfile"):
        (tmp_path / name).write_text(SHARED)
    told, answers = ask(
        tmp_path,
        ("explain_cache", {"path": "api/Dockerfile", "line": 2}),
        ("explain_cache", {"path": "api/Dockerfile", "line": 3}),
        ("check_text", {"text": BROKEN}),
        (
            "check_text",
            {"text": '{"mounts": ["type=cache,target=/c"]}', "path": "devcontainer.json"},
        ),
        ("cache_keys", {}),
    )
    assert [tool[0] for tool in told] == ["explain_cache", "check_text", "cache_keys"]
    assert all(tool[1] for tool in told)
    assert [set(tool[2]["required"]) for tool in told[:2]] == [{"path", "line"}, {"text"}]

    assert [error for error, _ in answers] == [False] * 5
    explained, nothing, text, container, listed = (json.loads(said) for _, said in answers)
    assert nothing == {"lines": [], "mount": None}
    assert [(item["code"], item["path"]) for item in text["findings"]] == [("CK601", "Dockerfile")]
    assert [fix["edits"][0]["newText"] for fix in text["findings"][0]["fixes"]] == ["locked"]
    assert "CK701" in {item["code"] for item in container["findings"]}

    monkeypatch.chdir(tmp_path)
    main(["explain", "api/Dockerfile:2", "--format", "json"])
    assert json.loads(capfd.readouterr().out) == explained
    assert explained["mount"]["key"] == "pip"
    main(["keys", "--format", "json"])
    assert json.loads(capfd.readouterr().out) == listed
    assert [len(cache["mounts"]) for cache in listed["caches"]] == [2]


def test_an_agent_s_mistakes_are_told_and_nothing_outside_is_read(tmp_path: Path) -> None:
    place = tmp_path / "project"
    place.mkdir()
    (place / "Dockerfile").write_text(SHARED)
    (tmp_path / "Dockerfile").write_text(SHARED)
    (place / "link").symlink_to(tmp_path / "Dockerfile")
    (place / "cachekey.toml").write_text("slect = []\n")
    outside = [
        ("explain_cache", {"path": path, "line": 2})
        for path in ("../Dockerfile", "/etc/hostname", "link", "a\0b")
    ]
    _, answers = ask(
        place,
        *outside,
        ("check_text", {"text": SHARED, "path": "../x/Dockerfile"}),
        ("cache_keys", {"folder": ".."}),
        ("cache_keys", {"folder": "Dockerfile"}),
        ("explain_cache", {"path": "nowhere", "line": 1}),
        ("explain_cache", {"path": "Dockerfile", "line": 9}),
        ("check_text", {"text": "RUN \0\x1b[2J\u202e" * 9}),
        ("cache_keys", {}),
    )
    assert [error for error, _ in answers] == [True] * 9 + [False] * 2
    said = [text for _, text in answers]
    assert [text for text in said[:6] if "is not below the working directory" not in text] == []
    assert "Dockerfile is no folder" in said[6]
    assert "nowhere: no such file" in said[7]
    assert "Dockerfile has 3 lines" in said[8]
    # What the command line would say on stderr.
    assert "there is no setting 'slect'" in json.loads(said[10])["errors"][0]


def test_the_readme_starts_it_in_this_way() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    part = text.partition("### Agents")[2].partition("\n### ")[0]
    (snippet,) = re.findall(r"^```json\n(.*?)^```", part, re.DOTALL | re.MULTILINE)
    assert json.loads(snippet) == {
        "mcpServers": {"cachekey": {"command": "cachekey", "args": ["mcp"]}}
    }
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert f"pip install '.[{next(iter(extras))}]'" in part


def test_without_the_library_one_sentence_says_what_to_do(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["mcp"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    wanted = "mcp needs a library that is not installed: pip install 'cachekey[mcp]'"
    assert err == f"cachekey: {wanted} (see cachekey mcp --help)\n"
