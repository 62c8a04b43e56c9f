"""A patch that ``git apply`` turns into what ``--fix`` would write, byte for byte.

A file with characters that a terminal or a runner of builds would obey is printed with them made
visible, as a comment, and the change itself as a binary patch, which has none of them. So is a file that
is not written in UTF-8, as whatever prints the patch is.

Source: Git, ``Documentation/diff-format`` and ``diff.c`` (``emit_binary_diff_body``, ``quote_c_style``).
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b85encode

from cachekey.checking.fixing import diff
from cachekey.disk.files import encode
from cachekey.markup.terminal import Output, output, terminal, text_output, together

_WIDTH = 52
"""Bytes on one line of a binary patch."""


def patch(path: str, before: str, after: str, encoding: str = "utf-8") -> Output:
    """Return the patch of one file, which must be printed as UTF-8; ``encoding`` is the file's own.

    Bytes that are no UTF-8 stand in its text as lone surrogates.
    """
    names = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    plain = diff(*names, before, after)
    shown = text_output(plain)
    old, new = encode(before, encoding), encode(after, encoding)
    foreign = (old, new) != (_as_utf8(before), _as_utf8(after))
    if shown == plain and not foreign:
        return shown
    what = "is not written in UTF-8" if foreign else "has characters that steer a terminal"
    note = f"This file {what}; shown here, applied below as binary:"
    comment = [terminal(note), *map(terminal, plain.replace("\r\n", "\n").splitlines())]
    lines = (terminal(f"# {line}") for line in comment)
    return together(output(lines), output(map(terminal, _binary(names, old, new))))


def _as_utf8(text: str) -> bytes:
    return text.encode(errors="replace")


def _binary(names: tuple[str, str], old: bytes, new: bytes) -> list[str]:
    return [
        f"diff --git {names[0]} {names[1]}",
        f"index {_blob(old)}..{_blob(new)}",
        "GIT binary patch",
        *_literal(new),
        *_literal(old),
    ]


def _blob(content: bytes) -> str:
    """Return the name that Git gives to a file's content, by which it knows what it patches."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _literal(content: bytes) -> list[str]:
    packed = zlib.compress(content)
    lines = [packed[start : start + _WIDTH] for start in range(0, len(packed), _WIDTH)]
    return [f"literal {len(content)}", *(_size(part) + _encoded(part) for part in lines), ""]


def _size(part: bytes) -> str:
    return chr(ord("A") + len(part) - 1) if len(part) <= 26 else chr(ord("a") + len(part) - 27)


def _encoded(part: bytes) -> str:
    return b85encode(part, pad=True).decode()


def _quoted(name: str) -> str:
    """Write a name as Git does that holds something which would not be a name otherwise."""
    if '"' not in name and "\\" not in name and text_output(name) == name and "\t" not in name:
        return name
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}"
        for byte in name.encode(errors="surrogateescape")
    )
    return f'"{escaped}"'
