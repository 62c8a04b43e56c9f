"""One program that a RUN starts: what is called, with which words, in which surroundings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cachekey.commands.familiar import is_familiar
from cachekey.commands.shellstate import Frame, Setting, ShellState
from cachekey.record import cached_property, record
from cachekey.syntax.shell.parse import Command, Script, Word, removal
from cachekey.text import Edit, Elsewhere, Source, Span


class ScriptLine(NamedTuple):
    """A line of a script of the build context."""

    path: str
    line: int
    """Zero-based."""
    span: Span
    """The command, in the script's own offsets."""


@record(frozen=True, eq=False)
class Invocation:
    """A call of a program, found behind whatever wraps it (``sudo``, ``sh -c``, ``python -m``)."""

    program: str | None
    """Its name without directories; None when nobody can know what is called."""
    path: str | None
    """The program as called, directories included."""
    args: tuple[Word, ...]
    named: tuple[Word, Word]
    """First and last of the words that name what is run."""
    command: Command
    """The simple command of the RUN's own script that this is, or is part of."""
    simple: Command
    """The simple command that holds the call: another one than ``command`` within ``sh -c '...'``."""
    env: Mapping[str, Setting]
    """Variables set by the script for this call: in front of it, by ``env``, or exported before."""
    unset: frozenset[str]
    opaque: bool
    """It runs commands that are not in this file (``make``, ``./build.sh``, ``npm run build``)."""
    cwd: str | None
    state: ShellState
    """What the words are expanded in."""
    texts: tuple[str | None, ...]
    """The arguments as the program gets them; None where one is not known."""
    frame: Frame
    shown: bool
    """It does nothing but run what is there to be read: the invocations behind this one."""
    chain: tuple[tuple[Script, Command], ...]
    """The scripts that the call stands in with its command there, innermost first."""
    called: bool = False
    """It stands in a function that is called under no condition."""

    @property
    def via(self) -> str:
        """What runs it, where that is no shell: ``python -m``, ``npx``, ``uv run``."""
        return self.frame.via

    @cached_property
    def head(self) -> Span:
        """The words that name what is run: ``pip``, ``python -m pip``."""
        first, last = self.named
        return first.span.to(last.span)

    @cached_property
    def span(self) -> Span:
        """From the first word of ``head`` to the last argument."""
        return self.head.to(self.args[-1].span) if self.args else self.head

    def resolve(self, word: Word | Setting, *, globs: bool = False) -> str | None:
        """Return the value of an argument or setting; ``globs`` keeps ``* ? [`` as they stand."""
        if isinstance(word, Setting):
            return word.text
        return word.resolve(self.state.value, globs=globs)

    @property
    def user(self) -> str | None:
        """As whom a wrapper makes it run; None is the user of the RUN."""
        return self.frame.user

    @property
    def user_known(self) -> bool:
        """False when ``user`` is only how the file writes it."""
        return self.frame.user_known

    @property
    def clears_environment(self) -> bool:
        """Whether it sees only those variables of the RUN that ``env`` names."""
        return self.frame.clears_environment

    @property
    def environment_known(self) -> bool:
        """False behind ``. ./env.sh`` and ``eval``: any variable may have been set."""
        return self.state.environment_known

    @property
    def login(self) -> bool:
        """Whether a login shell runs it."""
        return self.frame.login

    @property
    def home_reset(self) -> bool:
        """Whether what changed the user also set HOME to that user's."""
        return self.frame.home_reset

    @property
    def args_known(self) -> bool:
        """False behind ``xargs``, which appends further arguments."""
        return self.frame.args_known

    @property
    def cwd_known(self) -> bool:
        """Whether ``cwd`` can be told."""
        return self.cwd is not None

    @cached_property
    def conditional(self) -> bool:
        """It may not run, or not just once."""
        simple, frame = self.simple, self.frame
        here = simple.conditional_here if self.called else simple.conditional
        return here or frame.conditional or frame.past is not None

    @cached_property
    def in_pipeline(self) -> bool:
        """It is part of a pipeline."""
        return self.frame.in_pipeline or self.simple.in_pipeline

    @cached_property
    def in_subshell(self) -> bool:
        """It runs in a process apart from the RUN's own script."""
        return self.frame.in_subshell or self.simple.in_subshell

    @property
    def unfamiliar(self) -> bool:
        """Its name is none that a base system is known to have: it could be somebody's wrapper.

        Tools that have a data file are not among the known names; ask the knowledge for them.
        """
        return not is_familiar(self.program)

    @cached_property
    def script(self) -> ScriptLine | None:
        """Where it stands, when that is a script of the build context which the RUN calls."""
        for script, command in reversed(self.chain):
            source = script.source
            if isinstance(source, Elsewhere):
                line = source.text.count("\n", 0, command.start)
                span = Span(command.start, command.stop)
                return ScriptLine(source.path, *(source.place or (line, span)))
        return None

    @property
    def doomed(self) -> Command | None:
        """Return the command of the file that goes when this call is to go; None when it must stay."""
        if self.script is not None or not all(word.removable for word in self.named):
            return None
        for script, command in self.chain:
            alone = len(script.root.items) == 1 and script.root.items[0].command is command
            if not alone or (script, command) == self.chain[-1]:
                return command
        return None


def removals(items: Iterable[Invocation], source: Source) -> list[Edit | None]:
    """Return the edits that take exactly these calls out, one for those that follow each other.

    None stands among them for what cannot go. The connector and the line continuation that only they
    needed go along. Where a call is all that a ``sh -c '...'`` does, that goes as a whole.
    """
    groups: list[list[Command]] = []
    left: list[Edit | None] = []
    for command in (item.doomed for item in items):
        if command is None:
            left.append(None)
        elif groups and _follows(groups[-1][-1], command):
            groups[-1].append(command)
        else:
            groups.append([command])
    return [*left, *(removal(group, source) for group in groups)]


def _follows(one: Command, other: Command) -> bool:
    return one.block is other.block and other.index == one.index + 1
