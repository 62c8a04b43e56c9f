"""What no exit lets through: characters that steer whoever shows them."""

from __future__ import annotations

import re
import unicodedata

_STEERING = frozenset(("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"))
"""Unicode categories of controls, of marks without a shape (those that turn text around included),
of private, half and unassigned characters, and of line and paragraph separators."""
_LINE_END = re.compile("\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")


def visible(text: str) -> str:
    """Return ``text`` with a picture in place of each character that is not one of its own.

    >>> visible("a\\x1b[31mb")
    'a␛[31mb'
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def one_line(text: str) -> str:
    """Return ``text`` on one line, all of it visible; CRLF reads as LF does.

    >>> one_line("a\\r\\nb\\n")
    'a␊b␊'
    """
    return text if text.isprintable() else visible(_LINE_END.sub("\n", text))


def is_steering(char: str) -> bool:
    """Tell whether a character does something else than look like itself; spaces are harmless."""
    return unicodedata.category(char) in _STEERING


def _shown(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\ufffd" if is_steering(char) else char
