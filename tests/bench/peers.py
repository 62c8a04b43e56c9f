"""The programs that Cachekey is measured beside, from the registries, in pinned versions.

They are installed once below ``.cache/bench``. One that cannot be had is named on standard error and in
the report, and its lines are left open.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "bench"


@dataclass(frozen=True)
class Peer:
    """One program: ``command`` starts it, or ``problem`` says why it cannot be had."""

    name: str
    version: str
    command: tuple[str, ...] = ()
    problem: str = ""


def dockerfile_utils() -> Peer:
    """The linter below the Docker language server: its library, all files in one process."""

    def command(folder: Path) -> tuple[str, ...]:
        package = folder / "node_modules" / "dockerfile-utils"
        return (_program("node"), str(HERE / "lint_all.js"), str(package))

    return _install("dockerfile-utils", "0.16.3", _npm, command)


def langserver() -> Peer:
    """The Docker language server most editors use."""

    def command(folder: Path) -> tuple[str, ...]:
        package = folder / "node_modules" / "dockerfile-language-server-nodejs"
        return (_program("node"), str(package / "bin" / "docker-langserver"), "--stdio")

    return _install("dockerfile-language-server-nodejs", "0.15.0", _npm, command)


def tally() -> Peer:
    """A native linter. Its ShellCheck rules, nearly all of its cost, and its look-ups are off."""

    def command(folder: Path) -> tuple[str, ...]:
        program = next((folder / "tally_cli" / "bin").glob("*/tally*"))
        options = ("--no-config", "--ignore", "shellcheck/*", "--slow-checks", "off", "--no-color")
        return (str(program), "lint", *options)

    return _install("tally-cli", "0.45.0", _pip, command)


def bare() -> Peer:
    """A server on pygls that does nothing, in the Python that runs Cachekey."""
    return Peer("bare pygls", version_of("pygls"), (sys.executable, str(HERE / "bare_server.py")))


def _install(
    name: str,
    version: str,
    install: Callable[[Path, str, str], None],
    command: Callable[[Path], tuple[str, ...]],
) -> Peer:
    folder = CACHE / f"{name}-{version}"
    try:
        if not (folder / ".ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            install(folder, name, version)
            (folder / ".ready").touch()
        return Peer(name, version, command(folder))
    except (OSError, subprocess.CalledProcessError, StopIteration) as error:
        problem = f"{name} {version} could not be installed"
        print(f"bench: {problem}: {error}", file=sys.stderr)
        return Peer(name, version, problem=problem)


def _npm(folder: Path, name: str, version: str) -> None:
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder))
    subprocess.run((_program("npm"), "install", *options, f"{name}@{version}"), check=True)


def _pip(folder: Path, name: str, version: str) -> None:
    options = ("--quiet", "--no-deps", "--target", str(folder))
    subprocess.run(
        (sys.executable, "-m", "pip", "install", *options, f"{name}=={version}"), check=True
    )


def _program(name: str) -> str:
    if found := shutil.which(name):
        return found
    raise FileNotFoundError(f"no {name} on this machine")
