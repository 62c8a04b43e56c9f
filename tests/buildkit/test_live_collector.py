"""A real garbage collection with small limits takes what was foretold."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cachekey.builder.collector import collected, settled
from cachekey.builder.records import Policy
from cachekey.record import replace

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


SIZES = {"one": 20, "two": 20, "three": 20, "four": 1, "five": 7, "six": 3, "seven": 11}
"""Megabytes of each cache."""
AGAIN = ("one", "one", "four", "six", "two", "one")
"""Caches that are used again, in this order."""


def use(on: Collecting, name: str, turn: int) -> None:
    text = (
        f"{BASE}FROM base\nRUN --mount=type=cache,id={name},target=/d "
        f"test {turn} != 0 || head -c {SIZES[name]}000000 /dev/zero > /d/{name}\n"
    )
    assert on.build(Request(text)).ok


def foretold(on: Collecting, rule: Policy) -> list[str]:
    source = live.source(on, [])
    usage = settled(source, replace(source.usage(), policies=(rule,)))
    found = collected(usage.records, [rule], datetime.now(timezone.utc))
    assert found.decided
    return [item.id for item in found.taken]


def test_a_collection_takes_what_was_foretold_in_its_order(on: Collecting) -> None:
    for name in SIZES:
        use(on, name, 0)
    for turn, name in enumerate(AGAIN, 1):
        use(on, name, turn)
    usage = live.source(on, []).usage()
    assert usage.policies == ()
    filters = ("type==exec.cachemount",)
    caches = {r.id for r in usage.records if r.type == "exec.cachemount"}
    for most in (MOST, MOST // 2):
        # The collector's own code with a rule of ours, without a daemon that starts again.
        told = foretold(on, Policy(filters=filters, most=most))
        assert 0 < len(told) < len(caches)
        limit = ["--filter", *filters, "--keep-storage", str(most / 1_000_000)]
        prune = [*on.client, "prune", *limit, "--format", "{{json .}}"]
        done = subprocess.run(prune, check=True, capture_output=True, text=True)
        assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == told


def test_its_own_collection_takes_what_was_foretold(on: Collecting) -> None:
    for name in SIZES:
        use(on, name, 0)
    rule = Policy(filters=("type==exec.cachemount",), most=MOST)
    told = set(foretold(on, rule))
    before = {r.id for r in live.source(on, []).usage().records if r.type == "exec.cachemount"}
    on.collect()
    source = live.source(on, [])
    usage = source.usage()
    for _ in range(40):
        if before - {r.id for r in usage.records} == told:
            break
        time.sleep(0.25)
        usage = source.usage()
    assert before - {r.id for r in usage.records} == told != set()
    assert usage.policies is not None
    assert [(rule.most, rule.filters) for rule in usage.policies] == [(MOST, rule.filters)]


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
