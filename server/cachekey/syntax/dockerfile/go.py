"""The few rules of the Go language that show through in Dockerfiles and in BuildKit's messages."""

from __future__ import annotations

SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Go's ``unicode.IsSpace``; Python's ``str.isspace`` would add U+001C to U+001F."""

ASCII_SPACE = "\t\n\v\f\r "

_SHORT = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
    "\\": r"\\",
    '"': r"\"",
}


def go_quote(text: str) -> str:
    """Quote ``text`` as Go's ``%q`` does."""
    return '"' + "".join(map(_quoted, text)) + '"'


def _quoted(char: str) -> str:
    short = _SHORT.get(char)
    if short is not None:
        return short
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def bytes_like_space(char: str) -> bool:
    """Tell whether the UTF-8 form of ``char`` holds a byte that Go takes for a blank.

    BuildKit splits flags byte by byte; a byte 0x85 or 0xA0 (as in "à") is a Latin-1 blank there.
    """
    encoded = char.encode("utf-8", "surrogatepass")
    return 0x85 in encoded or 0xA0 in encoded
