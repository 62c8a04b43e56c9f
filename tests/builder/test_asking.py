"""How the builder in use is found, and what is said when it does not answer."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import pytest
from cachekey.builder import find as finding
from cachekey.builder.find import find
from cachekey.builder.programs import complaint
from cachekey.builder.records import BuilderError
from cachekey.cli import main

from tests.support.interrupts import heard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

VERSION = {"Version": "28.5.1"}
NAMED = 'cached mount /c from exec /bin/sh -c x with id "/a"'
RECORD = {"ID": "1", "Type": "exec.cachemount", "Description": NAMED, "Size": 5, "UsageCount": 1}


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM x\nRUN --mount=type=cache,id=a,target=/c x\n")
    monkeypatch.chdir(tmp_path)
    for name in ("BUILDKIT_HOST", "BUILDX_BUILDER", "DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@contextmanager
def daemon(place: Path, *answers: object, cut: bool = False) -> Iterator[str]:
    """A daemon that answers in turn, and then hangs up; ``cut`` leaves out an answer's second half."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen()

        def serve() -> None:
            for number, answer in enumerate(answers):
                with suppress(OSError):
                    plug, _ = listening.accept()
                    with plug:
                        plug.recv(65536)
                        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
                        last = cut and number == len(answers) - 1
                        plug.sendall(head + (body[: len(body) // 2] if last else body))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"unix://{place}"


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def said(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one sentence of a run that fails."""
    assert main(["builder", *arguments]) == 2
    out, errors = capfd.readouterr()
    assert out == ""
    assert len(errors.splitlines()) == 1, errors
    return errors


def test_no_daemon(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    assert "no builder answers at Docker at unix:///nowhere.sock" in said(capfd)


def test_no_permission(tmp_path: Path) -> None:
    assert "permission denied" in complaint("ERROR: dial unix: connect: permission denied", "X")


def test_no_buildx() -> None:
    for told in (
        "docker: unknown command: docker buildx\n\nRun 'docker --help' for more information",
        "docker: 'buildx' is not a docker command.\nSee 'docker --help'",
    ):
        assert complaint(told, "builder mine") == (
            "docker buildx is not installed: it is what asks builder mine"
        )


@pytest.mark.parametrize("how", ["DOCKER_HOST", "DOCKER_CONTEXT", "config"])
def test_nobody_is_asked_in_place_of_a_daemon_that_was_named(
    how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nothing/buildah-cache").mkdir(parents=True)
    if how == "config":
        (tmp_path / "docker").mkdir()
        (tmp_path / "docker/config.json").write_text('{"currentContext": "far"}')
    else:
        monkeypatch.setenv(how, "unix:///nowhere.sock" if how == "DOCKER_HOST" else "far")
    program(tmp_path / "bin", "docker", "echo 'context \"far\": context not found' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    words = "no builder answers" if how == "DOCKER_HOST" else "context not found"
    assert words in said(capfd)


def test_no_client(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "buildctl is not installed" in said(capfd, "--builder", "tcp://somewhere:1234")
    assert "docker is not installed" in said(capfd, "--builder", "mine")


def test_a_daemon_that_goes_away(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with daemon(tmp_path / "s", VERSION, {"BuildCache": [RECORD] * 99}, cut=True) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        assert "went away" in said(capfd)


def test_an_answer_that_is_none(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, answer in enumerate((b"<html>", {"BuildCache": [1, 2]}, {"BuildCache": "x"})):
        with daemon(tmp_path / f"s{number}", VERSION, answer) as host:
            monkeypatch.setenv("DOCKER_HOST", host)
            assert "Docker at" in said(capfd)


STEP = "sha256:eee0"
PROVENANCE = {
    "buildDefinition": {
        "internalParameters": {
            "buildConfig": {
                "digestMapping": {STEP: "step3", "sha256:a3a9": "step2"},
                "llbDefinition": [
                    {
                        "id": "step2",
                        "op": {
                            "Op": {
                                "file": {
                                    "actions": [
                                        {
                                            "Action": {
                                                "mkdir": {
                                                    "mode": 493,
                                                    "owner": {
                                                        "group": {"User": {}},
                                                        "user": {"User": {"byId": 1000}},
                                                    },
                                                    "path": "/cache",
                                                }
                                            },
                                            "input": -1,
                                        }
                                    ]
                                }
                            }
                        },
                    },
                    {
                        "id": "step3",
                        "inputs": ["step1:0", "step2:0"],
                        "op": {
                            "Op": {
                                "exec": {
                                    "mounts": [
                                        {"dest": "/"},
                                        {"cacheOpt": {"ID": "/a"}, "dest": "/c", "input": 1},
                                    ]
                                }
                            }
                        },
                    },
                ],
            }
        }
    },
    "runDetails": {
        "metadata": {
            "buildkit_metadata": {
                "source": {
                    "locations": {
                        "step2": {},
                        "step3": {"locations": [{"ranges": [{"start": {"line": 2}}]}]},
                    },
                    "infos": [{"filename": "Dockerfile"}],
                }
            }
        }
    },
}
"""As a real Docker 29.6 and buildx 0.38 tell it, without what is not read."""
LISTED = {
    "completed_at": "2026-11-27T12:42:26.159624915Z",
    "created_at": "2026-11-27T12:42:24.995261517Z",
    "name": "tiny",
    "ref": "default/default/91bejkxv2bvrzw8txzlznoc99",
    "status": "Completed",
}
LOG = {
    "vertexes": [
        {
            "digest": STEP,
            "name": "[stage-0 2/2] RUN --mount=type=cache,id=a,target=/c,uid=1000 sleep 0.3",
            "started": "2026-11-27T12:42:25.30806955Z",
            "completed": "2026-11-27T12:42:26.097175367Z",
        }
    ]
}


def test_the_history_of_docker_is_what_buildx_tells(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    cases = (
        ('*" buildx history ls --builder default "*', LISTED, ""),
        ('*" inspect attachment --builder default "*91bejkxv2bvrzw8txzlznoc99', PROVENANCE, ""),
        ('*" logs --builder default --progress rawjson 91bejkxv2bvrzw8txzlznoc99"', LOG, ">&2"),
    )
    lines = [f"{case}) echo '{json.dumps(said)}' {to} ;;" for case, said, to in cases]
    script = [f'echo "$*" >> {asked}', 'case "$*" in', *lines, "*) exit 1 ;;", "esac"]
    program(tmp_path / "bin", "docker", "\n".join(script))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    with daemon(tmp_path / "s", VERSION, {"BuildCache": [RECORD]}) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        assert main(["builder", "--format", "json", "--history", "5"]) == 0
    (build,) = json.loads(capfd.readouterr().out)["history"]
    assert (build["path"], build["ref"]) == ("Dockerfile", "91bejkxv2bvrzw8txzlznoc99")
    assert build["steps"] == [
        {
            "line": 1,
            "seconds": 0.789,
            "cached": False,
            "mounts": [{"name": "/a", "target": "/c", "base": "uid=1000,gid=0,mode=0755"}],
        }
    ]
    assert all(line.startswith(f"-H {host} buildx ") for line in asked.read_text().splitlines())


def test_docker_that_names_its_caches(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with daemon(tmp_path / "s", VERSION, {"BuildCache": [RECORD]}) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        assert main(["builder", "--format", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["builder"]["found"] == "DOCKER_HOST"
    (cache,) = found["caches"]
    assert (cache["key"], cache["match"], cache["mounts"][0]["line"]) == ("a", "exact", 1)


def test_hostile_names_do_not_steer_the_terminal(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'cached mount /\x1b[31m from exec x with id "/\\x1b[31m\\n::error::x"'
    with daemon(tmp_path / "s", VERSION, {"BuildCache": [RECORD | {"Description": text}]}) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        assert main(["builder"]) == 0
    out = capfd.readouterr().out
    assert "\x1b" not in out
    assert not any(line.startswith("::") for line in out.splitlines())


def context(folder: Path, name: str, host: str) -> None:
    meta = folder / "contexts/meta" / sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(
        json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}})
    )
    (folder / "config.json").write_text(json.dumps({"currentContext": name}))


def test_the_current_context_counts(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with daemon(tmp_path / "s", VERSION, {"BuildCache": []}) as host:
        context(tmp_path / "docker", "mine", host)
        assert main(["builder"]) == 0
    assert "at mine (the current context 'mine')" in capfd.readouterr().out


def test_a_remote_context_is_reached_through_the_client(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = (
        f"exec {sys.executable} -c 'import sys,socket\n"
        f's=socket.socket(socket.AF_UNIX); s.connect("{tmp_path}/s")\n'
        "s.sendall(sys.stdin.buffer.read1(65536))\n"
        "while d := s.recv(65536): sys.stdout.buffer.write(d); sys.stdout.flush()'"
    )
    program(tmp_path / "bin", "docker", relay)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    context(tmp_path / "docker", "far", "ssh://somebody@somewhere")
    with daemon(tmp_path / "s", VERSION, {"BuildCache": [RECORD]}):
        assert main(["builder"]) == 0
    assert "Dockerfile:2" in capfd.readouterr().out


def test_a_remote_that_is_refused(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "docker", "echo 'Permission denied (publickey).' >&2; exit 255")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    context(tmp_path / "docker", "far", "ssh://somebody@somewhere")
    assert "permission denied" in said(capfd)


class Called(Exception):  # noqa: N818 -- it says which way was taken
    """Which source was asked."""


@pytest.mark.parametrize(
    ("wanted", "engine", "environment", "expected"),
    [
        ("name", "buildkit", {"BUILDX_BUILDER": "x"}, "inspected name"),
        ("tcp://h:1", "buildkit", {"BUILDX_BUILDER": "x"}, "buildctl tcp://h:1"),
        (None, "buildkit", {"BUILDX_BUILDER": "x", "BUILDKIT_HOST": "y"}, "inspected x"),
        (None, "buildkit", {"BUILDKIT_HOST": "tcp://y"}, "buildctl tcp://y"),
        (None, "buildkit", {"DOCKER_HOST": "tcp://z"}, "docker tcp://z"),
        (None, "buildkit", {"DOCKER_CONTEXT": "far"}, "docker "),
        (None, "buildkit", {}, "docker unix:///var/run/docker.sock"),
    ],
)
def test_the_order_of_places(
    wanted: str | None,
    engine: str,
    environment: dict[str, str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def call(name: str) -> object:
        def called(first: str = "", *_: object) -> object:
            raise Called(f"{name} {first}")

        return called

    monkeypatch.setattr(finding, "Buildctl", call("buildctl"))
    monkeypatch.setattr(finding, "inspected", call("inspected"))
    monkeypatch.setattr(finding, "Docker", call("docker"))
    monkeypatch.setattr(finding, "_has_buildx", lambda environment: False)
    with pytest.raises(Called) as way:
        find(wanted, engine, {"TMPDIR": "/nowhere", "DOCKER_CONFIG": "/nowhere", **environment})
    assert str(way.value) == expected


def test_buildah_without_a_cache() -> None:
    with pytest.raises(BuilderError, match="Buildah has kept no cache"):
        find("buildah", "buildkit", {"TMPDIR": "/nowhere"})


def test_buildah_where_names_are_hashed(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for text in ("a", "other:0:0"):
        folder = tmp_path / "buildah-cache-0" / sha256(text.encode()).hexdigest()[:16]
        folder.mkdir(parents=True)
        (folder / "file").write_text("12345")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert main(["builder", "--builder", "buildah", "--format", "json"]) == 0
    caches = json.loads(capfd.readouterr().out)["caches"]
    assert sorted((cache["size"], len(cache["mounts"])) for cache in caches) == [(5, 0), (5, 1)]


def test_no_number_of_seconds(capfd: pytest.CaptureFixture[str]) -> None:
    assert "--watch" in said(capfd, "--watch=soon")


BUILDCTL = """case "$*" in
*workers*) echo '[{"buildkitVersion": {"version": "v0.34.2"}, "gcPolicy": [{"filter":
["type==exec.cachemount"], "keepDuration": 172800000000000, "maxUsedSpace": 512000000}]}]' ;;
*du*) echo '[{"id": "r1", "recordType": "exec.cachemount", "size": 5, "usageCount": 2,
"createdAt": "2026-01-01T00:00:00Z", "lastUsedAt": "2026-01-01T00:00:00Z", "mutable": true,
"description": "cached mount /c from exec /bin/sh -c x with id \\\\"/a\\\\""}]' ;;
esac"""


def test_it_is_shown_again_until_it_is_interrupted(tmp_path: Path) -> None:
    program(tmp_path / "bin", "buildctl", BUILDCTL)
    env = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "BUILDKIT_HOST": "tcp://x"}
    process = subprocess.Popen(
        [sys.executable, "-m", "cachekey", "builder", "--watch=0.1"],
        env=env,
        preexec_fn=heard,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen += line.startswith("BuildKit 0.34.2 at tcp://x (BUILDKIT_HOST)")
        if seen == 3:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in errors


def test_the_collector_is_told_of(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "buildctl", BUILDCTL)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("BUILDKIT_HOST", "tcp://x")
    assert main(["builder"]) == 0
    out = capfd.readouterr().out
    assert "exec.cachemount unused for 2 days, while all records together exceed 512 MB" in out
    assert "takes none of these caches" in out
    assert "prune: buildctl --addr tcp://x prune --filter id==r1" in out


def test_history_where_nobody_tells_it(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with daemon(tmp_path / "s", VERSION, {"BuildCache": [RECORD]}) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        monkeypatch.setenv("PATH", "/nowhere")
        assert main(["builder", "--history", "3"]) == 0
    shown = capfd.readouterr().out
    assert "Dockerfile:2" in shown
    assert shown.endswith("Builds\n  This builder tells nothing of its past builds this way.\n")
