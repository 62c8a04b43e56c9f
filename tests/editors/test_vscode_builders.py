"""The builder's caches and a proof in the real VS Code, with a real buildkitd."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.buildkit import live, setup
from tests.buildkit.kinds import BuildKit, UnavailableError
from tests.editors.conftest import HERE, ROOT, Drive

KEPT = {"caches-dark": "builder.png", "proof": "proof.png"}
"""Pictures that the README shows, and their names there."""
MADE = {"api": 3, "web": 2}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A builder of this test alone, on which both files were built."""
    live.running("buildkit")
    try:
        on = BuildKit()
    except (UnavailableError, OSError) as error:
        pytest.skip(str(error))
    for name in MADE:
        folder = tmp_path / "context" / name
        shutil.copytree(HERE / "builders" / name, folder)
        shutil.copy(HERE / "builders/tool", folder)
        shutil.copy("/bin/busybox", folder)
        place = ["--local", f"context={folder}", "--local", f"dockerfile={folder}"]
        command = [*on.client, "build", "--frontend=dockerfile.v0", *place]
        subprocess.run(command, check=True, capture_output=True, env=on.environment())
    yield on.address
    on.close()


def test_caches_and_proofs(drive: Drive, address: str, shots: Path) -> None:
    for picture in shots.glob("builders-*.png"):
        picture.unlink()
    output = drive("builders.mjs", builder=address, bin=str(setup.BIN))
    for line in ("the lens has the size", "a link opens its line", "cancelled"):
        assert line in output
    assert "5 rows" in output
    assert "refused by the policy: []" in output
    assert re.search(r"proof: .*works saves \d+ %.*disabled.*\(CK304\).*unused.*\(CK301\)", output)
    assert re.search(r"hover: .*On the builder .*24 MB, last used .*proven: saves \d+ %", output)
    assert len(list(shots.glob("builders-*.png"))) == 7
    if folder := os.environ.get("CACHEKEY_SCREENSHOTS"):
        for name, kept in KEPT.items():
            shutil.copyfile(shots / f"builders-{name}.png", ROOT / folder / kept)
