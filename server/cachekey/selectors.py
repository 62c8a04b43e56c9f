"""How users name rules: by code, by the beginning of a code, by name, or all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from cachekey.budget import kept
from cachekey.suggest import nearest

_PREFIX = re.compile(r"CK[0-9]{0,3}\Z", re.IGNORECASE)


class Named(Protocol):
    """What settings need to know of a rule."""

    @property
    def code(self) -> str:
        """The code, ``CK101``."""

    @property
    def name(self) -> str:
        """The name, ``split-cache``."""


@kept(4096)
def _weigh(selector: str, code: str, name: str) -> int:
    if selector.lower() == name:
        return 5
    upper = selector.upper()
    if upper == "ALL":
        return 1
    return len(upper) if _PREFIX.match(upper) and code.startswith(upper) else 0


def weigh(selector: str, rule: Named) -> int:
    """Return how exactly a selector names a rule: 0 not at all, 1 ``ALL``, 5 code or name."""
    return _weigh(selector, rule.code, rule.name)


def names_rule(selector: str, rules: Sequence[Named]) -> bool:
    """Tell whether ``selector`` names a rule; with no ``rules`` every name is fine."""
    return not rules or selector.upper() == "ALL" or any(weigh(selector, rule) for rule in rules)


def unknown_rule(selector: str, rules: Sequence[Named]) -> str | None:
    """Return a message when ``selector`` names no rule; with no ``rules`` every name is fine."""
    if names_rule(selector, rules):
        return None
    names = [rule.name for rule in rules]
    text = selector.strip().lower().replace("_", "-")
    upper = selector.strip().upper()
    meant = text if text in names else nearest(text, names, max(3, len(text) // 3))
    if meant is None and upper.startswith(("CK", "C", "K")):
        # One digit may be a slip; two are another rule.
        meant = nearest(upper, [rule.code for rule in rules], 2)
    return f"no rule is called {quote(selector)}{did_you_mean(meant)}"


def heaviest(selectors: Iterable[str], rule: Named) -> int:
    """Return how exactly the most exact of some selectors names a rule."""
    return max((weigh(selector, rule) for selector in selectors), default=0)


def quote(text: str) -> str:
    """Put a user's word into quotes for a message, on one line."""
    return f"'{' '.join(text.split())}'"


def did_you_mean(meant: str | None) -> str:
    """Return the end of a message that suggests ``meant``, or nothing."""
    return f"; did you mean '{meant}'?" if meant else ""
