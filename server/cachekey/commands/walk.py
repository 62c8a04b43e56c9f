"""The state of a shell along a script: blocks entered and left, ways that may have been taken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cachekey.commands.shellstate import Setting, ShellState, merge
from cachekey.record import replace
from cachekey.syntax.shell.parse import Block, Command

_MOST_CHOICES = 24
"""Words of a loop that are told one by one."""
ENDS = frozenset(("return", "exit"))
_MOVES = re.compile(r"\b(?:cd|pushd|popd)\b")


@dataclass(eq=False)
class _Level:
    block: Block
    entry: ShellState
    pending: ShellState | None = None
    """The state in front of a chain of ``&&`` that may not have been followed to its end."""


class Walk:
    """The state of a shell while its commands are gone through in order."""

    def __init__(self, state: ShellState, functions: Iterable[str] = ()) -> None:
        self.state = state
        self.functions = set(functions)
        """Names that are no programs: the functions of the script and of those that it has sourced."""
        self.levels: list[_Level] = []
        self.passing: set[str] = set()
        """Functions that run their arguments as a command."""
        self.dirty: set[str] = set()
        """Functions that change the state of whoever calls them."""

    def enter(self, block: Block, command: Command) -> None:
        """Leave the blocks that are behind, and enter those up to ``block``."""
        if not self.levels or self.levels[-1].block is not block:
            path = [*block.outward]
            path.reverse()
            common = 0
            while (
                common < len(path)
                and common < len(self.levels)
                and self.levels[common].block is path[common]
            ):
                common += 1
            while len(self.levels) > common:
                self._leave()
            for inner in path[common:]:
                self._open(inner)
        level = self.levels[-1]
        if level.pending is not None and command.connector not in ("&&", "|"):
            self.state = merge(level.pending, self.state)
            level.pending = None

    def _open(self, block: Block) -> None:
        self.levels.append(_Level(block, self.state))
        if block.loop_name:
            place = Setting(None, block.source.span(0, 0), self._choices(block))
            self.state = self.state.with_variable(block.loop_name, place)
        moves = (
            block.loops
            and block.items
            and _MOVES.search(block.source.text, block.items[0].start, block.items[-1].stop)
        )
        if block.kind == "function" or moves:
            # It runs wherever the shell is when it is called, or comes round again.
            self.state = replace(self.state, cwd=None)

    def _choices(self, block: Block) -> tuple[str, ...]:
        """Return what a loop's variable becomes; nothing when a word of it cannot be told."""
        if len(block.loop_words) > _MOST_CHOICES:
            return ()
        texts = [word.resolve(self.state.value) for word in block.loop_words]
        return () if None in texts else tuple(text for text in texts if text is not None)

    def _leave(self) -> None:
        level = self.levels.pop()
        block, entry = level.block, level.entry
        if level.pending is not None:
            self.state = merge(level.pending, self.state)
        if block.kind == "function" and block.function:
            if self.state.env != entry.env or self.state.hidden != entry.hidden:
                self.dirty.add(block.function)
            if not self.state.environment_known:
                self.dirty.add(block.function)
            self.state = entry
        elif block.apart:
            self.state = entry
        elif block.conditional:
            self.state = merge(entry, self.state)

    def change(self, command: Command, state: ShellState) -> None:
        """Take over what a builtin or an assignment has changed."""
        if command.piped or state is self.state:
            return
        if command.guarded and command.connector == "||":
            self.state = merge(self.state, state)
            return
        level = self.levels[-1]
        if command.guarded and level.pending is None:
            level.pending = self.state
        if command.function and state.cwd != self.state.cwd:
            self.dirty.add(command.function)
        self.state = state

    def finish(self) -> None:
        """Leave all blocks: the script has ended."""
        while self.levels:
            self._leave()

    def take_in(self, sourced: Walk, command: Command) -> None:
        """Take over what a sourced script leaves behind, the walk through it being finished."""
        self.functions |= sourced.functions
        self.passing |= sourced.passing
        self.dirty |= sourced.dirty
        self.change(command, sourced.state)

    def call_function(self, command: Command, name: str | None) -> None:
        """Take over what a function may have changed."""
        if name in self.dirty:
            self.change(command, replace(self.state.forgotten(), cwd=None))


def may_leave(command: Command) -> bool:
    """Tell whether a script may end well at a command: nobody knows whether it comes to what is behind.

    Where it ends with an error the build does, too. Behind `||` that is what `exit` alone says.
    """
    if command.words[0].written not in ENDS or not command.conditional:
        return False
    if command.function or command.in_subshell:
        return False
    if len(command.words) == 1:
        return command.connector != "||"
    return command.words[1].written == "0"
