"""A builder that buildx knows by name: its caches, its history, a proof."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cachekey.builder.buildx import Buildx, inspected
from cachekey.builder.namespaces import mine

from . import live, setup
from .kinds import Request
from .test_live_prove import HEAD, PIP, RIGHT


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A workspace, and an environment whose current builder is one of buildx."""
    on = live.running("buildkit")
    if reason := setup.unready("buildx"):
        pytest.skip(reason)
    if not shutil.which("docker"):
        pytest.skip("no docker client")
    (tmp_path / ".git").mkdir()
    shutil.copy(on.context / "busybox", tmp_path / "busybox")
    (tmp_path / "pip").write_text(PIP, encoding="utf-8")
    (tmp_path / "pip").chmod(0o755)
    text = HEAD + RIGHT.replace("right", "byname")
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    plugins = tmp_path / "docker/cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(setup.BIN / "buildx")
    env = {**live.environment(on), "DOCKER_CONFIG": str(tmp_path / "docker")}
    address = env.pop("BUILDKIT_HOST")
    env["XDG_CACHE_HOME"] = str(tmp_path / "notes")
    create = [
        "docker",
        "buildx",
        "create",
        "--use",
        "--name",
        "mine",
        "--driver",
        "remote",
        address,
    ]
    subprocess.run(create, env=env, check=True, capture_output=True)
    assert on.build(Request(text, context=tmp_path)).ok
    return tmp_path, env


def test_a_named_builder(place: tuple[Path, dict[str, str]]) -> None:
    folder, env = place
    arguments = ("builder", "--history", "3", "--format", "json")
    found = live.document(live.command(folder, env, *arguments))
    assert found["builder"]["kind"] == "buildx"
    assert found["builder"]["found"] == "the current builder of buildx"
    (mine,) = (cache for cache in found["caches"] if cache["key"] == "byname")
    assert (mine["match"], len(mine["mounts"])) == ("exact", 1)
    assert mine["size"] > 200_000
    (record,) = mine["records"]
    assert record["lastUsed"] is not None
    assert mine["prune"].startswith("docker buildx prune --builder mine")
    (build,) = (build for build in found["history"] if build["path"] == "Dockerfile")
    assert [step["mounts"][0]["name"] for step in build["steps"]] == ["/byname"]
    assert build["steps"][0]["seconds"] > 0.9


def test_a_proof_by_name(place: tuple[Path, dict[str, str]]) -> None:
    folder, env = place
    more = ("--builder", "mine", "--runs", "2", "--format", "json")
    found = live.document(live.command(folder, env, "prove", ".", *more))
    assert [(m["key"], m["verdict"]) for m in found["mounts"]] == [("byname", "works")]
    after = live.document(live.command(folder, env, "builder", "--format", "json"))
    assert not any("cachekey-prove" in cache["key"] for cache in after["caches"])


def test_when_its_builds_were_over_is_told(
    place: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, env = place
    began = datetime.now(timezone.utc)
    done = live.command(folder, env, "prove", ".", "--builder", "mine", "--runs", "2", "--keep")
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("DOCKER_CONFIG", env["DOCKER_CONFIG"])
    source = Buildx(inspected("mine"), "test")
    name = done.stderr.rpartition(" ")[2].strip()
    ends = source.builds_in(name)
    assert ends is not None
    (end,) = ends
    assert end is not None
    assert end > began
    assert source.builds_in("nobody") == []
    source.remove([item.id for item in mine(source.usage(), name)])
    assert mine(source.usage(), name) == []


def test_a_builder_that_nobody_knows(place: tuple[Path, dict[str, str]]) -> None:
    folder, env = place
    done = live.command(folder, env, "builder", "--builder", "nobody")
    assert (done.returncode, done.stdout) == (2, "")
    assert 'no builder "nobody" found' in done.stderr
