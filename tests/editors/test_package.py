"""What is in the VSIX, and that it starts under every Python it claims, and under no other."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.editors.conftest import ROOT

CLIENT = ROOT / "client-vscode"
LAUNCHER = CLIENT / "python" / "launch.py"
OLD = ("2.7", "3.6", "3.8", "3.9")
NEW = ("3.10", "3.11", "3.12", "3.13", "3.14")


def pins() -> dict[str, str]:
    """The libraries of the VSIX and their versions."""
    names = ("requirements.txt", "requirements-compiled.txt")
    text = "\n".join((CLIENT / "python" / name).read_text() for name in names)
    return dict(re.findall(r"^([\w-]+)==([\w.]+)", text, re.MULTILINE))


@cache
def python(version: str) -> str | None:
    """An interpreter of this version on this machine, its real path."""
    places = [shutil.which(f"python{version}")]
    places += map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    probe = "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])"
    for place in filter(None, places):
        seen = subprocess.run([place, "-c", probe], capture_output=True, text=True, check=False)
        if seen.returncode == 0 and seen.stdout == version:
            return place
    return None


def interpreter(version: str) -> str:
    found = python(version)
    if found is None:
        pytest.skip(f"no Python {version} on this machine")
    return found


def manifest() -> dict[str, object]:
    loaded: dict[str, object] = json.loads((CLIENT / "package.json").read_text())
    return loaded


def test_is_pure_python(unpacked: Path) -> None:
    compiled = {".so", ".pyd", ".dylib", ".dll", ".pyc"}
    assert [path for path in unpacked.rglob("*") if path.suffix in compiled] == []


def test_holds_what_it_needs_and_nothing_else(unpacked: Path) -> None:
    files = {
        path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()
    }
    outside = sorted(name for name in files if not name.startswith("bundled/libs/"))
    assert outside == [
        "LICENSE.txt",
        "images/builder.png",
        "images/icon.png",
        "images/map.png",
        "images/proof.png",
        "images/quick-fix.png",
        "images/squiggle.png",
        "out/extension.js",
        "out/third-party-notices.txt",
        "package.json",
        "python/launch.py",
        "readme.md",
        "walkthrough/Dockerfile",
    ]


def test_carries_every_library_with_its_licence(unpacked: Path) -> None:
    libraries = unpacked / "bundled" / "libs"
    assert pins()
    for name, version in pins().items():
        metadata = libraries / f"{name.replace('-', '_')}-{version}.dist-info"
        licences = [path for path in metadata.rglob("*") if re.match("(?i)licen[cs]e", path.name)]
        assert licences, name


def sources(folder: Path) -> dict[Path, bytes]:
    """The files of a package and their contents."""
    files = [path for path in folder.rglob("*") if path.suffix in {".py", ".toml"}]
    return {path.relative_to(folder): path.read_bytes() for path in files}


def test_carries_the_package_of_this_checkout(unpacked: Path) -> None:
    package = sources(ROOT / "server" / "cachekey")
    assert package
    assert sources(unpacked / "bundled" / "libs" / "cachekey") == package


def test_dependencies_of_the_package_are_pinned() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    block = re.search(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert block is not None
    wanted = set(re.findall(r'"([\w-]+)', block[1]))
    assert wanted <= set(pins())
    # What they need in turn, on the oldest Python as well.
    assert {"attrs", "cattrs", "exceptiongroup", "typing-extensions"} <= set(pins())


def test_has_the_version_of_the_package() -> None:
    text = (ROOT / "server" / "cachekey" / "__init__.py").read_text()
    version = re.search(r'__version__ = "([^"]+)"', text)
    assert version is not None
    assert manifest()["version"] == version[1]


@pytest.mark.parametrize("folder", ["client-vscode", "tests/editors"])
def test_lock_files_name_no_registry_and_nobody(folder: str) -> None:
    lock = (ROOT / folder / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    # npm writes sponsoring addresses of single people into it: take them out after an update.
    assert '"funding"' not in lock
    assert '"integrity"' in lock


@pytest.mark.parametrize("version", NEW)
def test_server_starts_isolated(version: str, unpacked: Path, tmp_path: Path) -> None:
    # A package of the same name where Python looks first must not be taken for ours.
    (tmp_path / "cachekey.py").write_text("raise SystemExit('the wrong cachekey')\n")
    command = [interpreter(version), "-I", "-S", "-X", f"pycache_prefix={tmp_path / 'pycache'}"]
    initialize = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"processId": None, "rootUri": None, "capabilities": {}},
    }
    quit_ = [
        {"jsonrpc": "2.0", "id": 2, "method": "shutdown"},
        {"jsonrpc": "2.0", "method": "exit"},
    ]
    bodies = [json.dumps(message).encode() for message in [initialize, *quit_]]
    done = subprocess.run(
        [*command, str(unpacked / "python" / "launch.py"), "lsp"],
        input=b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies),
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PYTHONHOME": str(tmp_path)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert b'"serverInfo"' in done.stdout, done.stderr.decode()
    assert done.returncode == 0, done.stderr.decode()
    assert list((tmp_path / "pycache").rglob("*.pyc"))
    assert not list(unpacked.rglob("*.pyc"))


@pytest.mark.parametrize("version", OLD)
def test_old_python_says_what_it_lacks(version: str) -> None:
    done = subprocess.run(
        [interpreter(version), str(LAUNCHER), "lsp"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.startswith(f"Cachekey needs Python 3.10 or newer, and this is {version}: ")
    assert done.stderr.count("\n") == 1


def test_launcher_is_written_for_old_pythons() -> None:
    # Where no old Python is at hand: nothing in it is younger than the oldest grammar known here.
    tree = ast.parse(LAUNCHER.read_text(), feature_version=(3, 4))
    young = (ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.AsyncFunctionDef)
    assert not any(isinstance(node, young) for node in ast.walk(tree))
    assert sys.version_info >= (3, 10)
