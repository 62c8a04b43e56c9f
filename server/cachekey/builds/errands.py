"""Builds behind a name: ``make image``, ``just image``, ``npm run image``, ``./build.sh`` in a workflow.

Whoever calls them decides on which machine they run; the file that holds the recipe says what they
build. Sources: the manuals of GNU Make and just, ``npm help run-script``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Hashable, Iterator, Mapping

from cachekey.builds.cookbook import (
    Cookbook,
    Lookup,
    Rules,
    Words,
    just_book,
    make_book,
    make_rules,
    package_book,
    script,
)
from cachekey.builds.places import Looker
from cachekey.builds.recipes import LARGEST, speaks_of_builds
from cachekey.builds.shell import Started, Text, started_by
from cachekey.builds.starts import Caller
from cachekey.commands.invocation import Invocation as Call
from cachekey.commands.read import read_commands
from cachekey.devcontainer.paths import within
from cachekey.record import record
from cachekey.text import Mapped, Source, Span

_MAKES = frozenset(("make", "gmake"))
_PACKAGERS = frozenset(("npm", "pnpm", "yarn", "bun"))
_SHELLS = frozenset(("bash", "sh", "dash", "source", "."))
_FILES = {
    "make": ("GNUmakefile", "makefile", "Makefile"),
    "just": ("justfile", "Justfile", ".justfile"),
    "npm": ("package.json",),
}
_VALUED = {
    "make": frozenset(("-C", "--directory", "-f", "--file", "--makefile", "-I", "-W", "-E", "-o"))
    | {"--old-file", "--assume-old"},
    "just": frozenset(("-f", "--justfile", "-d", "--working-directory", "--set", "--shell")),
    "npm": frozenset(("--prefix", "-C", "--dir", "--cwd", "-w", "--workspace", "--filter")),
}
_FOLDER = frozenset(
    ("-C", "--directory", "-d", "--working-directory", "--prefix", "--dir", "--cwd")
)
_FILE = frozenset(("-f", "--file", "--makefile", "--justfile"))
_SPARES = frozenset(("-o", "--old-file", "--assume-old"))
"""With make: what is named counts as made, whatever needs it."""
_IDLE = {
    "make": frozenset(
        ("-n", "--dry-run", "--just-print", "--recon", "-q", "--question", "-t", "--touch")
    ),
    "just": frozenset(("-n", "--dry-run", "-l", "--list", "--summary", "--show", "--dump")),
    "npm": frozenset(("--dry-run",)),
}
"""With these nothing is run."""
_ELSEWHERE = frozenset(("-w", "--workspace", "--workspaces", "--filter", "-r", "--recursive"))
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)[:?+]?=(.*)", re.DOTALL)
_SHEBANG = re.compile(r"#![^\n]*\b(?:ba|da)?sh\b")
_SCRIPT = re.compile(r"(?<![\w/.-])(?:\./[\w./-]+|[\w./-]+\.(?:sh|bash)\b)")
_WORDS = re.compile(r"\b(?:g?make|just|npm|pnpm|yarn|bun)\b")
_ERRANDS = re.compile(
    r"""\b(?:g?make|just|npm|pnpm|yarn|bun)\b | \$[({]MAKE[)}]
      | (?:^|[\s;&|(!'"`]) (?: (?:ba|da)?sh | source | \. | \.{1,2}/[\w./-]+ | [\w./-]+\.(?:sh|bash) )
        (?![\w:=/.-])
      | (?: ^[ \t]*(?:-[ \t]+)? | [;&|(!'"`{,][ \t]* | =[^\s=]*[ \t]+
          | \b(?:run:|then|do|else|exec|sudo|time|env)[ \t]+ )
        [\w.-]+/[\w./-]+ (?![\w:=/.-])""",
    re.VERBOSE | re.MULTILINE,
)
"""What a script must hold that calls something with a recipe."""
_FOLDERS = re.compile(r"(?:working-directory:|--?[Cd]\b|--prefix|\bcd)[ \t=]+['\"]?([\w./-]+)")
_JUST_IN = re.compile(r"\bjust[ \t]+([\w./-]+)/")
_MOST_RECIPES = 100
"""That are looked at on behalf of one file."""
_DEEPEST = 4
_STEPS = 60_000


@record(frozen=True, eq=False)
class Errand:
    """A call of something whose commands stand in another file."""

    tool: str
    """``make``, ``just``, ``npm``, or ``script``."""
    cwd: str | None
    """The folder that it starts in, absolute from the folder that the calling script starts in."""
    folder: str
    """Where the tool is told to go from there."""
    file: str | None
    """The file that is named; None for the one that the tool finds."""
    names: Words
    """The recipes, those of just with what they are given; none for the first."""
    values: Mapping[str, str | None]
    """Variables on the command line; None for a value that nobody knows."""
    env: Mapping[str, str | None]
    """Environment variables that are set for the call."""
    span: Span
    spared: frozenset[str] = frozenset()
    """Recipes that count as done."""


def may_call(path: str, text: str, looker: Looker | None) -> bool:
    """Tell whether a workflow may call a recipe that builds: a quick look, before any reading."""
    if looker is None:
        return bool(_WORDS.search(text) or _SCRIPT.search(text))
    told = [*_FOLDERS.findall(text)[:20], *_JUST_IN.findall(text)[:20]]
    folders = {"", *(found.strip("/") for found in told)}
    names: list[str] = []
    if _WORDS.search(text):
        every = [name for files in _FILES.values() for name in files]
        names += [posixpath.join(folder, name) for folder in folders for name in every]
    for found in _SCRIPT.findall(text)[:20]:
        names += [posixpath.join(folder, found.lstrip("/")) for folder in folders]
    for name in dict.fromkeys(names):
        inside = within("", name)
        if inside is not None and inside != path and speaks_of_builds(looker.text(inside) or ""):
            return True
    return False


def may_start(text: str) -> bool:
    """Tell whether a script may start a build, or call what does: a quick look, before any reading."""
    return speaks_of_builds(text) or _ERRANDS.search(text) is not None


class Follower:
    """Follows errands on behalf of one file."""

    def __init__(self, looker: Looker) -> None:
        self._looker = looker
        self._left = _MOST_RECIPES
        self.known: dict[Hashable, tuple[tuple[Started, Caller | None, Span], ...]] = {}
        """What scripts came to, by all that decides it."""
        self._rules: dict[tuple[str, str], Rules] = {}
        """Makefiles that were read, by path and folder: many steps call one."""

    def calls(
        self, text: Mapped, lookup: Lookup, *, base: str | None, depth: int = 0
    ) -> Iterator[tuple[Started, Caller | None, Span]]:
        """Yield the builds of a script, and those of the recipes that it calls.

        For one of a recipe comes who starts it there, and the place of the call in the script.
        """
        if not may_start(text.text):
            return
        commands = read_commands(
            Text(text), shell=None, lookup=lookup, workdir="/", steps=_STEPS, command_steps=20
        )
        for call in commands.items:
            if call.script is not None:
                continue
            item = started_by(call)
            if item is not None:
                yield item, None, item.span
            elif base is not None and depth < _DEEPEST and (errand := errand_of(call)) is not None:
                for found, caller in self._follow(errand, base, lookup, depth):
                    yield found, caller, errand.span

    def _follow(
        self, errand: Errand, base: str, lookup: Lookup, depth: int
    ) -> Iterator[tuple[Started, Caller]]:
        folder = within(base, (errand.cwd or "").lstrip("/") or ".")
        folder = within(folder, errand.folder) if folder is not None else None
        if errand.cwd is None or folder is None:
            return
        book = self._book(errand, folder, lookup)
        for recipe, values in book.reached(errand.names, errand.spared) if book is not None else ():
            assert book is not None
            self._left -= 1
            if self._left < 0:
                return
            caller = Caller(book.path, book.source, "workflow", recipe.name, (book.folder,))
            for line in recipe.lines:
                for item, other, _ in self.calls(line, values, base=book.folder, depth=depth + 1):
                    yield item, other or caller

    def _book(self, errand: Errand, folder: str, lookup: Lookup) -> Cookbook | None:
        """Return the file that holds the recipes of an errand."""

        def environment(name: str) -> str | None:
            return errand.env[name] if name in errand.env else lookup(name)

        for name in (errand.file,) if errand.file is not None else _FILES[errand.tool]:
            path = within(folder, name)
            text = self._looker.text(path) if path is not None else None
            if path is None or text is None or len(text) > LARGEST:
                continue
            source = Source(text)
            if errand.tool == "make":
                rules = self._rules.get((path, folder))
                if rules is None:
                    rules = make_rules(source, folder, self._looker.text)
                    self._rules[path, folder] = rules
                if errand.names and not any(name in rules[0] for name in errand.names):
                    return None
                return make_book(path, folder, rules, errand.values, environment)
            if errand.tool == "just":
                # Whatever folder it is called in, its recipes run in its own.
                return just_book(path, source, posixpath.dirname(path))
            if errand.tool == "npm":
                return package_book(path, source, folder, environment)
            if path.endswith((".sh", ".bash")) or _SHEBANG.match(text):
                return script(path, source, folder, environment)
        return None


def errand_of(call: Call) -> Errand | None:
    """Return what a call runs in another file; None when it is no such call, or nobody can tell."""
    program = call.program or ""
    if program in _MAKES or call.named[0].written in ("$(MAKE)", "${MAKE}"):
        return _told(call, "make")
    if program == "just":
        return _told(call, "just")
    if program in _PACKAGERS:
        return _told(call, "npm")
    path = call.path
    if program in _SHELLS:
        path = next((text for text in call.texts if text is None or not text.startswith("-")), None)
        if path is not None and "-c" in call.texts:
            return None
    elif path is None or "/" not in path:
        return None
    if path is None or "$" in path:
        return None
    return Errand("script", call.cwd, ".", path, (), {}, _env(call), call.head.fixed)


def _env(call: Call) -> dict[str, str | None]:
    return {name: setting.text for name, setting in call.env.items()}


def _in_folder(tool: str, folder: str, names: list[str | None]) -> tuple[str, list[str | None]]:
    """Take the folder off just's first word: the file of ``just docker/build`` is looked for there."""
    first = names[0] if tool == "just" and names else None
    place, slash, recipe = (first or "").rpartition("/")
    if not slash:
        return folder, names
    return posixpath.join(folder, place or "/"), [recipe, *names[1:]] if recipe else names[1:]


def _told(call: Call, tool: str) -> Errand | None:
    """Read the words behind ``make``, ``just`` or ``npm``."""
    folder, file = ".", None
    names: list[str | None] = []
    spared: set[str] = set()
    values: dict[str, str | None] = {}
    words = list(call.texts)
    while words:
        word = words.pop(0)
        if tool == "just" and names:
            # What stands behind the recipe is given to it, or calls another one.
            names.append(word)
            continue
        if word is None:
            # `TAG=$(date)`: the name is there to be read.
            given = _ASSIGNMENT.match(call.args[-len(words) - 1].written)
            if given is None or tool == "npm":
                return None
            values[given.group(1)] = None
            continue
        if word in _ELSEWHERE or word in _IDLE[tool]:
            return None
        name, equals, value = word.partition("=")
        if word.startswith("-"):
            if name in _VALUED[tool] and not equals:
                taken = words.pop(0) if words else None
                if taken is None:
                    return None
                value = taken
            folder = posixpath.join(folder, value) if name in _FOLDER else folder
            file = value if name in _FILE else file
            if tool == "make" and name in _SPARES:
                spared.add(value)
        elif (match := _ASSIGNMENT.match(word)) is not None and tool != "npm":
            values[match.group(1)] = match.group(2)
        else:
            names.append(word)
    if tool == "npm":
        names = names[1:2] if names[:1] in (["run"], ["run-script"]) else names[:1]
        if not names:
            return None
    folder, names = _in_folder(tool, folder, names)
    stop = call.args[0].span if call.args else call.head
    span = call.head.to(stop).fixed
    return Errand(
        tool, call.cwd, folder, file, tuple(names), values, _env(call), span, frozenset(spared)
    )
