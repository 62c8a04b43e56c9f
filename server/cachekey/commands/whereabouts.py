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
_OTHERS = re.compile(r"^[ \t]*(?:function[ \t]+[\w-]+|[\w-]+[ \t]*\([ \t]*\))|<<", re.MULTILINE)
"""Where functions begin, or a here-document: what is behind is filled in by others."""
_SHIFT = re.compile(r"^shift(?:[ \t]+([1-9]))?[ \t]*\r?$", re.MULTILINE)
_MOST_SHIFTS = 20
_CHANGES = re.compile(r"\b(?:shift|getopts)\b|\bset[ \t]+(?:--|[^-+\s])")
"""What makes other arguments of a script's."""
_OPENS = re.compile(r"\b(?:while|until|for|select|if|case)\b")
_CLOSES = re.compile(r"\b(?:done|fi|esac)\b")
_NUMBER = re.compile(r"\$(?:\{([1-9])(?::?-([\w./@+-]*))?\}|([1-9])(?!\d))", re.ASCII)
_IN_QUOTES = re.compile(rf"\\.|{_NUMBER.pattern}", re.ASCII | re.DOTALL)
_ALL = ('"$@"', "$@", "$*", '"${@}"', "${@}", "${*}")
_POSITION = re.compile(
    rf"\\.|'[^']*'|(?:^|(?<=\s))\#[^\n]*|\"\$@\"|\"(?:\\.|[^\"\\])*\"|\$(?:[@*]|\{{[@*]\}})|{_NUMBER.pattern}",
    re.MULTILINE | re.ASCII | re.DOTALL,
)
"""Quoted text of the shell, comments, and what asks for an argument."""
MOST_FILLED = 10_000
"""Characters that arguments may add to a script."""
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
    """Return a script with its arguments where it asks for them: ``"$1"``, ``${2:-dev}``, ``"$@"``.

    ``args`` are the words behind the script's name; None: not known. Only what stands in front of
    all functions and here-documents is filled in: the arguments of a function are others.
    """
    if text.exact or "$" not in text.text:
        return text
    end = _OTHERS.search(text.text)
    head = text.text[: end.start() if end is not None else len(text.text)]
    known, parts, at, left = _settled(head), [], 0, MOST_FILLED
    for one in (*_SHIFT.finditer(head[:known]), None):
        stop = one.start() if one is not None else known
        part = _filled(head[at:stop], args)
        left -= len(part) - (stop - at)
        if left < 0:
            return text
        parts += [part, one.group() if one is not None else ""]
        if one is not None:
            at, args = one.end(), args[int(one.group(1) or 1) :]
    return text.joined("".join(parts) + text.text[known:])


def _settled(head: str) -> int:
    """Return up to where it is known which argument is the first: a ``shift`` at the top tells it.

    One within a loop or under a condition does not, nor does ``set --``.
    """
    for number, change in enumerate(_CHANGES.finditer(head)):
        alone = _SHIFT.match(head, change.start())
        before = head[: change.start()]
        if (
            number >= _MOST_SHIFTS
            or alone is None
            or len(_OPENS.findall(before)) != len(_CLOSES.findall(before))
        ):
            first = _OPENS.search(before)
            return first.start() if first is not None else change.start()
    return len(head)


def _filled(part: str, args: Sequence[str | None]) -> str:
    def assigned(found: re.Match[str]) -> str:
        value = _argument(int(found.group(2)), args)
        return f"{found.group(1)}{value}" if value else found.group()

    return _POSITION.sub(lambda found: _position(found, args), _ARGUMENT.sub(assigned, part))


def _position(found: re.Match[str], args: Sequence[str | None]) -> str:
    """Return what stands for an argument; what is quoted for the shell stays as it is."""
    written = found.group()
    if written in _ALL:
        known = [arg for arg in args if arg is not None and _WORD.fullmatch(arg)]
        return " ".join(known) if known and len(known) == len(args) else written
    if written[0] == '"':
        return _IN_QUOTES.sub(lambda inner: _numbered(inner, args), written)
    number = _NUMBER.fullmatch(written)
    return _numbered(number, args) if number is not None else written


def _numbered(found: re.Match[str], args: Sequence[str | None]) -> str:
    if found.group().startswith("\\"):
        return found.group()
    number = int(found.group(1) or found.group(3))
    value = _argument(number, args)
    if value is None and found.group(2) is not None and number > len(args) and None not in args:
        # Nothing is given: the default counts.
        value = found.group(2)
    return found.group() if value is None else value


def _argument(number: int, args: Sequence[str | None]) -> str | None:
    """Return an argument that needs no quotes; None where it is not given, or not known."""
    value = args[number - 1] if number <= len(args) and None not in args[:number] else None
    return value if value is not None and _WORD.fullmatch(value) else None


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
