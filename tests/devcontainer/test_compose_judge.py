"""Docker Compose judges how its files are merged: ours, asked for a service, says what `config` says.

`make builders` builds it; where it cannot be had, the tests say so and are skipped.
"""

from __future__ import annotations

import json
import posixpath
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cachekey.devcontainer.compose import Service, compose
from cachekey.syntax.yaml import parse, refusal
from cachekey.text import Source

from tests.buildkit.setup import BIN, unready

CASES: dict[str, dict[str, str]] = {
    "two files": {
        "compose.yml": """
services:
  app:
    image: debian:13
    user: "1000"
    environment: { A: "1", B: two }
    volumes: ["cache:/cache", "./data:/data:ro", "/anonymous"]
volumes: { cache: {}, other: {} }
""",
        "over.yml": """
services:
  app:
    user: root
    environment: ["B=three", "D=4"]
    working_dir: /w
    volumes:
      - { type: volume, source: other, target: /cache, volume: { nocopy: true } }
      - ./data/more:/more
""",
    },
    "extends in another file": {
        "compose.yml": """
services:
  app:
    extends: { file: base/common.yml, service: common }
    environment: { A: mine }
    volumes: ["cache:/cache"]
volumes: { cache: {} }
""",
        "base/common.yml": """
services:
  root: { image: "debian:13", user: "7", environment: { Z: z } }
  common:
    extends: root
    build: { context: ../image, dockerfile: Dockerfile.dev, target: dev, args: { V: "1" } }
    environment: ["A=theirs", "B=b"]
    volumes: ["./here:/here", "../there:/there"]
""",
    },
    "anchors": {
        "compose.yml": """
x-base: &base
  image: debian:13
  environment: &env { A: "1" }
services:
  app:
    <<: *base
    environment: { <<: *env, B: "2" }
    volumes: &v ["a:/a", "b:/b"]
  other: { <<: *base, volumes: *v }
volumes: { a: {}, b: {} }
""",
    },
    "override and reset": {
        "compose.yml": """
services:
  app:
    image: debian:13
    user: node
    environment: { A: "1" }
    volumes: ["a:/a", "b:/b"]
volumes: { a: {}, b: {}, c: {} }
""",
        "over.yml": """
services:
  app:
    user: !reset null
    environment: !override { C: "3" }
    volumes: !override ["c:/c"]
""",
    },
    "an include": {
        "compose.yml": """
include:
  - parts/db.yml
  - { path: [parts/cache.yml], project_directory: . }
services:
  app: { image: "debian:13", volumes: ["shared:/shared"] }
""",
        "parts/db.yml": """
services: { db: { image: "postgres:17", volumes: ["./init:/init", "data:/data"] } }
volumes: { data: {} }
""",
        "parts/cache.yml": """
services: { cache: { image: "redis:8", volumes: ["./conf:/conf"] } }
volumes: { shared: {} }
""",
    },
    "forms": {
        "compose.yml": """
services:
  app:
    image: debian:13
    command: ["sleep", "infinity"]
    volumes:
      - { type: bind, source: ../up, target: /up, read_only: true }
      - { type: tmpfs, target: /tmp/x }
      - { type: volume, target: /nameless }
      - "named:/with/slash/"
      - /absolute:/absolute:ro,z
    environment:
      - QUOTED=a "b" c
      - EMPTY=
      - DOLLAR=a$$b
volumes: { named: { name: really } }
""",
    },
}


def generated(seed: int) -> dict[str, str]:
    """Compose files of one service and its ancestors, each part of which may be there or not."""
    dice = random.Random(seed)

    def part() -> dict[str, Any]:
        made: dict[str, Any] = {}
        if dice.random() < 0.4:
            made["user"] = dice.choice(["root", "1000", "node:node"])
        if dice.random() < 0.4:
            made["working_dir"] = dice.choice(["/w", "/srv/app"])
        if dice.random() < 0.7:
            pairs = {dice.choice("ABCD"): str(dice.randrange(9)) for _ in range(3)}
            listed = [f"{name}={value}" for name, value in pairs.items()]
            made["environment"] = dice.choice([pairs, listed])
        if dice.random() < 0.8:
            entries: dict[str, Any] = {}
            for _ in range(dice.randrange(1, 4)):
                target = dice.choice(["/a", "/b", "/c/d", "/e"])
                source = dice.choice(["one", "two", "./x", "../y"])
                kind = "bind" if source.startswith(".") else "volume"
                long = {"type": kind, "source": source, "target": target}
                entries[target] = dice.choice([f"{source}:{target}", f"{source}:{target}:ro", long])
            made["volumes"] = list(entries.values())
        return made

    volumes = {"one": {}, "two": {}}
    services: dict[str, Any] = {"base": {"image": "debian:13", **part()}, "app": part()}
    services["app"]["extends"] = dice.choice(["base", {"service": "base"}])
    files = {"compose.yml": json.dumps({"services": services, "volumes": volumes})}
    for number in range(dice.randrange(3)):
        files[f"over{number}.yml"] = json.dumps({"services": {"app": part()}})
    return files


APP = "services:\n  app:\n    image: debian:13\n"
REFUSED = {
    "a key twice": APP + "    image: debian:12\n",
    "a key twice, once in quotes": APP + "    'image': debian:12\n",
    "a merge twice": "x-a: &a {}\nx-b: &b {}\n" + APP + "    <<: *a\n    <<: *b\n",
    "a key twice in an extension": "x-a: {b: 1, b: 2}\n" + APP,
    "a key twice in a second document": APP + "---\nservices: {app: {user: a, user: b}}\n",
    "a tab first": "services:\n\tapp:\n\t\timage: debian:13\n",
    "a tab behind spaces": "services:\n  app:\n  \timage: debian:13\n",
    "a tab in front of a comment": "services:\n\t# here\n  app:\n    image: debian:13\n",
    "an unclosed bracket": APP + "    volumes: [/a\n",
    "an unclosed quote": APP + '    user: "x\n',
    "two colons": APP + "    command: a: b\n",
    "a column too few": APP + "   user: x\n",
    "a character that begins nothing": APP + "    user: @x\n",
    "no colon": APP + "    user\n    labels: {a: b}\n",
}
TAKEN = {
    "a tab behind a colon": "services:\n  app:\n    image:\tdebian:13\n",
    "a tab in front of a comment": "services:\n  app:\t# here\n    image: debian:13\n",
    "a tab in brackets": "services:\n  app: {\n\timage: debian:13}\n",
    "a tab at the end": "services:\n  app: \t\n    image: debian:13\n",
    "what is merged in": "x-a: &a {image: a}\n" + APP + "    <<: *a\n",
    "an anchor twice": "x-a: &a 1\nx-b: &a 2\n" + APP,
    "a byte order mark": "\ufeff" + APP,
}

CASES |= {f"generated {seed}": generated(seed) for seed in range(40)}


def listed(files: dict[str, str]) -> list[str]:
    """Return the files that a configuration names; those in folders are named by others."""
    return [name for name in files if "/" not in name]


def config(folder: Path, names: list[str]) -> subprocess.CompletedProcess[str]:
    """Ask Compose what it makes of the files."""
    command = [str(BIN / "compose"), *(word for name in names for word in ("-f", name))]
    return subprocess.run(
        [*command, "config", "--format", "json", "--no-env-resolution"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def truth(folder: Path, names: list[str]) -> dict[str, Any]:
    """Return what Compose makes of the files, by service."""
    done = config(folder, names)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["services"])


def theirs(folder: Path, service: dict[str, Any]) -> dict[str, Any]:
    """Return what is compared, as Compose says it."""
    mounts = [
        (
            item["type"],
            str(item.get("source") or ""),
            item["target"],
            item.get("read_only", False),
            item.get("volume", {}).get("nocopy", False),
        )
        for item in service.get("volumes", [])
    ]
    build = service.get("build")
    return {
        "mounts": sorted(mounts),
        # `config` prints a file again, in which a dollar sign is written twice.
        "environment": {
            name: text and text.replace("$$", "$")
            for name, text in (service.get("environment") or {}).items()
        },
        "user": service.get("user"),
        "working_dir": service.get("working_dir"),
        "image": service.get("image"),
        "build": build
        and {
            "dockerfile": posixpath.join(build["context"], build["dockerfile"]),
            "target": build.get("target"),
            "args": build.get("args") or {},
        },
    }


def ours(folder: Path, service: Service) -> dict[str, Any]:
    """Return the same as we read it."""
    mounts = []
    for item in service.mounts:
        source = item.source.text if item.source is not None else ""
        if item.type == "bind" and source.startswith("."):
            here = folder / service.folders[item.path]
            source = posixpath.normpath(here / source)
        target = item.place or (item.target.text if item.target is not None else "")
        mounts.append((item.type, source, target, item.readonly, item.nocopy))
    build = service.build
    return {
        "mounts": sorted(mounts),
        "environment": {name: item.text for name, item in service.environment.items()},
        "user": service.literal("user"),
        "working_dir": service.literal("working_dir"),
        "image": service.literal("image"),
        "build": build
        and {
            "dockerfile": str(folder / str(build.dockerfile)),
            "target": build.target,
            "args": dict(build.args),
        },
    }


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """Docker Compose as a program."""
    reason = unready("compose")
    if reason is not None:
        pytest.skip(f"Docker Compose: {reason}")


@pytest.mark.parametrize("name", REFUSED)
def test_what_we_call_refused_compose_refuses(name: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(REFUSED[name], encoding="utf-8")
    source = Source(REFUSED[name])
    assert refusal(source, parse(source)) is not None
    assert config(tmp_path, ["compose.yml"]).returncode != 0


@pytest.mark.parametrize("name", TAKEN)
def test_what_compose_takes_we_do_not_call_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(TAKEN[name], encoding="utf-8")
    source = Source(TAKEN[name])
    assert config(tmp_path, ["compose.yml"]).returncode == 0
    assert refusal(source, parse(source)) is None


@pytest.mark.parametrize("name", CASES)
def test_the_merge_is_that_of_compose(name: str, tmp_path: Path) -> None:
    files = {f"p/{path}": text for path, text in CASES[name].items()}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    names = listed(CASES[name])
    composition = compose([f"p/{path}" for path in names], files.get)
    assert composition.unread == ()
    expected = truth(tmp_path / "p", names)
    for service_name, said in expected.items():
        service = composition.service(service_name)
        assert service is not None, service_name
        assert ours(tmp_path, service) == theirs(tmp_path, said), service_name
