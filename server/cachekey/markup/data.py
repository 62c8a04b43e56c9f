"""JSON for programs, which a person may see on a terminal all the same."""

from __future__ import annotations

import json
import re
from typing import Any

from cachekey.markup.terminal import Output
from cachekey.markup.visible import is_steering

# Line ends are the layout's own: json.dumps escapes those of a text.
_SUSPECT = re.compile(r"[^\n\x20-\x7e]")
_COMMAND = re.compile(r"##(?=\[|vso\[)")


def dump(data: Any) -> Output:
    """Write data as all JSON of Cachekey is written: readable, the same to every program.

    Characters that steer a terminal or turn text around are written as escapes, and so is what the
    runner of a build would obey.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False)
    if not text.isascii() or "\x7f" in text:
        text = _SUSPECT.sub(lambda match: _escaped(match.group()), text)
    return Output(_COMMAND.sub(r"#\\u0023", text) + "\n")


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if is_steering(char) else char
