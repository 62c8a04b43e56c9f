"""Builds in Makefiles, justfiles and shell scripts: command lines in files of other languages.

What those languages compute is a variable that nobody knows; what they write is read as a shell reads
it. Sources: the manuals of GNU Make (*Recipes*, *Using Variables*) and just.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence

from cachekey.builds.invocation import BuildFile, Invocation, unique
from cachekey.builds.places import Looker, bases
from cachekey.builds.shell import started
from cachekey.builds.starts import Caller, builds_of
from cachekey.syntax.makefile import logical, make_lines, make_text, make_variables, statements
from cachekey.text import Mapped, Source, Span

LARGEST = 100_000
"""Characters; a larger file is none that people write."""
_SPEAKS = re.compile(
    r"""(?<![\w.-]) (?:docker|podman|nerdctl|buildah|depot|finch) (?:-compose|-buildx)? (?![\w/:.-])
      | (?:build-push|bake)-action | buildah-build | buildkit-cache-dance | github-builder
      | (?:\$[({]{0,2} | \{\{) \s* [\w.-]{0,60}? (?:docker|podman|nerdctl|buildah|container|engine|oci)""",
    re.VERBOSE | re.IGNORECASE,
)
"""A builder as a command, an action that builds, or a variable that may name a builder."""
_BUILDS = re.compile(r"\b(?:build|buildx|bake|bud)\b")
_MOST_LINES = 400
"""Command lines of one file that are read."""
_JUST_VARIABLE = re.compile(r"\{\{(?P<inside>[^{}]*)\}\}")
JUST_ASSIGN = re.compile(
    r"(?:export[ \t]+)?(?P<name>[A-Za-z_][\w-]*)[ \t]*:=[ \t]*"
    r"(?:\"(?P<d>[^\"\\]*)\"|'(?P<s>[^']*)')[ \t]*(?:#.*)?\Z"
)
JUST_RULE = re.compile(
    r"@?(?P<name>[A-Za-z_][\w-]*)\b(?P<parameters>(?:[^:'\"]|\"[^\"]*\"|'[^']*')*):(?!=)"
)


def speaks_of_builds(text: str, most: int = LARGEST) -> bool:
    """Tell whether a file of at most so many characters may start a build at all."""
    return len(text) <= most and bool(_BUILDS.search(text) and _SPEAKS.search(text))


# -- shell -----------------------------------------------------------------------------------------


def read_script(path: str, source: Source, looker: Looker) -> BuildFile:
    """Read a shell script."""
    text = Mapped.plain(source, Span(0, len(source.text)))
    caller = Caller(path, source, "command", "", tuple(bases(path)))
    return _file(path, source, looker, _of_text(text, caller, looker))


def _of_text(
    text: Mapped, caller: Caller, looker: Looker, lookup: Callable[[str], str | None] | None = None
) -> Iterator[Invocation]:
    for item in started(text, "/", lookup):
        yield from builds_of(item, caller, looker)


def _file(path: str, source: Source, looker: Looker, found: Iterator[Invocation]) -> BuildFile:
    builds = unique(found)
    return BuildFile(path, source, builds, (), looker.asked, looker.looked_for)


# -- make ------------------------------------------------------------------------------------------


def read_makefile(path: str, source: Source, looker: Looker) -> BuildFile:
    """Read a Makefile: each line of a recipe is a script of its own, in the Makefile's folder."""
    lines = logical(source)
    variables = make_variables(list(statements(source, lines)))
    folder = posixpath.dirname(path)

    def builds() -> Iterator[Invocation]:
        for name, line in _recipes(source, lines):
            caller = Caller(path, source, "command", name, (folder,))
            yield from _of_text(make_text(line), caller, looker, variables)

    return _file(path, source, looker, builds())


def _recipes(source: Source, lines: Sequence[Span]) -> Iterator[tuple[str, Mapped]]:
    """Yield the rule's name and the text of each line of a recipe that may build."""
    name, count = "", 0
    for line in make_lines(source, lines):
        if not isinstance(line, Mapped):
            name = line.group("name").split()[0]
        elif _BUILDS.search(line.text) and count < _MOST_LINES:
            count += 1
            yield name, line


# -- just ------------------------------------------------------------------------------------------


def read_justfile(path: str, source: Source, looker: Looker) -> BuildFile:
    """Read a justfile: each line of a recipe is a script of its own, in the justfile's folder."""
    values: dict[str, str] = {}
    recipes: list[tuple[str, Mapped]] = []
    name = ""
    for span in logical(source):
        text = source.slice(span)
        if text[:1] in (" ", "\t"):
            if _BUILDS.search(text) and len(recipes) < _MOST_LINES:
                skip = len(text) - len(text.lstrip(" \t@-"))
                recipes.append((name, Mapped.plain(source, Span(span.start + skip, span.end))))
        elif (given := JUST_ASSIGN.match(text.rstrip("\r"))) is not None:
            values[given.group("name")] = given.group("d") or given.group("s") or ""
        elif (match := JUST_RULE.match(text)) is not None:
            name = match.group("name")
    folder = posixpath.dirname(path)

    def builds() -> Iterator[Invocation]:
        for recipe, line in recipes:
            caller = Caller(path, source, "command", recipe, (folder,))
            yield from _of_text(just_text(line), caller, looker, values.get)

    return _file(path, source, looker, builds())


def just_text(line: Mapped, lookup: Callable[[str], str | None] = lambda _name: None) -> Mapped:
    """Return a recipe's line as the shell's: what nobody knows of just's variables become the shell's."""
    parts: list[Mapped] = []
    at, left = 0, LARGEST
    for match in _JUST_VARIABLE.finditer(line.text):
        parts.append(line.slice(at, match.start()))
        name = match.group("inside").strip()
        text = f"${{{name}}}" if re.fullmatch(r"[A-Za-z_]\w*", name) else "${__just__}"
        value = lookup(name)
        if value is not None and len(value) <= left:
            # Just puts the text there before a shell sees the line.
            text, left = value, left - len(value)
        parts.append(line.standing(text, match.start(), match.end()))
        at = match.end()
    return Mapped.join([*parts, line.slice(at)], line.end)
