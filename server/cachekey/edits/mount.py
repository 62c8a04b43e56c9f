"""Edits of a Dockerfile that touch the smallest token: one option of a mount, one line, one command.

Rules put their fixes together from these. Every edit keeps the user's quoting, order, comments,
continuations and line ends.
"""

from __future__ import annotations

import re

from cachekey.buildkit.mounts import CANONICAL, Mount
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.syntax.dockerfile.namevalue import env_pairs
from cachekey.text import Edit, Span

_LONG_LINE = 100
"""Characters of a line that a fix does not make longer by one more flag."""
_NEEDS_QUOTES = re.compile(r"""[\s,"'\\`\x00-\x1f\x7f]""")


def is_plain(value: str) -> bool:
    """Tell whether a value can be written into any mount as it is, without quotes or escapes.

    BuildKit's flag splitter takes bytes for characters: beyond ASCII a flag says something else than
    an ENV or a command with the same text.
    """
    return value.isascii() and bool(value) and not _NEEDS_QUOTES.search(value)


def is_mountable(path: str) -> bool:
    """Tell whether a path can be written into a mount as its target: plain, and not the root."""
    return is_plain(path) and path.strip("/") != ""


def set_option(mount: Mount, name: str, value: str) -> Edit:
    """Give an option a value: in its place, or behind ``type`` (id) or at the end (all others)."""
    option = mount.options.get(name)
    if option is not None and option.field.value is not None:
        return Edit(option.field.value.span(), value)
    if option is not None:
        return Edit(option.field.span, f"{name}={value}")
    first = mount.options.get("type")
    last = mount.fields[-1]
    # A byte of a character may be a blank for BuildKit, which ends the flag within that character.
    cut = last.value is not None and not last.value.text.isascii()
    anchor = first.field if first is not None and (name == "id" or cut) else last
    return Edit(Span(anchor.span.end, anchor.span.end), f",{name}={value}")


def set_options(mount: Mount, **values: object) -> list[Edit]:
    """Give several options values; new ones are added together, in the order given."""
    edits: list[Edit] = []
    added: dict[Span, str] = {}
    for name, value in values.items():
        edit = set_option(mount, name, str(value))
        if edit.span.start == edit.span.end and edit.text.startswith(","):
            added[edit.span] = added.get(edit.span, "") + edit.text
        else:
            edits.append(edit)
    return edits + [Edit(span, text) for span, text in added.items()]


def remove_options(mount: Mount, *names: str) -> list[Edit]:
    """Remove options with the comma that belongs to each, in all spellings and repetitions."""
    doomed = [
        index
        for index, field in enumerate(mount.fields)
        if CANONICAL.get(field.key, field.key) in names
    ]
    edits: list[Edit] = []
    for index in doomed:
        span = mount.fields[index].span
        following = index + 1 < len(mount.fields)
        if following and all(i in doomed for i in range(index)):
            edits.append(Edit(Span(span.start, mount.fields[index + 1].span.start), ""))
        elif index and len(doomed) < len(mount.fields):
            edits.append(Edit(Span(mount.fields[index - 1].span.end, span.end), ""))
        else:
            edits.append(Edit(span, ""))
    return edits


def remove_mount(dockerfile: Dockerfile, mount: Mount) -> Edit:
    """Remove a whole ``--mount`` flag with the blanks or the continuation behind it.

    A comment in the next line needs its continuation, unless the flag has a line of its own.
    """
    source, text = dockerfile.source, dockerfile.source.text
    escape = re.escape(dockerfile.tree.escape)
    start = source.line_starts[source.line_of(mount.span.start)]
    rest = re.compile(rf"[ \t]*{escape}[ \t]*\r?\n").match(text, mount.span.end)
    if rest is not None and not text[start : mount.span.start].strip():
        return Edit(Span(start, rest.end()), "")
    gap = re.compile(rf"[ \t]*(?:{escape}[ \t]*\r?\n(?![ \t]*#)[ \t]*)?").match(
        text, mount.span.end
    )
    return Edit(Span(mount.span.start, gap.end() if gap else mount.span.end), "")


def add_mount(dockerfile: Dockerfile, run: Run, *flags: str) -> Edit:
    """Add whole ``--mount`` flags in front of the command, behind the flags that are there."""
    instruction = run.instruction
    end = instruction.flags[-1].span.end if instruction.flags else instruction.keyword_span.end
    return add_flags(dockerfile, end, *flags)


def add_flags(dockerfile: Dockerfile, end: int, *flags: str) -> Edit:
    """Add flags of a RUN behind its keyword or a flag of it, which ends at ``end``.

    Each stands on a line of its own where the RUN has several lines, or the line would be too long.
    """
    source, escape = dockerfile.source, dockerfile.tree.escape
    number = source.line_of(end)
    line, bounds = source.line_text(number), source.line_span(number)
    behind = source.text[end : bounds.end].rstrip()
    continued, continues = line.rstrip().endswith(escape), _goes_on(dockerfile, number)
    if not (continued or continues) and len(line) + sum(map(len, flags)) <= _LONG_LINE:
        return Edit(Span(end, end), "".join(f" {flag}" for flag in flags))
    indent = _indent(source.line_text(number + 1) if continued else "") or (
        _indent(line) if continues else f"{_indent(line)}    "
    )
    gap = f" {escape}{source.newline}{indent}"
    first = " " if source.text[bounds.start : end].strip().isalpha() and not continues else gap
    text = first + gap.join(flags)
    if behind.strip() == escape or behind.lstrip().startswith("<<"):
        return Edit(Span(end, end), text)
    command = end + len(behind) - len(behind.lstrip())
    return Edit(Span(end, command), text + gap)


def _goes_on(dockerfile: Dockerfile, number: int) -> bool:
    """Tell whether a line goes on with what the line in front of it began."""
    above = dockerfile.source.line_text(number - 1).rstrip() if number else ""
    return above.endswith(dockerfile.tree.escape)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def insert_line_before(dockerfile: Dockerfile, offset: int, line: str) -> Edit:
    """Insert a line in front of the instruction at ``offset`` and of the comments that belong to it.

    Where the comments begin a paragraph, the line is one of its own; parser directives stay at the top.
    """
    source = dockerfile.source
    own = number = source.line_of(offset)
    told = [source.line_of(item.span.start) + 1 for item in dockerfile.tree.directives]
    top = max(told, default=0)
    while number > top and source.line_text(number - 1).lstrip().startswith("#"):
        number -= 1
    start = source.line_starts[number]
    apart = number < own and number > 0 and not source.line_text(number - 1).strip()
    return Edit(Span(start, start), line + source.newline * (2 if apart else 1))


# What may stand behind the last command of a script that can still be continued by `&&`.
_CLOSERS = re.compile(r"(?:\s|;|\}|\)|\bfi\b|\bdone\b|\besac\b)*\Z")


def append_command(dockerfile: Dockerfile, run: Run, command: str) -> Edit | None:
    """Let a RUN run ``command`` last, if all before it went well; None where that cannot be written.

    That is so for the exec form, behind a background command, and where the end of the script
    cannot be read.
    """
    instruction = run.instruction
    if instruction.json is not None or not run.commands.complete or not run.commands.items:
        return None
    if instruction.heredocs:
        return _append_line(dockerfile, run, command)
    source = dockerfile.source
    text = instruction.args.text.rstrip()
    if not text or text.endswith(("&", "|")):
        return None
    end = instruction.args.offset(len(text) - 1) + 1
    last = max(item.command.span.end for item in run.commands.items)
    between = source.text[last:end].replace(dockerfile.tree.escape, " ")
    if not _CLOSERS.match(between):
        return None
    joiner = "" if text.endswith(";") else "&& "
    if source.line_of(instruction.span.start) == source.line_of(end):
        return Edit(Span(end, end), f" {joiner}{command}")
    line = source.line_text(source.line_of(end))
    indent = line[: len(line) - len(line.lstrip())] or "    "
    escape = dockerfile.tree.escape
    return Edit(Span(end, end), f" {escape}{source.newline}{indent}{joiner}{command}")


def _append_line(dockerfile: Dockerfile, run: Run, command: str) -> Edit | None:
    heredoc = run.instruction.heredocs[-1]
    if len(run.instruction.heredocs) != 1 or heredoc.end is None:
        return None
    source = dockerfile.source
    number = source.line_of(heredoc.end.start)
    line = source.line_text(number - 1)
    indent = line[: len(line) - len(line.lstrip())] if heredoc.body.text.strip() else ""
    start = source.line_starts[number]
    return Edit(Span(start, start), f"{indent}{command}{source.newline}")


def remove_env(dockerfile: Dockerfile, name: Span) -> Edit | None:
    """Remove the variable whose name stands at ``name`` from its ENV, and the whole ENV if it is alone.

    None for the old form ``ENV NAME value`` in which nothing else can stand, when the line holds more.
    """
    source = dockerfile.source
    found = next((x for x in dockerfile.tree.instructions if x.span.covers(name)), None)
    if found is None or found.keyword != "ENV":
        return None
    pairs = env_pairs(found.args, dockerfile.tree.escape)
    spans = [
        Span(key.span().start, value.end if value.text else key.end + 1) for key, value in pairs
    ]
    index = next((i for i, span in enumerate(spans) if span.covers(name)), None)
    if index is None:
        return None
    if len(spans) == 1:
        start = source.line_starts[found.first_line]
        last = found.last_line + 1
        end = source.line_starts[last] if last < len(source.line_starts) else len(source.text)
        return Edit(Span(start, end), "")
    if index + 1 < len(spans):
        return Edit(Span(spans[index].start, spans[index + 1].start), "")
    return Edit(Span(spans[index - 1].end, spans[index].end), "")
