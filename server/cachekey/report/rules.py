"""The rules' documentation for ``cachekey rule`` and reports, taken from the rules themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cachekey.checking.suppress import UNREADABLE, UNUSED
from cachekey.finding import Severity
from cachekey.markup.manual import manual
from cachekey.markup.terminal import (
    Output,
    Style,
    Terminal,
    line,
    output,
    padded,
    terminal,
    together,
)
from cachekey.rules import ALL
from cachekey.rules.rule import Fixable

_UNUSED = """A comment that silences findings silences nothing.

The finding is gone, the rule's name is wrong, or the comment stands where it does not count. Once
idle, it would hide the next real finding.

## Bad
```dockerfile
FROM debian:13
# cachekey: ignore[CK201] the cache belongs to root on purpose
RUN true
```

## Good
```dockerfile
FROM debian:13
RUN true
```

## Fix
Delete the comment, or the idle names of its list. A name of the rules about keys (CK1) may silence
a finding that rests on another file: deleting it counts as unsafe.
"""
_UNREADABLE = """A file cannot be decoded, or cannot be parsed from here on.

It is not UTF-8 (or UTF-16 with a byte order mark), it is binary, the system does not let it be
read, or BuildKit's parser would stop here. What can be read of it is still checked.
"""


@dataclass(frozen=True)
class Entry:
    """One rule as its readers see it."""

    code: str
    name: str
    severity: Severity
    fixable: Fixable
    summary: str
    doc: str


def _own(code: str, name: str, severity: Severity, fixable: Fixable, doc: str) -> Entry:
    return Entry(code, name, severity, fixable, doc.splitlines()[0].rstrip("."), doc)


@lru_cache(maxsize=1)
def catalog() -> tuple[Entry, ...]:
    """Return every rule by code, those included that are no walk over a model."""
    own = (
        _own(UNUSED.code, UNUSED.name, Severity.INFORMATION, Fixable.SOMETIMES, _UNUSED),
        _own(UNREADABLE.code, UNREADABLE.name, Severity.ERROR, Fixable.NEVER, _UNREADABLE),
    )
    entries = {entry.code: entry for entry in own}
    for rule in ALL:
        doc = rule.doc.strip() + "\n"
        entries[rule.code] = Entry(
            rule.code, rule.name, rule.severity, rule.fixable, rule.summary, doc
        )
    return tuple(entries[code] for code in sorted(entries))


def as_data(entry: Entry) -> dict[str, Any]:
    """Return a rule as plain data for JSON."""
    return {
        "code": entry.code,
        "name": entry.name,
        "severity": entry.severity.value,
        "fixable": entry.fixable.value,
        "summary": entry.summary,
        "doc": entry.doc,
    }


def table(style: Style) -> Output:
    """Return the list of all rules, a line each."""
    entries = catalog()
    name = max(len(entry.name) for entry in entries)
    severity = max(len(entry.severity.value) for entry in entries)

    def row(entry: Entry) -> Terminal:
        cells = (
            padded(terminal(entry.name), name),
            padded(terminal(entry.severity.value), severity),
            terminal("   " if entry.fixable is Fixable.NEVER else "fix"),
            terminal(entry.summary),
        )
        return line("{}  {}  {}  {}  {}", style(terminal(entry.code), "1"), *cells)

    return output(map(row, entries))


_FIX = {
    Fixable.ALWAYS: "always fixable",
    Fixable.SOMETIMES: "sometimes fixable",
    Fixable.NEVER: "no fix",
}


def as_markdown(entry: Entry) -> str:
    """Return a rule's documentation as a page for whoever shows Markdown."""
    about = f"*{entry.severity.value}, {_FIX[entry.fixable]}*"
    return f"# {entry.code} {entry.name}\n\n{about}\n\n{entry.doc}"


def page(entry: Entry, style: Style) -> Output:
    """Return a rule's documentation."""
    name = style(terminal(f"{entry.code} {entry.name}"), "1")
    head = line("{} {}", name, terminal(f"({entry.severity.value}, {_FIX[entry.fixable]})"))
    return together(output([head, terminal("")]), manual(f"{entry.doc.rstrip()}\n", style))
