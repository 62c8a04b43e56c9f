"""Lines for terminals, and for the logs of builds that read commands out of such lines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NewType

from cachekey.markup.visible import one_line

Terminal = NewType("Terminal", str)
"""A line, or a part of one, that cannot steer a terminal."""
Output = NewType("Output", str)
"""What may be written to a standard stream, whoever reads it there."""

# Runners of GitHub Actions and Azure Pipelines obey "##[error]" and "##vso[…]" anywhere in a line
# and "::error::" at its beginning, behind blanks or not. What takes a character's place is as wide.
_HASHES = re.compile(r"##(?=\[|vso\[)")
_COLONS = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_LINE = re.compile(r"([^\n]*?)(\r?\n|\Z)")


class Style:
    """Paints with ANSI escapes, or not at all."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, text: Terminal, code: str) -> Terminal:
        """Return ``text`` in the style of an SGR ``code``."""
        return Terminal(f"\x1b[{code}m{text}\x1b[0m") if self.colour and text else text


def terminal(text: str) -> Terminal:
    """Make any text a part of one line.

    >>> terminal("\\x1b[31mred\\n")
    '␛[31mred␊'
    """
    return Terminal(one_line(text))


def line(template: str, *parts: Terminal) -> Terminal:
    """Fill the ``{}`` of a template, which must be a literal."""
    return Terminal(template.format(*parts))


def joined(separator: str, parts: Iterable[Terminal]) -> Terminal:
    """Put parts of a line behind each other; the separator is a literal."""
    return Terminal(separator.join(parts))


def padded(text: Terminal, width: int) -> Terminal:
    """Fill a part up with blanks."""
    return Terminal(text.ljust(width))


def trimmed(text: Terminal) -> Terminal:
    """Take blanks off a line's end."""
    return Terminal(text.rstrip())


def output(lines: Iterable[Terminal]) -> Output:
    """End each line, and see that no runner of builds takes one for a command.

    >>> output([terminal("::set-env name=A::b"), terminal("a ##[error]b")])
    '꞉:set-env name=A::b\\na #♯[error]b\\n'
    """
    return _harmless("".join(f"{line}\n" for line in lines))


def text_output(text: str) -> Output:
    """Make text of many lines harmless; it stays a text of as many lines.

    A carriage return is part of a line's end: anywhere else it would hide what stands before it.
    """
    return _harmless("".join(_kept(*match.groups()) for match in _LINE.finditer(text)))


def together(*parts: Output) -> Output:
    """Put outputs below each other."""
    return Output("".join(parts))


def _kept(body: str, end: str) -> str:
    return "\t".join(map(one_line, body.split("\t"))) + end


def _harmless(text: str) -> Output:
    return Output(_COLONS.sub("\\1꞉", _HASHES.sub("#♯", text)))
