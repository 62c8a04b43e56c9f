"""Builders that refuse, go away or tell little: one sentence, exit 2, and nothing is left behind."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from cachekey.cli import main

from .test_asking import NAMED, VERSION, daemon, program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

ADDRESS = "tcp://far:1234"
DIAL = 'connection error: desc = "transport: Error while dialing: dial'
WORKERS = """*workers*) echo '[{"buildkitVersion": {"version": "v0.34.2"}}]' ;;"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM x\nRUN --mount=type=cache,id=a,target=/c x\n")
    monkeypatch.chdir(tmp_path)
    for name in ("BUILDKIT_HOST", "BUILDX_BUILDER", "DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "notes"))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return tmp_path


def buildctl(place: Path, *cases: str) -> None:
    program(place / "bin", "buildctl", "\n".join(['case "$*" in', *cases, "esac"]))


def fails(words: str) -> str:
    return f"echo '{words}' >&2; exit 1"


def last(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The last sentence of a run that fails; what it was doing stands in front of it."""
    assert main([*arguments, "--builder", ADDRESS]) == 2
    out, errors = capfd.readouterr()
    assert out == ""
    *before, said = errors.splitlines()
    assert all(line in ("cachekey: cold build", "cachekey: warm build 1 of 2") for line in before)
    return said


def notes(place: Path) -> list[str]:
    home = place / "notes/cachekey/prove"
    return os.listdir(home) if home.is_dir() else []


@pytest.mark.parametrize("command", [["builder"], ["prove", "."]])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            f"error: failed to list workers: Unavailable: {DIAL} unix /s: connect: permission denied",
            f"buildkitd at {ADDRESS} may not be asked by this user: permission denied",
        ),
        (
            f"error: failed to list workers: Unavailable: {DIAL} tcp: lookup far: no such host",
            f"no builder answers at buildkitd at {ADDRESS}: is it running?",
        ),
        (
            f"error: failed to list workers: Unavailable: {DIAL} tcp: connect: connection refused",
            f"no builder answers at buildkitd at {ADDRESS}: is it running?",
        ),
        (
            "error: failed to list workers: Unavailable: error reading from server: EOF",
            f"buildkitd at {ADDRESS} went away while it was asked",
        ),
        (
            "error: failed to list workers: tls: certificate required",
            f"buildkitd at {ADDRESS} refuses: failed to list workers: tls: certificate required",
        ),
    ],
)
def test_a_builder_that_cannot_be_asked(
    command: list[str],
    answer: str,
    expected: str,
    place: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    buildctl(place, f"*workers*) {fails(answer)} ;;")
    assert last(capfd, *command) == f"cachekey: {expected}"
    assert notes(place) == []


@pytest.mark.parametrize("command", [["builder"], ["prove", "."]])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("<html>", "answers with something that is not JSON"),
        ("[1, 2]", "answers in a form that Cachekey does not know"),
        ('{"a": 1}', "answers in a form that Cachekey does not know"),
    ],
)
def test_an_answer_that_is_none(
    command: list[str], answer: str, words: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    buildctl(place, WORKERS, f"*du*) echo '{answer}' ;;")
    assert last(capfd, *command) == f"cachekey: buildkitd at {ADDRESS} {words}"
    assert notes(place) == []


def test_a_socket_that_this_user_may_not_open(
    place: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    for command in (["builder"], ["prove", "."]):
        assert main(command) == 2
        assert capfd.readouterr().err == (
            "cachekey: Docker at unix:///var/run/docker.sock may not be asked by this user: "
            "permission denied\n"
        )
    assert notes(place) == []


def test_a_docker_whose_records_name_nothing(
    place: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with daemon(place / "s", {"Version": "20.10.24", "ApiVersion": "1.41"}) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        assert main(["prove", "."]) == 2
    assert capfd.readouterr().err == (
        "cachekey: Docker 20.10.24 does not name its caches, so that prove could not take its own "
        "away again; it needs Docker 25 or newer\n"
    )
    assert notes(place) == []


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ({"Version": "24.0.9", "ApiVersion": "1.43"}, False),
        ({"Version": "29.0.0", "ApiVersion": "1.56"}, True),
        ({"Version": "library-import", "ApiVersion": "1.43"}, False),
        ({"Version": "library-import", "ApiVersion": "1.56"}, True),
        ({"Version": "dev"}, False),
    ],
)
def test_which_docker_names_its_caches(
    version: dict[str, str],
    names: bool,
    place: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with daemon(place / "s", version, {"BuildCache": []}) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        assert main(["builder", "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["builder"]["namesCaches"] is names


STEP = "[internal] setting cache mount permissions"
WITH_OWNER = 'cached mount /c from exec /bin/sh -c x with id "/owned"'


def test_what_docker_writes_with_a_blank_is_read(
    place: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real Docker 29 says " Parents": of this name the parents of a record are told since API 1.42."""
    (place / "Dockerfile").write_text("FROM x\nRUN --mount=type=cache,id=owned,target=/c,uid=0 x\n")
    records = [
        {"ID": "1", "Type": "exec.cachemount", "Description": WITH_OWNER, " Parents": ["2"]},
        {"ID": "2", "Type": "regular", "Description": STEP, "Shared": True},
    ]
    with daemon(place / "s", VERSION, {"BuildCache": records}) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        assert main(["builder", "--format", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert [(c["key"], c["match"]) for c in found["caches"]] == [
        ("owned:uid=0,gid=0,mode=0755", "exact")
    ]
    assert found["missing"] == []


def test_thousands_of_records(
    place: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = ('\\"', "\\n", "é", "\\xff", "\\u00a0", "😀", "\\x1b[31m", " ")
    records = [
        {"ID": f"r{number}", "Type": "exec.cachemount", "Size": 1, "Description": text}
        for number in range(5000)
        for text in [NAMED.replace('"/a"', f'"/{odd[number % len(odd)]}{number}"')]
    ]
    answers = (VERSION, {"BuildCache": [*records, records[0] | {"ID": "a", "Description": NAMED}]})
    for form in ("text", "html", "json"):
        with daemon(place / f"s{form}", *answers) as host:
            monkeypatch.setenv("DOCKER_HOST", host)
            assert main(["builder", "--format", form]) == 0
        out = capfd.readouterr().out
        assert "\x1b" not in out
    found = json.loads(out)
    assert len(found["caches"]) == 5001
    assert [c["key"] for c in found["caches"] if c["mounts"]] == ["a"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            "error: failed to solve: dockerfile parse error on line 2: unknown instruction: RUNN",
            "the build fails: dockerfile parse error on line 2: unknown instruction: RUNN",
        ),
        (
            'error: failed to solve: target stage "nobody" could not be found',
            'the build fails: target stage "nobody" could not be found',
        ),
        ("", "the build fails: no reason given"),
        (
            f"error: failed to receive status: {DIAL} unix /s: connect: connection refused",
            f"no builder answers at {ADDRESS}: is it running?",
        ),
        (
            "error: failed to receive status: error reading from server: connection reset by peer",
            f"{ADDRESS} went away while it was asked",
        ),
    ],
)
def test_a_build_that_fails(
    answer: str, expected: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    buildctl(place, WORKERS, "*du*) echo '[]' ;;", f"*build*) {fails(answer)} ;;")
    assert last(capfd, "prove", ".") == f"cachekey: {expected}"
    assert notes(place) == []


def test_a_dockerfile_without_a_cache_mount(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (place / "Dockerfile").write_text("FROM x\nRUN x\n")
    buildctl(place, WORKERS)
    assert last(capfd, "prove", ".") == "cachekey: Dockerfile has no cache mount to prove"


BAD = "FROM x\nRUN --mount=type=cache,target=/c,uid=x x\n"


def test_a_mount_that_the_builder_refuses_is_named(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (place / "Dockerfile").write_text(BAD)
    buildctl(place, WORKERS, "*du*) echo '[]' ;;")
    assert last(capfd, "prove", ".") == (
        "cachekey: Dockerfile does not build, so that there is nothing to prove: the builder refuses "
        "the cache mount on line 2 (invalid value x for uid)"
    )
    words = "Refused by the builder, so that a build of the stage fails"
    for form in ("text", "html", "json"):
        assert main(["builder", "--builder", ADDRESS, "--format", form]) == 0
        out = capfd.readouterr().out
        assert form == "json" or words in out
        assert "invalid value x for uid" in out
    assert json.loads(out)["refused"] == [
        {"path": "Dockerfile", "line": 1, "stage": "0", "why": "invalid value x for uid"}
    ]


def test_one_build_is_no_proof(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    buildctl(place, WORKERS)
    assert last(capfd, "prove", ".", "--runs", "1") == (
        "cachekey: a cold and a warm build are two: --runs takes a number from 2"
    )
