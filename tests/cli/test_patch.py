"""What ``--diff`` prints, ``git apply`` turns into what ``--fix`` writes, byte for byte."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cachekey.cli import main

from tests.rules.test_rules import CASES, texts

GIT = shutil.which("git")
RUN = "RUN --mount=type=cache,target=/var/cache/apt \\\n    apt-get update && apt-get clean\n"
PLAIN = f"FROM debian:13\n{RUN}"
FILES = {
    "plain": PLAIN.encode(),
    "crlf": PLAIN.replace("\n", "\r\n").encode(),
    "mixed line ends": PLAIN.replace("13\n", "13\r\n").encode(),
    "no final line end": PLAIN.rstrip("\n").encode(),
    "crlf, no final line end": PLAIN.replace("\n", "\r\n").rstrip().encode(),
    "byte order mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "mark and crlf": b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode(),
    "not ascii": f"# größer 🐳 日本\n{PLAIN}# ende \u00a0é".encode(),
    "what other programs take for line ends": (
        f"# a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\n{PLAIN}# \x0c\n".encode()
    ),
    "a lone carriage return": f"# a\rb\n{PLAIN}".encode(),
    "tabs and blanks at the ends": f"# a \t \n{PLAIN}\t\n  \n".encode(),
    "lines that look like a patch": f"# x\n{PLAIN}# y\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n".encode(),
    "what steers a terminal": f"# \x1b[31mred\x1b[0m\n{PLAIN}# \u202eabc\n".encode(),
    "what a runner obeys": f"# x\n#\n{PLAIN}# ##[error]x\n    # ::set-output name=a::b\n".encode(),
    "a long one that steers": ("# \x07\n" + PLAIN + "ENV A=ä\n" * 300).encode(),
    "latin-1": f"# größer\n{PLAIN}".encode("latin-1"),
    "utf-16": f"\ufeff# größer\n{PLAIN}".encode("utf-16-le"),
    "an empty line at the end": f"{PLAIN}\n\n".encode(),
    "a second change far away": (PLAIN + "ENV A=1\n" * 30 + PLAIN).encode(),
    "of one long line": b"FROM debian:13\nRUN --mount=type=cache,target=/var/cache/apt apt-get clean && "
    + b"x" * 9000,
}
NAMES = (
    "Dockerfile",
    "Dockerfile.ü",
    "Dockerfile.a b",
    "Dockerfile.日本",
    "Dockerfile.a'b",
    "Dockerfile.-x",
    'Dockerfile."q',
    "Dockerfile.\\b",
    "Dockerfile.\tt",
    "Dockerfile.\u202ex",
)


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    # Of one name: ids are made from it.
    return tmp_path / "fixed" / "shop", tmp_path / "patched" / "shop"


def put(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def assert_same(
    roots: tuple[Path, Path],
    files: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    *level: str,
) -> dict[str, bytes]:
    """Mend files in two ways, assert that both make the same of them, and return what they are."""
    fixed, patched = roots
    command = ["check", ".", "--fail-on", "never", *level]
    for root in roots:
        put(root, files)
    monkeypatch.chdir(fixed)
    assert main([*command, "--fix"]) == 0
    capfdbinary.readouterr()
    monkeypatch.chdir(patched)
    assert main([*command, "--diff"]) == 0
    patch = capfdbinary.readouterr().out
    now = {name: (fixed / name).read_bytes() for name in files}
    if GIT is None:
        pytest.skip("git is not installed")
    # Outside of a repository, where nobody's settings for line ends count.
    home = {"HOME": str(fixed.parent), "GIT_CEILING_DIRECTORIES": str(fixed.parent)}
    if patch:
        subprocess.run([GIT, "apply", "-"], cwd=patched, input=patch, check=True, env=home)
    assert {name: (patched / name).read_bytes() for name in files} == now, patch
    return now


@pytest.mark.parametrize("level", [(), ("--unsafe-fixes",)], ids=["safe", "unsafe"])
def test_the_patch_makes_what_fix_makes(
    level: tuple[str, ...],
    roots: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    files = {f"{number}/Dockerfile": text for number, text in enumerate(FILES.values())}
    files |= dict.fromkeys(NAMES, FILES["plain"])
    now = assert_same(roots, files, monkeypatch, capfdbinary, *level)
    kinds = dict(zip(files, [*FILES, *NAMES], strict=True))
    assert [kinds[name] for name in files if now[name] == files[name]] == []


def test_the_cases_of_the_rules(
    roots: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    """Whatever a fix edits: properties of a devcontainer.json, services, workflows, scripts."""
    files: dict[str, bytes] = {}
    for number, (_, case) in enumerate(CASES[::25]):
        for name, text in texts(case).items():
            # Every other one as Windows writes it.
            text = text.replace("\n", "\r\n") if number % 2 else text
            files[f"{number}/{name}"] = text.encode()
    now = assert_same(roots, files, monkeypatch, capfdbinary, "--unsafe-fixes")
    assert sum(now[name] != files[name] for name in files) > 8
