"""`cachekey builder` on real builders: every cache is found and joined with its mount."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import live, session, setup
from .kinds import BASE, NAMES, Request

FILE = f"""\
{BASE}FROM base AS build
RUN --mount=type=cache,target=/@/c echo hi > /@/c/f
RUN --mount=type=cache,id=@own,target=/d,uid=1000 echo hi > /d/f || true
RUN --mount=type=cache,id=@é,target=/d echo hi > /d/f
"""
ODD = 'RUN --mount="type=cache,\\"id=@,quoted\\",target=/d" echo hi > /d/f\n'


@pytest.mark.parametrize(("name", "least"), [("buildkit", 150), ("docker", 60), ("buildah", 20)])
def test_every_cache_of_every_case_is_found(name: str, least: int) -> None:
    """Of all that the conformance cases have built, many in one file."""
    on = live.running(name)
    bench = session.ran(name)
    # The stages of other cases have commands of their own: only BuildKit's records tell more.
    texts = bench.pairs + (bench.stages if name == "buildkit" else [])
    engine = "buildah" if name == "buildah" else "buildkit"
    wanted = [place for text in texts for place in live.mounts(on.text(Request(text)), engine)]
    missing = live.joined(on, wanted).missing
    assert sorted({str(place.key) for place in missing}) == []
    assert len({place.key.identity for place in wanted if not place.open}) > least


@pytest.mark.parametrize("name", NAMES)
def test_a_cache_is_shown_with_its_mount(name: str, tmp_path: Path) -> None:
    on = live.running(name)
    text = FILE.replace("@", f"shown{name}")
    assert on.build(Request(text)).ok
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text(on.text(Request(text)), encoding="utf-8")
    chosen = ["--builder", "buildah"] if name == "buildah" else []
    env = live.environment(on)
    found = live.document(live.command(tmp_path, env, "builder", "--format", "json", *chosen))
    mine = [cache for cache in found["caches"] if cache["mounts"]]
    assert len(mine) == 3, mine
    assert found["missing"] == []
    for cache in mine:
        (record,) = cache["records"]
        assert cache["size"] > 0
        assert record["id"] in cache["prune"]
        assert cache["match"] == ("probable" if name == "docker" else "exact"), cache
    assert found["builder"]["namesCaches"] is (name != "docker")
    shown = live.command(tmp_path, env, "builder", *chosen)
    assert shown.returncode == 0
    for cache in mine:
        assert f"Dockerfile:{cache['mounts'][0]['line'] + 1}" in shown.stdout
    if name == "docker":
        assert "does not tell the ids" in shown.stdout


def test_two_owners_of_one_id_are_told_apart_by_what_began_them(tmp_path: Path) -> None:
    on = live.running("buildkit")
    text = (
        f"{BASE}FROM base\n"
        "RUN --mount=type=cache,id=owners,target=/d,uid=1000 echo one > /d/f || true\n"
        "RUN --mount=type=cache,id=owners,target=/d,uid=2000 echo two > /d/f || true\n"
    )
    assert on.build(Request(text)).ok
    wanted = live.mounts(text)
    found = [cache for cache in live.joined(on, wanted).caches if cache.places]
    assert {tuple(place.line for place in cache.places) for cache in found} == {(4,), (5,)}
    assert all(cache.also == 1 for cache in found)


def test_odd_ids_are_found() -> None:
    on = live.running("buildkit")
    text = f"{BASE}FROM base\n{ODD}".replace("@", "odd")
    built = on.build(Request(text))
    assert built.ok, built.error
    wanted = live.mounts(text)
    assert [place.name for place in wanted] == ["/odd,quoted"]
    assert live.joined(on, wanted).missing == ()


def test_a_name_that_is_the_target_is_known() -> None:
    """The builder leaves such a name out of its description."""
    on = live.running("buildkit")
    text = (
        f"{BASE}FROM base\nRUN --mount=type=cache,id=same,target=/same "
        "--mount=type=cache,target=//same2/t true\n"
    )
    assert on.build(Request(text)).ok
    wanted = live.mounts(text)
    found = [cache for cache in live.joined(on, wanted).caches if cache.places]
    assert sorted(cache.name or "" for cache in found) == ["//same2/t", "/same"]
    assert {cache.match for cache in found} == {"exact"}


def test_a_prune_command_takes_that_record_only() -> None:
    import subprocess

    on = live.running("buildkit")
    text = (
        f"{BASE}FROM base\n"
        "RUN --mount=type=cache,id=prune1,target=/d --mount=type=cache,id=prune2,target=/e true\n"
    )
    assert on.build(Request(text)).ok
    wanted = live.mounts(text)
    before = live.joined(on, wanted)
    first = next(c for c in before.caches if c.name == "/prune1")
    words = live.source(on, wanted).prune(first.records[0].id)
    env = {**on.environment(), "PATH": f"{setup.BIN}:{on.environment()['PATH']}"}
    subprocess.run([*words], env=env, check=True, capture_output=True)
    assert [place.key.name.text for place in live.joined(on, wanted).missing] == ["prune1"]


def test_the_history_tells_lines_times_and_changed_keys(tmp_path: Path) -> None:
    on = live.running("buildkit")
    (tmp_path / ".git").mkdir()
    first = f"{BASE}FROM base\nRUN --mount=type=cache,id=past,target=/past sleep 0.3\n"
    second = first.replace("target=/past", "target=/past,uid=1000")
    for text in (first, first, second):
        assert on.build(Request(text)).ok
    (tmp_path / "Dockerfile").write_text(second, encoding="utf-8")
    arguments = ("builder", "--history", "9", "--format", "json")
    found = live.document(live.command(tmp_path, live.environment(on), *arguments))
    mine = [build for build in found["history"] if build["path"] == "Dockerfile"]
    steps = [build["steps"][0] for build in mine]
    assert [step["line"] for step in steps] == [4, 4, 4]
    assert [step["cached"] for step in steps] == [False, True, False]
    assert all(step["seconds"] > 0.2 for step in steps if not step["cached"])
    assert [step["mounts"][0]["base"] for step in steps] == ["uid=1000,gid=0,mode=0755", None, None]
    (change,) = found["changes"]
    assert change["path"] == "Dockerfile"
    assert "past has uid=1000,gid=0,mode=0755, it had none: it began empty" in change["words"]
    shown = live.command(tmp_path, live.environment(on), *arguments[:3])
    assert "it began empty" in shown.stdout
    page = live.command(tmp_path, live.environment(on), *arguments[:3], "--format", "html").stdout
    builds = page.partition("<h2>Builds</h2>")[2]
    assert builds.count('<a href="Dockerfile#L5">line 5</a>') == 3
    assert "past has uid=1000,gid=0,mode=0755, it had none: it began empty" in builds
