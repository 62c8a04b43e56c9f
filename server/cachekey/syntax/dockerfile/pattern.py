"""The patterns of ``${X#p}``, ``${X%p}`` and ``${X/p/r}``: ``*`` and ``?``, nothing else."""

from __future__ import annotations

import re

_MAX_STEPS = 5_000_000
"""Upper bound of a match's backtracking steps; a pattern that could cost more is not tried."""

_TEMPLATE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)


class PatternError(Exception):
    """A pattern that BuildKit refuses, in its words."""


class TooCostlyError(Exception):
    """Matching might take too long."""


def trim(value: str, pattern: str, *, suffix: bool, greedy: bool) -> str:
    """Drop the shortest (or with ``greedy`` the longest) match at the start or end of ``value``."""
    if not suffix:
        return _trim_prefix(value, pattern, greedy)
    return _trim_prefix(value[::-1], _reversed(pattern), greedy)[::-1]


def _trim_prefix(value: str, pattern: str, greedy: bool) -> str:
    match = _compile(pattern, greedy, value, 0).match(value)
    return value[match.end() :] if match else value


def replace(value: str, pattern: str, replacement: str, everywhere: bool) -> str:
    """Replace the first longest match of ``pattern``, or all of them."""
    regex = _compile(pattern, True, value, 1)
    if not everywhere:
        match = regex.search(value)
        return value[: match.start()] + replacement + value[match.end() :] if match else value
    out: list[str] = []
    at = 0
    for match in regex.finditer(value):
        # Go, unlike Python, takes no empty match right behind another match.
        if match.start() == match.end() == at and out:
            continue
        out += (value[at : match.start()], _filled(replacement, match.group()))
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


def _compile(pattern: str, greedy: bool, value: str, starts: int) -> re.Pattern[str]:
    out: list[str] = []
    star = ".*" if greedy else ".*?"
    at = stars = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            if out[-1:] != [star]:
                out.append(star)
                stars += 1
        elif char == "?":
            out.append(".")
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
            out.append(re.escape(following))
        else:
            out.append(re.escape(char))
    if (len(value) + 1) ** (stars + starts) > _MAX_STEPS:
        raise TooCostlyError
    return re.compile("".join(out))
