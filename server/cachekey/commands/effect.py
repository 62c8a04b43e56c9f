"""What a command does to one path, its words told apart, and how two paths meet."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cachekey.commands.invocation import Invocation
from cachekey.knowledge.patterns import matches
from cachekey.knowledge.programs import Kind
from cachekey.record import record
from cachekey.syntax.shell.parse import Word

_GLOB = frozenset("*?[")


@record(frozen=True, eq=False)
class Effect:
    """One thing that a command does to one path."""

    kind: Kind
    path: str | None
    """Absolute, ``* ? [`` standing for what a shell fills in; None when it is not known."""
    to: str | None = None
    """Of a copy, a move and a link: where it goes, the folder or the name; None: not known."""
    word: Word | None = None
    """The word that names the path; None when none does (``find -delete``)."""
    deep: bool = False
    """A folder goes with everything in it."""
    part: bool = False
    """Only some of what lies there, by a test that nobody can weigh (``-name '*.lock'``)."""
    needed: bool = False
    """The command fails where nothing is there."""
    begins: str = ""
    """Of a path that is not known: how it surely begins, when that is told (``/cache/$TOOL``)."""


class Value(NamedTuple):
    """A word that stands for a path, and what it says; None when that is not known."""

    word: Word
    text: str | None


class Line(NamedTuple):
    """The words of a command, told apart."""

    operands: tuple[Value, ...]
    options: tuple[str, ...]
    """Short ones one by one (``-rf`` is ``-r`` and ``-f``)."""
    values: Mapping[str, tuple[Value, ...]]
    """By option that takes one."""

    def has(self, names: Iterable[str]) -> bool:
        """Tell whether one of these options was given; names may be globs."""
        return any(matches(option, name) for name in names for option in self.options)


def line_of(item: Invocation, valued: frozenset[str]) -> Line:
    """Tell options, their values and operands apart; ``valued`` options take the next word."""
    operands: list[Value] = []
    options: list[str] = []
    values: dict[str, list[Value]] = {}
    pending: str | None = None
    ended = False
    for word in item.args:
        text = item.resolve(word, globs=True)
        if pending is not None:
            values.setdefault(pending, []).append(Value(word, text))
            pending = None
        elif ended or text is None or not text.startswith("-") or text == "-":
            operands.append(Value(word, text))
        elif text == "--":
            ended = True
        else:
            pending = _option(Value(word, text), valued, options, values)
    return Line(tuple(operands), tuple(options), {k: tuple(v) for k, v in values.items()})


def _option(
    item: Value, valued: frozenset[str], options: list[str], values: dict[str, list[Value]]
) -> str | None:
    """Note an option; return it when its value is the next word."""
    text = item.text or ""
    name, equals, value = text.partition("=")
    if text.startswith("--") or text in valued or (len(text) > 2 and name in valued):
        options.append(name)
        if equals:
            values.setdefault(name, []).append(Value(item.word, value))
            return None
        return name if name in valued else None
    for index, letter in enumerate(text[1:], 1):
        options.append(f"-{letter}")
        if f"-{letter}" in valued:
            if index + 1 == len(text):
                return f"-{letter}"
            values.setdefault(f"-{letter}", []).append(Value(item.word, text[index + 1 :]))
            break
    if len(text) > 2:
        # `-delete`, `-i.bak`: whole, for those who ask for it so.
        options.append(text)
    return None


def absolute(item: Invocation, path: str | None, at: str | None = None) -> str | None:
    """Return where a path leads from the command's directory, or from ``at`` below it."""
    if path is None:
        return None
    if at is not None:
        path = posixpath.join(at, path)
    if not path.startswith("/"):
        if item.cwd is None:
            return None
        path = posixpath.join(item.cwd, path)
    return "/" + posixpath.normpath(path).lstrip("/")


# -- where two paths meet ---------------------------------------------------------------------


def fixed(path: str) -> str:
    """Return the part of a path in front of the first component that holds a glob."""
    parts = path.split("/")
    for number, part in enumerate(parts):
        if not _GLOB.isdisjoint(part):
            return "/".join(parts[:number]) or "/"
    return path


def inside(path: str, folder: str) -> bool:
    """Tell whether a path is the folder or lies in it."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def meets(path: str | None, other: str) -> bool:
    """Tell whether one of two paths may lie in the other; an unknown one may."""
    if path is None:
        return True
    known = fixed(path)
    if known != path:
        return inside(known, other) or _fits_front(path, other)
    return inside(path, other) or inside(other, path)


def _fits_front(glob: str, path: str) -> bool:
    """Tell whether a glob fits a path, or a folder that it lies in, or leads into it."""
    globs, parts = glob.split("/"), path.split("/")
    return all(matches(part, one) for one, part in zip(globs, parts, strict=False))


def covers(effect: Effect, folder: str) -> bool:
    """Tell whether an effect surely takes in all of a folder's content, or the folder itself.

    ``rm -rf /var/lib/apt/lists/*`` and ``rm -rf "$BUNDLE_PATH"/ruby/*/cache`` do; a path whose glob
    stands for some names only does not.
    """
    if effect.path is None or effect.part or not effect.deep:
        return False
    globs, parts = effect.path.rstrip("/").split("/"), folder.rstrip("/").split("/")
    if globs[-1] == "*" and len(globs) == len(parts) + 1:
        globs = globs[:-1]
    if len(globs) > len(parts):
        return False
    return all(matches(part, one) for one, part in zip(globs, parts, strict=False))
