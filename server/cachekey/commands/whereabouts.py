"""Where a script lies, as it asks itself: ``$(dirname "$0")``, ``${BASH_SOURCE[0]%/*}`` and their kin.

And where a user's home lies, which installers ask for by ``$(getent passwd "$user" | cut -d: -f6)``.

Source: POSIX ``sh`` (special parameter ``0``), the Bash manual (``BASH_SOURCE``), passwd(5).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from cachekey.commands.shellstate import joined
from cachekey.text import Mapped

_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")

_PLAIN = re.compile(r"/[\w./@+-]*", re.ASCII)
_ZERO = r"\$\{?0\}?"
_SOURCE = r"\$\{?BASH_SOURCE(?:\[0\])?\}?"
_USER = r"(\$\{?\w+\}?|(?!root\b)[a-z_][\w-]*)"
_HOME = re.compile(
    rf"\$\(\s*(?:getent\s+passwd\s+\"?{_USER}\"?\s*\|\s*cut\s+-d\s*[\"']?:[\"']?\s+-f\s*6"
    rf"|eval\s+echo\s+\"?~{_USER}\"?)\s*\)"
)
"""What asks for a home; by custom they lie in one folder."""
_WORD = re.compile(r"[\w./@+-]+", re.ASCII)
_ARGUMENT = re.compile(
    r"^((?:readonly |export )?\w+=)\"?\$\{?([1-9])(?::?[-?=][^{}\"$`]*)?\}?\"?(?=[ \t]*\r?$)",
    re.MULTILINE,
)
_FUNCTION = re.compile(r"^[ \t]*(?:function[ \t]+[\w-]+|[\w-]+[ \t]*\([ \t]*\))", re.MULTILINE)
_QUIET = r"(?:\s*(?:&>|>&|[12]?>)\s*/dev/null|\s*2>&1)*"


def places(cwd: str | None, name: str, searched: bool) -> list[str]:
    """Return where a script may lie that is called by this name; ``searched``: as a program."""
    if "/" not in name and searched:
        return [f"{folder}/{name}" for folder in _PATH]
    path = joined(cwd, name)
    return [] if path is None else [path]


def placed(text: Mapped, path: str, started: str | None) -> Mapped:
    """Return a script with the words filled in that ask where it lies.

    ``path`` is where the script lies, ``started`` where the one that was started lies, which is
    another one for a script that is sourced; None: not known. A text that an edit may reach, and a
    path that would need quotes, are left as they are.
    """
    if text.exact or not any(word in text.text for word in ("dirname", "%/*}", "getent", "eval")):
        return text
    filled = _HOME.sub(lambda found: f"/home/{found.group(1) or found.group(2)}", text.text)
    for name, place in ((_SOURCE, path), (_ZERO, started)):
        if place is not None and _PLAIN.fullmatch(place):
            filled = _fill(filled, name, place)
    return text.joined(filled)


def handed(text: Mapped, args: Sequence[str | None]) -> Mapped:
    """Return a script with its arguments in the variables that it puts them into.

    ``args`` are the words behind the script's name; None: not known. Only assignments that begin a
    line, in front of all functions, are filled in: the arguments of a function are others.
    """
    if text.exact or "=" not in text.text:
        return text

    def fill(found: re.Match[str]) -> str:
        number = int(found.group(2))
        value = args[number - 1] if number <= len(args) else None
        plain = value is not None and _WORD.fullmatch(value) is not None
        return f"{found.group(1)}{value}" if plain else found.group()

    function = _FUNCTION.search(text.text)
    head = function.start() if function is not None else len(text.text)
    return text.joined(_ARGUMENT.sub(fill, text.text[:head]) + text.text[head:])


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
