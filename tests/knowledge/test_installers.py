"""The file about installers: what is read of it, and what is refused."""

from __future__ import annotations

import pytest
from cachekey.knowledge.installers import installers, parse_installers
from cachekey.knowledge.reader import Problem

HEAD = 'source = "s"\ndate = "d"\n'


def test_own_file_is_whole() -> None:
    found = installers()
    assert "apt-get" in found.packagers
    assert found.recipes["make"].files
    assert not found.recipes["make"].installs
    assert all(one.urls and one.makes for one in found.fetched)
    assert all(one.asks and one.harmless for one in found.runners.values())
    assert all(found.engines.values())
    assert "sleep" in found.idle
    assert "direnv" in found.hooks


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://sh.rustup.rs", True),
        ("http://www.bun.sh/install", True),
        ("https://mirror.example.org/sh.rustup.rs", False),
        ("sh.rustup.rs", False),
        ("", False),
    ],
)
def test_address(url: str, known: bool) -> None:
    assert (installers().fetched_from(url) is not None) is known


@pytest.mark.parametrize(
    "text",
    [
        '[[recipes]]\nnames = ["a"]\n[[recipes]]\nnames = ["a"]\n',
        '[[fetched]]\nurl = "typo"\n',
        '[[folders]]\nby = ["x"]\n',
        'packagers = "apt"\n',
    ],
)
def test_what_is_wrong_is_told(text: str) -> None:
    problems: list[Problem] = []
    parse_installers(HEAD + text, problems)
    assert problems
