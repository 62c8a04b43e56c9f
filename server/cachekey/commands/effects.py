"""What a simple command does to files: which paths it reads, writes, removes, opens, copies, links.

The facts are in ``knowledge/programs.toml``; here is the grammar of options and operands. A program
that the file does not know has unknown effects, and so has a word whose value is not known.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from cachekey.commands.effect import Effect, Line, Value, absolute, line_of
from cachekey.commands.grammars import GRAMMARS
from cachekey.commands.invocation import Invocation
from cachekey.knowledge.programs import Kind, Program, programs
from cachekey.record import remembered
from cachekey.syntax.shell.parse import Redirect

_NOWHERE = ("/dev/", "/proc/")


def is_query(item: Invocation) -> bool:
    """Tell whether it is an inline program whose output the script takes as a value.

    ``X="$(python -c '...')"`` asks something; what else it may do is not what it is written for.
    """
    return item.simple.substitution and item.opaque and item.path == item.program


@remembered
def effects_of(item: Invocation) -> tuple[Effect, ...] | None:
    """Return what a command does to files; None when nobody can know."""
    redirected = tuple(_redirected(item))
    # `/tmp/x/install` is somebody's script, whatever the name.
    script = item.opaque and item.path != item.program
    program = None if script else programs().get(item.program or "")
    if program is None:
        return redirected if is_query(item) else None
    found = program_effects(item, program)
    return None if found is None else (*found, *redirected)


def program_effects(item: Invocation, program: Program) -> tuple[Effect, ...] | None:
    """Return the effects of a program, redirections aside."""
    if program.grammar:
        return GRAMMARS[program.grammar](item, program)
    return tuple(_plain(item, program, line_of(item, program.takes_value)))


def _plain(item: Invocation, program: Program, line: Line) -> Iterator[Effect]:
    place = _place(line, program)
    yield from _named(item, program, line, place)
    skip = 0 if line.has(program.replaces_skip) else program.skip
    operands = list(line.operands[skip:])
    does = next((mode.operands for mode in program.modes if line.has(mode.options)), None)
    kind = program.operands if does is None else does
    if not kind:
        return
    deep = program.deep or line.has(program.deep_with)
    if not item.args_known:
        # `xargs` appends words; they are operands nobody knows.
        yield Effect(kind, None, None, item.args[-1] if item.args else None, deep)
    if kind in ("copies", "moves", "links"):
        yield from _carried(item, program, line, kind, deep)
        return
    for value in operands:
        for text in _each(item, value, kind):
            path = absolute(item, text, place)
            begins = "" if path is not None else value.word.beginning(item.state.value)
            yield Effect(kind, path, None, value.word, deep, needed=program.needs, begins=begins)


def _each(item: Invocation, value: Value, kind: str) -> tuple[str | None, ...]:
    """Return what an operand says, in a loop once for each word of it.

    Only for what is made and opened: whoever takes a command out asks what it does as a whole.
    """
    if value.text is not None or kind not in ("makes", "opens"):
        return (value.text,)
    return item.state.choices(value.word) or (None,)


def _place(line: Line, program: Program) -> str | None:
    for name in program.at:
        for value in line.values.get(name, ()):
            return value.text
    return None


def _named(item: Invocation, program: Program, line: Line, place: str | None) -> Iterator[Effect]:
    """Yield what options name: files to read, to write, and the directory it works in."""
    does: dict[Kind, tuple[str, ...]] = {"reads": program.reads, "writes": program.writes}
    for kind, names in does.items():
        for name in names:
            for value in line.values.get(name, ()):
                if value.text != "-":
                    path = absolute(item, value.text, place)
                    yield Effect(kind, path, None, value.word)
    here = line.has(program.here_with)
    if program.here_without and line.operands and not line.has(program.here_without):
        here = True
    if here:
        yield Effect("writes", absolute(item, "*"))


def _carried(
    item: Invocation, program: Program, line: Line, kind: Kind, deep: bool
) -> Iterator[Effect]:
    """Yield what is copied, moved or linked, each with where to."""
    operands = list(line.operands)
    into = next((v for name in program.into for v in line.values.get(name, ())), None)
    if into is None:
        if len(operands) < 2:
            if kind == "links" and operands:
                target = operands[0].text
                name = None if target is None else posixpath.basename(target)
                yield Effect(kind, target, absolute(item, name), operands[0].word)
            return
        into = operands.pop()
    to = absolute(item, into.text)
    for value in operands:
        path = value.text
        if kind != "links":
            path = absolute(item, path)
        elif path is not None and not path.startswith("/") and to is not None:
            # A link's text is read from where the link lies.
            path = posixpath.normpath(posixpath.join(posixpath.dirname(to), path))
        yield Effect(kind, path, to, value.word, deep)


def _redirected(item: Invocation) -> Iterator[Effect]:
    for redirect in item.simple.redirects:
        kind = _direction(redirect)
        if kind is None:
            continue
        text = redirect.target.resolve(item.state.value, globs=True)
        if text is None or not text.startswith(_NOWHERE):
            yield Effect(kind, absolute(item, text), None, redirect.target)


def _direction(redirect: Redirect) -> Kind | None:
    operator = redirect.operator
    if operator.startswith("<<") or operator == "<&":
        return None
    if operator == ">&" and (redirect.target.text or "").strip("-").isdigit():
        return None
    return "reads" if operator == "<" else "writes"
