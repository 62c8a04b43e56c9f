"""Every cache mount and its key as a table for people; the JSON form is the model's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cachekey.report.text import Style, clean


def render(document: Mapping[str, Any], style: Style) -> Iterator[str]:
    """Yield the text of a ``keys`` document: each cache with its mounts, then what is refused."""
    mounts: Sequence[Mapping[str, Any]] = document["mounts"]
    rows = [_row(mount) for mount in mounts]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
    for cache in document["caches"]:
        members = cache["mounts"]
        count = f"{len(members)} mount{'' if len(members) == 1 else 's'}"
        notes = sorted({note for number in members for note in _notes(mounts[number])})
        tail = f", {', '.join(notes)}" if notes else ""
        yield f"{style(clean(cache['key']), '1')}  {style(f'({count}{tail})', '2')}\n"
        for number in members:
            yield f"  {_line(rows[number], widths)}\n"
    refused = [number for number, mount in enumerate(mounts) if mount["error"]]
    if refused:
        yield f"{style('refused by the builder', '1;31')}\n"
    for number in refused:
        yield f"  {rows[number][0]}: {clean(mounts[number]['error'])}\n"
    if not mounts:
        yield "No cache mounts.\n"


def _row(mount: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    start = mount["range"]["start"]
    where = f"{clean(mount['path'])}:{start['line'] + 1}:{start['character'] + 1}"
    user = clean(str(mount["user"] if mount["user"] is not None else "?"))
    target = clean(str(mount["target"] or ""))
    stage = clean(str(mount["stage"] or ""))
    return where, stage, target, user, ", ".join(mount["tools"])


def _notes(mount: Mapping[str, Any]) -> Iterator[str]:
    if mount["sharing"] and mount["sharing"] != "shared":
        yield str(mount["sharing"])
    for name in mount["unresolved"]:
        yield f"depends on {clean(name)}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()
