"""Walks a script in order, keeps its state, and finds the program that each command comes down to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass

from cachekey.budget import NESTED_STEPS, Budget
from cachekey.commands.builtins import BUILTINS, assign, setting
from cachekey.commands.familiar import PYTHON, SHELLS, is_opaque, names_other_language
from cachekey.commands.invocation import Invocation
from cachekey.commands.peeling import Call, NestedScript
from cachekey.commands.runners import SAME_AS, find_program, program_name, python_module
from cachekey.commands.shellstate import Frame, Setting, ShellState, joined, merge
from cachekey.commands.splitting import split_words
from cachekey.commands.wrappers import WRAPPERS, UnreadableError, UnreadableScriptError
from cachekey.record import replace
from cachekey.syntax.shell.parse import Block, Command, Lookup, Redirect, Script, parse_script
from cachekey.text import Mapped, Span

_MAX_SCRIPTS = 6
"""Levels of ``sh -c '...'`` within each other that are read."""
_MAX_LAYERS = 24
"""Wrappers in front of one command that are taken off."""
_MOVES = re.compile(r"\b(?:cd|pushd|popd)\b")
_HANDS_ON = frozenset(('"$@"', "$@", "$*", '"$*"'))

_LONGEST_SCRIPT = 100_000
"""Characters of a script of the build context that is read."""
_MOST_FILES = 12
"""Scripts of the build context that one RUN is followed into."""
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")

Chain = tuple[tuple[Script, Command], ...]

Scripts = Callable[[str, Mapped], "Mapped | None"]
"""Gives the text of a file of the image by its absolute path, where the build context tells it; the
other is the word that calls it."""


class Reader:
    """Collects the invocations of a RUN, as far as its budget lasts."""

    def __init__(
        self,
        heredocs: tuple[tuple[Span, Mapped], ...],
        budget: Budget,
        command_steps: int,
        scripts: Scripts | None = None,
    ) -> None:
        self.budget, self.command_steps = budget, command_steps
        self.scripts = scripts
        self.files: list[str] = []
        """Scripts that are being read, outermost first."""
        self.files_read = 0
        self.heredocs = {marker.start: body for marker, body in heredocs}
        self.items: list[Invocation] = []
        self.complete = True
        self.depth = 0
        self.seen: set[Span] = set()

    def script(
        self, script: Script, state: ShellState, frame: Frame, chain: Chain, base: Lookup | None
    ) -> None:
        """Read a script that begins in ``state``; ``chain`` is where it stands itself.

        ``base`` is given for a script that is one command without a shell: what the command's own
        script, if it has one, may look up.
        """
        if not script.complete:
            self.complete = False
        walk = _Walk(state)
        before = state
        for command in script.commands:
            walk.enter(command.block, command)
            if command.assignments or walk.state is not before:
                # What it sets is written down beside all that was set before.
                self.budget.spend(walk.state.size)
            before = walk.state
            place = ((script, command), *chain)
            if command.words:
                self._command(script, walk, command, frame, place, base)
            elif command.assignments:
                changed = assign(walk.state, command.assignments)
                self._pay(changed.setting(one.name) for one in command.assignments)
                walk.change(command, changed)

    def _pay(self, settings: Iterable[Setting | None]) -> None:
        """Spend what new values cost."""
        self.budget.spend(sum(len(one.text) for one in settings if one and one.text))

    # -- one command ------------------------------------------------------------------------

    def _command(
        self,
        script: Script,
        walk: _Walk,
        command: Command,
        frame: Frame,
        place: Chain,
        base: Lookup | None,
    ) -> None:
        self.budget.spend(self.command_steps + len(command.words))
        if command.substitution and self.depth:
            # The script of `sh -c "... $(x) ..."` was read before with the words around it.
            if command.span in self.seen:
                return
        elif command.substitution:
            self.seen.add(command.span)
        state = walk.state
        words = split_words(command.words, state.value)
        first = words[0]
        name = first.resolve(state.value)
        inline = {one.name: setting(one, state) for one in command.assignments}
        self._pay(inline.values())
        call = Call(
            words=words,
            state=state,
            frame=frame,
            env={**state.env, **inline} if inline else state.env,
            unset=state.unset.difference(inline) if inline else state.unset,
            cwd=state.cwd,
            has_input=command.in_pipeline or bool(command.redirects),
        )
        self.budget.spend(len(words) + sum(len(text) for text in call.texts if text))
        if name in script.functions:
            walk.call_function(command, name)
            if name not in walk.passing or len(call.words) < 2:
                return
            call.at = 1
        elif name is not None and name in BUILTINS and base is None:
            texts = [word.resolve(state.value) for word in command.words[1:]]
            effect = BUILTINS[name](state, command, texts)
            walk.change(command, effect.state)
            self.complete = self.complete and effect.complete
            self._emit(call, command, place, opaque=effect.opaque)
            return
        elif command.function and first.written in _HANDS_ON:
            # What it runs is told by the calls of the function.
            walk.passing.add(command.function)
            return
        self._document(call, command)
        self._peel(call, command, place, base)

    def _document(self, call: Call, command: Command) -> None:
        """Give a command the text of its here-document."""
        for redirect in command.redirects:
            if redirect.operator == "<<<" and not redirect.target.untellable:
                call.document = redirect.target.unquoted()
            elif redirect.is_document:
                call.fills_document = not redirect.target.quoted
                call.document = redirect.body
                if redirect.body is None:
                    call.document = self._outside(redirect)

    def _outside(self, redirect: Redirect) -> Mapped | None:
        body = self.heredocs.get(redirect.span.start + len(redirect.descriptor))
        if body is None:
            self.complete = False
        return body

    # -- wrappers ---------------------------------------------------------------------------

    def _peel(self, call: Call, command: Command, place: Chain, base: Lookup | None) -> None:
        """Take wrappers off and note what they run."""
        for _layer in range(_MAX_LAYERS):
            text = call.called()
            name = posixpath.basename(text) if text else None
            if name is None:
                self._emit(call, command, place, opaque=True)
                return
            peeler = WRAPPERS.get(name)
            if peeler is not None:
                before = copy(call)
                try:
                    peeled = peeler(call)
                except UnreadableError as error:
                    if isinstance(error, UnreadableScriptError):
                        self.complete = False
                    self._emit(before, command, place, opaque=True)
                    return
                if call.nested is not None:
                    self._nested(call, place, base)
                    return
                if peeled:
                    continue
                if call.script_at is not None and self._file(call, call.script_at, place, base):
                    return
                runs_file = name in SHELLS and (
                    len(call.words) > call.at + 1 or call.has_input or command.in_pipeline
                )
                self._emit(before, command, place, opaque=runs_file and not _asks(call))
                return
            if not self._runner(call, name, command, place, base):
                return
        self.complete = False

    def _runner(
        self, call: Call, name: str, command: Command, place: Chain, base: Lookup | None
    ) -> bool:
        """Step over ``python -m`` or a tool that runs another; False when nothing is behind."""
        if PYTHON.match(name):
            index = python_module(call)
            if index is not None:
                if call.head_start is None:
                    call.head_start = call.at
                call.at, call.program = index, call.text(index)
                call.change(via="python -m")
                return True
            if call.document is not None:
                self.complete = False
        if name in SAME_AS:
            call.program = SAME_AS[name]
            call.change(via=name)
            return True
        if call.head_start is None and self._file(call, call.at, place, base):
            return False
        self._emit(call, command, place)
        found = find_program(call, name)
        if found is None:
            return False
        index, via = found
        text = call.text(index)
        call.head_start = call.at if name == "corepack" else None
        call.at = index
        call.program = None if text is None else program_name(name, text)
        call.change(via=via)
        return True

    def _nested(self, call: Call, place: Chain, base: Lookup | None) -> None:
        """Read the script that a shell is given."""
        nested = call.nested
        assert nested is not None
        if self.depth >= _MAX_SCRIPTS:
            self.complete = False
            return
        state = call.nested_state()
        if base is not None:
            state = replace(state, base=base)
        _, outer = place[0]
        frame = replace(
            call.frame,
            via="",
            conditional=call.frame.conditional or outer.conditional,
            in_pipeline=call.frame.in_pipeline or outer.in_pipeline,
            in_subshell=True,
        )
        self.budget.spend(NESTED_STEPS * len(nested.text))
        self.depth += 1
        self.script(parse_script(nested.text), state, frame, place, None)
        self.depth -= 1

    def _file(self, call: Call, index: int, place: Chain, base: Lookup | None) -> bool:
        """Read the script of the build context that the word at ``index`` names; False: there is none."""
        name = call.text(index)
        if self.scripts is None or not name:
            return False
        if "/" not in name and index == call.at and not is_opaque(name, name, ()):
            return False
        caller = call.words[index].raw
        for path in self._paths(call, name, index == call.at):
            if path in self.files or self.files_read >= _MOST_FILES:
                return False
            text = self.scripts(path, caller)
            if text is None:
                continue
            if len(text) > _LONGEST_SCRIPT or "\0" in text.text or names_other_language(text.text):
                return False
            self.files.append(path)
            self.files_read += 1
            call.nested = NestedScript(text, False)
            self._nested(call, place, base)
            self.files.pop()
            return True
        return False

    def _paths(self, call: Call, name: str, searched: bool) -> list[str]:
        """Return where a script may lie that is called by this name."""
        if "/" not in name and searched:
            return [f"{folder}/{name}" for folder in _PATH]
        path = joined(call.cwd, name)
        return [] if path is None else [path]

    # -- results ----------------------------------------------------------------------------

    def _emit(self, call: Call, command: Command, place: Chain, opaque: bool | None = None) -> None:
        text, at = call.called(), call.at
        # `npx @scope/name` names a package, not a path.
        package = text is not None and text.startswith("@")
        program = (text if package else posixpath.basename(text or "")) or None
        if opaque is None:
            path = "" if package or text is None else text
            opaque = program is None or is_opaque(program, path, call.texts[at + 1 :])
        first = call.words[at if call.head_start is None else call.head_start]
        self.items.append(
            Invocation(
                program=program,
                path=text,
                args=call.words[at + 1 :],
                named=(first, call.words[at]),
                command=place[-1][1],
                simple=command,
                env=call.env,
                unset=call.unset,
                opaque=opaque,
                cwd=call.cwd,
                state=call.state,
                texts=tuple(call.texts[at + 1 :]),
                frame=call.frame,
                chain=place,
            )
        )


def _asks(call: Call) -> bool:
    return call.text(call.at + 1) in ("--version", "--help")


# -- state along the way ----------------------------------------------------------------------


@dataclass(eq=False)
class _Level:
    block: Block
    entry: ShellState
    pending: ShellState | None = None
    """The state in front of a chain of ``&&`` that may not have been followed to its end."""


class _Walk:
    """The state of a shell while its commands are gone through in order."""

    def __init__(self, state: ShellState) -> None:
        self.state = state
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
            place = Setting(None, block.source.span(0, 0))
            self.state = self.state.with_variable(block.loop_name, place)
        moves = (
            block.loops
            and block.items
            and _MOVES.search(block.source.text, block.items[0].start, block.items[-1].stop)
        )
        if block.kind == "function" or moves:
            # It runs wherever the shell is when it is called, or comes round again.
            self.state = replace(self.state, cwd=None)

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

    def call_function(self, command: Command, name: str | None) -> None:
        """Take over what a function may have changed."""
        if name in self.dirty:
            self.change(command, replace(self.state.forgotten(), cwd=None))
