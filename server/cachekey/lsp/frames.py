"""Bytes to bodies of messages: cuts the stream at its headers, and finds the next one behind noise."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_BODY = 1 << 28
"""No message is this long (256 MiB): a length beyond it is noise on the line."""
_MAX_HEADER = 1 << 10

_BLANK = re.compile(rb"[\r\n]+")
_NAME = rb"[!#-'*+.^-z|~0-9A-Z-]+[ \t]*"
_BLOCK = re.compile(rb"(?:%s:[^\r\n]*\r?\n)+\r?\n" % _NAME)
_BEGUN = re.compile(rb"(?:%s:[^\r\n]*\r?\n)*(?:%s(?::[^\r\n]*)?)?\r?" % (_NAME, _NAME))
_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?\n", re.IGNORECASE)
_HEADER = re.compile(rb"content-length[ \t]*:", re.IGNORECASE)
_TAIL = len(b"content-length")


@dataclass(frozen=True)
class Noise:
    """Bytes that are no message, and why."""

    why: str


class Frames:
    """What has arrived and is not handled yet.

    Whatever stands before a header that announces a length is passed over, told of once, and never
    kept: a stream of garbage costs no memory, and the message behind it is heard.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None
        self._noisy = False

    def feed(self, data: bytes) -> None:
        """Take in what has arrived."""
        self._buffer += data

    def next(self) -> bytes | Noise | None:
        """Return the next message's body or the noise before it; ``None``: more must arrive."""
        while True:
            if self._length is not None:
                return self._body(self._length)
            found = self._header()
            if isinstance(found, Noise):
                return found
            if not found:
                return None

    def look_inside(self, body: bytes) -> None:
        """Hear the message inside of a body that was none: its length said too much."""
        if match := _HEADER.search(body):
            self._buffer[:0] = body[match.start() :]

    def _body(self, length: int) -> bytes | None:
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._length = None
        return body

    def _header(self) -> Noise | bool:
        """Read a header or pass over noise; false when more must arrive before that can be done."""
        buffer = self._buffer
        if match := _BLANK.match(buffer):
            del buffer[: match.end()]
        if match := _BLOCK.match(buffer):
            lengths = _LENGTH.findall(match.group())
            del buffer[: match.end()]
            return (
                self._announced(lengths[-1]) if lengths else self._noise("a header has no length")
            )
        if len(buffer) <= _MAX_HEADER and _BEGUN.fullmatch(buffer):
            return False
        header = _HEADER.search(buffer, 1)
        kept = len(buffer) - header.start() if header else min(len(buffer), _TAIL)
        del buffer[: len(buffer) - kept]
        noise = self._noise("the stream holds no message")
        return noise if isinstance(noise, Noise) else header is not None

    def _announced(self, digits: bytes) -> Noise | bool:
        if not re.fullmatch(rb"[0-9]{1,9}", digits) or int(digits) > MAX_BODY:
            return self._noise("Content-Length is no length of a message")
        self._length, self._noisy = int(digits), False
        return True

    def _noise(self, why: str) -> Noise | bool:
        """Tell of noise, once for all of it up to the next message."""
        if self._noisy:
            return True
        self._noisy = True
        return Noise(why)
