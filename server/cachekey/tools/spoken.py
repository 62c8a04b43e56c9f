"""What command lines say to one tool: the options and words of this call, and of those in front of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cachekey.knowledge.patterns import CommandLine, matches, read_line
from cachekey.knowledge.records import Command, Tool
from cachekey.knowledge.ways import Way
from cachekey.record import cached_property
from cachekey.tools.earlier import NOTHING, Earlier, stored_value
from cachekey.tools.values import Known, NotKnown

if TYPE_CHECKING:
    from cachekey.commands.read import Invocation

_OPTIONS_INSIDE = re.compile(r"[\"']?\$\{?\w*(?:OPT(?:ION)?|FLAG|ARG)S?(?![A-Z])", re.IGNORECASE)
"""A word that stands for options."""


class Spoken:
    """The command line of one invocation of one tool, and the calls in front of it."""

    def __init__(
        self, tool: Tool, command: Command, invocation: Invocation, earlier: Earlier, guest: bool
    ) -> None:
        """Take the invocation; a ``guest`` tool is run by the invoked one, unseen flags and all."""
        self.tool, self.command, self.invocation = tool, command, invocation
        self.earlier, self.guest = earlier, guest
        self.stop = len(earlier.items)

    @cached_property
    def line(self) -> CommandLine:
        """The command line, told apart by this tool's options."""
        if self.guest:
            return CommandLine((), (), (), (), 0, False)
        return read_line(self.tool, self.command, self.invocation.texts)

    def flag(self, flag: str, key: str = "") -> Known | NotKnown | None:
        """Return the value of an option; the last one on the line counts."""
        found = self._flag_of(self.invocation, self.line, flag, key)
        if found is None and self._hidden_options:
            return NotKnown(f"{self._hidden_options} may hold {flag}")
        return found

    def flag_earlier(self, way: Way) -> Known | NotKnown | None:
        """Return the value of an option of the last call in front of this one that has it."""
        for item in self.earlier.having(way.key or way.flag, self.stop):
            if any(matches(item.program or "", name) for name in self.command.names):
                line = read_line(self.tool, self.command, item.texts)
                found = self._flag_of(item, line, way.flag, way.key)
                if found is not None:
                    return found
        return None

    def word(self, way: Way) -> Known | NotKnown | None:
        """Return what a word ``NAME=VALUE`` says, here or in the last call in front that has it."""
        found = assigned(self.invocation, way.word)
        if found is not None or not way.earlier:
            return found
        names = [
            name for command in self.tool.commands if command.through for name in command.names
        ]
        for item in self.earlier.having(way.word, self.stop):
            if any(matches(item.program or "", name) for name in names):
                return assigned(item, way.word)
        return None

    def _flag_of(
        self, item: Invocation, line: CommandLine, flag: str, key: str
    ) -> Known | NotKnown | None:
        found: Known | NotKnown | None = None
        for index, text in line.options:
            if not text.startswith(flag):
                continue
            place, value = index, None
            if text == flag and index + 1 < len(line.args):
                place, value = index + 1, line.args[index + 1]
                if value is None and not key:
                    found = NotKnown(f"the value of {flag} is not known")
            elif text.startswith(flag + "="):
                value = text[len(flag) + 1 :]
            if value is not None and key:
                name, _, value = value.partition("=")
                if name.lower() != key.lower():
                    continue
            if value is not None:
                found = Known(value, f"the flag {flag}", item.args[place].span)
        return found

    @cached_property
    def _hidden_options(self) -> str:
        """A word that stands for options nobody can see (``$PIP_OPTS``)."""
        for arg, text in zip(self.invocation.args, self.line.args, strict=False):
            if text is None and _OPTIONS_INSIDE.match(arg.written):
                return arg.written
        return "" if self.guest or self.invocation.args_known else "what xargs appends"

    def stored(self, way: Way) -> Known | NotKnown | None:
        """Return what an earlier command (``config set cache DIR``) has stored."""
        assert way.command is not None
        *head, last = way.command.words
        word = head[0] if head else last.rstrip("=")
        # The last one counts.
        names = (way.by,) if way.by else self.command.names
        for item in self.earlier.having(word, self.stop):
            if not any(matches(item.program or "", name) for name in names):
                continue
            line = read_line(self.tool, self.command, item.texts)
            stored = stored_value(line.words, tuple(head), last)
            if stored is NOTHING:
                continue
            because = f"{item.program} {way.command.text}"
            if isinstance(stored, str):
                return Known(stored, because, item.span)
            return NotKnown(f"what {because} sets is not known")
        return None

    def followed(self, path: str) -> str:
        """Return where a path leads by the links that the calls in front have made."""
        return self.earlier.followed(path, self.stop)


def assigned(item: Invocation, name: str) -> Known | None:
    """Return what a word ``NAME=VALUE`` of a command says."""
    for arg, text in zip(item.args, item.texts, strict=False):
        if text is not None and text.startswith(f"{name}="):
            return Known(text[len(name) + 1 :], f"{name} in the command", arg.span, name)
    return None
