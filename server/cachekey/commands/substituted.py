"""The command whose output a word is: ``"$(direnv hook bash)"``."""

from __future__ import annotations

import posixpath

from cachekey.syntax.shell.parse import parse_script
from cachekey.text import Mapped, Source, Span


def asked(written: str) -> str | None:
    """Return the program that prints a word, without directories; None for any other word.

    ``written`` is the word as it stands in the script. Several commands, or one that cannot be read, print
    what nobody knows.
    """
    text = written.strip('"')
    if not (text.startswith("$(") and text.endswith(")")):
        return None
    inside = Source(text[2:-1])
    script = parse_script(Mapped.plain(inside, Span(0, len(inside.text))))
    if not script.complete or len(script.commands) != 1 or not script.commands[0].words:
        return None
    program = script.commands[0].words[0].text
    return None if program is None else posixpath.basename(program)
