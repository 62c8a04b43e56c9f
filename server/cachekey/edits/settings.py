"""The edit of *Turn this rule off*: one more code in the ``ignore`` list of a settings file."""

from __future__ import annotations

from collections.abc import Sequence

from cachekey.syntax.toml import Entry, entries
from cachekey.text import Edit, Source, Span

NEW_FILE = "cachekey.toml"
"""What to create in the workspace's root when there is no settings file yet."""


def turn_off(source: Source, code: str, *, table: Sequence[str] = ()) -> Edit | None:
    """Return the edit that adds ``code`` to ``ignore`` in the text of a settings file.

    ``table`` names the table that holds the settings, as for :func:`cachekey.workspace.settings.from_toml`.
    An empty text gives a new file's content. ``None`` when the file is written in a way that no
    small edit extends, such as settings in an inline table.
    """
    listed = entries(source)
    prefix = tuple(table)
    path = (*prefix, "ignore")
    for entry in listed:
        if entry.path == path:
            return _extend(source, entry, listed, code)
    line = f'ignore = ["{code}"]{source.newline}'
    if not prefix:
        return _first(source, listed, line)
    for entry in listed:
        if entry.path == prefix and entry.header:
            return _after(source, entry.value, line)
    if any(entry.path == prefix for entry in listed):
        return None
    inner = next((entry for entry in listed if entry.path[: len(prefix)] == prefix), None)
    if inner is not None and not inner.header:
        # Written with dotted keys: where such a key may be added depends on its own table.
        return None
    end = len(source.text)
    gap = "" if not source.text.strip() else source.newline
    if source.text and not source.text.endswith(("\n", "\r")):
        gap += source.newline
    return Edit(Span(end, end), f"{gap}[{'.'.join(prefix)}]{source.newline}{line}")


def _extend(source: Source, entry: Entry, listed: Sequence[Entry], code: str) -> Edit | None:
    text = source.slice(entry.value)
    if not (text.startswith("[") and text.endswith("]")):
        return None
    items = [item.value for item in listed if item.path[:-1] == entry.path]
    if not items:
        return Edit(Span(entry.value.start + 1, entry.value.start + 1), f'"{code}"')
    last = items[-1]
    line = source.line_of(last.start)
    start = source.line_starts[line]
    indent = source.text[start : last.start]
    # One item a line stays one item a line.
    gap = " " if indent.strip() else source.newline + indent
    return Edit(Span(last.end, last.end), f',{gap}"{code}"')


def _after(source: Source, header: Span, line: str) -> Edit:
    number = source.line_of(header.end)
    if number + 1 < len(source.line_starts):
        at = source.line_starts[number + 1]
        return Edit(Span(at, at), line)
    end = len(source.text)
    return Edit(Span(end, end), source.newline + line)


def _first(source: Source, listed: Sequence[Entry], line: str) -> Edit:
    """Put a key of the file itself in front of its first key or table."""
    if not listed:
        end = len(source.text)
        bare = source.text and not source.text.endswith(("\n", "\r", "\ufeff"))
        return Edit(Span(end, end), (source.newline if bare else "") + line)
    first = min(listed, key=lambda entry: entry.key.start)
    at = source.line_starts[source.line_of(first.key.start)]
    at += source.text[at : at + 1] == "\ufeff"
    return Edit(Span(at, at), line + (source.newline if first.header else ""))
