"""The server in Neovim: warning, hover, quick fix, the file on disk, undo."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.editors.conftest import HERE, ROOT, need

LIMIT_S = 180


def test_story(tmp_path: Path) -> None:
    need("neovim")
    workspace = tmp_path / "ws"
    shutil.copytree(HERE / "workspace", workspace)
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PYTHONPATH": str(ROOT / "server"),
        "CACHEKEY_SERVER": json.dumps([sys.executable, "-m", "cachekey", "lsp"]),
        "CACHEKEY_FILE": str(workspace / "Dockerfile"),
    }
    command = ["nvim", "--headless", "-u", "NONE", "-i", "NONE", "-n"]
    done = subprocess.run(
        [*command, "-S", str(HERE / "neovim.lua")],
        cwd=workspace,
        env=environment,
        # Without this a question that nobody answers would keep it for ever.
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    log = home / "cache" / "nvim" / "lsp.log"
    seen = done.stdout + done.stderr + (log.read_text() if log.exists() else "")
    assert done.returncode == 0, seen
    assert "undone" in done.stdout
    assert "server stopped" in done.stdout
