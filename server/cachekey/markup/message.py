"""Messages: one line of plain text that editors show, some of which look for markup in it."""

from __future__ import annotations

import re
from typing import NewType

from cachekey.markup.visible import one_line

Message = NewType("Message", str)
"""One line for a diagnostic, a title, a label, a pop-up: no markup even where one looks for some."""

# VS Code makes links of "[text](command:…)" in pop-ups, SARIF viewers and some editors wherever
# they show a message.
_LINK = re.compile(r"\](?=[(\[])")
_TAG = re.compile(r"<(?=[A-Za-z/!?][^<>]*>)")


def message(text: str) -> Message:
    """Make a message of any text. A blank takes links and tags apart, all else reads as it is.

    >>> message("no rule is called '[Update](command:x)'")
    "no rule is called '[Update] (command:x)'"
    """
    return Message(_TAG.sub("< ", _LINK.sub("] ", one_line(text))))
