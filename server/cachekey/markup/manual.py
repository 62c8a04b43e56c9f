"""Pages of ours on a terminal: the part of Markdown that they are written in, painted.

Where nothing is painted, a page stays Markdown, for pipes and files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachekey.markup.terminal import (
    Output,
    Style,
    Terminal,
    joined,
    line,
    output,
    terminal,
    text_output,
)

BOLD, UNDERLINED, CODE = "1", "1;4", "36"
"""SGR codes: what headings, titles and code look like."""
_SPAN = re.compile(r"(`[^`]+`|\*\*[^*]+\*\*)")
_HEADING = re.compile(r"(#{1,6}) +(.*)")
_ITEM = re.compile(r"( *)- (.*)")


def manual(text: str, style: Style) -> Output:
    """Write a page of Markdown; its lines stay as they are broken."""
    if not style.colour:
        return text_output(text)
    return output(_lines(text, style))


def _lines(text: str, style: Style) -> Iterator[Terminal]:
    in_code = False
    for one in text.splitlines():
        if one.startswith("```"):
            in_code = not in_code
        elif in_code:
            yield style(line("    {}", terminal(one)), CODE) if one.strip() else terminal("")
        else:
            yield _prose(one, style)


def _prose(text: str, style: Style) -> Terminal:
    if heading := _HEADING.fullmatch(text):
        return style(terminal(heading[2]), UNDERLINED if heading[1] == "#" else BOLD)
    if item := _ITEM.fullmatch(text):
        return line("{}• {}", terminal(item[1]), _spans(item[2], style))
    return _spans(text, style)


def _spans(text: str, style: Style) -> Terminal:
    return joined("", (_span(part, style) for part in _SPAN.split(text)))


def _span(text: str, style: Style) -> Terminal:
    if text.startswith("`") and len(text) > 2:
        return style(terminal(text[1:-1]), CODE)
    if text.startswith("**") and len(text) > 4:
        return style(terminal(text[2:-2]), BOLD)
    return terminal(text)
