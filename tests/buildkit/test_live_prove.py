"""`cachekey prove` on a real builder: planted defects get their verdicts, and nothing stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from . import live
from .kinds import Builder, Request

PIP = """\
#!/bin/sh
d=${PIP_CACHE_DIR:-$HOME/.cache/pip}
case " $* " in *" --no-cache-dir "*) d= ;; esac
[ -n "$d" ] && [ -e "$d/wheel" ] && exit 0
sleep 1
[ -z "$d" ] || { mkdir -p "$d" && head -c 200000 /dev/zero > "$d/wheel"; }
exit 0
"""
"""A tool that takes a second, unless its cache is there."""

HEAD = """\
FROM scratch AS base
COPY busybox /bin/busybox
COPY pip /bin/pip
RUN ["/bin/busybox","sh","-c","for a in sh cat chown echo head mkdir rm sleep test; \
do /bin/busybox ln -s busybox /bin/$a; done; mkdir -p /etc /home/app; \
echo 'root:x:0:0::/root:/bin/sh' > /etc/passwd; \
echo 'app:x:1000:1000::/home/app:/bin/sh' >> /etc/passwd; chown 1000:1000 /home/app"]
ENV HOME=/root
FROM base AS work
"""
RIGHT = "RUN --mount=type=cache,id=right,target=/root/.cache/pip pip install a\n"
FILE = f"""\
{HEAD}{RIGHT}\
RUN --mount=type=cache,id=elsewhere,target=/var/cache/pip pip install b
RUN --mount=type=cache,id=disabled,target=/root/.cache/pip pip install --no-cache-dir a
RUN --mount=type=cache,id=emptied,target=/root/.cache/pip \\
    pip install c \\
 && rm -rf /root/.cache/pip/*
RUN --mount=type=cache,target=/root/.cache/pip <<EOF
RUN --mount=type=cache,id=text
pip install d
EOF
ENV PIP_CACHE_DIR=/c/pip
RUN --mount=type=cache,target=/c/pip,uid=0 pip install e
ENV PIP_CACHE_DIR=
USER app
ENV HOME=/home/app
RUN --mount=type=cache,id=denied,target=/home/app/.cache/pip pip install f
"""
EXPECTED = {
    "right": ("works", None),
    "elsewhere": ("unused", "CK301"),
    "disabled": ("disabled", "CK304"),
    "emptied": ("emptied", "CK305"),
    "/root/.cache/pip": ("split", "CK101"),
    "/c/pip:uid=0,gid=0,mode=0755": ("split", "CK101"),
    "denied": ("not-writable", "CK201"),
}


@pytest.fixture
def on() -> Builder:
    return live.running("buildkit")


@pytest.fixture
def place(on: Builder, tmp_path: Path) -> Path:
    """A workspace with a tool that caches."""
    (tmp_path / ".git").mkdir()
    shutil.copy(on.context / "busybox", tmp_path / "busybox")
    (tmp_path / "pip").write_text(PIP, encoding="utf-8")
    (tmp_path / "pip").chmod(0o755)
    return tmp_path


def environment(on: Builder, place: Path) -> dict[str, str]:
    return {**live.environment(on), "XDG_CACHE_HOME": str(place / "notes")}


def left(on: Builder) -> list[str]:
    """What of a run is on the builder still."""
    records = live.source(on, []).usage().records
    return [item.description for item in records if "cachekey-prove-" in item.description]


def layers(on: Builder) -> list[str]:
    """The layers of such RUNs: other tests have made some on this builder, too."""
    return [
        item.id
        for item in live.source(on, []).usage().records
        if item.description.startswith("mount / from exec /bin/sh -c ")
        and "pip install" in item.description
    ]


def clients(place: Path) -> list[int]:
    """Processes of builds that belong to runs of this place."""
    marks = os.listdir(place / "notes/cachekey/prove")
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (process / "cmdline").read_bytes().decode("utf-8", "replace")
            found += [int(process.name)] if any(mark in line for mark in marks) else []
    return found


def begin(on: Builder, place: Path, text: str, *until: str) -> subprocess.Popen[str]:
    """A run that has told of a step with these words; at once without words."""
    (place / "Dockerfile").write_text(text, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "cachekey", "prove", "Dockerfile", "--runs", "2", "--steps"],
        cwd=place,
        env=environment(on, place),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # `make` runs these tests in the background, where a shell has interrupts ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    if until and not any(all(word in line for word in until) for line in process.stderr):
        process.kill()
        raise AssertionError(f"no step {until} was begun")
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_planted_defects_get_their_verdicts(on: Builder, place: Path) -> None:
    (place / "Dockerfile").write_text(FILE, encoding="utf-8")
    before = layers(on)
    done = live.command(
        place, environment(on, place), "prove", "Dockerfile", "--format", "json", timeout=300
    )
    found = live.document(done)
    assert {m["key"]: (m["verdict"], m["finding"]) for m in found["mounts"]} == EXPECTED
    assert all(mount["contradicts"] is None for mount in found["mounts"])
    assert found["runs"] == 3
    assert left(on) == []
    assert set(layers(on)) <= set(before)
    assert os.listdir(place / "notes/cachekey/prove") == []


def test_arguments_target_and_context_are_handed_through(on: Builder, place: Path) -> None:
    files = place / "files"
    files.mkdir()
    for name in ("busybox", "pip"):
        (place / name).rename(files / name)
    (place / "secret").write_text("42")
    (place / "Dockerfile").write_text(
        f"{HEAD}ARG KEY\n"
        "RUN --mount=type=cache,id=given-$KEY,target=/root/.cache/pip --mount=type=secret,id=s "
        "test $(cat /run/secrets/s) = 42 && pip install a\n"
        "FROM base AS last\nRUN false\n",
        encoding="utf-8",
    )
    options = ("--build-arg", "KEY=7", "--target", "work", "--context", "files")
    more = ("--secret", "id=s,src=secret", "--runs", "2", "--format", "json")
    found = live.document(
        live.command(place, environment(on, place), "prove", ".", *options, *more)
    )
    assert [(m["key"], m["verdict"]) for m in found["mounts"]] == [("given-7", "works")]


def test_a_target_of_a_bake_file(on: Builder, place: Path) -> None:
    """Dockerfile, context, arguments, target, platform and named contexts are those of the file."""
    (place / "app").mkdir()
    (place / "more").mkdir()
    (place / "more/pip").write_text(PIP, encoding="utf-8")
    (place / "app/Dockerfile.dev").write_text(
        f"{HEAD}ARG KEY\n"
        "RUN --mount=type=bind,from=more,target=/more "
        "--mount=type=cache,id=baked-$KEY,target=/root/.cache/pip "
        "test -f /more/pip && pip install a\nFROM base AS last\nRUN false\n",
        encoding="utf-8",
    )
    (place / "docker-bake.hcl").write_text(
        """\
target "app" {
  context = "."
  dockerfile = "app/Dockerfile.dev"
  contexts = { more = "more" }
  args = { KEY = "7" }
  target = "work"
}
""",
        encoding="utf-8",
    )
    options = ("prove", "app", "--runs", "2", "--format", "json")
    found = live.document(live.command(place, environment(on, place), *options))
    assert [(m["path"], m["key"], m["verdict"]) for m in found["mounts"]] == [
        ("app/Dockerfile.dev", "baked-7", "works")
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEAD}{RIGHT}RUN false\n", "RUN false: process "),
        (f"{HEAD}{RIGHT}RUNN x\n", "unknown instruction: RUNN"),
        (f"{HEAD}{RIGHT}COPY nothing /\n", '"/nothing": not found'),
        (
            f"{HEAD}{RIGHT}FROM nowhere/nothing:1 AS last\nCOPY --from=work / /\n",
            "nowhere/nothing:1",
        ),
    ],
)
def test_a_file_that_does_not_build(on: Builder, place: Path, text: str, words: str) -> None:
    (place / "Dockerfile").write_text(text, encoding="utf-8")
    before = layers(on)
    done = live.command(place, environment(on, place), "prove", "Dockerfile")
    assert (done.returncode, done.stdout) == (2, "")
    first, last = done.stderr.splitlines()
    assert first == "cachekey: cold build"
    assert last.startswith("cachekey: the build fails: ")
    assert words in last
    assert left(on) == []
    assert set(layers(on)) <= set(before)
    assert os.listdir(place / "notes/cachekey/prove") == []


def test_ids_of_any_characters(on: Builder, place: Path) -> None:
    flags = ('"type=cache,\\"id=a,b\\",target=/@"', "type=cache,id=é😀,target=/@")
    runs = "".join(f"RUN --mount={flag} pip install a\n" for flag in flags)
    text = HEAD + runs.replace("/@", "/root/.cache/pip")
    (place / "Dockerfile").write_text(text, encoding="utf-8")
    done = live.command(
        place, environment(on, place), "prove", "Dockerfile", "--runs", "2", "--format", "json"
    )
    found = live.document(done)
    keys = [(mount["key"], mount["verdict"]) for mount in found["mounts"]]
    # BuildKit takes each byte of a flag for a character, and so do our keys.
    assert keys == [("a,b", "works"), ("é😀".encode().decode("latin-1"), "works")]
    assert left(on) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_leaves_nothing(on: Builder, place: Path, how: int) -> None:
    before = layers(on)
    process = begin(on, place, f"{HEAD}{RIGHT}RUN sleep 60\n", "cold build", "RUN sleep")
    assert left(on)
    assert set(layers(on)) > set(before)
    process.send_signal(how)
    if how == signal.SIGTERM:
        # As `timeout` does it.
        process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert left(on) == []
    assert set(layers(on)) <= set(before)
    assert os.listdir(place / "notes/cachekey/prove") == []


def test_the_next_run_cleans_up_behind_a_killed_one(on: Builder, place: Path) -> None:
    """Its client ends with it, and somebody else builds the same meanwhile."""
    before = layers(on)
    # Another test may have built that step, and then nobody makes a layer.
    text = f"{HEAD}{RIGHT.replace('install a', 'install nowhere-else')}"
    kill(begin(on, place, f"{text}RUN sleep 60\n", "cold build", "RUN sleep"))
    assert left(on)
    for _ in range(50):
        if not clients(place):
            break
        time.sleep(0.2)
    assert clients(place) == []
    time.sleep(2.5)
    assert on.build(Request(text, context=place)).ok
    (place / "Dockerfile").write_text(text, encoding="utf-8")
    done = live.command(place, environment(on, place), "prove", "Dockerfile", "--runs", "2")
    assert done.returncode == 0, done.stderr
    assert "removed what 1 interrupted run left behind" in done.stderr
    assert left(on) == []
    # One layer more: theirs.
    assert len(set(layers(on)) - set(before)) == 1
    assert os.listdir(place / "notes/cachekey/prove") == []


BRANCHES = "".join(
    [
        f"{HEAD}RUN --mount=type=cache,id=long,target=/root/.cache/pip pip install branch; sleep 2.6\n",
        "FROM base AS short\nENV HOME=/root\n",
        *(
            f"RUN --mount=type=cache,id=s{number},target=/c sleep 0.2; pip install branch{number} "
            "|| true\n"
            for number in range(9)
        ),
        "FROM base\nCOPY --from=work /bin/pip /a\nCOPY --from=short /bin/pip /b\n",
    ]
)
"""A long step beside many short ones of another stage, which go on when the run is killed."""


def test_what_another_stage_has_made_goes_as_well(on: Builder, place: Path) -> None:
    """Killed in a warm build, whose caches are old: steps begin that the run has not heard of."""
    before = layers(on)
    for pause in (1.1, 2.7):
        process = begin(on, place, BRANCHES, "warm build", "RUN")
        time.sleep(pause)
        kill(process)
    (place / "Dockerfile").write_text(f"{HEAD}{RIGHT}", encoding="utf-8")
    done = live.command(place, environment(on, place), "prove", "Dockerfile", "--runs", "2")
    assert done.returncode == 0, done.stderr
    assert "removed what 1 interrupted run left behind" in done.stderr
    assert left(on) == []
    assert set(layers(on)) <= set(before)


MOMENTS = [
    ((), 0.2),
    ((), 0.6),
    (("cold build",), 0.0),
    (("cold build", "RUN"), 0.0),
    (("cold build", "RUN"), 1.2),
    (("warm build",), 0.0),
    (("warm build", "RUN"), 0.0),
    (("warm build", "RUN"), 0.2),
    (("warm build", "RUN"), 0.35),
    (("warm build", "RUN"), 0.5),
]
"""When a run is killed: what it has told last, and the seconds since."""


def test_a_run_may_be_killed_at_any_moment(on: Builder, place: Path) -> None:
    """Before its first build, within builds, between them, while it cleans up."""
    before = layers(on)
    ended = 0
    for words, pause in MOMENTS:
        process = begin(on, place, f"{HEAD}{RIGHT}", *words)
        with suppress(subprocess.TimeoutExpired):
            ended += process.wait(pause) == 0
        kill(process)
    assert ended < len(MOMENTS) / 2
    done = live.command(place, environment(on, place), "prove", "Dockerfile", "--runs", "2")
    assert done.returncode == 0, done.stderr
    assert left(on) == []
    assert set(layers(on)) <= set(before)
    # What was killed before it had written its first line is a folder without a note.
    for folder in (place / "notes/cachekey/prove").iterdir():
        assert os.listdir(folder) == []


def test_what_is_kept_is_kept(on: Builder, place: Path) -> None:
    (place / "Dockerfile").write_text(f"{HEAD}{RIGHT}", encoding="utf-8")
    done = live.command(place, environment(on, place), "prove", ".", "--runs", "2", "--keep")
    assert done.returncode == 0, done.stderr
    assert len(left(on)) == 1
    source = live.source(on, [])
    name = done.stderr.rpartition(" ")[2].strip()
    # By this the end of a killed run is known.
    ends = source.builds_in(name)
    assert ends is not None
    assert len(ends) == 2
    assert None not in ends
    ours = [r.id for r in source.usage().records if "cachekey-prove-" in r.description]
    source.remove(ours)


@pytest.mark.parametrize(
    ("name", "words"), [("docker", "needs Docker 25"), ("buildah", "needs BuildKit")]
)
def test_builders_that_cannot_prove_say_so(name: str, words: str, place: Path) -> None:
    on = live.running(name)
    if name == "buildah":
        (on.folder / "buildah-cache").mkdir(exist_ok=True)
    (place / "Dockerfile").write_text(f"{HEAD}{RIGHT}", encoding="utf-8")
    chosen = ["--builder", "buildah"] if name == "buildah" else []
    done = live.command(place, environment(on, place), "prove", "Dockerfile", *chosen)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
