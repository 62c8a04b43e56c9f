"""What may be written in ``cachekey.toml``, and in the table ``tool.cachekey`` of ``pyproject.toml``.

A file that is being written is no TOML yet, so the line under the caret and the last table header above
it are all that is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cachekey.assist.completion_devcontainer import Proposal
from cachekey.rules import ALL
from cachekey.text import Source, Span
from cachekey.workspace.settings import ENGINES, SEVERITIES, TABLE, SettingDoc, documentation

_HEADER = re.compile(r"^[ \t]*\[([^\[\]\n]+)\][ \t]*(?:#.*)?$", re.MULTILINE)
_KEY = re.compile(r"^[ \t]*([\w-]+)[ \t]*=[ \t]*", re.MULTILINE)
_STRING = re.compile(r""""(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*""")
_WORD = re.compile(r"""(?P<quote>["']?)(?P<word>[\w.-]*)\Z""")
_LONGEST = 60
_BEGINS = {"rules": '["', "severities": "{ ", "strings": '["', "string": '"', "engine": '"'}


def complete_settings(name: str, text: str, offset: int) -> Sequence[Proposal]:
    """Return what may be written at ``offset`` of the settings file called ``name``."""
    source = Source(text)
    before = text[:offset]
    line = before[source.line_starts[source.line_of(offset)] :]
    if any(match.group().startswith("#") for match in _STRING.finditer(line)):
        return ()
    table, start = _table(before)
    if name == "pyproject.toml":
        if table[: len(TABLE)] != TABLE:
            return ()
        table = table[len(TABLE) :]
    return tuple(_proposals(table, before[start:], offset, text[offset : offset + 1]))


def _table(before: str) -> tuple[tuple[str, ...], int]:
    """Return the table that the caret is in, and where it begins."""
    headers = list(_HEADER.finditer(before))
    if not headers:
        return (), 0
    found = headers[-1]
    return tuple(part.strip().strip("\"'") for part in found[1].split(".")), found.end()


def _proposals(table: tuple[str, ...], before: str, offset: int, behind: str) -> Iterator[Proposal]:
    settings = {item.key: item for item in documentation()}
    # A name is short: of a long text only the end is looked at.
    begun = _WORD.search(before, max(0, len(before) - _LONGEST))
    assert begun is not None
    quote, span = begun["quote"], Span(offset - len(begun["word"]), offset)
    close = quote if quote and behind != quote else ""
    key, value = _open_value(before)
    if table == ("severity",):
        yield from _severities(value is not None, quote, close, span)
    elif table:
        return
    elif key is None or value is None:
        if not quote and not before[: begun.start()].rpartition("\n")[2].strip():
            yield from _names(settings.values(), span)
    elif key in settings:
        yield from _values(settings[key].kind, value, quote, close, span)


def _open_value(before: str) -> tuple[str | None, str | None]:
    """Return the key whose value the caret is in, and the value so far; None where it is in none."""
    keys = list(_KEY.finditer(before))
    if not keys:
        return None, None
    found = keys[-1]
    value = before[found.end() :]
    bare = _STRING.sub("", value)
    inside = bare.count("[") > bare.count("]") or bare.count("{") > bare.count("}")
    return (found[1], value) if inside or "\n" not in value else (None, None)


def _values(kind: str, value: str, quote: str, close: str, span: Span) -> Iterator[Proposal]:
    if kind == "rules" and value.startswith("["):
        yield from _rules(quote, close, span)
    elif kind == "severities" and value.startswith("{"):
        entry = re.split(r"[{,]", _STRING.sub('""', value))[-1]
        yield from _severities("=" in entry, quote, close, span)
    elif kind == "engine":
        for word in ENGINES:
            yield _text(word, quote, close, span, "whose rules for keys apply")


def _rules(quote: str, close: str, span: Span) -> Iterator[Proposal]:
    for rule in ALL:
        yield _text(rule.code, quote, close, span, f"{rule.name}: {rule.summary}")


def _severities(is_value: bool, quote: str, close: str, span: Span) -> Iterator[Proposal]:
    if is_value:
        for word, severity in SEVERITIES.items():
            about = "the rule does not run" if severity is None else ""
            if word != "info":
                yield _text(word, quote, close, span, about)
        return
    for rule in ALL:
        written = f"{rule.code}{close}" if quote else f'{rule.code} = "'
        about = f"{rule.name}: {rule.summary}"
        yield Proposal(rule.code, written, span, "option", about, more=not quote)


def _text(word: str, quote: str, close: str, span: Span, about: str) -> Proposal:
    written = f"{word}{close}" if quote else f'"{word}"'
    return Proposal(word, written, span, "value", about)


def _names(settings: Iterable[SettingDoc], span: Span) -> Iterator[Proposal]:
    for item in settings:
        written = f"{item.key} = {_BEGINS.get(item.kind, '')}"
        yield Proposal(item.key, written, span, "option", item.doc, more=True)
