"""Words that a command prints: which program it is, and when nobody knows."""

from __future__ import annotations

import pytest
from cachekey.commands.substituted import asked


@pytest.mark.parametrize(
    ("written", "program"),
    [
        ('"$(direnv hook bash)"', "direnv"),
        ("$(/opt/brew/bin/brew shellenv)", "brew"),
        ('$(curl -fsSL "$URL")', "curl"),
        ("$(curl -fsSL https://example.com | sed s/a/b/)", None),
        ("$(a; b)", None),
        ("$(a)$(b)", None),
        ("$(a", None),
        ("$()", None),
        ("$($A)", None),
        ("direnv", None),
        ("", None),
    ],
)
def test_who_prints_it(written: str, program: str | None) -> None:
    assert asked(written) == program
