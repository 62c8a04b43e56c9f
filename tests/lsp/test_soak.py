"""A long day of work against the real server: its memory levels off, and answers stay as quick.

``SOAK=100000 pytest tests/lsp/test_soak.py`` works for as many edits and a tenth of that in events.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path

import pytest

from tests.support.client import Client, connect

EDITS = int(os.environ.get("SOAK", "1500"))
EVENTS = EDITS // 10
MEMORY = Path("/proc/self/status").exists()

TEXT = "\n".join(
    [
        "FROM python:3.13 AS build",
        "ENV UV_CACHE_DIR=/c",
        *(
            f"RUN --mount=type=cache,target=/root/.cache/pip pip install x{number}"
            for number in range(12)
        ),
        "USER app",
        "RUN --mount=type=cache,id=uv,target=/c uv sync",
        "",
    ]
)


def resident(pid: int) -> int:
    """Return the kilobytes of memory that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no memory is told")


def cost(pid: int) -> int:
    """Return the ticks of CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


async def edit(client: Client, uri: str, begin: int, times: int) -> None:
    for number in range(begin, begin + times):
        line = f"RUN echo {number % 97} # {'x' * (number % 31)}\n"
        at = len(TEXT) * (number % 13) // 13
        start = TEXT.find("\n", at) + 1
        client.change(uri, number, TEXT[:start] + line + TEXT[start:])
        await client.diagnose(uri, number)


async def stir(client: Client, times: int) -> None:
    for number in range(times):
        name = f"s{number % 7}/Dockerfile"
        client.write(name, TEXT.replace("x1", f"y{number}"))
        client.tell_changed(client.uri(name))


@pytest.mark.skipif(not MEMORY, reason="this system does not tell a process's memory by a file")
async def test_memory_and_cost_level_off(tmp_path: Path) -> None:
    for number in range(7):
        folder = tmp_path / f"s{number}"
        folder.mkdir()
        (folder / "Dockerfile").write_text(TEXT)
    async with connect(tmp_path, "vscode") as client:
        uri = client.open(client.uri("mine/Dockerfile"), TEXT)
        await client.diagnose(uri, 1)
        pid = client._server.pid
        warm = max(400, EDITS // 10)
        await edit(client, uri, 2, warm)
        await stir(client, warm // 10)
        await edit(client, uri, warm + 2, 50)
        before = resident(pid)
        costs = []
        version, part = warm + 52, EDITS // 5
        for _ in range(5):
            begun = cost(pid)
            await edit(client, uri, version, part)
            costs.append(cost(pid) - begun)
            await stir(client, EVENTS // 5)
            version += part
        await edit(client, uri, version, 20)
        after = resident(pid)
    assert after <= before * 1.05 + 2_048, (before, after)
    assert costs[-1] <= 1.5 * statistics.median(costs) + 20, costs
