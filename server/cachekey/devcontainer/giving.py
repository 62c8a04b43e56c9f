"""What one command does to the owner of one directory, by its effects on paths."""

from __future__ import annotations

import re
from typing import Literal

from cachekey.commands.effect import Effect, Line, line_of
from cachekey.commands.invocation import Invocation
from cachekey.devcontainer.paths import covers
from cachekey.knowledge.patterns import matches
from cachekey.knowledge.programs import programs

Owner = Literal["user", "root", "other", "missing"]
"""Of a directory in the image: the container's user (or everybody) may write, only root, another
account that is surely not the user's, or there is none."""

_OTHERS, _GROUP = 0o002, 0o020


def concerns(effect: Effect, place: str) -> bool:
    """Tell whether an effect may be one on a directory: its path is it, or lies around it and is deep."""
    path = effect.path
    if path is None or "{" in path:
        head = effect.begins if path is None else path.partition("{")[0]
        return not head.startswith("/") or _leads(head, place)
    globs, parts = path.rstrip("/").split("/"), place.split("/")
    if len(globs) > len(parts) or (not effect.deep and len(globs) < len(parts)):
        return False
    return all(matches(part, glob) for glob, part in zip(globs, parts, strict=False))


def _leads(head: str, place: str) -> bool:
    """Tell whether a path that begins so may be the place, or lie around it or in it."""
    return f"{place}/".startswith(head) or head.startswith(f"{place}/")


def names(effect: Effect, place: str) -> bool:
    """Tell whether an effect surely is one on the very directory."""
    return effect.path == place


def makes(effect: Effect, place: str) -> bool:
    """Tell whether an effect makes the directory, or something in it."""
    return effect.path is not None and covers(place, effect.path)


# -- owners and modes -----------------------------------------------------------------------------


def given(item: Invocation, owner: Owner | None) -> Owner | None:
    """Return the owner of a directory behind a chown, chmod or their kin of root."""
    program = programs().get(item.program or "")
    line = line_of(item, program.takes_value if program is not None else frozenset())
    if item.program == "chown" and not line.has(("--reference",)):
        return _owner_of(line.operands[0].text if line.operands else None, owner)
    if item.program == "chmod" and not line.has(("--reference",)):
        return _under(line.operands[0].text if line.operands else None, owner)
    return None


def receiver(item: Invocation) -> str | None:
    """Return whom a ``chown`` or ``install -o`` names, as ``user:group``; None: nobody can tell."""
    program = programs().get(item.program or "")
    line = line_of(item, program.takes_value if program is not None else frozenset())
    if item.program == "chown" and not line.has(("--reference",)):
        return line.operands[0].text if line.operands else None
    if item.program != "install" or line.has(("-g", "--group")):
        return None
    return _value(line, "-o", "--owner") if line.has(("-o", "--owner")) else None


def _owner_of(text: str | None, owner: Owner | None) -> Owner | None:
    """Return to whom ``user:group`` gives, as the container's user sees it."""
    if text is None:
        # `$(id -u)`, `$USERNAME`: nobody writes that for root.
        return "user"
    name, colon, _ = text.partition(":")
    if not name:
        return None if colon else owner
    return "root" if name in ("root", "0") else "user"


def _under(mode: str | None, owner: Owner | None) -> Owner | None:
    """Return who may write under a mode that root sets."""
    if mode is None:
        return None
    if re.fullmatch(r"0?[0-7]{3,4}", mode):
        bits = int(mode, 8)
        return "user" if bits & _OTHERS else None if bits & _GROUP else owner
    if re.search(r"[+=][rwxXst]*w", mode):
        return None if re.fullmatch(r"[ug]+[+=]\w*", mode) else "user"
    return owner


def made_by(item: Invocation, root: bool | None) -> Owner | None:
    """Return the owner of a directory that ``mkdir`` or ``install -d`` makes."""
    program = programs().get(item.program or "")
    line = line_of(item, program.takes_value if program is not None else frozenset())
    owner: Owner | None = None if root is None else "root" if root else "user"
    if line.has(("-o", "--owner")):
        owner = _owner_of(_value(line, "-o", "--owner"), owner)
    if line.has(("-m", "--mode")):
        return _under(_value(line, "-m", "--mode"), owner) if owner == "root" else owner
    return owner


def _value(line: Line, *options: str) -> str | None:
    return next((value.text for name in options for value in line.values.get(name, ())), None)
