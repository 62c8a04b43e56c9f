"""Installs the builders this machine can have: ``python -m tests.buildkit.setup``.

Every part is independent: what cannot be had is named with its reason, never fatal. What is there
already costs a look at a stamp, so that a warm run takes well under a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOME = ROOT / ".cache" / "builders"
MODULE = HOME / "buildkit"
BIN = HOME / "bin"
STATUS = HOME / "status.json"
DEVCONTAINER = HOME / "devcontainers" / "node_modules" / ".bin" / "devcontainer"
ORACLE = HERE / "oracle" / "main.go"

BUILDKIT = "v0.34.2"
"""The newest BuildKit released when this was written; one place to raise it."""

COMPOSE = "v2.40.3"
"""Docker Compose, which judges how we merge its files."""

DEVCONTAINERS = "0.89.0"
"""The Dev Containers CLI, which judges how we read its files."""

BUILDX = "v0.38.2"
"""The judge of Bake files; it needs no builder to print what it would build."""

JUDGES = {
    "buildx": ("github.com/docker/buildx/cmd/buildx", BUILDX),
    "compose": ("github.com/docker/compose/v2/cmd", COMPOSE),
}
"""Programs that judge what we read: package and version."""

NAMES = ("buildkit", "docker", "buildah", "oracle", "buildx", "compose", "devcontainers")
PACKAGES = {
    "buildkit": {"runc": "runc", "busybox-static": "/bin/busybox"},
    "docker": {"docker.io": "/usr/sbin/dockerd", "busybox-static": "/bin/busybox"},
    "buildah": {"buildah": "/usr/bin/buildah", "busybox-static": "/bin/busybox"},
    "oracle": {},
    "buildx": {},
    "compose": {},
    "devcontainers": {},
}
"""Debian packages by part, each with a program that tells whether it is there."""


class MissingError(Exception):
    """A part cannot be installed here; the text says why."""


@dataclass(frozen=True)
class Part:
    """What setting up one part came to."""

    name: str
    reason: str | None

    def line(self) -> str:
        """One line for a person."""
        return f"builders: {self.name}: {self.reason or 'ready'}"


def run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Standard output of a command; MissingError with its last words when it fails."""
    try:
        done = subprocess.run(
            ["nice", *command] if shutil.which("nice") else command,
            cwd=cwd,
            env={**os.environ, "GOFLAGS": "-buildvcs=false", **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise MissingError(f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise MissingError(
            f"{' '.join(command[:3])} failed: {words[-1] if words else 'no message'}"
        )
    return done.stdout


def there(program: str) -> bool:
    """Whether a program named by path or by name is on this machine."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


_updated = False


def install(packages: dict[str, str]) -> None:
    """Debian packages whose program is not there yet."""
    global _updated
    wanted = [package for package, program in packages.items() if not there(program)]
    if not wanted:
        return
    if not shutil.which("apt-get"):
        raise MissingError(f"needs {', '.join(wanted)}, and this machine has no apt-get")
    if os.geteuid():
        raise MissingError(f"needs root to install {', '.join(wanted)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    apt = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600")
    if not _updated:
        run(*apt, "update", env=quiet)
        _updated = True
    run(*apt, "install", "-y", "--no-install-recommends", *wanted, env=quiet)


def go() -> str:
    """The Go command, from Debian when the machine has none."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if not found:
        install({"golang-go": "go"})
        found = shutil.which("go")
    if not found:
        raise MissingError("no Go toolchain")
    return found


def stamp(*parts: str) -> str:
    """A short fingerprint of what a build is made from."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def compiled(name: str, mark: str, build: Callable[[str], None], *programs: str) -> None:
    """Runs build unless the programs are there from the same ingredients."""
    at = HOME / f"{name}.stamp"
    ready = at.exists() and at.read_text(encoding="utf-8") == mark
    if ready and all((BIN / program).exists() for program in programs):
        return
    BIN.mkdir(parents=True, exist_ok=True)
    build(go())
    at.write_text(mark, encoding="utf-8")


def module(command: str) -> None:
    """The scratch module that pins BuildKit with its two programs as tools."""
    MODULE.mkdir(parents=True, exist_ok=True)
    path = "github.com/moby/buildkit"
    mod = MODULE / "go.mod"
    if mod.exists() and f"{path} {BUILDKIT}" in mod.read_text(encoding="utf-8"):
        return
    for old in (mod, MODULE / "go.sum"):
        old.unlink(missing_ok=True)
    run(command, "mod", "init", "cachekey-builders", cwd=MODULE)
    tools = [f"{path}/cmd/{tool}@{BUILDKIT}" for tool in ("buildkitd", "buildctl")]
    run(command, "get", "-tool", *tools, cwd=MODULE)


def build_buildkit(command: str) -> None:
    """Compiles buildkitd and buildctl."""
    module(command)
    path = "github.com/moby/buildkit"
    version = f"-X {path}/version.Version={BUILDKIT}"
    tools = [f"{path}/cmd/{tool}" for tool in ("buildkitd", "buildctl")]
    run(command, "build", "-ldflags", version, "-o", f"{BIN}/", *tools, cwd=MODULE)


def build_oracle(command: str) -> None:
    """Compiles our small program against the pinned BuildKit's own frontend."""
    module(command)
    place = MODULE / "oracle"
    place.mkdir(exist_ok=True)
    shutil.copyfile(ORACLE, place / "main.go")
    run(command, "build", "-o", f"{BIN}/oracle", "./oracle", cwd=MODULE)


def build_judge(name: str, path: str, version: str, command: str) -> None:
    """Compiles a program in a scratch module of its own: its dependencies are not BuildKit's."""
    place = HOME / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    run(command, "mod", "init", f"cachekey-{name}", cwd=place)
    run(command, "get", "-tool", f"{path}@{version}", cwd=place)
    run(command, "build", "-o", f"{BIN}/{name}", path, cwd=place)


def install_devcontainers() -> None:
    """Installs the Dev Containers CLI, which is one package without dependencies."""
    place = HOME / "devcontainers"
    at = place / "stamp"
    if at.exists() and at.read_text(encoding="utf-8") == DEVCONTAINERS:
        return
    if not there("npm"):
        raise MissingError("npm is not installed")
    place.mkdir(parents=True, exist_ok=True)
    package = f"@devcontainers/cli@{DEVCONTAINERS}"
    run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(place), package)
    at.write_text(DEVCONTAINERS, encoding="utf-8")


def prepare(name: str) -> Part:
    """Makes one part ready, or says why it cannot be."""
    try:
        install(PACKAGES[name])
        if name == "buildkit":
            compiled(name, stamp(BUILDKIT), build_buildkit, "buildkitd", "buildctl")
        if name == "oracle":
            source = ORACLE.read_text(encoding="utf-8")
            compiled(name, stamp(BUILDKIT, source), build_oracle, "oracle")
        if name in JUDGES:
            path, version = JUDGES[name]
            compiled(name, stamp(version), partial(build_judge, name, path, version), name)
        if name == "devcontainers":
            install_devcontainers()
    except MissingError as error:
        return Part(name, str(error))
    return Part(name, None)


def unready(name: str) -> str | None:
    """Why a part cannot be used right now, without installing anything; None when it can."""
    programs = [*PACKAGES[name].values()]
    if name == "buildkit":
        programs += [str(BIN / "buildkitd"), str(BIN / "buildctl")]
    if name == "devcontainers":
        programs += [str(DEVCONTAINER)]
    if name in ("oracle", *JUDGES):
        programs += [str(BIN / name)]
    absent = [Path(program).name for program in programs if not there(program)]
    if not absent:
        return None
    for part in _status():
        if part["name"] == name and part["reason"]:
            return str(part["reason"])
    return f"{', '.join(absent)} not installed (make builders)"


def _status() -> list[dict[str, str | None]]:
    """What the last setup came to."""
    try:
        return list(json.loads(STATUS.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def main(names: list[str]) -> int:
    """Prepares the named parts, all by default; never fails for what is not to be had."""
    HOME.mkdir(parents=True, exist_ok=True)
    parts = [prepare(name) for name in names or NAMES]
    known = {part["name"]: part for part in _status()} | {part.name: asdict(part) for part in parts}
    STATUS.write_text(json.dumps([*known.values()], indent=1), encoding="utf-8")
    for part in parts:
        print(part.line())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
