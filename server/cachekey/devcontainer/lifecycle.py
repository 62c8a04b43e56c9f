"""What the lifecycle commands of a dev container run, the scripts they call included.

A script of the workspace is read by the same reader as a RUN. What cannot be read is named: whoever
accuses must first ask whether anything unread could cure it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cachekey.commands.builtins import SOURCES
from cachekey.commands.familiar import PYTHON, SHELLS, names_other_language
from cachekey.commands.fetched import is_fetched
from cachekey.commands.invocation import Invocation
from cachekey.commands.read import Commands, Heredoc, read_commands
from cachekey.commands.shellstate import joined
from cachekey.devcontainer.read import Lifecycle
from cachekey.knowledge.installers import Runner, installers
from cachekey.record import record
from cachekey.text import Elsewhere, Mapped

_MOST_LOOKED_AT = 24
"""Files in another language that are looked through for one container."""
_LONGEST = 100_000
"""Characters of one of them."""
_HARMLESS_AS_ROOT = (
    r"(?:apt|apt-get|apk|dnf|yum|pacman|pip3?|npm|gem|rm|ln|cp|mv|tee|mkdir|chsh|sed|"
    r"locale-gen|update-\S+|systemctl|service|true)"
)
_OWNS = re.compile(
    r"\b(?:chown|chmod|chgrp|setfacl|usermod)\b"
    r"|\b(?:docker|podman)[\s\"',]+(?:compose[\s\"',]+)?(?:run|exec)\b"
    rf"|\b(?:sudo|doas)\b(?![\s\"',]+(?:-\S+[\s\"',]+)*{_HARMLESS_AS_ROOT}(?![\w-]))"
    r"|\.sh\b|\bbash\b"
)
"""What a script in another language would say that gives something away, or calls who does."""


def speaks_of_owners(text: str) -> bool:
    """Tell whether a script that is not read command by command may give something away."""
    return _OWNS.search(text) is not None


def tells_nothing_else(commands: Commands) -> bool:
    """Tell whether only texts in another language were not read, and none of them owns anything."""
    texts = commands.foreign
    return bool(texts) and not any(speaks_of_owners(text.text) for text in texts)


_INLINE = ("-c", "-e", "-m", "-p", "-pe", "--eval", "--print")
"""What an interpreter runs stands behind these, no file: code, or a module's name."""
_FROM_INPUT = ("-c", "-s")
"""What a shell runs stands behind the first, or comes by its input: its words are no files."""
_SHELL_SETTINGS = (".bashrc", ".zshrc", ".profile", ".bash_profile", ".zprofile")
"""Files of a home that set a shell up for its user."""
_SETS_SHELL_UP = re.compile(
    r"/etc/profile\.d/[^/]+|.*/\.cargo/env|.*/nvm\.sh|.*/bin/activate|.*/bin/sdkman-init\.sh"
    r"|.*/etc/profile\.d/(?:nix|conda|mamba)[\w.-]*\.sh|.*/export-esp\.sh"
)
"""What programs install to be read into a shell, for variables and functions."""
_ASKS = ("--version", "-V", "version", "--help", "-h", "help")
"""Words with which a program only tells of itself."""
_SHELLS = frozenset((*SHELLS, *SOURCES))
_INTERPRETERS = frozenset((*_SHELLS, "fish", "node", "ruby", "perl", "php", "tsx", "ts-node"))


@record(frozen=True, eq=False)
class Ran:
    """One program that a lifecycle command comes to."""

    item: Invocation
    moment: str
    """The lifecycle command."""
    seen: bool = False
    """The file that it runs was looked through, and gives nothing away."""

    @property
    def as_root(self) -> bool:
        """Tell whether ``sudo`` or the like makes it run as root, whoever the remote user is."""
        return self.item.user in ("root", "0")

    @property
    def written_here(self) -> bool:
        """Tell whether it stands in the devcontainer.json itself, not in a script."""
        return self.item.script is None


@record(frozen=True, eq=False)
class Story:
    """All that the lifecycle commands run, in their order in time."""

    items: tuple[Ran, ...]
    unread: tuple[str, ...]
    """What may run more than ``items`` tells, in words for a hover."""
    suspects: tuple[str, ...] = ()
    """Those of ``unread`` that are files of the workspace: they may give something away."""


@record(frozen=True)
class Standing:
    """A command as :func:`read_commands` takes it."""

    args: Mapped
    json: tuple[Mapped, ...] | None = None
    heredocs: tuple[Heredoc, ...] = ()


@dataclass
class StoryReader:
    """Reads commands of one container."""

    lookup: Callable[[str], str | None]
    """Gives the variables that the commands see; None: not known."""
    fill: Callable[[Mapped], Mapped]
    """Substitutes the ``${…}`` of devcontainer.json."""
    folder: str | None
    """Where they start: the workspace's folder in the container."""
    find: Callable[[str], tuple[str, str] | None]
    """Gives path and text of a workspace's file by its path in the container."""
    ships: Callable[[str], str | None]
    """Tells where on the PATH the image's build puts a script of a bare name."""
    items: list[Ran] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    suspects: list[str] = field(default_factory=list)
    looked_at: int = 0

    def read(self, command: Lifecycle) -> None:
        """Read one lifecycle command in any of its forms."""
        node = command.member.value
        if node is None:
            return
        nodes = [m.value for m in node.effective()] if node.kind == "object" else [node]
        for each in nodes:
            if each is None:
                continue
            if each.text is not None:
                self._take(Standing(self.fill(each.text)), command.name)
            elif each.elements:
                words = [e.value.text for e in each.elements]
                known = tuple(self.fill(word) for word in words if word is not None)
                if len(known) == len(words):
                    self._take(Standing(known[0], known), command.name)
                else:
                    self.unread.append(command.name)

    def _take(self, text: Standing, moment: str) -> None:
        commands = read_commands(
            text,
            shell=None,
            lookup=self.lookup,
            workdir=self.folder,
            scripts=self._script,
            ships=self.ships,
        )
        if not commands.complete and not tells_nothing_else(commands):
            self.unread.append(f"a part of {moment}")
        for index, item in enumerate(commands.items):
            seen = False
            if item.program is None:
                self.unread.append(f"a command of {moment}")
            elif item.opaque and not is_fetched(commands.items, index):
                seen = self._behind(item)
            self.items.append(Ran(item, moment, seen))

    def _script(self, path: str, caller: Mapped) -> Mapped | None:
        found = self.find(path)
        return None if found is None else Elsewhere.of(found[1], found[0], caller)

    def _behind(self, item: Invocation) -> bool:
        """Look at what runs behind a command that cannot be followed, or note that nobody can.

        True: its file was found and gives nothing away.
        """
        program = item.program or ""
        self.looked_at += 1
        if self.looked_at > _MOST_LOOKED_AT:
            self.unread.append("too many scripts")
        elif program in installers().runners:
            self._named(item, installers().runners[program])
        elif _own_recipes(program) and item.path == program and _installs(item) is not False:
            return self._look(item, _own_recipes(program))
        else:
            name = _script(item)
            return self._look(item, (name,) if name else ())
        return False

    def _named(self, item: Invocation, runner: Runner) -> None:
        """Note a script of package.json, unless it does what its name says."""
        words = [text for text in item.texts if text is None or not text.startswith("-")]
        asks = words[:1] != [None] and words[:1] and words[0] in runner.asks
        if asks and len(words) == 1:
            # It prints the names of all scripts.
            return
        words = words[1:] if asks else words
        if not words or words[0] is None or words[0] not in runner.harmless:
            self.unread.append(" ".join(text or "?" for text in (item.program, *words[:1])))

    def _look(self, item: Invocation, names: tuple[str, ...]) -> bool:
        """Look through a file of another language for anything that owns; True: there is nothing."""
        for name in names:
            path = joined(item.cwd, name)
            found = self.find(path) if path is not None else None
            if found is None:
                continue
            shell = item.program in _SHELLS or (
                item.path == name and not names_other_language(found[1])
            )
            if shell or len(found[1]) > _LONGEST or _OWNS.search(found[1]):
                self.unread.append(found[0])
                self.suspects.append(found[0])
                return False
            return True
        if not self._harmless(item):
            self.unread.append(_script(item) or item.program or "a script")
        return False

    def _harmless(self, item: Invocation) -> bool:
        """Tell that of a file out of sight, of inline code and of a module it is known to own nothing."""
        texts = item.texts
        if item.program in SOURCES:
            name = texts[0] if texts else None
            return name is not None and (
                posixpath.basename(name) in _SHELL_SETTINGS
                or _SETS_SHELL_UP.fullmatch(name) is not None
            )
        if _installs(item):
            return True
        document = next((r.body for r in item.simple.redirects if r.is_document), None)
        if document is not None and item.program not in SHELLS and texts[:1] in ((), ("-",)):
            return not speaks_of_owners(document.text)
        option = next((text for text in texts if text in _INLINE), None)
        if option is None or item.program in SHELLS:
            return False
        said = texts[texts.index(option) + 1] if texts.index(option) + 1 < len(texts) else None
        if said is None or option != "-m":
            return said is not None and not speaks_of_owners(said)
        # A module that is not the project's has come with the language or by an installer.
        place = joined(item.cwd, said.replace(".", "/"))
        files = (f"{place}.py", f"{place}/__main__.py") if place is not None else ()
        return all(self.find(path) is None for path in files)


def _script(item: Invocation) -> str | None:
    """Return the file that a call runs, as its words name it."""
    program = item.program or ""
    if program in _INTERPRETERS or PYTHON.match(program):
        return next(_operands(item.texts, _FROM_INPUT if program in _SHELLS else _INLINE), None)
    return item.path if item.path and "/" in item.path else None


def _installs(item: Invocation) -> bool | None:
    """Tell whether a call only builds or installs by recipes; ``None``: it is no such program."""
    known = installers().recipes.get(posixpath.basename(_script(item) or item.program or ""))
    if known is not None and item.texts and all(text in _ASKS for text in item.texts):
        return True
    if known is None or not known.installs:
        return None
    word = next((t for t in item.texts if t and not t.startswith("-")), "")
    return known.installs == ("*",) or word in known.installs


def _own_recipes(program: str) -> tuple[str, ...]:
    """Return where the project keeps what a program runs; none: it runs others' only, or is none."""
    known = installers().recipes.get(program)
    return known.files if known is not None else ()


def _operands(texts: tuple[str | None, ...], inline: tuple[str, ...]) -> Iterator[str]:
    """Yield the words that are no options; nothing behind one that is not known, or that takes all."""
    valued = False
    for text in texts:
        if text is None or text in inline:
            return
        if valued or (text.startswith(("-", "+")) and text != "-"):
            valued = not valued and text in ("-o", "+o", "-O")
            continue
        yield text
