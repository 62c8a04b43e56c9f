"""What a RUN runs: every program of its script, with the words, variables and user it gets."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from typing import Protocol

from cachekey.budget import COMMAND_STEPS, Budget, SpentError, share
from cachekey.commands.calls import Reader
from cachekey.commands.familiar import SHELLS, makes_lists, names_other_language
from cachekey.commands.files import Followed, Scripts
from cachekey.commands.functions import runs
from cachekey.commands.invocation import Invocation
from cachekey.commands.shellstate import Frame, Setting, ShellState
from cachekey.record import record, replace
from cachekey.syntax.shell.parse import Block, Command, Lookup, Part, Script, Word, parse_script
from cachekey.text import Mapped, Span

__all__ = ["Commands", "Invocation", "Setting", "read_commands"]

_ONLY_HEREDOC = re.compile(r"\s*[0-9]*<<-?\s*(?:'[^'\s]+'|\"[^\"\s]+\"|[^\s<>|;&'\"]+)\s*\Z")
# Programs that a SHELL may begin with and that run the shell behind them unchanged.
_BEFORE_SHELL = frozenset(("conda", "mamba", "micromamba", "env", "time", "nice"))


class Heredoc(Protocol):
    """The here-documents of an instruction, as :mod:`cachekey.syntax.dockerfile.tree` has them."""

    @property
    def marker(self) -> Span:
        """The ``<<NAME`` as written."""

    @property
    def body(self) -> Mapped:
        """Its text."""


class RunInstruction(Protocol):
    """A RUN as :mod:`cachekey.syntax.dockerfile.tree` has it."""

    @property
    def args(self) -> Mapped:
        """What follows the flags."""

    @property
    def json(self) -> tuple[Mapped, ...] | None:
        """The strings of the exec form."""

    @property
    def heredocs(self) -> Sequence[Heredoc]:
        """Its here-documents."""


@record(frozen=True, eq=False)
class Commands:
    """The programs that a RUN calls, in the order of the file."""

    items: tuple[Invocation, ...]
    complete: bool
    """False: more may be run than ``items`` tells."""
    script: Script | None
    """The RUN's own script; None for the exec form and for what is no shell script."""
    spent: bool = False
    """The budget was gone: what comes behind the last item was not read."""
    foreign: tuple[Mapped, ...] = ()
    """Here-documents in another language, where nothing else than they makes it incomplete."""


_UNREADABLE = Commands((), False, None)


def read_commands(
    instruction: RunInstruction,
    *,
    shell: tuple[str, ...] | None,
    lookup: Lookup,
    workdir: str | None,
    scripts: Scripts | None = None,
    ships: Callable[[str], str | None] | None = None,
    steps: int = share(1),
    command_steps: int = COMMAND_STEPS,
) -> Commands:
    """Read what a RUN runs; never raises.

    ``shell`` is the value of SHELL (None: ``/bin/sh -c``), ``lookup`` gives the variables of the
    RUN's environment (None: not known), ``workdir`` is the directory that it starts in, and
    ``scripts`` gives the files that it may call, and ``ships`` tells where the one lies that a bare
    name calls, which nobody knows. ``steps`` is what the reading may take, by default
    as for the only RUN of a file, and ``command_steps`` what each command costs besides its words.
    """
    budget = Budget(steps)
    state = ShellState(base=lookup, cwd=workdir)
    if instruction.json is not None:
        return _exec_form(
            instruction.json, state, Reader((), budget, command_steps, Followed(scripts, ships))
        )
    frame = _shell_frame(shell)
    if frame is None:
        return _UNREADABLE
    text, heredocs = instruction.args, tuple(instruction.heredocs)
    if len(heredocs) == 1 and _ONLY_HEREDOC.match(text.text):
        text, heredocs = heredocs[0].body, ()
        if names_other_language(text.text):
            return _UNREADABLE
    script = parse_script(text)
    reader = Reader(
        tuple((one.marker, one.body) for one in heredocs),
        budget,
        command_steps,
        Followed(scripts, ships),
    )
    return _read(reader, script, state, frame, None, script)


def _read(
    reader: Reader,
    script: Script,
    state: ShellState,
    frame: Frame,
    base: Lookup | None,
    own: Script | None,
) -> Commands:
    try:
        reader.script(script, state, frame, (), base)
    except SpentError:
        return Commands(tuple(reader.items), complete=False, script=own, spent=True)
    alive = reader.functions.called()
    surely = reader.functions.surely_called()
    items = (
        replace(item, called=True) if item.simple.function in surely else item
        for item in reader.items
        if runs(item.chain, alive)
    )
    foreign = tuple(reader.foreign) if reader.complete else ()
    return Commands(tuple(items), reader.complete and not reader.foreign, own, foreign=foreign)


def _shell_frame(shell: tuple[str, ...] | None) -> Frame | None:
    """Return what a SHELL changes for the script; None when its language is not read here."""
    if not shell:
        return Frame()
    at = 0
    if posixpath.basename(shell[0]) in _BEFORE_SHELL:
        at = next(
            (index for index, word in enumerate(shell) if posixpath.basename(word) in SHELLS), 0
        )
    if posixpath.basename(shell[at]) not in SHELLS:
        return None
    flags = [word for word in shell[at + 1 :] if word.startswith("-")]
    if not any(word[1:2] != "-" and "c" in word for word in flags):
        return None
    login = any(word == "--login" or (word[1:2] != "-" and "l" in word) for word in flags)
    return Frame(login=login, lists=makes_lists(shell[at]))


def _exec_form(strings: tuple[Mapped, ...], state: ShellState, reader: Reader) -> Commands:
    """Read the exec form: its strings are the words, nothing expands them."""
    if not strings:
        return _UNREADABLE
    words = tuple(
        Word(text, 0, len(text), (Part("text", 0, len(text), text.text, True),)) for text in strings
    )
    source = strings[0]
    block = Block("script", source, None)
    command = _Exec(
        source=source,
        start=0,
        stop=len(source),
        assignments=(),
        words=words,
        redirects=(),
        block=block,
        index=0,
        connector="",
        connector_start=0,
        connector_stop=0,
        piped=False,
        guarded=False,
    )
    script = Script(source, (command,), block, complete=True)
    # Without a shell there are no builtins, no functions, and nothing to fill in.
    bare = replace(state, base=lambda _name: None)
    return _read(reader, script, bare, Frame(), state.base, None)


class _Exec(Command):
    """The words of an exec form."""

    @property
    def span(self) -> Span:
        """From the first string to the last."""
        return self.words[0].span.to(self.words[-1].span)
