"""What each cache mount was proven to do, as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cachekey.markup.terminal import Output, Style, Terminal, line, output, terminal
from cachekey.report.builder import size

_COLOURS = {"works": "32", "unclear": "2"}


def render(document: Mapping[str, Any], style: Style) -> Output:
    """Return the text of a ``prove`` document."""
    return output(_lines(document, style))


def _lines(document: Mapping[str, Any], style: Style) -> Iterator[Terminal]:
    builder, warm = document["builder"], document["runs"] - 1
    yield terminal(
        f"One cold build and {warm} warm at {builder['name']}; seconds are those of the RUN."
    )
    for mount in document["mounts"]:
        yield terminal("")
        place = terminal(f"{mount['path']}:{mount['line'] + 1}")
        yield line("{}  {}", style(terminal(mount["key"]), "1"), place)
        verdict = terminal(mount["verdict"].replace("-", " "))
        colour = _COLOURS.get(mount["verdict"], "33")
        why = f" ({mount['finding']})" if mount["finding"] else ""
        yield line("  {}: {}", style(verdict, colour), terminal(mount["words"] + why))
        yield terminal(f"  {_figures(mount)}")
        if mount["contradicts"]:
            text = (
                f"Cachekey says {mount['contradicts']} of this mount, and the builder shows "
                "otherwise: please report it as a defect of Cachekey."
            )
            yield style(terminal(f"  {text}"), "1;31")


def _figures(mount: Mapping[str, Any]) -> str:
    stored = f"{size(mount['bytes'])} stored"
    if mount["coldSeconds"] is None or mount["warmSeconds"] is None:
        return stored
    return f"{mount['coldSeconds']:.2f} s cold, {mount['warmSeconds']:.2f} s warm, {stored}"
