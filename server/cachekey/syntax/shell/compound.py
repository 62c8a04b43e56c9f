"""Reads compound commands, functions and substitutions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from cachekey.syntax.shell.input import Inputs
from cachekey.syntax.shell.tree import Block, BlockKind, Word
from cachekey.text import Mapped

if TYPE_CHECKING:
    from cachekey.syntax.shell.tree import Command

_RESERVED = re.compile(
    r"(?:if|then|elif|else|fi|for|select|while|until|do|done|case|esac|function|coproc|\{|\}|!|\[\[)"
    r"(?=[\s;&|()<>]|\Z)|\(\("
)
_MAY_BE_RESERVED = frozenset("itefswudcf{}![(")
_FUNCTION = re.compile(r"([\w.:+\-]+)[ \t]*\([ \t]*\)")
_FUNCTION_NAME = re.compile(r"[ \t]+([^\s()<>|;&]+)(?:[ \t]*\([ \t]*\))?")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_BETWEEN = re.compile(r"(?:\s|\\\r?\n)*")
_IN = re.compile(r"in(?=\s|;)")
_CLOSERS = frozenset(("then", "elif", "else", "fi", "do", "done", "esac", "}"))


class Compounds(Inputs):
    """The part of the parser that knows what encloses commands."""

    def __init__(
        self, source: Mapped, depth: int, block: Block, commands: list[Command], functions: set[str]
    ) -> None:
        super().__init__(source, depth)
        self.block = block
        self.commands = commands
        self.functions = functions
        self.was_test = False
        """The compound command read last was a test."""

    def read_list(self, block: Block, closers: frozenset[str] = frozenset()) -> None:
        """Read pipelines into ``block`` up to a closing word or bracket."""
        raise NotImplementedError

    def read_all(self) -> None:
        """Read the whole text."""
        raise NotImplementedError

    # -- places -----------------------------------------------------------------------------

    def keyword(self) -> str | None:
        """Return the reserved word that stands here."""
        if self.at >= self.size or self.text[self.at] not in _MAY_BE_RESERVED:
            return None
        match = _RESERVED.match(self.text, self.at)
        return match.group() if match else None

    def _expect(self, word: str) -> bool:
        self.gap()
        if self.keyword() == word:
            self.at += len(word)
            return True
        self.fail(f"'{word}' is missing")
        return False

    def _new(self, kind: BlockKind, conditional: bool = False, apart: bool = False) -> Block:
        outer = self.block
        return Block(
            kind,
            self.source,
            outer,
            conditional=conditional,
            apart=apart,
            substitution=outer.substitution or kind == "substitution",
            function=outer.function,
        )

    # -- compound commands ------------------------------------------------------------------

    def compound(self, keyword: str | None, blocks: list[Block]) -> bool:
        """Read a compound command, if one begins here; note the blocks that it consists of."""
        self.was_test = False
        if keyword in _CLOSERS:
            self.fail(f"'{keyword}' is out of place")
            return False
        if keyword in ("select", "coproc"):
            self.fail(f"'{keyword}' is not followed")
            return False
        if keyword == "!":
            return False
        self.deeper()
        if keyword is None:
            self._subshell(blocks)
        else:
            self.at += len(keyword)
            if keyword == "{":
                self._group(blocks)
            elif keyword == "if":
                self._if(blocks)
            elif keyword in ("while", "until"):
                self._while(blocks)
            elif keyword == "for":
                self._for(blocks)
            elif keyword == "case":
                self._case(blocks)
            elif keyword == "function":
                self._function(blocks)
            elif keyword == "[[":
                self._test()
            else:
                self.at = self.arithmetic(self.at)
                self.was_test = True
        self.depth -= 1
        self.end = self.at
        return True

    def _inside(self, blocks: list[Block], block: Block, *closers: str) -> str | None:
        """Read a block and step over the word that closes it; return that word."""
        blocks.append(block)
        self.read_list(block, frozenset(closers))
        word = self.keyword()
        if word is None or word not in closers:
            self.fail(f"'{closers[-1]}' is missing")
            return None
        self.at += len(word)
        return word

    def _subshell(self, blocks: list[Block]) -> None:
        self.at += 1
        block = self._new("subshell", apart=True)
        blocks.append(block)
        self.read_list(block)
        if self.text.startswith(")", self.at):
            self.at += 1
        else:
            self.fail("a bracket is not closed")

    def _group(self, blocks: list[Block]) -> None:
        self._inside(blocks, self._new("group"), "}")

    def _if(self, blocks: list[Block]) -> None:
        first = True
        while True:
            if self._inside(blocks, self._new("condition", not first), "then") is None:
                return
            first = False
            closer = self._inside(blocks, self._new("body", True), "elif", "else", "fi")
            if closer == "else":
                closer = self._inside(blocks, self._new("body", True), "fi")
            if closer != "elif":
                return

    def _while(self, blocks: list[Block]) -> None:
        if self._inside(blocks, self._new("condition", True), "do") is not None:
            body = self._new("body", True)
            body.loops = True
            self._inside(blocks, body, "done")

    def _for(self, blocks: list[Block]) -> None:
        self.blank()
        name = None
        words: tuple[Word, ...] = ()
        match = _NAME.match(self.text, self.at)
        if self.text.startswith("((", self.at):
            self.at = self.arithmetic(self.at + 2)
        elif match:
            name = match.group()
            self.at = match.end()
            words = tuple(self._for_words())
        else:
            self.fail("a loop without a variable")
            return
        self.blank()
        if self.text.startswith(";", self.at):
            self.at += 1
        if self._expect("do"):
            body = self._new("body", True)
            body.loops, body.loop_name, body.loop_words = True, name, words
            self._inside(blocks, body, "done")

    def _for_words(self) -> Iterator[Word]:
        self.at = cast("re.Match[str]", _BETWEEN.match(self.text, self.at)).end()
        if not _IN.match(self.text, self.at):
            return
        self.at += 2
        while True:
            self.blank()
            before = self.at
            self.at, parts = self.word(self.at)
            if self.at == before:
                return
            yield Word(self.source, before, self.at, parts)

    def _case(self, blocks: list[Block]) -> None:
        self.blank()
        self.at, _parts = self.word(self.at)
        self.gap()
        if not self.text.startswith("in", self.at):
            self.fail("'in' is missing")
            return
        self.at += 2
        while True:
            self.gap()
            if self.keyword() == "esac":
                self.at += 4
                return
            if not self._pattern():
                self.fail("'esac' is missing")
                return
            body = self._new("body", True)
            blocks.append(body)
            self.read_list(body, frozenset(("esac",)))
            for closer in (";;&", ";;", ";&"):
                if self.text.startswith(closer, self.at):
                    self.at += len(closer)
                    break

    def _pattern(self) -> bool:
        if self.text.startswith("(", self.at):
            self.at += 1
        while True:
            self.gap()
            before = self.at
            self.at, _parts = self.word(self.at)
            if self.at == before:
                return False
            self.gap()
            if self.text.startswith("|", self.at):
                self.at += 1
                continue
            if self.text.startswith(")", self.at):
                self.at += 1
                return True
            return False

    def _test(self) -> None:
        """Step over the words of ``[[ ... ]]``; what stands in it is no list of commands."""
        self.was_test = True
        while self.at < self.size:
            self.gap()
            before = self.at
            self.at, _parts = self.word(self.at)
            if self.text[before : self.at] == "]]":
                return
            if self.at == before:
                self.at += 1
        self.at = min(self.at, self.size)
        self.fail("']]' is missing")

    # -- functions --------------------------------------------------------------------------

    def function_head(self) -> bool:
        """Read ``name() ...``, if that stands here."""
        match = _FUNCTION.match(self.text, self.at)
        if match is None:
            return False
        self.at = match.end()
        self.deeper()
        self._body(match.group(1), [])
        self.depth -= 1
        return True

    def _function(self, blocks: list[Block]) -> None:
        match = _FUNCTION_NAME.match(self.text, self.at)
        if match is None:
            self.fail("a function without a name")
            return
        self.at = match.end()
        self._body(match.group(1), blocks)

    def _body(self, name: str, blocks: list[Block]) -> None:
        self.functions.add(name)
        self.gap()
        wrapper = self._new("function", conditional=True)
        wrapper.function = name
        blocks.append(wrapper)
        keyword = self.keyword()
        if keyword is None and not self.text.startswith("(", self.at):
            self.fail("a function without a body")
            return
        outer, self.block = self.block, wrapper
        self.compound(keyword, [])
        self.redirections([])
        self.block = outer

    # -- substitutions ----------------------------------------------------------------------

    def substitution(self, start: int, close: str) -> int:
        """Read commands from ``start`` up to ``close``; return the index behind it."""
        outer, self.at = self.at, start
        block = self._new("substitution", apart=True)
        self.read_list(block)
        while self.at < self.size and self.text[self.at] != close:
            self.fail(f"'{self.text[self.at]}' is out of place")
            self.at += 1
            self.read_list(block)
        if self.at >= self.size:
            self.fail("a substitution is not closed")
        stop, self.at = min(self.at + 1, self.size), outer
        return stop

    def backticks(self, start: int, stop: int) -> None:
        """Read the commands between two backticks."""
        if "\\" in self.text[start:stop].replace("\\\n", "").replace("\\\r\n", ""):
            self.fail("backslashes between backticks")
            return
        inner = type(self)(
            self.source.slice(start, stop),
            self.depth + 1,
            self._new("substitution", apart=True),
            self.commands,
            self.functions,
        )
        inner.block.source = inner.source
        inner.read_all()
        if inner.problem:
            self.fail(inner.problem)

    def array(self, at: int) -> int:
        """Return the index behind the bracket that closes an array's list of words."""
        outer = self.at
        self.at = at
        while True:
            self.gap()
            before = self.at
            self.at, _parts = self.word(self.at)
            if self.at == before:
                break
        if self.text.startswith(")", self.at):
            stop = self.at + 1
        else:
            self.fail("an array is not closed")
            stop = self.at
        self.at = outer
        return stop
