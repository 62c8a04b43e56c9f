"""Fills bundled/libs with the pinned pure-Python wheels and the cachekey package of this checkout.

Does nothing when what is there was made from the same requirements and the same package.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
COMPILED = HERE / "requirements-compiled.txt"
PACKAGE = HERE.parent.parent / "server" / "cachekey"
LIBRARIES = HERE.parent / "bundled" / "libs"
STAMP = LIBRARIES.parent / ".stamp"
# Of a wheel's metadata the VSIX keeps what says whose it is and under which licence.
KEPT_METADATA = ("METADATA", "licenses", "LICENSE", "COPYING", "NOTICE", "AUTHORS")
BINARY_SUFFIXES = (".so", ".pyd", ".dylib", ".dll")


def package_files() -> list[Path]:
    """Every file of the package that belongs into a release, in a fixed order."""
    return sorted(
        path
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    )


def fingerprint(*paths: Path) -> str:
    """A digest of the files' names and contents."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(HERE.parent.parent).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def install(requirements: Path, platform: str) -> None:
    """Install pinned wheels for a platform; another hash is refused."""
    quiet = "--quiet --disable-pip-version-check --root-user-action=ignore"
    pinned = "--no-deps --require-hashes --only-binary=:all: --no-compile --python-version 3.10"
    command = [sys.executable, "-m", "pip", "install"]
    for options in (quiet, pinned, platform):
        command += options.split()
    command += ["--target", str(LIBRARIES), "--requirement", str(requirements)]
    subprocess.run(command, check=True)


def install_wheels() -> None:
    """Install the pinned wheels; nothing compiled may be left in them."""
    shutil.rmtree(LIBRARIES, ignore_errors=True)
    install(COMPILED, "--implementation cp --abi cp310 --platform manylinux2014_x86_64")
    for path in sorted(LIBRARIES.rglob("*")):
        if path.suffix in BINARY_SUFFIXES:
            path.unlink()
    install(REQUIREMENTS, "--implementation py --abi none --platform any")
    shutil.rmtree(LIBRARIES / "bin", ignore_errors=True)
    for metadata in LIBRARIES.glob("*.dist-info"):
        for entry in metadata.iterdir():
            if not entry.name.startswith(KEPT_METADATA):
                entry.unlink() if entry.is_file() else shutil.rmtree(entry)
    compiled = [path for path in LIBRARIES.rglob("*") if path.suffix in BINARY_SUFFIXES]
    if compiled:
        sys.exit(f"not pure Python: {', '.join(map(str, compiled))}")


def copy_package() -> None:
    """Replace bundled/libs/cachekey with the package as it is now."""
    target = LIBRARIES / "cachekey"
    shutil.rmtree(target, ignore_errors=True)
    for path in package_files():
        copy = target / path.relative_to(PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def main() -> None:
    """Bring bundled/libs up to date, the wheels only when their pins changed."""
    wheels, package = fingerprint(REQUIREMENTS, COMPILED), fingerprint(*package_files())
    had = STAMP.read_text().split() if STAMP.exists() else []
    if had == [wheels, package]:
        return
    STAMP.unlink(missing_ok=True)
    if had[:1] != [wheels]:
        install_wheels()
    copy_package()
    STAMP.write_text(f"{wheels} {package}\n")


if __name__ == "__main__":
    main()
