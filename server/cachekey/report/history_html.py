"""The builds that a builder remembers, as a part of its page: which line used which cache, and since when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cachekey.markup.html import Html, escaped, filled, together
from cachekey.report.builder import UNTOLD, ago, clock, took
from cachekey.report.page import badge, head, listed, place

Link = Callable[[str, int], str]
"""The URI of a zero-based line of a file."""


def history(document: Mapping[str, Any], link: Link, now: datetime) -> Html:
    """Return the builds of a ``builder`` document, nothing when it was not asked for them."""
    if "history" not in document:
        return escaped("")
    builds = document["history"]
    if builds is None:
        return filled("<h2>Builds</h2><p>{}</p>", escaped(UNTOLD))
    if not builds:
        return filled("<h2>Builds</h2><p>{}</p>", escaped("This builder remembers no build."))
    heads = [head("Build"), head("Line"), head("Took"), head("Cache")]
    return filled(
        "<h2>Builds</h2><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        together(heads),
        together(_build(build, document["changes"], link, now) for build in builds),
    )


def _build(
    build: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], link: Link, now: datetime
) -> Html:
    """Return a row for each step with cache mounts; the first one names the build."""
    steps = build["steps"]
    since = [
        item["words"]
        for item in changes
        if (item["since"], item["path"]) == (build["created"], build["path"])
    ]
    what = together(
        [
            escaped(build["path"] or f"{build['file']} (of another place)"),
            filled('<div class="dim">{}</div>', escaped(_when(build, now))),
            *(filled('<div class="broken">{}</div>', escaped(text)) for text in since),
        ]
    )
    named = filled('<td class="key" rowspan="{}">{}</td>', escaped(str(len(steps) or 1)), what)
    if not steps:
        return filled('<tr>{}<td colspan="3" class="dim">no cache mount</td></tr>', named)
    rows = [together([named, _step(steps[0], build["path"], link)])]
    rows += [_step(step, build["path"], link) for step in steps[1:]]
    return together(filled("<tr>{}</tr>", row) for row in rows)


def _when(build: Mapping[str, Any], now: datetime) -> str:
    return f"{clock(build['created'])}, {ago(build['created'], now)}"


def _step(step: Mapping[str, Any], path: str | None, link: Link) -> Html:
    line = f"line {step['line'] + 1}"
    time = badge(escaped("good"), "cached") if step["cached"] else escaped(took(step["seconds"]))
    return filled(
        '<td>{}</td><td class="figure">{}</td><td>{}</td>',
        place(link(path, step["line"]), line) if path else escaped(line),
        time,
        listed(_mount(mount) for mount in step["mounts"]),
    )


def _mount(mount: Mapping[str, Any]) -> Html:
    base = f" ({mount['base']})" if mount["base"] else ""
    name = mount["name"].removeprefix("/") or mount["name"]
    return filled(
        '{}<span class="dim">{}</span>', escaped(name), escaped(f"{base} on {mount['target']}")
    )
