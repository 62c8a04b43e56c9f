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
    just_text,
    speaks_of_builds,
)
from cachekey.devcontainer.paths import within
from cachekey.record import record, replace
from cachekey.syntax.jsonc.parse import parse as parse_json
from cachekey.syntax.makefile import (
    included,
    logical,
    make_lines,
    make_text,
    make_variables,
    needs_of,
    statements,
)
from cachekey.text import Mapped, Source, Span

Lookup = Callable[[str], "str | None"]

_PARAMETER = re.compile(
    r"[ \t](?P<rest>[*+])?\$?(?P<name>[A-Za-z_][\w-]*)"
    r"(?:[ \t]*=[ \t]*(?:\"(?P<d>[^\"\\]*)\"|'(?P<s>[^']*)'|[^\s]*))?(?![^\s])"
)
_NEED = re.compile(r"(?P<name>[A-Za-z_][\w-]*)|\((?P<call>[^()]*)\)")
_GIVEN = re.compile(r"(?P<name>[A-Za-z_][\w-]*)|\"(?P<d>[^\"\\]*)\"|'(?P<s>[^']*)'|[^\s\"']+")
_MOST_INCLUDES = 20
_MOST_NEEDED = 60
"""Recipes that one call comes to."""


Words = tuple["str | None", ...]
"""A call of a recipe: its name, and what is given to it; None for a word that nobody knows."""


class Passed(str):
    """The name of a parameter whose value a recipe gives on."""


@record(frozen=True)
class Parameter:
    """A parameter of a recipe."""

    name: str
    default: str | None
    """None: there is none, or it is computed."""
    rest: bool
    """It takes all words that are left."""


@record(frozen=True, eq=False)
class Recipe:
    """One recipe: its command lines are scripts of their own."""

    name: str
    lines: tuple[Mapped, ...] = ()
    first: tuple[Words, ...] = ()
    """Calls that run before."""
    then: tuple[Words, ...] = ()
    """Calls that run behind it."""
    parameters: tuple[Parameter, ...] = ()


@record(frozen=True, eq=False)
class Cookbook:
    """The recipes of a file."""

    path: str
    source: Source
    folder: str
    """Where they run."""
    recipes: Mapping[str, Recipe]
    lookup: Lookup
    fill: Callable[[Mapped, Lookup], Mapped] | None = None
    """Puts values into a line before a shell sees it."""

    def reached(
        self, words: Words, spared: frozenset[str] = frozenset()
    ) -> Iterator[tuple[Recipe, Lookup]]:
        """Yield the recipes that a command line calls (no word: the first one) and what they need, each once.

        With each comes how the variables of its lines are looked up. ``spared`` count as done, with what
        only they need.
        """
        waiting = list(self._calls(words or tuple(list(self.recipes)[:1])))
        seen: set[object] = set()
        while waiting and len(seen) < _MOST_NEEDED:
            recipe, given = waiting.pop(0)
            told = (recipe.name, tuple(given.items()))
            if told in seen or recipe.name in spared:
                continue
            seen.add(told)
            lookup = self._bound(given)
            if self.fill is not None:
                filled = tuple(self.fill(line, lookup) for line in recipe.lines)
                yield replace(recipe, lines=filled), lookup
            else:
                yield recipe, lookup
            for call in (*recipe.first, *recipe.then):
                words = tuple(given.get(w) if isinstance(w, Passed) else w for w in call)
                waiting += self._calls(words)

    def _calls(self, words: Words) -> Iterator[tuple[Recipe, Mapping[str, str | None]]]:
        """Yield the recipes of a command line; each takes the words that it has parameters for."""
        left = list(words)
        any_takes = any(one.parameters for one in self.recipes.values())
        while left:
            name = left.pop(0)
            recipe = self.recipes.get(name) if name is not None else None
            if recipe is None:
                # Behind a word that is no recipe nobody knows what is whose.
                if any_takes:
                    return
                continue
            given: dict[str, str | None] = {}
            for one in recipe.parameters:
                if one.rest and left:
                    known = [word for word in left if word is not None]
                    given[one.name] = " ".join(known) if len(known) == len(left) else None
                    left.clear()
                else:
                    given[one.name] = left.pop(0) if left else one.default
            yield recipe, given

    def _bound(self, given: Mapping[str, str | None]) -> Lookup:
        return lambda name: given[name] if name in given else self.lookup(name)


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
        for name in (name for line in statements(one, lines) for name in included(line)):
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
    found = [line for source, lines in files for line in statements(source, lines)]
    variables = make_variables(found, given, environment)
    return Cookbook(path, files[0][0], folder, recipes, variables)


def _make_rules(source: Source, lines: Sequence[Span]) -> Iterator[Recipe]:
    names: list[str] = []
    first: tuple[Words, ...] = ()
    body: list[Mapped] = []

    def done() -> Iterator[Recipe]:
        return (Recipe(name, tuple(body), first) for name in names)

    for line in make_lines(source, lines):
        if isinstance(line, Mapped):
            body.append(make_text(line))
            continue
        yield from done()
        needs = needs_of(line)
        body = []
        names = [n for n in line.group("name").split() if not n.startswith(".") and "%" not in n]
        first = () if "=" in needs else tuple((n,) for n in needs.replace("|", " ").split())
    yield from done()


def just_book(path: str, source: Source, folder: str) -> Cookbook:
    """Read a justfile."""
    values: dict[str, str] = {}
    found: dict[str, Recipe] = {}
    name = ""
    first: tuple[Words, ...] = ()
    then: tuple[Words, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: list[Mapped] = []
    for span in [*logical(source), None]:
        text = source.slice(span) if span is not None else ""
        if span is not None and text[:1] in (" ", "\t"):
            skip = len(text) - len(text.lstrip(" \t@-"))
            body.append(Mapped.plain(source, Span(span.start + skip, span.end)))
        elif (given := JUST_ASSIGN.match(text.rstrip("\r"))) is not None:
            values[given.group("name")] = given.group("d") or given.group("s") or ""
        elif (match := JUST_RULE.match(text)) is not None or span is None:
            if name:
                found.setdefault(name, Recipe(name, tuple(body), first, then, parameters))
            body = []
            if match is not None:
                name, parameters = (
                    match.group("name"),
                    tuple(_parameters(match.group("parameters"))),
                )
                before, _, behind = text[match.end() :].partition("#")[0].partition("&&")
                first, then = (tuple(_needs(part)) for part in (before, behind))
    return Cookbook(path, source, folder, found, values.get, just_text)


def _parameters(text: str) -> Iterator[Parameter]:
    """Yield the parameters behind the name of a justfile's recipe."""
    for match in _PARAMETER.finditer(text):
        rest = match.group("rest")
        default = match.group("d") if match.group("d") is not None else match.group("s")
        if rest == "*" and default is None:
            default = ""
        yield Parameter(match.group("name"), default, rest is not None)


def _needs(text: str) -> Iterator[Words]:
    """Yield the calls behind the colon of a recipe: ``lint``, ``(build version "x")``."""
    for match in _NEED.finditer(text):
        if match.group("name"):
            yield (match.group("name"),)
            continue
        words: list[str | None] = []
        for word in _GIVEN.finditer(match.group("call")):
            quoted = word.group("d") if word.group("d") is not None else word.group("s")
            named = word.group("name")
            if named is not None:
                words.append(Passed(named) if words else named)
            else:
                words.append(quoted)
        yield tuple(words)


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
                ((f"{word}{name}",),) if f"{word}{name}" in names else ()
                for word in ("pre", "post")
            )
            found[name] = Recipe(name, (text,), first, then)
    return Cookbook(path, source, folder, found, environment)
