"""Ignore patterns: what git itself says of them, and that no pattern takes long."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cachekey.disk.ignore import IgnoreRules

PATHS = (
    *("a", "b.txt", "ab", "abc", "aab/", "aab/x", "aab/x.o", "d/", "d/a", "d/e/", "d/e/a"),
    *("d/e/f/", "d/e/f/a.b", "d/e/f/ab", ".x", "d/.x", "x y", "d/x ", "[a]", "a*b", "d/#a", "!a"),
    *("e/", "e/d/", "e/d/a", "e/d/e/", "e/d/e/b", "aaaaaaaaab", "d/e/aaaa", "A", "d/B1", "a-b"),
)
PATTERNS = (
    *("a", "/a", "d/", "d/e", "/d/e/", "**/a", "d/**", "d/**/a", "**/e/**", "*", "/*", "!a", "!d/"),
    *(
        "a*",
        "*b",
        "a*b",
        "*a*a*b",
        "?",
        "a?",
        "[ab]*",
        "[!a]*",
        "[^a]b",
        "[a-c]",
        "[]a]*",
        "[[:upper:]]",
    ),
    *(
        "[",
        "[a",
        "a[",
        "\\a",
        "\\!a",
        "\\#a",
        "#a",
        "\\*b",
        "a\\*b",
        "x y",
        "x\\ ",
        "d/x\\ ",
        "a ",
        "\\",
    ),
    *(
        "d/*",
        "d/*/a",
        "*/e",
        "e/*/",
        "!*/",
        "!e/d/a",
        "**",
        "***",
        "/**",
        "d**",
        "d/**e",
        "**/d/**/a",
    ),
    *(
        "[z-a]*",
        "[!z-a]b*",
        "[a-]b",
        "*.o",
        "!*.o",
        "[[:digit:]]",
        "?[[:digit:]]",
        "[[:nope:]]",
        "/",
        "//",
        "d//a",
    ),
)


def test_git_says_the_same(tmp_path: Path) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("there is no git")
    for path in PATHS:
        place = tmp_path / path
        place.mkdir(parents=True, exist_ok=True) if path.endswith("/") else place.write_text("")
    subprocess.run([git, "init", "-q", str(tmp_path)], check=True)
    chance = random.Random(1)
    some = [chance.choices(PATTERNS, k=chance.randrange(1, 5)) for _ in range(120)]
    for lines in ([[line] for line in PATTERNS], some):
        for one in lines:
            (tmp_path / ".gitignore").write_text("\n".join(one) + "\n")
            command = [git, "-C", str(tmp_path), "check-ignore", "--no-index", "-z", "--stdin"]
            said = subprocess.run(
                command,
                input="\0".join(path.rstrip("/") for path in PATHS),
                capture_output=True,
                text=True,
                check=False,
            )
            rules = IgnoreRules(one)
            mine = {path.rstrip("/") for path in PATHS if rules.verdict(path)}
            assert mine == set(said.stdout.split("\0")) - {""}, one


def test_the_last_line_decides_and_silence_is_no_answer() -> None:
    rules = IgnoreRules(["*.o", "!keep.o"])
    assert rules.verdict("x/a.o") is True
    assert rules.verdict("x/keep.o") is False
    assert rules.verdict("x/a.c") is None
    assert not IgnoreRules(["# only a comment", "", "[", "a" * 5000])


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("*a" * 100 + "b", "a" * 255),
        ("?*" * 100 + "b", "a" * 255),
        ("[ab]*" * 60 + "c", "ab" * 120),
        ("**/a/" * 100 + "b", "a/" * 2000 + "c"),
        ("**/*a*/" * 50 + "b", "aa/" * 1000 + "c"),
        ("*/" * 500 + "**/" * 500 + "x", "a/" * 2000),
    ],
    ids=["stars", "signs", "sets", "folders", "both", "many"],
)
def test_no_pattern_takes_long(line: str, path: str) -> None:
    """Counted in calls: folders by folders at the worst, and the letters are left to one search each."""
    calls = 0

    def count(_frame: object, _event: str, _arg: object) -> None:
        nonlocal calls
        calls += 1

    rules = IgnoreRules([line])
    sys.setprofile(count)
    try:
        assert not rules._own(path.strip("/").split("/"), False)
    finally:
        sys.setprofile(None)
    folders, wanted = path.count("/") + 1, line.count("/") + 1
    assert calls < 50 + 12 * folders * max(4, min(wanted, 200) // 8)
