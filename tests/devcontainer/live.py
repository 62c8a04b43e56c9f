"""A real engine for dev containers, with images that stand for public ones: no network is asked.

An image is a busybox with the users, the directories and the metadata of the one that it stands for.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.buildkit import builders, standin
from tests.buildkit.setup import BIN, DEVCONTAINER, unready

APPLETS = (
    "sh ash cat chmod chown cp echo env find grep head id ln ls mkdir mv rm sed sleep stat "
    "su tail tee test touch tr true wc"
)
SUDO = """#!/bin/sh
line=
for word; do line="$line '$(echo "$word" | sed "s/'/'\\\\\\\\''/g")'"; done
exec su root -s /bin/sh -c "cd '$PWD' && $line"
"""
"""What runs its words as root: busybox has no sudo, but its `su` may become a root without password."""

BASH = '#!/bin/sh\nexec sh "$@"\n'

DOCKER = """#!/bin/sh
case $1 in
build) shift; exec {client} build --network=host "$@" ;;
run) shift; exec {client} run --network=none "$@" ;;
buildx) exit 1 ;;
esac
exec {client} "$@"
"""
"""Docker's command line for the Dev Containers CLI: the engine has no network to give."""


@dataclass(frozen=True)
class Standin:
    """What an image has of the one that it stands for."""

    users: Mapping[str, int] = field(default_factory=dict)
    """Uids by name; each user has a home of its own below ``/home``."""
    folders: Iterable[tuple[str, int, int]] = ()
    """Directories: path without the first slash, owner, mode."""
    remote_user: str | None = None
    """What the metadata label says."""
    sudo: bool = False


FOLDERS = (("own", 1234, 0o755), ("roots", 0, 0o755), ("open", 0, 0o1777))
IMAGES = {
    "debian:13": Standin(),
    "node:22": Standin({"node": 1000}),
    "mcr.microsoft.com/devcontainers/base:ubuntu": Standin(
        {"vscode": 1000}, remote_user="vscode", sudo=True
    ),
}


class Engine:
    """The engine of the tests of builds, with images in it."""

    def __init__(self) -> None:
        on = builders.builder("docker")
        self.client: list[str] = on.client  # type: ignore[attr-defined]
        self.environment = on.environment()
        self.folder = on.folder

    def __call__(
        self, *words: str, given: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self.client, *words],
            env=self.environment,
            input=given,
            capture_output=True,
            check=False,
        )

    def load(self, name: str, made: Standin) -> None:
        """Put an image into the engine."""
        changes = ["ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        if made.remote_user is not None:
            label = json.dumps([{"remoteUser": made.remote_user}])
            changes.append(f"LABEL devcontainer.metadata={json.dumps(label)}")
        words = [word for change in changes for word in ("--change", change)]
        done = self("import", *words, "-", name, given=image(made))
        assert done.returncode == 0, done.stderr.decode()

    def takes(self, mount: str) -> bool:
        """Tell whether a container can be made with a mount; nothing is kept of it."""
        made = self("create", "--mount", mount, "judge", "/bin/sh")
        if made.returncode == 0:
            self("rm", "-v", made.stdout.decode().strip())
        return made.returncode == 0

    def runs(self, user: str, mount: str, script: str) -> bool:
        """Run a script in a new container."""
        words = ["run", "--rm", "--network=none", "--user", user, "--mount", mount]
        return self(*words, "judge", "/bin/sh", "-c", script).returncode == 0


def image(made: Standin) -> bytes:
    """Make an image as an archive of its files."""
    out = io.BytesIO()
    people = {"root": 0, **made.users}
    homes = {name: "root" if name == "root" else f"home/{name}" for name in people}
    system = ("bin", "etc", "home", "usr", "usr/local", "usr/local/bin", "var", "run")
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in system:
            _folder(tar, name, 0, 0o755)
        _folder(tar, "tmp", 0, 0o1777)
        for name, uid in people.items():
            _folder(tar, homes[name], uid, 0o755)
        for name, uid, mode in made.folders:
            _folder(tar, name, uid, mode)
        tar.add("/bin/busybox", "bin/busybox", filter=_setuid)
        for name in APPLETS.split():
            _link(tar, f"bin/{name}", "busybox")
        lines = [f"{name}::{uid}:{uid}::/{homes[name]}:/bin/sh\n" for name, uid in people.items()]
        _file(tar, "etc/passwd", "".join(lines), 0o644)
        groups = [f"{name}:x:{uid}:\n" for name, uid in people.items()]
        _file(tar, "etc/group", "".join(groups), 0o644)
        _file(tar, "etc/os-release", "ID=debian\n", 0o644)
        _file(tar, "usr/local/bin/useradd", standin.ADD, 0o755)
        _file(tar, "bin/bash", BASH, 0o755)
        if made.sudo:
            _file(tar, "usr/local/bin/sudo", SUDO, 0o755)
    return out.getvalue()


def _folder(tar: tarfile.TarFile, name: str, uid: int, mode: int) -> None:
    item = tarfile.TarInfo(name)
    item.type, item.uid, item.gid, item.mode = tarfile.DIRTYPE, uid, uid, mode
    tar.addfile(item)


def _file(tar: tarfile.TarFile, name: str, text: str, mode: int) -> None:
    item = tarfile.TarInfo(name)
    item.size, item.mode = len(text.encode()), mode
    tar.addfile(item, io.BytesIO(text.encode()))


def _link(tar: tarfile.TarFile, name: str, target: str) -> None:
    item = tarfile.TarInfo(name)
    item.type, item.linkname = tarfile.SYMTYPE, target
    tar.addfile(item)


def _setuid(item: tarfile.TarInfo) -> tarfile.TarInfo:
    item.mode, item.uid, item.gid = 0o4755, 0, 0
    return item


@dataclass(frozen=True)
class Up:
    """A dev container that the real tools have made."""

    engine: DevEngine
    folder: Path
    said: dict[str, Any]

    def run(self, script: str) -> str:
        """Run a script as a terminal of the container would, and return what it says."""
        return self.engine.cli("exec", self.folder, "/bin/sh", "-c", script).stdout

    def look(self, places: Iterable[str]) -> tuple[dict[str, str], dict[str, bool]]:
        """Return the variables of a terminal, and for each place whether it may be written to."""
        tries = [f"touch '{place}/probe' && echo '{place}'" for place in places]
        script = "; ".join(["env -0", "printf 'END\\0'", *tries])
        variables, _, written = self.run(script).partition("END\0")
        lines = written.splitlines()
        pairs = (text.partition("=") for text in variables.split("\0"))
        return {name: value for name, _, value in pairs}, {
            place: place in lines for place in places
        }

    @property
    def mounts(self) -> set[tuple[str, str]]:
        """Types and targets of what is mounted."""
        said = self.engine("inspect", str(self.said["containerId"]))
        found = json.loads(said.stdout)[0]
        listed = {(item["Type"], item["Destination"]) for item in found["Mounts"]}
        return listed | {("tmpfs", target) for target in found["HostConfig"].get("Tmpfs") or {}}

    def remove(self) -> None:
        """Take the container away, with what it has anonymously."""
        self.engine("rm", "-f", "-v", str(self.said["containerId"]))


class DevEngine(Engine):
    """The engine together with the Dev Containers CLI."""

    def __init__(self) -> None:
        super().__init__()
        self.docker = self.folder / "docker"
        text = DOCKER.replace("{client}", self.client[0])
        self.docker.write_text(text, encoding="utf-8")
        self.docker.chmod(0o755)
        self.environment |= {"DOCKER_HOST": self.client[2], "DOCKER_BUILDKIT": "1"}
        for name, made in IMAGES.items():
            self.load(name, made)

    def cli(self, command: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Call the Dev Containers CLI for an opened folder."""
        programs = ["--docker-path", str(self.docker)]
        programs += ["--docker-compose-path", str(BIN / "compose")]
        programs += ["--user-data-folder", str(self.folder / "data")]
        if command == "up":
            # The engine's host is root, whose number no user of the container may get.
            programs += ["--update-remote-user-uid-default", "never"]
        return subprocess.run(
            [str(DEVCONTAINER), command, "--workspace-folder", str(folder), *programs, *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def up(self, folder: Path) -> Up:
        """Make the dev container of a folder; the words of whoever refuses are in the error."""
        done = self.cli("up", folder)
        said = json.loads(done.stdout.splitlines()[-1])
        assert said["outcome"] == "success", f"{said}\n{done.stderr[-3000:]}"
        return Up(self, folder, said)


def dev_engine() -> DevEngine:
    """Start the engine; UnavailableError says why there is none."""
    for part in ("docker", "compose", "devcontainers"):
        reason = unready(part)
        if reason is not None:
            raise builders.UnavailableError(f"{part}: {reason}")
    return DevEngine()
