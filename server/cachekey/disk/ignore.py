"""``.gitignore`` patterns, matched in a time that no pattern can stretch.

A pattern of somebody else's is matched against names of somebody else's. As a regular expression
``*a*a*a*b`` takes years on a long name, and the interpreter waits with it. Here each ``*`` is
settled where the text behind it is found first, and only the last one is ever tried again: a match
costs at most the name's length times the pattern's.

Source: gitignore(5) and git's ``dir.c`` and ``wildmatch.c``; the tests ask git itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cachekey.record import record
from cachekey.wildcard import compile_pieces

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "space": r" \t\n\r\f\v",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_LONGEST_PATH = 4096
"""Letters of a pattern that are read: no path is longer (``PATH_MAX``)."""

_Segment = str | re.Pattern[str] | None
"""What stands between two slashes of a pattern: a name, what names look like, or None for ``**``,
which is any number of folders."""


@record(frozen=True)
class _Rule:
    """One line of an ignore file."""

    segments: tuple[_Segment, ...]
    ignores: bool
    """False behind ``!``: what matches is taken in again."""
    folders_only: bool


class IgnoreRules:
    """The lines of an ignore file; the last one that matches a path, or a folder of it, decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        rules = [_rule(line) for line in lines]
        self._rules = [rule for rule in rules if rule is not None]

    def __bool__(self) -> bool:
        return bool(self._rules)

    def verdict(self, path: str) -> bool | None:
        """Tell whether a path relative to the file is ignored; None when no line speaks of it.

        A path with a final ``/`` is a folder. What lies in an ignored folder is ignored with it.
        """
        folder = path.endswith("/")
        parts = path.strip("/").split("/")
        verdict: bool | None = None
        for length in range(1, len(parts) + 1):
            here = self._own(parts[:length], folder or length < len(parts))
            verdict = verdict if here is None else here
            if verdict and length < len(parts):
                return True
        return verdict

    def _own(self, parts: Sequence[str], folder: bool) -> bool | None:
        for rule in reversed(self._rules):
            if (folder or not rule.folders_only) and _fits(rule.segments, parts):
                return rule.ignores
        return None


# -- reading a line --------------------------------------------------------------------------------


def _rule(line: str) -> _Rule | None:
    """Read one line; None for a comment, a blank line and what git takes for no pattern."""
    text = _without_blanks(line.rstrip("\r\n"))
    if not text or text.startswith("#") or len(text) > _LONGEST_PATH:
        return None
    ignores = not text.startswith("!")
    text = text if ignores else text[1:]
    folders_only = text.endswith("/")
    text = text.removesuffix("/")
    anchored = "/" in text
    written = text.removeprefix("/").split("/")
    segments: list[_Segment] = [] if anchored else [None]
    for number, part in enumerate(written):
        if part == "**" and len(written) > 1:
            if segments[-1:] != [None]:
                segments.append(None)
            if number + 1 == len(written):
                # `a/**` is what lies in the folder, not the folder.
                segments.append(_ANY_NAME)
            continue
        segment = _segment(part)
        if not segment:
            return None
        segments.append(segment)
    return _Rule(tuple(segments), ignores, folders_only)


def _without_blanks(line: str) -> str:
    """Drop the blanks at the end, unless a backslash keeps one."""
    text = line.rstrip(" ")
    backslashes = len(text) - len(text.rstrip("\\"))
    return text + " " if backslashes % 2 and len(text) < len(line) else text


def _segment(part: str) -> str | re.Pattern[str] | None:
    """Read what stands between two slashes; None when a bracket or a backslash leads nowhere."""
    if _WILD.isdisjoint(part):
        return part
    pieces = [""]
    at = 0
    while at < len(part):
        char = part[at]
        at += 1
        if char == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        elif char == "?":
            pieces[-1] += "."
        elif char == "[":
            found = _set(part, at)
            if found is None:
                return None
            pieces[-1] += found[0]
            at = found[1]
        elif char == "\\" and at == len(part):
            return None
        else:
            at += char == "\\"
            pieces[-1] += re.escape(part[at - 1])
    return compile_pieces(pieces, dotall=True)


_WILD = frozenset("*?[\\")
_ANY_NAME = re.compile(".*", re.DOTALL)
_NAMED = re.compile(r"\[:([a-z]+):\]")


def _set(part: str, at: int) -> tuple[str, int] | None:
    """Read ``[a-z]`` behind its bracket: the characters it stands for, and where it ends."""
    negated = part[at : at + 1] in ("!", "^")
    at += negated
    inside: list[str] = []
    first = True
    while first or part[at : at + 1] != "]":
        first = False
        named = _NAMED.match(part, at)
        if named is not None:
            if named[1] not in _CLASSES:
                return None
            inside.append(_CLASSES[named[1]])
            at = named.end()
            continue
        low, at = _member(part, at)
        high = low
        if part[at : at + 1] == "-" and part[at + 1 : at + 2] not in ("]", ""):
            high, at = _member(part, at + 1)
        if not low or not high:
            return None
        if low <= high:
            inside.append(f"{re.escape(low)}-{re.escape(high)}")
    if not inside:
        # A range from `z` to `a` holds nothing.
        return ("." if negated else "(?!)."), at + 1
    return f"[{'^' if negated else ''}{''.join(inside)}]", at + 1


def _member(part: str, at: int) -> tuple[str, int]:
    if part[at : at + 1] == "\\":
        at += 1
    return part[at : at + 1], at + 1


# -- matching --------------------------------------------------------------------------------------


def _fits(segments: Sequence[_Segment], parts: Sequence[str]) -> bool:
    """Tell whether a pattern fits a whole path."""
    if len(segments) == 2 and segments[0] is None:
        # The most of them: a name, in whatever folder.
        return _names(segments[1], parts[-1])
    at = place = 0
    star, tried = -1, 0
    while place < len(parts):
        if at < len(segments) and segments[at] is None:
            # What lies behind it is looked for from here on.
            star, tried = at, place
            at += 1
        elif at < len(segments) and _names(segments[at], parts[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            # Not here: the last `**` takes one folder more. Those in front of it are settled.
            tried += 1
            at, place = star + 1, tried
        else:
            return False
    return all(segment is None for segment in segments[at:])


def _names(segment: _Segment, name: str) -> bool:
    if isinstance(segment, str):
        return segment == name
    return segment is not None and segment.fullmatch(name) is not None
