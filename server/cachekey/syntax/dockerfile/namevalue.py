"""``NAME=value`` lists of ENV, ARG and LABEL, split as BuildKit's line parsers do it.

Source: BuildKit ``frontend/dockerfile/parser/line_parsers.go`` (``parseWords``, ``parseNameVal``).
Quotes and escapes stay in the values: expansion takes them away.
"""

from __future__ import annotations

import re

from cachekey.syntax.dockerfile.flags import split_words
from cachekey.text import Mapped

__all__ = ["arg_pairs", "env_pairs", "split_words"]

_OLD_FORM = re.compile(r"(\S+)\s+")


def env_pairs(text: Mapped, escape: str = "\\") -> list[tuple[Mapped, Mapped]]:
    """Split the arguments of ENV: ``a=b c=d``, or the old form ``name the whole rest``."""
    words = list(split_words(text, escape))
    if not words:
        return []
    if "=" not in words[0].text:
        match = _OLD_FORM.match(text.text)
        return [(text.slice(0, match.end(1)), text.slice(match.end()))] if match else []
    return [_cut(word) for word in words if "=" in word.text]


def arg_pairs(text: Mapped, escape: str = "\\") -> list[tuple[Mapped, Mapped | None]]:
    """Split the arguments of ARG: names with or without a default."""
    words = split_words(text, escape)
    return [_cut(word) if "=" in word.text else (word, None) for word in words]


def _cut(word: Mapped) -> tuple[Mapped, Mapped]:
    at = word.text.index("=")
    return word.slice(0, at), word.slice(at + 1)
