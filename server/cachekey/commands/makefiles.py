"""The recipes that ``make build`` runs, where the Makefile tells them for sure.

Which program looks where is in ``knowledge/scripts.toml``, and what the lines of a Makefile are in
:mod:`cachekey.syntax.makefile`. Here nothing is guessed: what a file includes or computes, what a
conditional decides, and what pattern rules make leaves the call as opaque as one that nobody could read.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import NamedTuple

from cachekey.commands.familiar import SHELLS, makes_lists
from cachekey.commands.invocation import Invocation
from cachekey.commands.manifests import Line, Told
from cachekey.commands.peeling import Call, setting_of
from cachekey.commands.shellstate import Setting
from cachekey.knowledge.scripts import Book, books
from cachekey.syntax.makefile import (
    BUILT_IN,
    UNKNOWN,
    Lookup,
    Statement,
    assigned,
    filled,
    logical,
    make_variables,
    needs_of,
    own_variable,
    statements,
    told,
)
from cachekey.text import Elsewhere, Mapped, Source

_MOST_LINES = 50
_MOST_TARGETS = 60
"""Lines and targets that one call may come to."""
_SPECIAL = frozenset(
    (
        *(".PHONY", ".SILENT", ".POSIX", ".NOTPARALLEL", ".DELETE_ON_ERROR", ".PRECIOUS"),
        *(".INTERMEDIATE", ".SECONDARY", ".NOTINTERMEDIATE", ".SUFFIXES", ".IGNORE"),
        ".LOW_RESOLUTION_TIME",
    )
)
"""Targets that say something of others, and change nothing about what is run."""
_CHANGES = re.compile(r"\.(?:ONESHELL|SECONDEXPANSION|EXPORT_ALL_VARIABLES|DEFAULT|RECIPEPREFIX)\b")
_SUFFIXES = re.compile(r"\.\w+\.\w+")
_FLAGS = re.compile(r"(?:\s*(?:-?-?j\s?\d*|-?[swrRk]+|--[a-z]+-[a-z-]+|--silent|--quiet))*\s*")
"""What may stand in MAKEFLAGS without changing what is run."""
_MADE = re.compile(r"(?:.*\.(?:o|a|so|out|s|i)|[^.]*|.*/[^./]*)")
"""Files for which Make has rules of its own, or that no project keeps."""
_INLINE = re.compile(r"[^#;]*;[ \t]*[^\s#]")
"""A recipe in the line of its rule."""
_FORCED = "FORCE"
_FOR_MAKE = "\t @+-"


class Goals(NamedTuple):
    """What a call asks for: the targets, and where their rules are."""

    book: Book
    goals: tuple[str, ...]
    folder: str | None
    file: str | None
    given: Mapping[str, str | None]
    """Variables of the command line; None: a value that nobody knows."""
    always: bool
    more: bool = False
    """No words go on to a recipe."""

    @property
    def name(self) -> str:
        """The targets, as they are called."""
        return " ".join(self.goals)

    @property
    def files(self) -> tuple[str, ...]:
        """The files of which the first counts that there is."""
        return self.book.files if self.file is None else (self.file,)

    @property
    def generators(self) -> tuple[str, ...]:
        """Programs and files of the folder by which its Makefile is made anew."""
        return self.book.generators

    def is_stale(self, path: str, items: Iterable[Invocation]) -> bool:
        """Tell whether one of the commands in front of it may have changed the Makefile."""
        name = posixpath.basename(path)
        return any(
            item.program in self.generators
            or (item.program not in books() and any(text and name in text for text in item.texts))
            for item in items
        )

    def read(self, call: Call, folder: str, text: Mapped, environment: Lookup) -> Told | None:
        """Return what runs, with the variables that the recipes get; None: nobody can tell."""
        flags = environment("MAKEFLAGS")
        if not isinstance(text, Elsewhere) or not _FLAGS.fullmatch(flags or ""):
            return None
        name = posixpath.basename(call.text(call.at) or "make")
        return _Making(self, text, environment, {"MAKE": name, "CURDIR": folder}).read()


def goals_of(call: Call, name: str) -> Goals | None:
    """Return what a call of the program ``name`` makes; None: it is none that makes, or nobody can tell."""
    book = books().get(name)
    if book is None:
        return None
    outer = call.env.get("MAKEOVERRIDES")
    names = (outer.text or "").split() if outer is not None else []
    given = {one: call.env[one].text for one in names if one in call.env}
    goals: list[str] = []
    at, always = call.at + 1, False
    folder: str | None = None
    file: str | None = None
    while at < len(call.words):
        text, setting = call.text(at), setting_of(call.words[at], call.state)
        at += 1
        option, equals, value = (text or "").partition("=")
        if setting is not None:
            given[setting[0]] = setting[1].text
        elif text is None or not text or text == "-":
            return None
        elif not text.startswith("-"):
            goals.append(text)
        elif option in (*book.at, *book.file, *book.valued):
            word = value if equals else call.text(at)
            at += not equals
            if word is None or word == "-":
                return None
            folder, file = (
                word if option in book.at else folder,
                word if option in book.file else file,
            )
        elif any(option == one or _numbered(option, one) for one in book.numbered):
            at += not equals and (call.text(at) or "").isdigit()
        elif text in book.always:
            always = True
        elif text not in book.switches:
            return None
    return Goals(book, tuple(goals), folder, file, given, always)


def _numbered(option: str, one: str) -> bool:
    """Tell whether an option is ``-j8``."""
    return len(one) == 2 and option.startswith(one) and option[2:].isdigit()


@dataclass
class _Rule:
    """What all rules of a target say of it."""

    needing: list[list[str]] = field(default_factory=list)
    """What its rules need, a list a rule: a rule of many targets has one list for all of them."""
    preceding: list[list[str]] = field(default_factory=list)
    """Those that are made before without making it old."""
    recipes: list[list[Statement]] = field(default_factory=list)
    sure: bool = True

    @property
    def needs(self) -> list[str]:
        """All that makes it old when it is newer."""
        return list(chain.from_iterable(self.needing))

    @property
    def recipe(self) -> list[Statement] | None:
        """The lines that make it; None: nobody knows which."""
        found = [one for one in self.recipes if one]
        if not self.sure or len(found) > 1:
            return None
        lines = found[0] if found else []
        return None if any(line.guarded for line in lines) else lines


class _Making:
    """One call: what the file says with the variables of this call."""

    def __init__(
        self, asked: Goals, text: Elsewhere, environment: Lookup, own: Mapping[str, str]
    ) -> None:
        self.asked, self.text, self.environment = asked, text, environment
        self.own = {**own, "MAKECMDGOALS": asked.name, "SHELL": "/bin/sh"}
        self.source = Source(text.text)
        self.statements = list(statements(self.source, logical(self.source)))
        self.rules: dict[str, _Rule] = {}
        self.phony: set[str] = set()
        self.exported: set[str] = set()
        self.first: str | None = None
        """The target of a call that names none; an empty one: nobody knows which."""
        self.patterns: list[str] = []
        self.unknown: list[str] = []
        """Names of rules, with a `%` for what nobody knows."""
        self.readable, self.whole = True, True
        self.lines: list[Line] = []
        self.done: set[str] = set()
        # What a rule sets for its own target is not known anywhere.
        local: dict[str, str | None] = {}
        for one in self.statements:
            found = own_variable(one.match) if one.kind == "rule" and one.match else None
            if found is not None:
                local[found.group("name")] = None
                self.exported.update(
                    [found.group("name")] if "export" in found.group("head") else ()
                )
        self.set = {assigned(one)[0] for one in self.statements if one.kind == "assign"}
        self.set.update(asked.given, local)
        given = {**asked.given, **local}
        self.values = make_variables(self.statements, given, self._value, sure=True)

    def _value(self, name: str) -> str | None:
        """Return a variable that the file does not set."""
        if name in self.own:
            return self.own[name]
        found = self.environment(name)
        return BUILT_IN.get(name) if found is None else found

    def _words(self, text: str) -> list[str]:
        """Return the names of a list; with a ``%`` for what nobody knows."""
        return filled(text, self.values, "%").replace(UNKNOWN, "%").split()

    # -- what the file says -----------------------------------------------------------------

    def read(self) -> Told | None:
        """Return what runs; None when the file may say anything."""
        block: list[Statement] | None = None
        for one in self.statements:
            if one.kind == "rule" and one.match is not None:
                block = self._rule(one, one.match)
            elif one.kind == "recipe" and block is not None:
                block.append(one)
            elif one.kind == "assign":
                block = None
                self._assignment(one)
            elif one.kind == "export" and not one.guarded and one.text.split()[0] == "export":
                self.exported.update(one.text.split()[1:] or self.set)
            elif one.kind not in ("branch", "define"):
                self.readable = False
        goals = self.asked.goals or (self.first or "",)
        if not self.readable or not all(goal in self.rules for goal in goals):
            return None
        for goal in goals:
            self._make(goal)
        return Told(self.lines, self.whole, self._environment())

    def _assignment(self, one: Statement) -> None:
        name, _, value = assigned(one)
        head = one.match.group("head") if one.match is not None else ""
        if "export" in head:
            self.exported.add(name)
        # It wins over the command line.
        self.readable &= "override" not in head or name not in self.asked.given
        if name == ".DEFAULT_GOAL":
            self.first = self.values(name) or ""
        self.readable &= _CHANGES.match(name) is None
        self.readable &= name != "MAKEFLAGS" or _FLAGS.fullmatch(value) is not None
        if name == "SHELL":
            shell = posixpath.basename(self.values(name) or "?")
            self.readable &= shell in SHELLS

    def _rule(self, one: Statement, head: re.Match[str]) -> list[Statement]:
        """Take in the head of a rule; return the list that its recipe goes to."""
        block: list[Statement] = []
        if own_variable(head):
            return block
        names, needs = self._words(head.group("name")), needs_of(head)
        before, _, after = needs.partition("|")
        if names[:1] == [".PHONY"]:
            self.phony.update(self._words(needs))
        elif any(name.startswith(".") and name[1:2].isupper() for name in names):
            self.readable &= all(name in _SPECIAL for name in names)
        elif "%" in head.group("name") or any(map(_SUFFIXES.fullmatch, names)):
            # `.c.o` is `%.o: %.c`.
            self.patterns += (
                f"%.{name.rpartition('.')[2]}" if "%" not in name else name for name in names
            )
        else:
            sure = not one.guarded and ":" not in needs and names[-1:] != ["&"]
            sure = sure and not _INLINE.match(head.string, head.end())
            needing, preceding = self._words(before), self._words(after)
            for name in names:
                if self.first is None and (not name.startswith(".") or "/" in name):
                    self.first = "" if one.guarded or "%" in name else name
                rule = self.rules.setdefault(name, _Rule())
                rule.needing.append(needing)
                rule.preceding.append(preceding)
                rule.recipes.append(block)
                rule.sure = rule.sure and sure
            self.unknown += (name for name in names if "%" in name)
        return block

    # -- what is made -----------------------------------------------------------------------

    def _make(self, name: str) -> None:
        """Note what makes a target, behind what makes all that it needs."""
        if name in self.done:
            return
        self.done.add(name)
        if "%" in name or _fits(name, self.unknown):
            # Nobody knows what it is, or which other rules it has.
            self.whole = False
        rule = self.rules.get(name) if "%" not in name else None
        recipe = rule.recipe if rule is not None else None
        if rule is None:
            # A file of the project, if no pattern makes it.
            self.whole &= not _fits(name, self.patterns) and _MADE.fullmatch(name) is None
        elif recipe is None or len(self.done) > _MOST_TARGETS:
            self.whole = False
        if rule is None or recipe is None or len(self.done) > _MOST_TARGETS:
            return
        needs = rule.needs
        for need in chain(needs, *rule.preceding):
            self._make(need)
        if not recipe and name not in self.phony and needs:
            self.whole &= not any(map(_MADE.fullmatch, needs))
            self.whole &= not _fits(name, self.patterns)
        forced = any(need in self.phony or need == _FORCED for need in needs)
        surely = self.asked.always or name in self.phony or forced
        for line in recipe:
            self._line(name, rule, line, surely)

    def _line(self, name: str, rule: _Rule, line: Statement, surely: bool) -> None:
        if len(self.lines) >= _MOST_LINES:
            self.whole = False
            return
        span = told(line)
        script = filled(line.text.lstrip(_FOR_MAKE), partial(self._filled, name, rule), UNKNOWN)
        script = script.lstrip(_FOR_MAKE)
        place = (self.source.line_of(span.start), span)
        text = self.text
        if script and not script.startswith("#"):
            mapped = Elsewhere(script, text.pieces, text.stop, text.anchor, text.path, place)
            self.lines.append(Line(mapped, surely, False, makes_lists(self.values("SHELL"))))

    def _filled(self, name: str, rule: _Rule, variable: str) -> str | None:
        """Return a variable of a recipe's line."""
        if variable == "@":
            return name
        if variable == "@D":
            return posixpath.dirname(name) or "."
        if variable in ("<", "^"):
            needs = list(dict.fromkeys(rule.needs))[: 1 if variable == "<" else None]
            known = needs and not any("%" in need for need in needs)
            return " ".join(needs) if known else None
        return self.values(variable)

    def _environment(self) -> dict[str, Setting]:
        """Return the variables that recipes get, beside those that the call itself gets."""
        found: dict[str, Setting] = {}
        for name in self.set:
            handed = name in self.exported or name in self.asked.given
            if handed or self.environment(name) is not None:
                value = self.values(name)
                unknown = value is None or UNKNOWN in value
                found[name] = Setting(None if unknown else value, self.text.span())
        overrides = " ".join(self.asked.given)
        if overrides:
            found["MAKEOVERRIDES"] = Setting(overrides, self.text.span())
        return found


def _fits(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether one of these patterns may mean a file."""
    for pattern in patterns:
        head, _, tail = pattern.partition("%")
        tail = tail.rpartition("%")[2]
        if posixpath.basename(name).startswith(head.rpartition("/")[2]) and name.endswith(tail):
            return True
    return False
