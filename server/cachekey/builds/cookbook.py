"""The recipes of a Makefile, a justfile or a package.json by name, and those that they need.

:mod:`cachekey.builds.recipes` reads the builds of such a file for itself; here somebody has named the
recipe. Sources: the manuals of GNU Make (*Rule Syntax*, *Include*) and just, ``npm help scripts``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from cachekey.builds.recipes import (
    JUST_ASSIGN,
    JUST_RULE,
    RULE,
    just_text,
    logical,
    make_text,
    make_variables,
    speaks_of_builds,
)
from cachekey.devcontainer.paths import within
from cachekey.record import record
from cachekey.syntax.jsonc.parse import parse as parse_json
from cachekey.text import Mapped, Source, Span

Lookup = Callable[[str], "str | None"]

_INCLUDE = re.compile(r"[ ]*-?s?include[ \t]+(?P<files>[^\n$#]+)")
_MOST_INCLUDES = 20
_MOST_NEEDED = 60
"""Recipes that one call comes to."""


@record(frozen=True, eq=False)
class Recipe:
    """One recipe: its command lines are scripts of their own."""

    name: str
    lines: tuple[Mapped, ...] = ()
    first: tuple[str, ...] = ()
    """Recipes that run before."""
    then: tuple[str, ...] = ()
    """Recipes that run behind it."""


@record(frozen=True, eq=False)
class Cookbook:
    """The recipes of a file."""

    path: str
    source: Source
    folder: str
    """Where they run."""
    recipes: Mapping[str, Recipe]
    lookup: Lookup

    def reached(
        self, names: Sequence[str], spared: frozenset[str] = frozenset()
    ) -> Iterator[Recipe]:
        """Yield the recipes of these names (none: the first) and what they need, each once.

        ``spared`` count as done, with what only they need.
        """
        waiting = list(names) or list(self.recipes)[:1]
        seen = set(spared)
        while waiting and len(seen) < _MOST_NEEDED:
            name = waiting.pop(0)
            recipe = self.recipes.get(name)
            if recipe is None or name in seen:
                continue
            seen.add(name)
            yield recipe
            waiting += (*recipe.first, *recipe.then)


def script(path: str, source: Source, folder: str, lookup: Lookup) -> Cookbook:
    """Return a shell script as a book of one recipe."""
    whole = Mapped.plain(source, Span(0, len(source.text)))
    return Cookbook(path, source, folder, {"": Recipe("", (whole,))}, lookup)


Rules = tuple[dict[str, Recipe], list[tuple[Source, list[Span]]]]
"""The recipes of a Makefile and of those that it includes, and these files with their lines."""


def make_rules(source: Source, folder: str, read: Lookup) -> Rules:
    """Read a Makefile that runs in ``folder``, and behind it those that it includes."""
    found: dict[str, Recipe] = {}
    files = [(source, logical(source))]
    for number in range(_MOST_INCLUDES):
        if number >= len(files):
            break
        one, lines = files[number]
        for recipe in _make_rules(one, lines):
            before = found.get(recipe.name)
            if before is None:
                found[recipe.name] = recipe
            else:
                # Rules of one target add up; only one of them has lines.
                both = (*before.first, *recipe.first)
                found[recipe.name] = Recipe(recipe.name, before.lines or recipe.lines, both)
        for name in _included(one, lines):
            inside = within(folder, name)
            text = read(inside) if inside is not None else None
            if text is not None and all(text != other.text for other, _ in files):
                more = Source(text)
                files.append((more, logical(more)))
    return found, files


def make_book(
    path: str,
    folder: str,
    rules: Rules,
    given: Mapping[str, str | None],
    environment: Lookup,
) -> Cookbook:
    """Return the recipes of a Makefile for one call.

    ``given`` are the variables of the command line, which win; ``environment`` tells those that count
    where the Makefile only has a default.
    """
    recipes, files = rules
    variables = make_variables(files, given, environment)
    return Cookbook(path, files[0][0], folder, recipes, variables)


def _make_rules(source: Source, lines: Sequence[Span]) -> Iterator[Recipe]:
    names: list[str] = []
    first: tuple[str, ...] = ()
    body: list[Mapped] = []
    defining = False

    def done() -> Iterator[Recipe]:
        return (Recipe(name, tuple(body), first) for name in names)

    for span in lines:
        text = source.slice(span)
        if defining:
            defining = not text.startswith("endef")
        elif text.startswith("define "):
            defining = True
        elif text.startswith("\t"):
            skip = len(text) - len(text.lstrip("\t @+-"))
            body.append(make_text(Mapped.plain(source, Span(span.start + skip, span.end))))
        elif (match := RULE.match(text)) is not None:
            yield from done()
            needs = text[match.end() :].partition(";")[0].partition("#")[0].replace("\\\n", " ")
            body = []
            names = [
                n for n in match.group("name").split() if not n.startswith(".") and "%" not in n
            ]
            first = () if "=" in needs else tuple(needs.replace("|", " ").split())
    yield from done()


def _included(source: Source, lines: Sequence[Span]) -> Iterator[str]:
    for span in lines:
        match = _INCLUDE.match(source.slice(span))
        if match is not None:
            yield from match.group("files").split()


def just_book(path: str, source: Source, folder: str) -> Cookbook:
    """Read a justfile."""
    values: dict[str, str] = {}
    found: dict[str, Recipe] = {}
    name, first, then = "", (), ()
    body: list[Mapped] = []
    for span in [*logical(source), None]:
        text = source.slice(span) if span is not None else ""
        if span is not None and text[:1] in (" ", "\t"):
            skip = len(text) - len(text.lstrip(" \t@-"))
            body.append(just_text(Mapped.plain(source, Span(span.start + skip, span.end))))
        elif (given := JUST_ASSIGN.match(text.rstrip("\r"))) is not None:
            values[given.group("name")] = given.group("d") or given.group("s") or ""
        elif (match := JUST_RULE.match(text)) is not None or span is None:
            if name:
                found.setdefault(name, Recipe(name, tuple(body), first, then))
            body = []
            if match is not None:
                name = match.group("name")
                before, _, behind = text[match.end() :].partition("#")[0].partition("&&")
                first, then = (tuple(re.findall(r"[A-Za-z_][\w-]*", p)) for p in (before, behind))
    return Cookbook(path, source, folder, found, values.get)


def package_book(path: str, source: Source, folder: str, environment: Lookup) -> Cookbook:
    """Read the ``scripts`` of a package.json."""
    root = parse_json(source).root if speaks_of_builds(source.text) else None
    scripts = root.get("scripts") if root is not None else None
    names = {member.key.text for member in scripts.effective()} if scripts is not None else set()
    found: dict[str, Recipe] = {}
    for member in scripts.effective() if scripts is not None else ():
        name = member.key.text
        text = member.value.text if member.value is not None else None
        if text is not None:
            first, then = (
                (f"{word}{name}",) if f"{word}{name}" in names else () for word in ("pre", "post")
            )
            found[name] = Recipe(name, (text,), first, then)
    return Cookbook(path, source, folder, found, environment)
