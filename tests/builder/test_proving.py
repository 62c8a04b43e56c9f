"""Probes, progress and verdicts, without a builder."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cachekey.builder import namespaces
from cachekey.builder.history import PastBuild, PastMount, PastStep, latest, path_of
from cachekey.builder.note import Trace
from cachekey.builder.places import Place, places
from cachekey.builder.probe import probed
from cachekey.builder.progress import Progress, runs_of
from cachekey.builder.records import Builder, BuilderError, Usage, UsageRecord
from cachekey.builder.verdicts import Measured, judge
from cachekey.cli import main
from cachekey.dockerfile.records import Dockerfile
from cachekey.record import replace
from cachekey.workspace.project import Project


def read(text: str) -> Dockerfile:
    document = Project().add("Dockerfile", text)
    assert isinstance(document, Dockerfile)
    return document


CACHE = "--mount=type=cache,target=/c"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"FROM a\n  RUN {CACHE} x\n", f"FROM a\nARG CACHEKEY_PROBE=1\n  RUN {CACHE} x\n"),
        (f"FROM a\nRUN \\\n {CACHE} x\n", f"FROM a\nARG CACHEKEY_PROBE=1\nRUN \\\n {CACHE} x\n"),
        ("FROM a\nRUN x\n", "FROM a\nRUN x\n"),
        (f"FROM a\nRUN <<E\nRUN {CACHE} x\nE\n", f"FROM a\nRUN <<E\nRUN {CACHE} x\nE\n"),
        (f"FROM a\nRUN echo \\\nRUN {CACHE} x\n", f"FROM a\nRUN echo \\\nRUN {CACHE} x\n"),
        (
            f"# escape=`\nFROM a\nRUN `\n {CACHE} x\n",
            f"# escape=`\nFROM a\nARG CACHEKEY_PROBE=1\nRUN `\n {CACHE} x\n",
        ),
        (
            f"FROM a AS b\nONBUILD RUN {CACHE} x\nFROM b\n",
            f"FROM a AS b\nONBUILD ARG CACHEKEY_PROBE=1\nONBUILD RUN {CACHE} x\nFROM b\n",
        ),
        (
            "FROM a\nRUN --mount=type=bind,target=/c x\n",
            "FROM a\nRUN --mount=type=bind,target=/c x\n",
        ),
    ],
)
def test_probes_stand_in_front_of_the_runs_that_cache(text: str, expected: str) -> None:
    assert probed(read(text), "1") == expected


def test_keys_stay_what_they_are() -> None:
    text = f"FROM a\nARG X=1\nRUN {CACHE} x\nRUN --mount=type=cache,id=$X,target=d x\n"
    before = [place.key.identity for place in places(read(text))]
    assert [place.key.identity for place in places(read(probed(read(text), "n")))] == before


def test_progress_of_any_bytes_is_no_error() -> None:
    progress = Progress()
    for line in ("", "x", "[]", "{", '{"vertexes": [{}]}', '{"logs": [{}]}', "[" * 9999):
        progress.feed(line)
    assert progress.failure


def test_a_step_that_failed_is_named_and_none_that_was_stopped_for_it() -> None:
    progress = Progress()
    for number, error in enumerate(("exit code: 1", "process did not complete: context canceled")):
        progress.feed(
            json.dumps(
                {"vertexes": [{"digest": str(number), "name": f"s{number}", "error": error}]}
            )
        )
    assert progress.failure == "s0: exit code: 1"


def test_what_a_failed_step_said_last_is_told_without_its_colours() -> None:
    progress = Progress()
    said = base64.b64encode(b"\x1b[1;31mERROR\x1b[m no model\n\n").decode()
    step = {"digest": "1", "name": "RUN mvn", "error": "exit code: 1"}
    progress.feed(json.dumps({"vertexes": [step], "logs": [{"vertex": "1", "data": said}]}))
    assert progress.failure == "RUN mvn: exit code: 1 (ERROR no model)"


def vertex(number: int, name: str) -> str:
    start = f"2026-11-27T02:31:3{number}.5Z"
    end = f"2026-11-27T02:31:3{number + 1}Z"
    return (
        f'{{"vertexes":[{{"digest":"{number}","name":"{name}","started":"{start}",'
        f'"completed":"{end}"}}]}}'
    )


def test_steps_are_matched_in_the_order_of_their_stage() -> None:
    model = read(f"FROM a AS one\nRUN {CACHE} x\nCOPY . .\nRUN {CACHE} x\nFROM one\nRUN y\n")
    progress = Progress()
    for number, name in enumerate(("[one 3/4] RUN x", "[one 1/4] RUN x", "[stage-1 1/1] RUN y")):
        progress.feed(vertex(number, name))
    found = runs_of(model, progress.steps.values())
    assert {line: [step.name for step in steps] for line, steps in found.items()} == {
        1: ["[one 1/4] RUN x"],
        3: ["[one 3/4] RUN x"],
        5: ["[stage-1 1/1] RUN y"],
    }
    assert next(iter(progress.steps.values())).seconds == 0.5


def test_the_latest_builds_are_asked_for_one_by_one_and_proofs_do_not_count() -> None:
    asked = []

    def past(number: int) -> PastBuild | None:
        asked.append(number)
        if number == 0:
            return None
        name = "cachekey-prove-1/a" if number % 2 else "/a"
        step = PastStep(0, 1.0, False, (PastMount(name, "/c", ""),))
        now = datetime(2026, 1, 1, tzinfo=timezone.utc)
        return PastBuild(str(number), now, None, "Dockerfile", None, (step,))

    assert [build.ref for build in latest(map(past, range(100)), 2)] == ["2", "4"]
    assert asked == [0, 1, 2, 3, 4]
    assert len(latest(map(past, range(1000)), 1000)) == 99


def test_a_build_of_another_text_is_of_the_file_that_is_plainly_alike() -> None:
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    step = PastStep(0, 1.0, False, (PastMount("/uv", "/c", ""),))
    head = "FROM a\nENV HOME=/root\n"
    texts = {
        "api/Dockerfile": f"{head}RUN uv sync\nCMD api\n",
        "web/Dockerfile": f"{head}RUN uv sync --frozen\nRUN npm ci\nCMD web\n",
        "ml/Dockerfile": f"{head}RUN uv sync\nCMD ml\n",
    }
    names = {path: {"/uv"} for path in texts}

    def of(text: str) -> str | None:
        build = PastBuild("1", now, None, "Dockerfile", text, (step,))
        return path_of(build, texts, names)

    assert of(texts["ml/Dockerfile"]) == "ml/Dockerfile"
    assert of(f"{head}RUN uv sync --locked\nRUN npm ci\nCMD web\n") == "web/Dockerfile"
    assert of(f"{head}RUN uv sync\nCMD other\n") is None
    assert of(head) is None


@pytest.fixture
def place() -> Place:
    return next(places(read(f"FROM a\nRUN {CACHE} x\n")))


@pytest.mark.parametrize(
    ("cold", "warm", "size", "codes", "expected"),
    [
        (2.0, 0.2, 99999, (), ("works", None, None)),
        (2.0, 0.2, 99999, ("CK301",), ("works", None, "CK301")),
        (2.0, 0.2, 99999, ("CK501",), ("works", None, None)),
        (2.0, 1.9, 99999, (), ("unclear", None, None)),
        (2.0, 1.9, 99999, ("CK304",), ("disabled", "CK304", None)),
        (2.0, 1.9, 4096, (), ("unused", None, None)),
        (2.0, 1.9, 4096, ("CK301",), ("unused", "CK301", None)),
        (2.0, 0.2, 4096, ("CK201", "CK301"), ("not-writable", "CK201", None)),
        (2.0, 1.9, None, (), ("unused", None, None)),
        (None, None, 99999, ("CK301",), ("unclear", None, None)),
        (0.1, 0.05, 99999, (), ("unclear", None, None)),
    ],
)
def test_verdicts(
    place: Place,
    cold: float | None,
    warm: float | None,
    size: int | None,
    codes: tuple[str, ...],
    expected: tuple[object, ...],
) -> None:
    judged = judge(Measured(place, cold, warm, size), codes, [])
    assert (judged.verdict, judged.finding, judged.contradicts) == expected


def test_a_finding_is_refuted_by_every_later_build_only(place: Place) -> None:
    cold, codes = 1.46, ("CK304",)
    lucky = Measured(place, cold, 0.5, 99999, 99999, slowest=1.3)
    assert judge(lucky, codes, []).verdict == "disabled"
    noisy = Measured(place, cold, 1.16, 99999, 99999, slowest=1.17)
    assert judge(noisy, codes, []).verdict == "disabled"
    plain = Measured(place, cold, 0.2, 99999, 99999, slowest=0.3)
    assert judge(plain, codes, []).contradicts == "CK304"


def test_what_several_caches_of_a_run_save_together_is_said_of_none_alone() -> None:
    text = f"FROM a\nRUN {CACHE} --mount=type=cache,target=/d --mount=type=cache,target=/e x\n"
    one, two, three = (Measured(p, 2.0, 0.2, 99999) for p in places(read(text)))
    assert judge(one, (), [two, three]).words == (
        "saves 90 %, together with the other 2 caches of its RUN"
    )
    empty = replace(three, size=4096)
    assert judge(one, (), [two, empty]).words == (
        "saves 90 %, together with the other cache of its RUN"
    )
    assert judge(one, (), [empty]).words == "saves 90 %"


def test_a_step_that_finds_its_cache_full_in_the_cold_build_says_so() -> None:
    text = f"FROM a\nRUN {CACHE} x\nRUN {CACHE} y\nFROM a AS b\nRUN {CACHE} z\n"
    first, second, third = (Measured(p, 2.0, 1.9, 99999, slowest=1.9) for p in places(read(text)))
    plain = "something is stored, and the step is not faster"
    assert judge(first, (), [second, third]).words == plain
    assert judge(third, (), [first, second]).words == plain
    judged = judge(second, (), [first, third])
    assert judged.verdict == "unclear"
    assert judged.words.startswith("the RUN on line 2 comes first and fills it")


def test_a_refused_write_is_heard(place: Place) -> None:
    log = "mkdir: can't create directory '/c/x': Permission denied"
    assert judge(Measured(place, 1.0, 1.0, 0, log), (), []).verdict == "not-writable"


def test_a_read_only_mount_is_not_judged(place: Place) -> None:
    assert judge(Measured(place, 1.0, 1.0, 0, readonly=True), (), []).verdict == "unclear"


def test_what_is_asked_for_wrongly(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert main(["prove", "nothing"]) == 2
    assert "nothing: no such file" in capfd.readouterr().err
    assert main(["prove"]) == 2
    assert "required: FILE|TARGET" in capfd.readouterr().err


def test_a_killed_run_was_over_when_its_builder_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces.time, "sleep", lambda _: None)
    last, end = (datetime(2026, 1, 1, 0, 0, second, tzinfo=timezone.utc) for second in (1, 9))
    answers = [[None, end], [last, None], [last, end]]

    class Telling:
        def builds_in(self, namespace: str) -> list[datetime | None]:
            assert namespace == "mine"
            return answers.pop(0)

    class Silent:
        def builds_in(self, namespace: str) -> None:
            return None

    trace = Trace("mine", last=last, ended=True)
    assert namespaces._over(Telling(), trace) == end  # type: ignore[arg-type]
    assert answers == []
    assert namespaces._over(Silent(), trace) == last  # type: ignore[arg-type]


LAYER = UsageRecord("layer", "regular", "mount / from exec /bin/sh -c x", 1, in_use=True)


class Holding:
    """A builder that does not let go of a layer."""

    builder = Builder("b", "docker", "29", "test")

    def __init__(self) -> None:
        self.records: tuple[UsageRecord, ...] = ()
        self.asked: list[list[str]] = []

    def usage(self) -> Usage:
        return Usage(self.builder, self.records, None)

    def remove(self, records: list[str]) -> None:
        self.asked.append(list(records))
        self.records = tuple(r for r in self.records if r.in_use or r.id not in records)

    def builds_in(self, namespace: str) -> None:
        return None


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_a_layer_that_the_builder_holds_is_removed_by_a_later_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(namespaces.time, "sleep", lambda _: None)
    on, told = Holding(), []
    with namespaces.namespace(on, False, told.append) as private:  # type: ignore[arg-type]
        private.note.put(before=[], commands=["x"])
        on.records = (LAYER,)
    assert told == ["the builder holds on to 1 of its layers: a later run of prove removes them"]
    count = len(on.asked)
    assert namespaces.clear(on) == []  # type: ignore[arg-type]
    # It is tried once and not waited for; what somebody else makes meanwhile is not asked about.
    assert on.asked[count:] == [["layer"]]
    on.records = (replace(LAYER, in_use=False), replace(LAYER, id="theirs"))
    assert namespaces.clear(on) == []  # type: ignore[arg-type]
    assert [item.id for item in on.records] == ["theirs"]
    assert os.listdir(tmp_path / "cachekey/prove") == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
@pytest.mark.parametrize("killed", [True, False])
def test_a_client_ends_with_whoever_has_started_it(tmp_path: Path, killed: bool) -> None:
    words = ("sh", "-c", "echo $$; echo >&2; exec sleep 60" if killed else "echo $$; echo >&2")
    script = (
        "import sys; from cachekey.builder.programs import started\n"
        f"with started({words!r}, 'it', tied=True) as process:\n"
        "    print(process.stdout.readline().decode(), flush=True); process.stderr.readline()\n"
        f"    {'input()' if killed else 'process.wait()'}\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    group = int(run.stdout.readline())
    if killed:
        run.kill()
    run.communicate()
    assert (run.returncode == 0) is not killed
    for _ in range(100):
        with suppress(PermissionError):
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return
        time.sleep(0.1)
    raise AssertionError("something of the client lives on")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_a_folder_that_others_may_write_to_holds_no_file_of_a_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert namespaces._home() == str(tmp_path / "cachekey/prove")
    (tmp_path / "cachekey").chmod(0o777)
    monkeypatch.setattr(namespaces.tempfile, "gettempdir", lambda: str(tmp_path / "t"))
    assert namespaces._home().startswith(str(tmp_path / "t"))
    next((tmp_path / "t").iterdir()).chmod(0o777)
    with pytest.raises(BuilderError, match="no folder of this user's own"):
        namespaces._home()
