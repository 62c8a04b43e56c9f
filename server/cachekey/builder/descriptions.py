"""Reads the description of a cache's record: target and command of its first use, and its name.

Source: BuildKit ``solver/llbsolver/ops/exec.go`` and ``solver/llbsolver/mounts/mount.go``; the name
is there since 0.12.
"""

from __future__ import annotations

import posixpath
import re

from cachekey.record import record

OWNER_STEP = "[internal] setting cache mount permissions"
"""The description of a base that holds nothing but an owner and a mode."""

_BEGIN = "cached mount "
_FROM = " from exec "
_NAME = ' with id "'
_ESCAPE = re.compile(
    r"\\(?:(?P<plain>[abfnrtv\\\"'])|x(?P<byte>[0-9a-fA-F]{2})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))"
)
_PLAIN = {**dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True)), "\\": "\\", '"': '"', "'": "'"}


@record(frozen=True)
class Described:
    """What a cache's record says about itself."""

    target: str
    """Where the first RUN mounted it."""
    command: str
    """The first RUN's argument vector, joined by blanks."""
    name: str | None
    """Namespace, slash, id: exact. None from a builder that does not tell."""

    @property
    def directory(self) -> str:
        """Return the target cleaned: the record has it as it was written."""
        return "/" + posixpath.normpath(self.target or "/").lstrip("/")


def read_description(text: str, names: bool) -> Described:
    """Take a description apart; of one that is written otherwise everything is empty.

    ``names`` tells that the builder names its caches. It leaves the name out where it is the
    target itself, as for ``id=c,target=/c``.
    """
    if not text.startswith(_BEGIN):
        return Described("", "", None)
    name = None
    at = text.rfind(_NAME)
    if at >= 0 and text.endswith('"') and len(text) > at + len(_NAME):
        name = go_unquote(text[at + len(_NAME) : -1])
        text = text[:at]
    target, _, command = text[len(_BEGIN) :].partition(_FROM)
    if name is None and names:
        name = target
    return Described(target, command, name)


def go_unquote(text: str) -> str:
    """Undo Go's ``%q``; ``text`` comes without the quotes around it.

    >>> go_unquote('a\\\\"b\\\\n')
    'a"b\\n'
    """
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    if plain := match.group("plain"):
        return _PLAIN[plain]
    if byte := match.group("byte"):
        # A byte that is no UTF-8; Python's own way to keep it.
        return bytes([int(byte, 16)]).decode("utf-8", "surrogateescape")
    code = int(match.group("short") or match.group("long"), 16)
    return chr(code) if code < 0x110000 else "\ufffd"
