"""What the lines of a Makefile are, what its variables come to, and a recipe's line as the shell gets it.

Source: the manual of GNU Make (*Rule Syntax*, *Recipe Syntax*, *Using Variables*, *Conditionals*).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from cachekey.text import Mapped, Source, Span

Lookup = Callable[[str], "str | None"]
Kind = Literal["assign", "rule", "recipe", "include", "define", "export", "branch", "other"]

UNKNOWN = "${__make__}"
"""What stands in a recipe's line for what Make computes: a variable that no shell knows."""
_LONGEST = 100_000
"""Characters that values may add to one line."""
_LONGEST_VALUE = 1000
_DEEPEST = 8

_ASSIGN = re.compile(
    r"(?P<head>[ \t]*(?:export[ \t]+|override[ \t]+)*)(?P<name>[\w.-]+)[ \t]*"
    r"(?P<op>::?:?=|\?=|\+=|=|!=)[ \t]*"
)
_RULE = re.compile(r"(?P<name>[^\s#:=][^:#=]*)::?(?!=)")
_INCLUDE = re.compile(r"[ \t]*(?:-|s)?include[ \t]+(?P<files>[^\n#]+)")
_WORD = re.compile(
    r"[ \t]*(override[ \t]+define|define|endef|ifn?eq|ifn?def|else|endif|(?:un)?export)\b"
)
_SAYS = re.compile(r"[ \t]*\$[({](?:info|warning)[ \t][^\n]*[)}][ \t]*\Z")
_RUNS_ALL = re.compile(r"[ \t]*\$[({](?:eval|foreach|call|if|or|and|file|guile|load)\b")
_NAME = re.compile(r"[\w.-]+|[@*<%^?+|][DF]?")
_QUIET = re.compile(r"[@+\-]*")
_PLACE = re.compile(r"PATH|HOME|CACHE|DIR|ROOT|PREFIX")
BUILT_IN: Mapping[str, str] = {"AR": "ar", "CC": "cc", "CXX": "g++", "LD": "ld", "RM": "rm -f"}
"""Variables that Make itself sets (*Implicit Variables*): no ``?=`` changes them."""


class Reference(NamedTuple):
    """A ``$`` of a Makefile with what belongs to it."""

    start: int
    stop: int
    name: str | None
    """``$`` for ``$$``; None: a function, or what is computed otherwise."""


class Statement(NamedTuple):
    """A line of a Makefile, with those that a backslash continues."""

    kind: Kind
    span: Span
    text: str
    match: re.Match[str] | None
    """Of an assignment ``head name op``, of a rule its ``name``, of an include its ``files``."""
    guarded: bool
    """A conditional decides whether it counts."""


def references(text: str) -> Iterator[Reference]:
    """Yield the references to variables and the calls of functions, none within another."""
    at = text.find("$")
    while 0 <= at < len(text) - 1:
        opening, stop = text[at + 1], at + 2
        name: str | None = opening
        if opening in "({":
            stop = _closing(text, at + 1)
            inside = text[at + 2 : stop - 1]
            inside = "CURDIR" if inside == "shell pwd" else inside
            name = inside if text[stop - 1] in ")}" and _NAME.fullmatch(inside) else None
        yield Reference(at, stop, name)
        at = text.find("$", stop)


def _closing(text: str, at: int) -> int:
    """Return the index behind the bracket that closes the one at ``at``; the end without one."""
    depth = 0
    for match in re.compile(r"[()]" if text[at] == "(" else r"[{}]").finditer(text, at):
        depth += 1 if match.group() in "({" else -1
        if depth == 0:
            return match.end()
    return len(text)


def logical(source: Source) -> list[Span]:
    """Return the lines of a Makefile, those that a backslash continues as one."""
    found: list[Span] = []
    text = source.text
    at = 0
    for match in re.finditer(r"(?:[^\n\\]|\\\r?\n|\\)*(?:\n|\Z)", text):
        if match.start() != at or match.end() == at:
            break
        end = match.end() - (1 if text[match.end() - 1 : match.end()] == "\n" else 0)
        found.append(Span(at, end))
        at = match.end()
    return found


def statements(source: Source, lines: Sequence[Span]) -> Iterator[Statement]:
    """Yield what the lines say, without comments, empty lines and the bodies of ``define``."""
    defining, guards = 0, 0
    # A tab begins a line of a recipe only where a rule has begun and nothing has ended it.
    ruled = False
    for span in lines:
        text = source.slice(span)
        if "\r" in text:
            # Make takes line ends of Windows, too.
            span = Span(span.start, span.end - text.endswith("\r"))
            text = text.removesuffix("\r").replace("\r\n", "\n")
        word = None if ruled and text.startswith("\t") else _WORD.match(text)
        first = word.group(1) if word is not None else ""
        if first.endswith("define"):
            defining += 1
            if defining == 1:
                yield Statement("define", span, text, None, guards > 0)
            ruled = False
        elif defining:
            defining -= first == "endef"
        elif ruled and text.startswith("\t"):
            yield Statement("recipe", span, text, None, guards > 0)
        elif first.startswith("if") or first == "endif":
            guards = max(0, guards + (1 if first != "endif" else -1))
            yield Statement("branch", span, text, None, True)
        elif first == "else":
            yield Statement("branch", span, text, None, True)
        elif text.strip() and not text.lstrip().startswith("#") and not _SAYS.match(text):
            found = _statement(span, text, first, guards > 0)
            ruled = found.kind == "rule"
            yield found


def _statement(span: Span, text: str, first: str, guarded: bool) -> Statement:
    if (match := _ASSIGN.match(text)) is not None:
        return Statement("assign", span, text, match, guarded)
    if first.endswith("export"):
        return Statement("export", span, text, None, guarded)
    if (match := _INCLUDE.match(text)) is not None:
        return Statement("include", span, text, match, guarded)
    match = _RULE.match(text, len(text) - len(text.lstrip(" \t")))
    if match is not None and not _RUNS_ALL.match(text):
        return Statement("rule", span, text, match, guarded)
    return Statement("other", span, text, None, guarded)


def make_lines(source: Source, lines: Sequence[Span]) -> Iterator[re.Match[str] | Mapped]:
    """Yield the head of each rule as a match with its ``name``, and what each line of a recipe runs."""
    for one in statements(source, lines):
        if one.kind == "recipe":
            yield Mapped.plain(source, told(one))
        elif one.kind == "rule" and one.match is not None:
            yield one.match


def told(recipe: Statement) -> Span:
    """Return what a line of a recipe says, without what is meant for Make (``@``, ``-``, ``+``)."""
    skip = len(recipe.text) - len(recipe.text.lstrip("\t @+-"))
    return Span(recipe.span.start + skip, recipe.span.end)


def included(found: Statement) -> list[str]:
    """Return the files that a line includes, as far as it names them itself."""
    files = found.match.group("files") if found.kind == "include" and found.match else ""
    return files.split() if "$" not in files else []


def needs_of(rule: re.Match[str]) -> str:
    """Return what stands behind the colon of a rule, without a recipe and a comment."""
    text = rule.string[rule.end() :]
    return text.partition(";")[0].partition("#")[0].replace("\\\n", " ")


def own_variable(rule: re.Match[str]) -> re.Match[str] | None:
    """Return the variable that a rule sets for its target alone, as an assignment; None: another rule."""
    return _ASSIGN.match(needs_of(rule).lstrip())


def assigned(found: Statement) -> tuple[str, str, str]:
    """Return name, operator and text of an assignment."""
    assert found.match is not None
    text = found.text[found.match.end() :].split(" #")[0].replace("\\\n", " ").strip()
    return found.match.group("name"), found.match.group("op"), text


def make_variables(
    found: Sequence[Statement],
    given: Mapping[str, str | None] | None = None,
    environment: Lookup = lambda _name: None,
    *,
    sure: bool = False,
) -> Lookup:
    """Return a look-up of the variables that are set once, to a text that tells itself.

    ``given`` are those of the command line, which win; those of the ``environment`` stand in for
    defaults. ``sure``: what a conditional decides, or an image may say otherwise, is not known either; of a
    text that only partly tells itself the rest is ``UNKNOWN``.
    """
    written: dict[str, str | None] = {}
    quiet: dict[str, bool] = {}
    for one in found:
        if one.kind != "assign":
            continue
        name, operator, value = assigned(one)
        quiet[name] = quiet.get(name, True) and _QUIET.fullmatch(value) is not None
        if operator == "?=" and (outside := environment(name)) is not None:
            value = outside
        elif operator == "?=" and sure and (name in BUILT_IN or _PLACE.search(name)):
            operator = ""
        known = operator in ("=", ":=", "::=", "?=") and name not in written
        more = written.get(name) if sure and operator == "+=" else None
        if more is not None:
            known, value = True, f"{more} {value}"
        written[name] = value if known and not (sure and one.guarded) else None
    if sure:
        # Whether Make says what it runs decides nothing.
        written.update((name, "") for name, only in quiet.items() if only)
    return _resolver({**written, **(given or {})}, environment, _mostly if sure else expanded)


def _resolver(
    written: Mapping[str, str | None],
    environment: Lookup,
    fill: Callable[[str, Lookup], str | None],
) -> Lookup:
    known: dict[str, str | None] = {}

    def value(name: str, depth: int = 0) -> str | None:
        if name not in written:
            return environment(name)
        if name in known:
            return known[name]
        text = written[name]
        if text is None or depth > _DEEPEST:
            return None
        known[name] = None
        known[name] = fill(text, lambda inner: value(inner, depth + 1))
        return known[name]

    return value


def expanded(text: str, value: Lookup) -> str | None:
    """Return a text with its variables filled in; None when one is not known, or it gets too long."""
    parts: list[str] = []
    at = 0
    for one in references(text):
        found = "$" if one.name == "$" else value(one.name) if one.name else None
        if found is None or len(found) > _LONGEST_VALUE:
            return None
        parts += (text[at : one.start], found)
        at = one.stop
    whole = "".join((*parts, text[at:]))
    return whole if "$" not in text[at:] and len(whole) <= _LONGEST_VALUE else None


def filled(text: str, value: Lookup, unknown: str) -> str:
    """Return a text with its variables filled in, and ``unknown`` where that cannot be told."""
    parts: list[str] = []
    at, left = 0, _LONGEST
    for one in references(text):
        found = "$" if one.name == "$" else value(one.name) if one.name else None
        if found is None or len(found) > left:
            found = unknown
        left -= len(found)
        parts += (text[at : one.start], found)
        at = one.stop
    return "".join((*parts, text[at:]))


def _mostly(text: str, value: Lookup) -> str | None:
    """Return a text with its variables filled in, as far as that can be told; None when it gets too long."""
    whole = filled(text, value, UNKNOWN)
    return whole if len(whole) <= _LONGEST_VALUE else None


def make_text(line: Mapped) -> Mapped:
    """Return a recipe's line as the shell's: Make's variables become those of the shell."""
    parts: list[Mapped] = []
    at = 0
    for one in references(line.text):
        parts.append(line.slice(at, one.start))
        at = one.stop
        if one.name == "$":
            parts.append(line.slice(one.start, one.start + 1))
        else:
            plain = one.name is not None and re.fullmatch(r"\w+", one.name)
            text = f"${{{one.name}}}" if plain else UNKNOWN
            parts.append(line.standing(text, one.start, one.stop))
    return Mapped.join([*parts, line.slice(at)], line.end)
