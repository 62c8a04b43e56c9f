"""Promise: ``--fix`` leaves whatever it does not mean to change, as git and BuildKit's parser see it.

A small repository is tried here; ``make mended CORPUS=FOLDER`` tries those of a folder.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.workspaces import workspace

from . import mended
from .kinds import UnavailableError
from .oracle import oracle

APT = (
    "# syntax=docker/dockerfile:1\n"
    "FROM debian:13\n"
    "# why\n"
    "RUN \\\n"
    "\t# inside\n"
    "\tapt-get update && \\\n"
    "\tapt-get install -y git && \\\n"
    "\trm -rf /var/lib/apt/lists/*\n"
)
GO = "FROM golang:1.25\nRUN <<EOF\ngo mod download\ngo build ./...\nEOF\nCOPY <<EOF /a\ntext\nEOF\n"
PIP = 'FROM python:3.13\nRUN --mount=type=cache,target="/root/.cache/pip" pip install --no-cache-dir x\n'
SLIPS = (
    f"FROM debian:13\nRUN --mount={','.join(['tpye=cache', 'target=/x', *['no=x'] * 30])} make\n"
)
FILES = {
    "apt/Dockerfile": APT.encode(),
    "windows/Dockerfile": b"\xef\xbb\xbf" + APT.replace("\n", "\r\n").encode(),
    "go/Dockerfile": GO.encode(),
    "pip/Dockerfile": PIP.encode(),
    "slips/Dockerfile": SLIPS.encode(),
    "latin/Dockerfile": "FROM python:3.13\n# gr\xf6\xdfer\nRUN pip install x\n".encode("latin-1"),
    "README.md": b"# A file of others\n",
}


def test_a_repository(tmp_path: Path) -> None:
    generated = {f"made/{path}": text.encode() for path, text in workspace(5003).items()}
    try:
        found = mended.judge({**FILES, **generated}, tmp_path)
    except UnavailableError as error:
        pytest.skip(str(error))
    for level, judged in found.items():
        assert not judged.wrong, (level, judged.wrong)
    assert found["safe"].fixes >= 3
    assert found["all"].mended >= 5
    assert all(text.startswith("---") for text in found["all"].differs)


WRONG = {
    "another base": ("FROM a\nRUN x\n", "FROM b\nRUN x\n"),
    "a step is gone": ("FROM a\nCOPY x y\nRUN x\n", "FROM a\nRUN x\n"),
    "a step more": ("FROM a\nRUN x\n", "FROM a\nRUN x\nUSER y\n"),
    "another flag": ("FROM a\nRUN --network=none x\n", "FROM a\nRUN x\n"),
    "another destination": ("FROM a\nCOPY x /y\n", "FROM a\nCOPY x /z\n"),
    "swallowed by a here-document": (
        "FROM a\nRUN <<E\nx\nE\nUSER y\n",
        "FROM a\nRUN <<E\nx\n E\nUSER y\nE\n",
    ),
}
RIGHT = {
    "a mount": ("FROM a\nRUN x\n", "FROM a\nRUN --mount=type=cache,target=/y x\n"),
    "a command": ("FROM a\nRUN x && y\n", "FROM a\nRUN x\n"),
    "a variable": ("FROM a\nRUN x\n", "FROM a\nENV A=1\nRUN x\n"),
    "what a stage gives": ("FROM a\nCOPY --from=b /x /y\n", "FROM a\nCOPY --from=b /out/x /y\n"),
}


@pytest.mark.parametrize("name", [*WRONG, *RIGHT])
def test_what_no_fix_may_touch_is_seen(name: str) -> None:
    texts = {**WRONG, **RIGHT}[name]
    try:
        before, after = (oracle().parse(text).instructions for text in texts)
    except UnavailableError as error:
        pytest.skip(str(error))
    assert bool([*mended.unintended(before, after)]) == (name in WRONG)


def test_a_workflow_that_has_lost_something_is_seen() -> None:
    before = "steps:\n  - name: Set up\n    uses: a/b@v1\n"
    for after in (
        before.replace("name: Set", "namid: x\n    e: Set"),
        before.replace("Set up", "$      - uses: c: d"),
    ):
        assert [*mended._unread("w.yml", before, after)]
    assert not [*mended._unread("w.yml", before, before + "    id: x\n  - uses: c/d@v1\n")]
