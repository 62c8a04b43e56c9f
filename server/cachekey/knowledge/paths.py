"""Path templates (``${XDG_CACHE_HOME:-$HOME/.cache}/uv``), and how two paths lie to each other."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal, NamedTuple

from cachekey.budget import kept
from cachekey.knowledge.patterns import matches
from cachekey.knowledge.records import CacheDir

Relation = Literal["exact", "parent", "part", "unknown", "none"]
"""How a mount lies to a tool's directory: ``parent`` covers it, ``part`` is a piece of it."""

_PARTING = ("-", "_", ".")
"""What stands between a name and what somebody has added to it."""
_NAME = re.compile(r"\$(?:(\w+)|\{(\w+))")


class UnknownValueError(Exception):
    """A template needs a variable whose value is not known; ``args[0]`` is its name."""


def expand_template(template: str, lookup: Callable[[str], str | None]) -> str:
    """Fill in a template; ``lookup`` gives None for an unset variable and may raise.

    An empty variable counts as unset where a default follows, as with ``${NAME:-default}``.
    Raises :class:`UnknownValueError` for an unset variable that has no default.
    """
    return _fill(_parts(template), lookup, False)


class _Hole(NamedTuple):
    """A variable in a template, and the parts of its default."""

    name: str
    default: _Parts | None


_Parts = tuple["str | _Hole", ...]


@kept(1024)
def _parts(template: str) -> _Parts:
    parts, end = _read(template, 0, False)
    return parts if end == len(template) else (*parts, template[end:])


def _read(template: str, index: int, inside: bool) -> tuple[_Parts, int]:
    parts: list[str | _Hole] = []
    while index < len(template):
        if inside and template[index] == "}":
            break
        match = _NAME.match(template, index)
        if match is None:
            parts.append(template[index])
            index += 1
            continue
        index = match.end()
        default: _Parts | None = None
        if match[2]:
            if template.startswith(":-", index):
                default, index = _read(template, index + 2, True)
            index += 1
        parts.append(_Hole(match[1] or match[2], default))
    return _joined(parts), index


def _joined(parts: Iterable[str | _Hole]) -> _Parts:
    """Put letters that stand side by side together."""
    joined: list[str | _Hole] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, str) and isinstance(last, str):
            joined[-1] = last + part
        else:
            joined.append(part)
    return tuple(joined)


def _fill(parts: _Parts, lookup: Callable[[str], str | None], inside: bool) -> str:
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        name, default = part.name, None
        if part.default is not None:
            default = _fill(part.default, _lazy(lookup), True)
        value = lookup(name)
        if not value and default is not None:
            if "\0" in default:
                raise UnknownValueError(default.partition("\0")[2].partition("\0")[0])
            value = default
        if value is None:
            if not inside:
                raise UnknownValueError(name)
            value = f"\0{name}\0"
        texts.append(value)
    return "".join(texts)


def _lazy(lookup: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Keep a default that is not needed from raising: an unknown in it is marked instead."""

    def look(name: str) -> str | None:
        try:
            return lookup(name)
        except UnknownValueError as error:
            return f"\0{error.args[0]}\0"

    return look


@kept(2048)
def clean(path: str, cwd: str = "/") -> str:
    """Make a path absolute and drop ``.``, ``..`` and doubled or final slashes."""
    path = posixpath.normpath(posixpath.join(cwd, path))
    return "/" + path.lstrip("/") if path.startswith("/") else path


@kept(2048)
def relation(target: str, path: str) -> Relation:
    """Tell how the mount ``target`` lies to the directory ``path``, both absolute.

    ``path`` may hold globs (``/usr/local/lib/python3.*/site-packages``).
    """
    target, path = clean(target), clean(path)
    if target == path:
        return "exact"
    if "*" in path:
        mine, theirs = target.split("/"), path.split("/")
        if not all(matches(a, b) for a, b in zip(mine, theirs, strict=False)):
            return "none"
        if len(mine) == len(theirs):
            return "exact"
        return "part" if len(mine) > len(theirs) else "parent"
    if path.startswith(target.rstrip("/") + "/"):
        return "parent"
    if target.startswith(path.rstrip("/") + "/"):
        return "part"
    return "none"


@lru_cache(maxsize=1024)
def own_places(cache: CacheDir) -> tuple[str, ...]:
    """Return globs of the places where the directory lies by default, for any home."""
    found: list[str] = []
    for template in (cache.path, cache.root_path, *cache.alternatives):
        if template:
            glob = _any_place(template)
            found.append(glob if glob[0] in "/*" else f"*/{glob}")
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=1024)
def usual_places(cache: CacheDir) -> tuple[str, ...]:
    """Return globs of the default places, and of what people write who mean them."""
    return tuple(dict.fromkeys((*own_places(cache), *cache.looks_like)))


def is_own_place(target: str, cache: CacheDir) -> bool:
    """Tell whether ``target`` is a default place of the directory, not a mere likeness of one."""
    return any(matches(clean(target), glob) for glob in own_places(cache))


def _any_place(template: str) -> str:
    """Fill a template in with its defaults, and ``*`` for what has none."""
    open_names = {"HOME"}
    for _ in template:
        try:
            return expand_template(template, lambda name: "*" if name in open_names else None)
        except UnknownValueError as error:
            open_names.add(error.args[0])
    return template


def looks_like(target: str, cache: CacheDir) -> int:
    """Tell how well ``target`` is what people write who mean this directory or a part of it.

    0 says not at all; otherwise the longer the place that fits, the surer.
    """
    target = clean(target)
    best = 0
    for glob in usual_places(cache):
        if len(glob) > best and (
            matches(target, glob) or any(matches(target, f"{glob}/{part}") for part in cache.parts)
        ):
            best = len(glob)
    return best


def nearly(target: str, path: str) -> bool:
    """Tell whether ``target`` is ``path`` but for one slip: nobody writes it who means another.

    That is a component with a slip of the pen (at least four letters, and four in five of them right,
    in their order) or with something behind or in front of it (``.npm-production``), one invented,
    one forgotten in front of the last (``~/.pip`` for ``~/.cache/pip``), or two that are swapped.
    """
    mine, theirs = clean(target).split("/")[1:], clean(path).split("/")[1:]
    if mine == theirs:
        return False
    if min(len(mine), len(theirs)) < 2:
        return len(mine) == len(theirs) and _extended(mine[0], theirs[0])
    if len(mine) == len(theirs):
        wrong = [(a, b) for a, b in zip(mine, theirs, strict=True) if a != b]
        return sorted(mine) == sorted(theirs) or (len(wrong) == 1 and _alike(*wrong[0]))
    if len(mine) < len(theirs) and mine[-1] == f".{theirs[-1]}":
        mine = [*mine[:-1], theirs[-1]]
    shorter, longer = sorted((mine, theirs), key=len)
    if len(longer) - len(shorter) != 1:
        return False
    without = (longer[:at] + longer[at + 1 :] for at in range(len(longer)))
    return shorter in without and (longer is mine or mine[-1] == theirs[-1])


def nearly_begins(known: str, path: str) -> bool:
    """Tell whether a target that begins with ``known`` is nearly ``path``, and surely not in it or around it.

    Behind ``known`` stands something that nobody knows.
    """
    folder, _, last = known.rpartition("/")
    name = path[len(folder) :].strip("/") if path.startswith(f"{folder}/") else ""
    longer = len(last) > len(name) > 0 and last.startswith(name)
    return longer and "/" not in name and _extended(name, last)


def _alike(one: str, other: str) -> bool:
    if _extended(one, other):
        return True
    return min(len(one), len(other)) > 3 and SequenceMatcher(None, one, other).ratio() >= 0.8


def _extended(one: str, other: str) -> bool:
    """Tell whether one name is the other with something behind or in front of it.

    A short name is told by what parts it from the rest: ``uv-dev``, ``.m2.old``.
    """
    name, longer = sorted((one, other), key=len)
    if len(name) > 2 and (longer.startswith(name) or name == longer.strip(".")):
        return True
    behind, front = longer[len(name) :], longer[: len(longer) - len(name)]
    return bool(name) and (
        (longer.startswith(name) and behind[:1] in _PARTING)
        or (longer.endswith(name) and front[-1:] in _PARTING)
    )
