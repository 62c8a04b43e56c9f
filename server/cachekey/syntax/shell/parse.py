"""Reads the shell script of a ``RUN``: every command and word at its place in the file.

POSIX sh and what bash adds, as far as Dockerfiles use it. Nothing is executed or expanded here. What
cannot be read makes the script incomplete and never raises; see :class:`Script`.
"""

from __future__ import annotations

import re
from typing import NamedTuple, cast

from cachekey.syntax.shell.compound import Compounds
from cachekey.syntax.shell.edit import removal, remove_word
from cachekey.syntax.shell.scan import BLANK, FAST_WORD, TEMPLATE, TooDeep
from cachekey.syntax.shell.tree import (
    Assignment,
    Block,
    Command,
    Connector,
    Item,
    Lookup,
    Part,
    Redirect,
    Script,
    Word,
)
from cachekey.text import Mapped

__all__ = [
    "Assignment",
    "Block",
    "Command",
    "Item",
    "Lookup",
    "Part",
    "Redirect",
    "Script",
    "Word",
    "parse_script",
    "removal",
    "remove_word",
]

_CONNECTOR = re.compile(r"&&|\|\||;(?![;&])|&(?![&>])|\r?\n")
_COMMENT = re.compile(r"#[^\n]*")
_ASSIGN = re.compile(r"([A-Za-z_]\w*)(\[[^\]\s]*\])?(\+?)=", re.ASCII)
_TESTS = frozenset(("[", "[[", "((", "test", "grep", "command", "which", "type", "hash", "false"))
_NO_WORD = frozenset("\r\n;|&)(")


class _Place(NamedTuple):
    """What stands in front of a pipeline."""

    connector: Connector
    start: int
    stop: int
    guarded: bool


def parse_script(text: Mapped) -> Script:
    """Read a script; linear in its length, never raises."""
    commands: list[Command] = []
    functions: set[str] = set()
    root = Block("script", text, None)
    if TEMPLATE.search(text.text):
        # What comes out of it can be anything.
        return Script(text, (), root, complete=False, problem="a template stands in the script")
    parser = _Parser(text, 0, root, commands, functions)
    try:
        parser.read_all()
    except TooDeep:
        parser.fail("the script nests too deeply")
    return Script(
        text, tuple(commands), root, parser.problem is None, parser.problem, frozenset(functions)
    )


class _Parser(Compounds):
    """Recursive descent over a script; ``at`` is the index of the next character."""

    def read_all(self) -> None:
        """Read the whole text; what stands where nothing may stand is stepped over."""
        self.read_list(self.block)
        while self.at < self.size:
            self.fail(f"'{self.text[self.at]}' is out of place")
            self.at += 1
            self._connector()
            self.read_list(self.block)
        self.bodies()

    # -- lists ------------------------------------------------------------------------------

    def read_list(self, block: Block, closers: frozenset[str] = frozenset()) -> None:
        """Read pipelines into ``block`` up to a closing word or bracket, which is left standing."""
        outer, self.block = self.block, block
        connector: Connector = ""
        begin = end = self.at
        tested = False
        while True:
            self.gap()
            if self._closed(closers):
                if connector in ("&&", "||"):
                    self.fail(f"'{connector}' leads nowhere")
                if connector and block.items:
                    block.tail = (connector, begin, end)
                break
            start = self.at
            tested = tested and connector == "&&"
            place = _Place(connector, begin, end, tested or connector == "||")
            command, tests = self._pipeline(place)
            if self.at == start:
                break
            stop = max(self.end, start)
            block.items.append(Item(start, stop, connector, begin, end, command))
            tested = tested or tests
            following = self._connector()
            if following is None:
                break
            connector, begin, end = following
        self.block = outer

    def _closed(self, closers: frozenset[str]) -> bool:
        if self.at >= self.size:
            return True
        char = self.text[self.at]
        if char == ")":
            return True
        if char == ";":
            return self.text.startswith((";;", ";&"), self.at)
        return bool(closers) and self.keyword() in closers

    def _connector(self) -> tuple[Connector, int, int] | None:
        self.blank()
        match = _CONNECTOR.match(self.text, self.at)
        if match is None:
            comment = _COMMENT.match(self.text, self.at)
            if comment is None:
                return None
            self.at = comment.end()
            match = _CONNECTOR.match(self.text, self.at)
            if match is None:
                return None
        self.at = match.end()
        connector = match.group()
        if connector.endswith("\n"):
            connector = "\n"
            self.bodies()
        return cast("Connector", connector), match.start(), match.end()

    # -- pipelines --------------------------------------------------------------------------

    def _pipeline(self, place: _Place) -> tuple[Command | None, bool]:
        """Read a pipeline; return its command if it is a plain one, and whether it is a test."""
        negated = False
        while self.text.startswith("!", self.at) and self.keyword() == "!":
            negated = True
            self.at += 1
            self.end = self.at
            self.blank()
        command, tests = self._element(place, piped=False)
        plain = not negated
        while self._at_pipe():
            plain = False
            start = self.at
            self.at += 2 if self.text.startswith("|&", self.at) else 1
            stop = self.at
            self.gap()
            before = self.at
            inner = _Place("|", start, stop, place.guarded)
            command, tests = self._element(inner, piped=True)
            if self.at == before:
                self.fail("a pipe leads nowhere")
                break
        return (command if plain else None), tests or negated

    def _at_pipe(self) -> bool:
        self.blank()
        text, at = self.text, self.at
        return text.startswith("|", at) and not text.startswith("||", at)

    def _element(self, place: _Place, piped: bool) -> tuple[Command | None, bool]:
        """Read a simple or compound command; tell whether it decides what ``&&`` does next."""
        # A function call in front of here is worth its time: most commands begin with a letter.
        keyword = self.keyword()
        if keyword is not None or self.text.startswith("(", self.at):
            blocks: list[Block] = []
            if self.compound(keyword, blocks):
                self.redirections([])
                if place.guarded:
                    for block in blocks:
                        block.conditional = True
                if piped or self._at_pipe():
                    for block in blocks:
                        block.apart = block.piped = True
                return None, keyword == "[[" or self.was_test
        if self.function_head():
            return None, False
        command = self._simple(place, piped)
        if command is None or not command.words:
            return command, False
        return command, command.words[0].written in _TESTS

    # -- simple commands --------------------------------------------------------------------

    def _simple(self, place: _Place, piped: bool) -> Command | None:
        start = stop = self.at
        slot = len(self.commands)
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        text, size, source = self.text, self.size, self.source
        while True:
            self.at = at = cast("re.Match[str]", BLANK.match(text, self.at)).end()
            if at >= size:
                break
            match = FAST_WORD.match(text, at)
            if match and (words or "=" not in match.group()):
                self.at = stop = match.end()
                words.append(Word(source, at, stop))
                continue
            char = text[at]
            if char == "#" or (char in _NO_WORD and not text.startswith("&>", at)):
                if char == "(" and not text.startswith("()", at):
                    self.fail("a bracket is out of place")
                break
            if self.redirect(redirects):
                stop = self.at
                continue
            assigned = None if words else _ASSIGN.match(text, at)
            if assigned:
                assignments.append(self._assignment(at, assigned))
            else:
                self.at, parts = self.word(at)
                if self.at == at:
                    break
                words.append(Word(source, at, self.at, parts))
            stop = self.at
        if not (assignments or words or redirects):
            return None
        self.end = stop
        given = tuple(assignments), tuple(words), tuple(redirects)
        piped = piped or self._at_pipe()
        index = len(self.block.items)
        command = Command(
            source, start, stop, *given, self.block, index, *place[:3], piped, place.guarded
        )
        # Substitutions inside it were noted first; the command stands in front of them.
        self.commands.insert(slot, command)
        return command

    def _assignment(self, at: int, match: re.Match[str]) -> Assignment:
        name, known = match.group(1), match.group(2) is None and not match.group(3)
        start = match.end()
        if self.text.startswith("(", start):
            self.at = self.array(start + 1)
            value = Word(self.source, start, self.at, (Part("hole", start, self.at, "", False),))
            return Assignment(self.source, at, name, value, known=False)
        # Read from the name on, because a tilde means HOME behind the `=` of an assignment.
        self.at, parts = self.word(at)
        rest = _behind(parts, start)
        if self.text.startswith("~", start) and rest[0].kind == "hole":
            rest = (rest[0]._replace(kind="tilde"), *rest[1:])
        value = Word(self.source, start, self.at, rest)
        return Assignment(self.source, at, name, value, known)


def _behind(parts: tuple[Part, ...], start: int) -> tuple[Part, ...]:
    """Return the parts of a word from ``start`` on, which lies within text or between parts."""
    result: list[Part] = []
    for part in parts:
        if part.start >= start:
            result.append(part)
        elif part.stop > start:
            rest = part.text[start - part.start :]
            result.append(Part("text", start, part.stop, rest, part.quoted))
    if not result:
        result.append(Part("text", start, start, "", True))
    return tuple(result)
