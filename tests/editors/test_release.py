"""A release is the same bytes, whoever makes it, and holds what it says."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from tests.cli.test_adoption import unavailable
from tests.editors.conftest import ROOT, make
from tests.editors.test_package import pins
from tests.support.judges import judge

LIMIT_S = 900


def release(tree: Path, to: Path, **more: str) -> None:
    done = subprocess.run(
        [sys.executable, str(tree / ".ci" / "release" / "make.py"), "--to", str(to)],
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    unavailable("what the extension carries", done)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of the last commit."""
    if not (ROOT / ".git").exists():
        pytest.skip("a release is made of a commit, and this is no repository")
    make("client-vscode/node_modules/.package-lock.json")
    to = tmp_path_factory.mktemp("release") / "one"
    release(ROOT, to)
    return to


def test_two_releases_are_the_same_bytes(made: Path, tmp_path: Path) -> None:
    clone = tmp_path / "another place"
    subprocess.run(["git", "clone", "-q", ROOT, clone], check=True, timeout=LIMIT_S)
    modules = Path("client-vscode") / "node_modules"
    (clone / modules).symlink_to(ROOT / modules)
    mask = os.umask(0o077)
    try:
        release(
            clone, tmp_path / "two", TZ="Pacific/Auckland", LC_ALL="C.UTF-8", HOME=str(tmp_path)
        )
    finally:
        os.umask(mask)
    one, two = ((place / "SHA256SUMS").read_text() for place in (made, tmp_path / "two"))
    assert one == two


def test_checksums_and_notes(made: Path) -> None:
    sums = dict(line.split("  ")[::-1] for line in (made / "SHA256SUMS").read_text().splitlines())
    assert set(sums) | {"SHA256SUMS"} == {path.name for path in made.iterdir()}
    for name, digest in sums.items():
        assert hashlib.sha256((made / name).read_bytes()).hexdigest() == digest
    suffixes = {"".join(Path(name).suffixes[-2:]) for name in sums}
    assert {".cdx.json", ".tar.gz", ".md"} < suffixes
    assert "### Added" in (made / "NOTES.md").read_text()


def test_the_wheel_is_complete(made: Path) -> None:
    (wheel,) = made.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "server"
    tracked = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", "HEAD", "cachekey"],
        cwd=package,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert set(tracked) <= names
    assert {"__pycache__", "tests"}.isdisjoint({part for name in names for part in name.split("/")})


def test_the_sbom_is_one_and_names_all_that_the_extension_carries(
    made: Path, tmp_path: Path
) -> None:
    (path,) = made.glob("*.cdx.json")
    document = json.loads(path.read_text())
    found = {item["name"]: item["version"] for item in document["components"]}
    assert found.items() >= pins().items()
    assert {"vscode-languageclient", "semver"} < set(found)
    (extension,) = made.glob("*.vsix")
    shutil.unpack_archive(extension, tmp_path, "zip")
    carried = (tmp_path / "extension" / "bundled" / "libs").glob("*.dist-info")
    assert {item.name.split("-")[0].replace("_", "-").lower() for item in carried} <= set(found)
    assert all(item["licenses"] for item in document["components"])

    place = judge("cyclonedx-11.12.0")
    schemas = {item.name: json.loads(item.read_text()) for item in place.iterdir()}
    registry: Registry = Registry().with_resources(
        (f"http://cyclonedx.org/schema/{name}", Resource.from_contents(schema))
        for name, schema in schemas.items()
    )
    judged = Draft7Validator(schemas["bom-1.6.SNAPSHOT.schema.json"], registry=registry)
    assert [error.message for error in judged.iter_errors(document)] == []
    document["components"][0]["type"] = "libary"
    assert list(judged.iter_errors(document)) != []
