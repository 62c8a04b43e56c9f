"""Builds and what stays of their caches, for people; and the map to paste."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cachekey.edits.dance import dance_steps
from cachekey.markup.terminal import Output, Style, Terminal, line, output, terminal

_SURVIVES = {True: "stays", False: "lost", None: "not known"}
_COLOURS = {True: "32", False: "33", None: "2"}


def render(document: Mapping[str, Any], style: Style) -> Output:
    """Return the text of a ``ci`` document."""
    return output(_lines(document, style))


def render_map(document: Mapping[str, Any]) -> Output:
    """Return the steps that carry what is lost, as YAML to paste in front of the build."""
    return output(_steps(document))


def _lines(document: Mapping[str, Any], style: Style) -> Iterator[Terminal]:
    for build in document["builds"]:
        place = f"{build['path']}:{build['line'] + 1}"
        about = f"({build['runsOn'] or 'a runner that nobody knows'}: {build['runner']})"
        name = style(terminal(f"{place}  {build['name']}"), "1")
        yield line("{}  {}", name, style(terminal(about), "2"))
        if build["note"]:
            yield line("  {}", terminal(build["note"]))
        for mount in build["mounts"]:
            yield _mount(mount, style)
    for item in document["maps"]:
        place = f"{item['path']}:{item['line'] + 1}"
        fits = "the map fits" if item["checked"] else "not all that decides is known here"
        state = "the map does not fit" if item["problems"] else fits
        yield line("{}  {}", style(terminal(f"{place}  {item['name']}"), "1"), terminal(state))
        for problem in item["problems"]:
            yield line("  {}", terminal(f"line {problem['line'] + 1}: {problem['message']}"))
    if not document["builds"] and not document["maps"]:
        yield terminal("No workflow of this workspace builds a Dockerfile.")


def _mount(mount: Mapping[str, Any], style: Style) -> Terminal:
    survives = mount["survives"]
    by = f" by {mount['carriedBy']}" if mount["carriedBy"] else ""
    shown = style(terminal(f"{_SURVIVES[survives]}{by}"), _COLOURS[survives])
    platforms = f" ({', '.join(mount['platforms'])})" if mount["platforms"] else ""
    place = f"{mount['path']}:{mount['line'] + 1}"
    return line("  {}  {}", terminal(f"{place}  {mount['key']}{platforms}:"), shown)


def _steps(document: Mapping[str, Any]) -> Iterator[Terminal]:
    found: Mapping[str, Any] = document["cacheMap"]
    if not found:
        yield terminal("# There is no cache mount that a map could carry.")
        return
    text = json.dumps(found, indent=2, ensure_ascii=True)
    builder = (
        "${{ steps.setup-buildx.outputs.name }}  # the id of the step that sets the builder up"
    )
    for lines in dance_steps(text, builder):
        for number, shown in enumerate(lines):
            yield line("{} {}", terminal(" " if number else "-"), terminal(shown))
    for key in document["leftOut"]:
        yield line("# {}", terminal(f"left out, since a variable decides its key: {key}"))
