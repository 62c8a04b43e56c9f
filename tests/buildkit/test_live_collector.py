"""A real garbage collection with small limits takes as much as was foretold, by its rule."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cachekey.builder.collector import collected, threats
from cachekey.builder.records import Policy

from . import live, setup
from .kinds import BASE, ENVIRONMENT, BuildKit, Request, UnavailableError, stop

CONFIG = """\
[worker.oci]
  enabled = true
  gc = {gc}
  snapshotter = "native"
  binary = "{binary}"
  networkMode = "host"
  [[worker.oci.gcpolicy]]
    filters = ["type==exec.cachemount"]
    maxUsedSpace = {most}
[worker.containerd]
  enabled = false
"""
MOST = 60_000_000


class Collecting(BuildKit):
    """The same builder; its collector is asleep until ``collect``."""

    def start(self) -> str:
        """Starts buildkitd."""
        self.address = f"unix://{self.folder}/s.sock"
        self.client = [str(setup.BIN / "buildctl"), "--addr", self.address]
        self._serve(False)
        return setup.BUILDKIT.removeprefix("v")

    def _serve(self, gc: bool) -> None:
        binary = shutil.which("runc", path=ENVIRONMENT["PATH"]) or "runc"
        text = CONFIG.format(binary=binary, most=MOST, gc=str(gc).lower())
        config = self.folder / "buildkitd.toml"
        config.write_text(text, encoding="utf-8")
        daemon = [str(setup.BIN / "buildkitd"), "--config", str(config)]
        daemon += ["--root", str(self.folder / "root"), "--addr", self.address]
        self.serve(daemon, [*self.client, "debug", "workers"])

    def collect(self) -> None:
        """Starts it again with a policy that allows little: it collects a second later."""
        assert self.daemon is not None
        stop(self.daemon.pid)
        self.daemon.wait()
        self._serve(True)


@pytest.fixture
def on() -> Iterator[Collecting]:
    live.running("buildkit")
    try:
        builder = Collecting()
    except (UnavailableError, OSError) as error:
        pytest.skip(str(error))
    yield builder
    builder.close()


def test_a_collection_takes_what_was_foretold(on: Collecting) -> None:
    for name, count in (("one", 20), ("two", 20), ("three", 20), ("four", 1)):
        text = (
            f"{BASE}FROM base\nRUN --mount=type=cache,id={name},target=/d "
            f"head -c {count}000000 /dev/zero > /d/{name}\n"
        )
        assert on.build(Request(text)).ok
    source = live.source(on, [])
    usage = source.usage()
    assert usage.policies == ()
    now = datetime.now(timezone.utc)
    rule = Policy(filters=("type==exec.cachemount",), most=MOST)
    foretold = {item.id for item in collected(usage.records, [rule], now)}
    caches = {r.id for r in usage.records if r.type == "exec.cachemount"}
    seen = [(r.description[:60], r.size, r.shared, r.in_use) for r in usage.records]
    assert 0 < len(foretold) < len(caches), seen
    assert caches == threats(usage.records, [rule], now).keys()
    # The collector's own code with its rule, without a daemon that starts again.
    limit = ["--filter", "type==exec.cachemount", "--keep-storage", str(MOST / 1_000_000)]
    subprocess.run([*on.client, "prune", *limit], check=True, capture_output=True)
    taken = caches - {r.id for r in source.usage().records}
    # How many is foretold. Which of caches that were used seconds ago is first is not: the builder lets go
    # of them, and counts that as a use, some time after the build has ended.
    assert taken
    assert len(foretold) <= len(taken) < len(caches)
    on.collect()
    policies = live.source(on, []).usage().policies
    assert policies is not None
    assert [(rule.most, rule.filters) for rule in policies] == [(MOST, ("type==exec.cachemount",))]


def test_a_builder_that_goes_away_while_it_proves(on: Collecting, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    shutil.copy(on.context / "busybox", tmp_path / "busybox")
    text = f"{BASE}FROM base\nRUN --mount=type=cache,id=gone,target=/d sleep 30\n"
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    env = {**live.environment(on), "XDG_CACHE_HOME": str(tmp_path / "notes")}
    process = subprocess.Popen(
        [sys.executable, "-m", "cachekey", "prove", "."],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    source = live.source(on, [])
    for _ in range(100):
        if any("cachekey-prove-" in r.description for r in source.usage().records):
            break
        time.sleep(0.2)
    assert on.daemon is not None
    on.daemon.kill()
    out, errors = process.communicate(timeout=240)
    assert (process.returncode, out) == (2, "")
    last = errors.splitlines()[-1]
    assert "went away" in last or "no builder answers" in last, errors
    # The note stays: whoever proves next on this builder cleans up.
    assert len(list((tmp_path / "notes/cachekey/prove").iterdir())) == 1
