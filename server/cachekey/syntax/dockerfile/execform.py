"""The exec form: a JSON array of strings, decoded with every character's place."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from cachekey.syntax.dockerfile.go import SPACE
from cachekey.syntax.dockerfile.mapping import cut
from cachekey.text import Mapped

_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|.)")
_BLANK = re.compile(r"[ \t\r\n]*")
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

NOT_STRINGS = "when using JSON array syntax, arrays must be comprised of strings only"


class NotStringsError(Exception):
    """A valid JSON array that holds something else than strings."""


def read_json(text: Mapped) -> tuple[Mapped, ...] | None:
    """Decode ``text`` when it is a JSON array of strings.

    ``None`` means that it is no valid JSON, which makes it the shell form. Raises
    ``NotStringsError`` for a valid array of other things, which BuildKit refuses.
    """
    chars = text.text
    at = len(chars) - len(chars.lstrip(SPACE))
    if not chars.startswith("[", at):
        return None
    strings: list[Mapped] = []
    at = _skip(chars, at + 1)
    if chars.startswith("]", at) and _skip(chars, at + 1) == len(chars):
        return ()
    while True:
        string = _STRING.match(chars, at)
        if string is None:
            break
        strings.append(_decode(text, at + 1, string.end() - 1))
        at = _skip(chars, string.end())
        if not chars.startswith(",", at):
            break
        at = _skip(chars, at + 1)
    closed = string is not None and chars.startswith("]", at)
    if closed and _skip(chars, at + 1) == len(chars):
        return tuple(strings)
    if _is_json(chars.lstrip(SPACE)):
        raise NotStringsError(NOT_STRINGS)
    return None


def _skip(chars: str, at: int) -> int:
    match = _BLANK.match(chars, at)
    return match.end() if match else at


def _decode(text: Mapped, start: int, stop: int) -> Mapped:
    if text.text.find("\\", start, stop) < 0:
        return cut(text, start, stop)
    parts: list[Mapped] = []
    at = start
    for escape in _ESCAPE.finditer(text.text, start, stop):
        parts.append(cut(text, at, escape.start()))
        parts.append(text.standing(_character(escape.group()), *escape.span()))
        at = escape.end()
    parts.append(cut(text, at, stop))
    return Mapped.join(parts)


def _character(escape: str) -> str:
    if escape[1] != "u":
        return _CONTROL.get(escape[1], escape[1])
    if len(escape) > 6:
        high, low = int(escape[2:6], 16), int(escape[8:12], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    code = int(escape[2:6], 16)
    # Go replaces half a surrogate pair.
    return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
