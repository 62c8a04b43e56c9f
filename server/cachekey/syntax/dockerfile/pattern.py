"""The patterns of ``${X#p}``, ``${X%p}`` and ``${X/p/r}``: ``*`` and ``?``, nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

from cachekey.budget import LONGEST_VALUE
from cachekey.wildcard import compile_pieces

_MAX_STEPS = 1_000_000
"""Upper bound of a substitution's steps; one that could cost more is not tried."""

Effort = Callable[[int], None]
"""Is told how many steps a substitution may need."""

_TEMPLATE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)


class PatternError(Exception):
    """A pattern that BuildKit refuses, in its words."""


class TooCostlyError(Exception):
    """Matching might take too long."""


def trim(value: str, pattern: str, effort: Effort, *, suffix: bool, greedy: bool) -> str:
    """Drop the shortest (or with ``greedy`` the longest) match at the start or end of ``value``."""
    if not suffix:
        return _trim_prefix(value, pattern, effort, greedy)
    return _trim_prefix(value[::-1], _reversed(pattern), effort, greedy)[::-1]


def _trim_prefix(value: str, pattern: str, effort: Effort, greedy: bool) -> str:
    match = _compile(pattern, greedy, len(value), effort).match(value)
    return value[match.end() :] if match else value


def replace(value: str, pattern: str, replacement: str, effort: Effort, *, everywhere: bool) -> str:
    """Replace the first longest match of ``pattern``, or all of them."""
    regex = _compile(pattern, True, len(value) * len(value), effort)
    if not everywhere:
        match = regex.search(value)
        return value[: match.start()] + replacement + value[match.end() :] if match else value
    out: list[str] = []
    at = length = 0
    for match in regex.finditer(value):
        # Go, unlike Python, takes no empty match right behind another match.
        if match.start() == match.end() == at and out:
            continue
        filled = _filled(replacement, match.group())
        length += len(filled)
        if length > LONGEST_VALUE:
            raise TooCostlyError
        out += (value[at : match.start()], filled)
        at = match.end()
    return "".join((*out, value[at:]))


def _filled(template: str, whole: str) -> str:
    """Fill in ``$0`` and friends: a replacement of all matches is a template of Go's regexp."""

    def fill(match: re.Match[str]) -> str:
        if match.group(1):
            return "$"
        name = match.group(2) or match.group(3)
        return whole if name == "0" else ""

    return _TEMPLATE.sub(fill, template)


def _reversed(pattern: str) -> str:
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(reversed(parts))


def _compile(pattern: str, greedy: bool, places: int, effort: Effort) -> re.Pattern[str]:
    """Compile a pattern that is tried at so many places, in time linear in each of them."""
    pieces = _pieces(pattern)
    steps = (places + 1) * max(1, len(pattern) if len(pieces) > 1 else 1)
    effort(steps)
    if steps > _MAX_STEPS:
        raise TooCostlyError
    return compile_pieces(pieces, last=".*" if greedy else ".*?")


def _pieces(pattern: str) -> list[str]:
    """Return what stands between the ``*`` of a pattern, as regular expressions."""
    pieces = [""]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        elif char == "?":
            pieces[-1] += "."
        elif char == "\\":
            following = pattern[at : at + 1]
            if following in ("}", "/"):
                continue
            at += 1
            if following not in ("*", "?", "\\"):
                shown = following or "\ufffd"
                raise PatternError(
                    f"invalid pattern ({pattern}) in substitution: invalid escape '\\{shown}'"
                )
            pieces[-1] += re.escape(following)
        else:
            pieces[-1] += re.escape(char)
    return pieces
