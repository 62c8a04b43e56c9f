"""Makes a release of the last commit: ``make release`` writes it to ``dist/release``.

It holds the wheel, the source archive, the VS Code extension, their SBOM, notes and checksums. Nothing is
published. Two runs give the same bytes, wherever and whenever: all is made from an export of the commit,
with the commit's time.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from sbom import sbom

ROOT = Path(__file__).resolve().parents[2]
CLIENT = "client-vscode"


def run(folder: Path, *command: str, **more: str) -> None:
    """Run a program of the build; when it fails, so does the release."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command[:4])} failed:\n{done.stdout}{done.stderr}")


def git(*arguments: str) -> bytes:
    """Return what git says of this repository."""
    return subprocess.run(("git", *arguments), cwd=ROOT, check=True, capture_output=True).stdout


def export(folder: Path) -> None:
    """Write the files of the last commit into a folder, with the modes that the commit knows."""
    with tarfile.open(fileobj=io.BytesIO(git("-c", "tar.umask=022", "archive", "HEAD"))) as archive:
        for member in archive:
            archive.extract(member, folder, filter="tar")
    # What npm and pip have brought is taken from the checkout, if it is there: both go by locks.
    (folder / CLIENT / "node_modules").symlink_to(ROOT / CLIENT / "node_modules")
    if (ROOT / CLIENT / "bundled").is_dir():
        bundled = folder / CLIENT / "bundled"
        shutil.copytree(ROOT / CLIENT / "bundled", bundled, copy_function=shutil.copyfile)


def version_of(folder: Path) -> str:
    """Return the version that the package and the extension agree on."""
    text = (folder / "server" / "cachekey" / "__init__.py").read_text(encoding="utf-8")
    extension = (folder / CLIENT / "package.json").read_text(encoding="utf-8")
    (ours,) = re.findall(r'^__version__ = "(.+)"', text, re.MULTILINE)
    (theirs,) = re.findall(r'^  "version": "(.+)"', extension, re.MULTILINE)
    if ours != theirs:
        sys.exit(f"the package has version {ours}, the extension {theirs}")
    return str(ours)


def notes(changelog: str, version: str) -> str:
    """Return what a changelog says of a version, or of what is unreleased."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for title in (rf"\[?{re.escape(version)}\]?", r"\[?Unreleased\]?"):
        for section in sections:
            head, _, body = section.partition("\n")
            if re.match(rf"{title}(?: |$)", head) and body.strip():
                return f"# Cachekey {version}\n\n{body.strip()}\n"
    sys.exit(f"CHANGELOG.md says nothing of {version}")


def build(folder: Path, to: Path) -> None:
    """Build everything from an exported commit."""
    version = version_of(folder)
    run(
        folder,
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-t",
        "sdist",
        "-d",
        str(to),
    )
    run(folder, sys.executable, f"{CLIENT}/python/bundle.py")
    extension = to / f"cachekey-{version}.vsix"
    (folder / "dist").mkdir()
    run(folder / CLIENT, "npm", "run", "--silent", "vsix")
    shutil.move(folder / "dist" / "cachekey.vsix", extension)
    (to / f"cachekey-{version}.cdx.json").write_text(sbom(folder / CLIENT, version), "utf-8")
    changelog = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    (to / "NOTES.md").write_text(notes(changelog, version), encoding="utf-8")
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(to.iterdir())
    ]
    (to / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def main() -> int:
    """Make the release; what is not committed is told and left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "dist" / "release", metavar="FOLDER")
    to = parser.parse_args().to.resolve()
    if changed := git("status", "--porcelain").decode().splitlines():
        print(f"left out, since not committed: {len(changed)} files", file=sys.stderr)
    # A time is written in the zone of whoever builds, files are sorted by their language's order.
    os.environ |= {"TZ": "UTC", "LC_ALL": "C"}
    os.environ["SOURCE_DATE_EPOCH"] = git("log", "-1", "--format=%ct").decode().strip()
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        export(Path(temporary) / "source")
        build(Path(temporary) / "source", made)
        # A release that failed half-way leaves the last one as it was.
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(made, to)
    print((to / "SHA256SUMS").read_text(encoding="utf-8"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
