"""Where a script lies, as it asks itself: ``$(dirname "$0")``, ``${BASH_SOURCE[0]%/*}`` and their kin.

Source: POSIX ``sh`` (special parameter ``0``), the Bash manual (``BASH_SOURCE``).
"""

from __future__ import annotations

import posixpath
import re

from cachekey.text import Mapped

_PLAIN = re.compile(r"/[\w./@+-]*", re.ASCII)
_ZERO = r"\$\{?0\}?"
_SOURCE = r"\$\{?BASH_SOURCE(?:\[0\])?\}?"
_QUIET = r"(?:\s*(?:&>|>&|[12]?>)\s*/dev/null|\s*2>&1)*"


def placed(text: Mapped, path: str, started: str | None) -> Mapped:
    """Return a script with the words filled in that ask where it lies.

    ``path`` is where the script lies, ``started`` where the one that was started lies, which is
    another one for a script that is sourced; None: not known. A text that an edit may reach, and a
    path that would need quotes, are left as they are.
    """
    if text.exact or ("dirname" not in text.text and "%/*}" not in text.text):
        return text
    filled = text.text
    for name, place in ((_SOURCE, path), (_ZERO, started)):
        if place is not None and _PLAIN.fullmatch(place):
            filled = _fill(filled, name, place)
    return text.joined(filled)


def _fill(text: str, name: str, path: str) -> str:
    folder = posixpath.dirname(path)
    whole = rf'\$\(\s*(?:readlink\s+-[fe]|realpath)\s+(?:--\s+)?"?{name}"?\s*\)'
    text = re.sub(rf'\$\(\s*dirname\s+(?:--\s+)?"?(?:{name}|{whole})"?\s*\)', folder, text)
    text = re.sub(rf"{name.removesuffix('}?')}%/\*\}}", folder, text)
    return re.sub(
        rf'\$\(\s*cd\s+(?:-P\s+)?(?:--\s+)?"?({re.escape(folder)}(?:/[\w./@+-]*)?)"?{_QUIET}\s*&&\s*'
        rf"pwd(?:\s+-P)?{_QUIET}\s*\)",
        lambda found: posixpath.normpath(found.group(1)),
        text,
    )
