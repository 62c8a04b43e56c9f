"""Walks a script in order, keeps its state, and finds the program that each command comes down to."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from copy import copy

from cachekey.budget import NESTED_STEPS, Budget
from cachekey.commands.builtins import BUILTINS, SOURCES, assign, setting
from cachekey.commands.familiar import PYTHON, SHELLS, interpreter, is_opaque, makes_lists
from cachekey.commands.fetched import is_download
from cachekey.commands.files import Followed
from cachekey.commands.functions import Chain, Functions
from cachekey.commands.invocation import Invocation
from cachekey.commands.makefiles import goals_of
from cachekey.commands.manifests import asked_for
from cachekey.commands.peeling import Call, NestedScript
from cachekey.commands.runners import SAME_AS, find_program, program_name, python_module
from cachekey.commands.shellstate import Frame, Setting, ShellState, joined
from cachekey.commands.splitting import split_lists, split_words
from cachekey.commands.walk import ENDS, Walk, may_leave
from cachekey.commands.whereabouts import handed, placed, places
from cachekey.commands.wrappers import WRAPPERS, UnreadableError, UnreadableScriptError
from cachekey.record import replace
from cachekey.syntax.shell.parse import Command, Lookup, Redirect, Script, parse_script
from cachekey.text import Mapped, Span

_MAX_SCRIPTS = 6
"""Levels of ``sh -c '...'`` within each other that are read."""
_MAX_LAYERS = 24
"""Wrappers in front of one command that are taken off."""
_HANDS_ON = frozenset(('"$@"', "$@", "$*", '"$*"'))


class Reader:
    """Collects the invocations of a RUN, as far as its budget lasts."""

    def __init__(
        self,
        heredocs: tuple[tuple[Span, Mapped], ...],
        budget: Budget,
        command_steps: int,
        files: Followed,
    ) -> None:
        self.budget, self.command_steps = budget, command_steps
        self.files = files
        self.functions = Functions()
        self.heredocs = {marker.start: body for marker, body in heredocs}
        self.items: list[Invocation] = []
        self.complete = True
        self.foreign: list[Mapped] = []
        self.depth = 0
        self.seen: set[Span] = set()

    def script(
        self, script: Script, state: ShellState, frame: Frame, chain: Chain, base: Lookup | None
    ) -> Walk:
        """Read a script that begins in ``state``; ``chain`` is where it stands itself.

        ``base`` is given for a script that is one command without a shell: what the command's own
        script, if it has one, may look up. Returns what it leaves behind in its shell.
        """
        if not script.complete:
            self.complete = False
        walk = Walk(state, script.functions)
        self.functions.define(script.functions)
        before = state
        for command in script.commands:
            walk.enter(command.block, command)
            if command.assignments or walk.state is not before:
                # What it sets is written down beside all that was set before.
                self.budget.spend(walk.state.size)
            before = walk.state
            place = ((script, command), *chain)
            if command.words:
                self._command(walk, command, frame, place, base)
                if may_leave(command):
                    frame = replace(frame, past=command)
            elif command.assignments:
                changed = assign(walk.state, command.assignments)
                self._pay(changed.setting(one.name) for one in command.assignments)
                walk.change(command, changed)
        walk.finish()
        return walk

    def _pay(self, settings: Iterable[Setting | None]) -> None:
        """Spend what new values cost."""
        self.budget.spend(sum(len(one.text) for one in settings if one and one.text))

    # -- one command ------------------------------------------------------------------------

    def _command(
        self,
        walk: Walk,
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
        words = split_lists(words) if frame.lists else words
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
        self.functions.name(call.texts, place)
        if command.function:
            self.functions.enter(command.function, command, name in ENDS)
        if name is not None and name in walk.functions:
            if not frame.conditional and frame.past is None:
                self.functions.call(name, place)
            walk.call_function(command, name)
            if name not in walk.passing or len(call.words) < 2:
                return
            call.at = 1
        elif name is not None and name in BUILTINS and base is None:
            self._builtin(name, call, walk, command, place)
            return
        elif command.function and first.written in _HANDS_ON:
            # What it runs is told by the calls of the function.
            walk.passing.add(command.function)
            return
        self._document(call, command)
        self._peel(call, command, place, base)

    def _builtin(self, name: str, call: Call, walk: Walk, command: Command, place: Chain) -> None:
        """Take in what a builtin of the shell changes, or the script that it reads."""
        state = walk.state
        texts = [word.resolve(state.value) for word in command.words[1:]]
        effect = BUILTINS[name](state, command, texts)
        if effect.opaque and name in SOURCES and self._source(call, walk, command, place):
            return
        walk.change(command, effect.state)
        self.complete = self.complete and effect.complete
        shown = name in SOURCES and not effect.opaque
        self._emit(call, command, place, opaque=effect.opaque, shown=shown)

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
                    unread = isinstance(error, UnreadableScriptError)
                    if unread and not any(is_download(word.written) for word in before.words):
                        self.complete = False
                    self._emit(before, command, place, opaque=True)
                    return
                if call.nested is not None:
                    self._nested(call, place, base, lists=makes_lists(name))
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
                self.foreign.append(call.document)
        if name in SAME_AS:
            call.program = SAME_AS[name]
            call.change(via=name)
            return True
        if call.head_start is None and self._file(call, call.at, place, base):
            return False
        if self._manifest(call, name, command, place, base):
            return False
        found = find_program(call, name)
        self._emit(call, command, place, shown=found is not None)
        if found is None:
            return False
        index, via = found
        text = call.text(index)
        call.head_start = call.at if name == "corepack" else None
        call.at = index
        call.program = None if text is None else program_name(name, text)
        call.change(via=via)
        return True

    def _nested(
        self, call: Call, place: Chain, base: Lookup | None, *, lists: bool = False
    ) -> None:
        """Read the script that a shell is given; ``lists``: one that knows lists in braces."""
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
            lists=lists,
        )
        self.budget.spend(NESTED_STEPS * len(nested.text))
        self.depth += 1
        self.script(parse_script(nested.text), state, frame, place, None)
        self.depth -= 1

    def _file(self, call: Call, index: int, place: Chain, base: Lookup | None) -> bool:
        """Read the script of the build context that the word at ``index`` names; False: there is none."""
        name = call.text(index)
        if not name:
            return False
        bare = "/" not in name and index == call.at
        shipped = self.files.shipped(name) if bare else None
        if bare and shipped is None and not is_opaque(name, name, ()):
            return False
        paths = [shipped] if shipped else places(call.cwd, name, index == call.at)
        found = self.files.first(paths, call.words[index].raw)
        if found is None:
            return False
        path, text = found
        text = handed(placed(text, path, path), call.texts[index + 1 :])
        call.nested = NestedScript(text, False)
        with self.files.inside(path, started=True):
            self._nested(call, place, base, lists=makes_lists(interpreter(text.text)))
        return True

    def _source(self, call: Call, walk: Walk, command: Command, place: Chain) -> bool:
        """Read a script into the shell that sources it; False: there is none that could be read."""
        name = call.text(1)
        if not name or self.depth >= _MAX_SCRIPTS:
            return False
        found = self.files.first(places(call.cwd, name, False), call.words[1].raw)
        if found is None:
            return False
        path, text = found
        self._emit(call, command, place, opaque=False, shown=True)
        frame = replace(
            call.frame,
            conditional=call.frame.conditional or command.conditional,
            in_pipeline=call.frame.in_pipeline or command.in_pipeline,
        )
        self.budget.spend(NESTED_STEPS * len(text))
        self.depth += 1
        with self.files.inside(path):
            text = placed(text, path, self.files.started)
            inner = self.script(parse_script(text), walk.state, frame, place, None)
        self.depth -= 1
        walk.take_in(inner, command)
        return True

    def _manifest(
        self, call: Call, name: str, command: Command, place: Chain, base: Lookup | None
    ) -> bool:
        """Read the script that a file of the project names; False: none is asked for, or to be read."""
        asked = asked_for(call, name) or goals_of(call, name)
        folder = joined(call.cwd, asked.folder or ".") if asked is not None else None
        if asked is None or folder is None:
            return False
        word = call.words[call.at].raw
        found = self.files.first([posixpath.join(folder, file) for file in asked.files], word)
        made = [posixpath.join(folder, file) for file in asked.generators]
        if found is None or self.files.has(made, word):
            return False
        path, text = found
        if asked.is_stale(path, self.items):
            return False
        self.budget.spend(len(text))
        script, told = f"{path}#{asked.name}", asked.read(call, folder, text, call.handed_on(base))
        if told is None:
            return False
        opened = self.files.is_open(script)
        shown = told.whole and not opened
        self._emit(call, command, place, opaque=not shown, shown=shown)
        call.cwd, outer = folder, call.frame
        call.env = {**call.env, **told.env}
        with self.files.inside(script):
            for line in () if opened else told.lines:
                call.frame = replace(
                    outer,
                    conditional=outer.conditional or not line.surely,
                    args_known=outer.args_known and not (line.last and asked.more),
                )
                call.nested = NestedScript(line.text, False)
                self._nested(call, place, base, lists=line.lists)
        return True

    # -- results ----------------------------------------------------------------------------

    def _emit(
        self,
        call: Call,
        command: Command,
        place: Chain,
        opaque: bool | None = None,
        shown: bool = False,
    ) -> None:
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
                shown=shown,
                chain=place,
            )
        )


def _asks(call: Call) -> bool:
    return call.text(call.at + 1) in ("--version", "--help")
