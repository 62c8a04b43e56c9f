"""What the lifecycle commands of a dev container run, the scripts they call included.

A script of the workspace is read by the same reader as a RUN. What cannot be read is named: whoever
accuses must first ask whether anything unread could cure it.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cachekey.commands.builtins import SOURCES
from cachekey.commands.familiar import PYTHON, SHELLS
from cachekey.commands.fetched import is_fetched
from cachekey.commands.invocation import Invocation
from cachekey.commands.read import Heredoc, read_commands
from cachekey.devcontainer.read import Lifecycle
from cachekey.record import record
from cachekey.text import Mapped, Source, Span

_MOST_SCRIPTS = 24
_LARGEST_SCRIPT = 100_000
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


_MADE_BY = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile", ".justfile"),
    "task": ("Taskfile.yml", "Taskfile.yaml"),
    "rake": ("Rakefile",),
    "invoke": ("tasks.py",),
}
_HARMLESS = ("test", "t", "start", "build", "lint", "stop", "restart")
"""Scripts that do what their names say where package.json is not at hand."""
_SHELL_SETTINGS = (".bashrc", ".zshrc", ".profile", ".bash_profile", ".zprofile")
"""Files of a home that set a shell up for its user."""
_PACKAGE_RUNNERS = ("npm", "yarn", "pnpm", "bun")


@record(frozen=True, eq=False)
class Ran:
    """One program that a lifecycle command comes to."""

    item: Invocation
    user: str | None
    """As whom ``sudo`` makes it run; ``None`` is the remote user."""
    moment: str
    """The lifecycle command."""
    path: str
    """The file in which it stands."""
    script: str | None = None
    """The file of the workspace that it runs, when that could be read."""


@record(frozen=True, eq=False)
class Story:
    """All that the lifecycle commands run, in their order in time."""

    items: tuple[Ran, ...]
    unread: tuple[str, ...]
    """What may run more than ``items`` tells, in words for a hover."""


@record(frozen=True)
class _Text:
    """A command as :func:`read_commands` takes it."""

    args: Mapped
    json: tuple[Mapped, ...] | None = None
    heredocs: tuple[Heredoc, ...] = ()


@dataclass
class StoryReader:
    """Reads commands of one container."""

    document: str
    lookup: Callable[[str], str | None]
    """Gives the variables that the commands see; None: not known."""
    fill: Callable[[Mapped], Mapped]
    """Substitutes the ``${…}`` of devcontainer.json."""
    folder: str | None
    """Where they start: the workspace's folder in the container."""
    find: Callable[[str], tuple[str, str] | None]
    """Gives path and text of a workspace's file by its path in the container."""
    find_program: Callable[[str], tuple[str, str] | None]
    """Gives the same of a script by its bare name, where the image's build puts it on the PATH."""
    items: list[Ran] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    scripts: int = 0

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
                self._shell(_Text(self.fill(each.text)), command.name)
            elif each.elements:
                words = [e.value.text for e in each.elements]
                known = tuple(self.fill(word) for word in words if word is not None)
                if len(known) == len(words):
                    self._shell(_Text(known[0], known), command.name)
                else:
                    self.unread.append(command.name)

    def _shell(self, text: _Text, moment: str) -> None:
        self._take(text, moment, self.document, None, self.folder)

    def _take(self, text: _Text, moment: str, path: str, user: str | None, cwd: str | None) -> None:
        commands = read_commands(text, shell=None, lookup=self.lookup, workdir=cwd)
        if not commands.complete:
            self.unread.append(f"a part of {moment}" if path == self.document else path)
        for index, item in enumerate(commands.items):
            who = item.user or user
            found = self._script_of(item)
            script = found[0] if found is not None else None
            ran = Ran(item, "root" if who in ("root", "0") else who, moment, path, script)
            self.items.append(ran)
            if item.program is None:
                self.unread.append(f"a command of {moment}")
            elif found is not None or (item.opaque and not is_fetched(commands.items, index)):
                self._behind(ran, found)

    def _script_of(self, item: Invocation) -> tuple[str, str] | None:
        """Return path and text of the script that a call runs, when it can be read."""
        place = _script(item) if item.opaque else None
        if place is not None:
            return self._file(item.cwd, place)
        bare = item.program if item.unfamiliar and item.path == item.program else None
        found = self.find_program(bare) if bare else None
        return found if found is not None and len(found[1]) <= _LARGEST_SCRIPT else None

    def _behind(self, ran: Ran, found: tuple[str, str] | None) -> None:
        """Read the script that a command runs, or note that nobody can."""
        item = ran.item
        if self.scripts >= _MOST_SCRIPTS:
            self.unread.append("too many scripts")
            return
        self.scripts += 1
        if item.program in _PACKAGE_RUNNERS:
            self._package_script(ran)
            return
        if item.program in _MADE_BY and item.path == item.program:
            self._scan(ran, _MADE_BY[item.program or ""])
            return
        if found is None:
            if not self._harmless(item):
                self.unread.append(_script(item) or item.program or "a script")
            return
        path, text = found
        if not _is_shell(path, text):
            if _OWNS.search(text):
                self.unread.append(path)
            return
        self._take(_Text(_whole(text)), ran.moment, path, ran.user, item.cwd)

    def _harmless(self, item: Invocation) -> bool:
        """Tell that of a file out of sight, of inline code and of a module it is known to own nothing."""
        texts = item.texts
        if item.program in SOURCES:
            return bool(texts) and posixpath.basename(texts[0] or "") in _SHELL_SETTINGS
        option = next((text for text in texts if text in ("-c", "-e", "-m")), None)
        if option is None or item.program in SHELLS:
            return False
        said = texts[texts.index(option) + 1] if texts.index(option) + 1 < len(texts) else None
        if said is None or option != "-m":
            return said is not None and not speaks_of_owners(said)
        # A module that is not the project's has come with the language or by an installer.
        place = said.replace(".", "/")
        return all(self._file(item.cwd, f"{place}{end}") is None for end in (".py", "/__main__.py"))

    def _package_script(self, ran: Ran) -> None:
        """Read a script of package.json."""
        words = [text for text in ran.item.texts if text is None or not text.startswith("-")]
        if words[:1] in (["run"], ["run-script"]):
            words = words[1:]
        name = words[0] if words else None
        found = self._file(ran.item.cwd, "package.json")
        script = _package_entry(found[1], name) if found is not None and name else None
        if script is None and name in _HARMLESS:
            return
        if found is None or script is None:
            self.unread.append(" ".join(text or "?" for text in (ran.item.program, name)))
            return
        text = Mapped(script, ((0, 0),), len(script))
        self._take(_Text(text), ran.moment, found[0], ran.user, ran.item.cwd)

    def _scan(self, ran: Ran, names: tuple[str, ...]) -> None:
        """Look through a file of tasks for anything that owns; its language is not read."""
        for name in names:
            found = self._file(ran.item.cwd, name)
            if found is not None:
                if _OWNS.search(found[1]):
                    self.unread.append(found[0])
                return
        self.unread.append(ran.item.program or "a task")

    def _file(self, cwd: str | None, name: str) -> tuple[str, str] | None:
        if cwd is None and not name.startswith("/"):
            return None
        found = self.find(posixpath.normpath(posixpath.join(cwd or "/", name)))
        return found if found is not None and len(found[1]) <= _LARGEST_SCRIPT else None


def _script(item: Invocation) -> str | None:
    """Return the file that a call runs, as its words name it."""
    program = item.program or ""
    runs_its_operand = program in SHELLS or program in (
        ".",
        "source",
        "fish",
        "node",
        "ruby",
        "perl",
        "php",
        "tsx",
        "ts-node",
    )
    if runs_its_operand or PYTHON.match(program):
        return next(_operands(item.texts), None)
    return item.path if item.path and "/" in item.path else None


def _operands(texts: tuple[str | None, ...]) -> Iterator[str]:
    """Yield the words that are no options; nothing behind one that is not known."""
    valued = False
    for text in texts:
        if text is None or text in ("-c", "-m"):
            return
        if valued or (text.startswith(("-", "+")) and text != "-"):
            valued = not valued and text in ("-o", "+o", "-O")
            continue
        yield text


def _is_shell(path: str, text: str) -> bool:
    match = re.match(r"#![ \t]*(?:\S*/)?(\S+)(?:[ \t]+(?:-S[ \t]+)?(\S+))?", text)
    if match is None:
        return not re.search(r"\.(?:py|m?js|ts|rb|pl|php|ps1|fish)\Z", path)
    name = match.group(2) if match.group(1) == "env" else match.group(1)
    return posixpath.basename(name or "") in SHELLS


def _whole(text: str) -> Mapped:
    return Mapped.plain(Source(text), Span(0, len(text)))


def _package_entry(text: str, name: str) -> str | None:
    try:
        scripts = json.loads(text).get("scripts", {})
        script = scripts.get(name)
    except (ValueError, AttributeError, RecursionError):
        return None
    return script if isinstance(script, str) else None
