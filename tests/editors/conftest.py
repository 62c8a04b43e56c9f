"""Real editors: found or built once, run in a place of their own, ended by their id."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CANNOT = 77
DRIVER_LIMIT_S = 420

Drive = Callable[..., str]


def need(*parts: str) -> None:
    """Make the named parts of setup.sh available; skip where this machine cannot have them."""
    done = subprocess.run(
        ["sh", str(HERE / "setup.sh"), *parts], capture_output=True, text=True, check=False
    )
    if done.returncode == CANNOT:
        pytest.skip(f"{', '.join(parts)}: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stdout + done.stderr


def make(*targets: str) -> None:
    """Bring targets of tests/editors.mk up to date."""
    for program in ("node", "npm", "make"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    command = ["make", "--silent", "-f", "tests/editors.mk", f"PYTHON={sys.executable}", *targets]
    # A make above this test has its own ideas about jobs and flags.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def vsix() -> Path:
    """The packaged extension, made from this checkout."""
    make("vsix")
    return ROOT / "dist" / "cachekey.vsix"


@pytest.fixture(scope="session")
def unpacked(vsix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged extension's files."""
    folder = tmp_path_factory.mktemp("vsix")
    shutil.unpack_archive(vsix, folder, "zip")
    return folder / "extension"


@pytest.fixture(scope="session")
def vscode() -> None:
    """code-server and a browser to drive it."""
    make("tests/editors/node_modules/.package-lock.json")
    need("code-server", "chromium")


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where the drivers leave their pictures."""
    folder = ROOT / ".cache" / "shots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def drive(vscode: None, vsix: Path, shots: Path, tmp_path: Path) -> Drive:
    """Run a driver to its end and return what it printed."""

    def run(name: str, **more: Any) -> str:
        options = {"root": str(tmp_path), "vsix": str(vsix), "shots": str(shots)}
        options["python"] = sys.executable
        process = subprocess.Popen(
            ["node", str(HERE / name), json.dumps({**options, **more})],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        try:
            output, _ = process.communicate(timeout=DRIVER_LIMIT_S)
        except BaseException:
            # On this signal the driver ends the browser and the editor that it started.
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            raise
        print(output)
        assert process.returncode == 0, output
        return output

    return run
