"""Docker itself judges mounts: what Cachekey refuses it refuses, what a fix makes it takes.

The command line reads mounts before it asks any engine. For the rest a real engine is started, as
for the tests of builds; without one those tests are skipped.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cachekey.devcontainer.complaints import complaints
from cachekey.devcontainer.read import read_devcontainer
from cachekey.text import Source

from tests.buildkit import builders
from tests.devcontainer.live import FOLDERS, Engine, Standin
from tests.support.checking import apply_fix, check

HERE = ".devcontainer/devcontainer.json"
DOCKER = shutil.which("docker")
BY_CLIENT = {"csv", "blank", "empty-field", "no-value", "build-key", "unknown-key", "value", "mix"}
"""Complaints of the command line; a target that is missing is one as well."""

KEYS = (
    *("type", "Type", "source", "src", "target", "dst", "destination", "dest", "readonly", "ro"),
    *("id", "sharing", "uid", "rw", "consistency", "bind-propagation", "volume-nocopy"),
    *("volume-driver", "volume-opt", "tmpfs-size", "tmpfs-mode", " source", "target ", "", "x"),
)
VALUES = (
    *("volume", "bind", "tmpfs", "VOLUME", "/a", "/b/c", "a1", "true", "false", "1", "0", "maybe"),
    *("64m", "1777", "9", "", "k=v", 'a"b', "1.5g", "-1", " /a"),
)


def complaints_about(text: str) -> set[str]:
    document = read_devcontainer(HERE, Source(json.dumps({"mounts": [text]})))
    return {item.kind for item in complaints(document.mounts[0])}


def random_mounts(count: int) -> Iterator[str]:
    chance = random.Random(9)
    for _ in range(count):
        fields = []
        for _ in range(chance.randint(1, 4)):
            key = chance.choice(KEYS)
            value = chance.choice(VALUES)
            fields.append(chance.choice((f"{key}={value}", f"{key}={value}", key)))
        if chance.random() < 0.7:
            fields.append("target=/t")
        yield ",".join(fields)


FIXED = [
    "type=bind,source=/a,target=/b,",
    'type=bind,"source=/a,b",target=/b',
    'type=bind,"source=/a"b,target=/b',
    'type=bind,"source=/a,target=/b',
    "type=bind,source=/a,target=/b,bind-nonrecursive",
    "TARGET=/t",
]


@pytest.mark.skipif(not DOCKER, reason="needs the docker command line")
def test_the_command_line_refuses_the_same_mounts(tmp_path: Path) -> None:
    """No engine is asked: what the command line takes ends at the missing socket."""
    assert DOCKER is not None
    wrong = []
    for text in (*FIXED, *random_mounts(250)):
        words = [DOCKER, "-H", f"unix://{tmp_path}/none", "create", "--mount", text, "x"]
        run = subprocess.run(words, capture_output=True, text=True, check=False)
        refused = "invalid argument" in run.stderr
        found = complaints_about(text)
        if refused != bool(found & (BY_CLIENT | {"no-target"})) and "type=cache" not in text:
            wrong.append((text, found, run.stderr.split("\n")[0]))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.fixture(scope="module")
def engine() -> Engine:
    try:
        made = Engine()
    except builders.UnavailableError as error:
        pytest.skip(str(error))
    made.load("judge", Standin({"app": 1234}, FOLDERS))
    return made


REFUSED = [
    "type=cache,target=/x",
    "type=cache,id=uv-cache,target=/cache/uv",
    "type=volume,id=uv-cache,target=/cache/uv",
    "type=volume,source=uv-cache,target=~/.cache/uv",
    "type=volume,source=uv-cache,target=$HOME/.cache/uv",
    "type=volume,source=uv-cache,target=cache/uv",
    "type=volume,source=uv-cache,target=/",
    "type=volume,source=uv-cache",
    "type=volume,source=/srv/cache,target=/b",
    "type=volume,source=x,target=/c",
    "type=volume,source=uv cache,target=/d",
    "type=volume,source=-uv,target=/d",
    "type=bind,source=,target=/e",
    "type=bind,target=/e",
    "type=bind,source=~/.cache/uv,target=/f",
    "type=bind,source=cache/uv,target=/g",
    "type=tmpfs,source=uv-h,target=/h",
    "type=bind,source=/tmp,target=/i,volume-nocopy",
    "type=volum,source=uv-f,target=/f",
    "source=uv-g,target=",
    "uv-g:/g",
]
TAKEN = [
    "type=volume,source=uv-cache,target=/cache/uv",
    "TYPE=Volume,Source=uv-a,Target=/a",
    "src=uv-b,dst=/b,ro,volume-nocopy,consistency=bogus",
    '"source=uv-c",destination=/c,readonly=1',
    "type=bind,source=/tmp,target=/d,bind-propagation=rslave",
    "type=tmpfs,target=/e,tmpfs-size=64m,tmpfs-mode=1777",
    "target=/anonymous",
    "source=xx,target=/two",
]


@pytest.mark.parametrize("mount", REFUSED)
def test_the_engine_refuses_what_cachekey_refuses(engine: Engine, mount: str) -> None:
    found = check({HERE: json.dumps({"image": "judge", "mounts": [mount]})})
    assert any(item.code in ("CK701", "CK709") for item in found)
    assert not engine.takes(mount)


@pytest.mark.parametrize("mount", TAKEN)
def test_the_engine_takes_what_cachekey_takes(engine: Engine, mount: str) -> None:
    found = check({HERE: json.dumps({"image": "judge", "mounts": [mount]})})
    assert not any(item.code in ("CK701", "CK709") for item in found)
    assert engine.takes(mount)


@pytest.mark.parametrize("mount", [*REFUSED, "type=cache,sharing=locked,uid=1,target=/c"])
def test_the_engine_takes_what_a_preferred_fix_makes(engine: Engine, mount: str) -> None:
    files = {HERE: json.dumps({"image": "judge", "mounts": [mount]})}
    for finding in check(files):
        for fix in finding.fixes:
            if fix.preferred and finding.code in ("CK701", "CK709"):
                fixed = json.loads(apply_fix(files, fix)[HERE])["mounts"][0]
                assert engine.takes(fixed), fixed


def test_the_ownership_fix_makes_the_write_succeed(engine: Engine) -> None:
    """A fresh volume on a directory that the image does not have is root's; chown mends it."""
    files = {
        HERE: json.dumps(
            {
                "image": "mcr.microsoft.com/devcontainers/base:ubuntu",
                "remoteUser": "vscode",
                "containerEnv": {"UV_CACHE_DIR": "/cache/uv"},
                "mounts": ["type=volume,source=own-1,target=/cache/uv"],
            }
        )
    }
    (finding,) = (item for item in check(files) if item.code == "CK702")
    fixed = json.loads(apply_fix(files, finding.fixes[0])[HERE])
    mount, command = fixed["mounts"][0], fixed["postCreateCommand"]
    write = "touch /cache/uv/wheel"
    assert not engine.runs("1234", mount, write)
    # The image has no sudo: its part is played by a run as root for the user's ids.
    as_root = re.sub(r"^sudo ", "", command).replace("$(id -u):$(id -g)", "1234:1234")
    assert engine.runs("0", mount, as_root)
    assert engine.runs("1234", mount, write)


def test_a_volume_takes_the_owner_of_the_images_directory(engine: Engine) -> None:
    """So Cachekey says nothing where the image may have the directory."""
    assert engine.runs("1234", "type=volume,source=own-2,target=/own", "touch /own/wheel")
    assert not engine.runs(
        "1234", "type=volume,source=own-3,target=/own,volume-nocopy", "touch /own/w"
    )


OWNERS = """FROM debian:13
RUN useradd -m -u 1234 app
RUN mkdir /own && chown app /own
RUN mkdir /roots
RUN mkdir -m 1777 /open
"""
"""The image of the engine, as a Dockerfile says it."""

PLACES = ("/own", "/roots", "/open", "/none", "/own/below", "/roots/below", "/open/below")


@pytest.mark.parametrize("more", ["", ",volume-nocopy"])
@pytest.mark.parametrize("user", ["app", "1234", "root", "0"])
@pytest.mark.parametrize("place", PLACES)
def test_who_may_write_is_what_the_engine_says(
    engine: Engine, place: str, user: str, more: str
) -> None:
    """Each way of owning: shipped for the user or for root, open to all, missing, not copied."""
    name = f"w{place}-{user}{'-nocopy' if more else ''}".replace("/", "-")
    mount = f"type=volume,source={name},target={place}{more}"
    written = engine.runs(user, mount, f"touch {place}/wheel")
    files = {
        HERE: json.dumps(
            {"build": {"dockerfile": "Dockerfile"}, "remoteUser": user, "mounts": [mount]}
        ),
        ".devcontainer/Dockerfile": OWNERS,
    }
    accused = any(item.code == "CK702" for item in check(files))
    assert accused is not written


def test_a_filled_volume_keeps_its_owner(engine: Engine) -> None:
    """What root has filled stays root's, also over a directory of the user: so chown needs -R."""
    mount = "type=volume,source=filled,target=/roots"
    assert engine.runs("0", mount, "touch /roots/wheel")
    assert not engine.runs("1234", mount.replace("/roots", "/own"), "touch /own/other")


def test_an_array_command_still_runs_its_words() -> None:
    """The wrapper around an array hands every word on as it is."""
    from cachekey.edits import devcontainer as devcontaineredit
    from cachekey.text import apply_edits

    text = '{"postCreateCommand": ["printf", "[%s]", "a b", "$HOME", "\\"q\\""]}'
    edits = devcontaineredit.run_first(read_devcontainer(HERE, Source(text)), "true", "own")
    words = json.loads(apply_edits(text, edits))["postCreateCommand"]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    assert run.stdout == '[a b][$HOME]["q"]'
