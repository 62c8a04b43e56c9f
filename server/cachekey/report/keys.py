"""Every cache mount and its key as a table for people; the JSON form is the model's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cachekey.markup.terminal import (
    Output,
    Style,
    Terminal,
    joined,
    line,
    output,
    padded,
    terminal,
    trimmed,
)

_MOST_BUILDS = 5
"""Of one mount, in a table for people."""


def render(document: Mapping[str, Any], style: Style) -> Output:
    """Return the text of a ``keys`` document: each cache with its mounts, then what is refused."""
    return output(_lines(document, style))


def _lines(document: Mapping[str, Any], style: Style) -> Iterator[Terminal]:
    mounts: Sequence[Mapping[str, Any]] = document["mounts"]
    rows = [_row(mount) for mount in mounts]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
    for cache in document["caches"]:
        members = cache["mounts"]
        count = f"{len(members)} mount{'' if len(members) == 1 else 's'}"
        notes = sorted({note for number in members for note in _notes(mounts[number])})
        tail = f", {', '.join(notes)}" if notes else ""
        about = style(terminal(f"({count}{tail})"), "2")
        yield line("{}  {}", style(terminal(cache["key"]), "1"), about)
        for number in members:
            yield line("  {}", _cells(rows[number], widths))
            yield from _builds(mounts[number], cache["key"], style)
    refused = [number for number, mount in enumerate(mounts) if mount["error"]]
    if refused:
        yield style(terminal("refused by the builder"), "1;31")
    for number in refused:
        yield line("  {}: {}", rows[number][0], terminal(mounts[number]["error"]))
    if not mounts:
        yield terminal("No cache mounts.")


def _builds(mount: Mapping[str, Any], key: str, style: Style) -> Iterator[Terminal]:
    """Tell of the builds in which a mount has another key."""
    others = [build for build in mount["builds"] if build["key"] != key]
    for build in others[:_MOST_BUILDS]:
        said = [f"{name}={'?' if text is None else text}" for name, text in build["args"].items()]
        why = ", ".join([*said, *build["platforms"]])
        who = f"{build['path']} {build['name']}".strip()
        tail = f" ({why})" if why else ""
        yield line("    {}  {}", terminal(f"{who}{tail}:"), style(terminal(build["key"]), "1"))
    if len(others) > _MOST_BUILDS:
        yield line("    {}", terminal(f"and {len(others) - _MOST_BUILDS} more builds"))


def _row(mount: Mapping[str, Any]) -> tuple[Terminal, ...]:
    start = mount["range"]["start"]
    cells = (
        f"{mount['path']}:{start['line'] + 1}:{start['character'] + 1}",
        str(mount["stage"] or ""),
        str(mount["target"] or ""),
        str(mount["user"] if mount["user"] is not None else "?"),
        ", ".join(mount["tools"]),
    )
    return tuple(map(terminal, cells))


def _notes(mount: Mapping[str, Any]) -> Iterator[str]:
    if mount["sharing"] and mount["sharing"] != "shared":
        yield str(mount["sharing"])
    for name in mount["unresolved"]:
        yield f"depends on {name}"


def _cells(row: Sequence[Terminal], widths: Sequence[int]) -> Terminal:
    cells = [padded(cell, width) for cell, width in zip(row, widths, strict=False)]
    return trimmed(joined("  ", [*cells, row[-1]]))
