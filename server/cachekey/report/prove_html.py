"""What each cache mount was proven to do, as a page: cold and warm as bars, and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cachekey.markup.html import Html, escaped, filled, together
from cachekey.report.builder import size
from cachekey.report.page import badge, bar, colour_of, head, place, whole

Link = Callable[[str, int], str]
"""The URI of a zero-based line of a file."""
_KINDS = {"works": "good", "unclear": "calm"}


def page(document: Mapping[str, Any], link: Link) -> Html:
    """Return the page of a ``prove`` document."""
    mounts: Sequence[Mapping[str, Any]] = document["mounts"]
    title = f"What the cache mounts of {mounts[0]['path']} save" if mounts else "No cache mount"
    warm = document["runs"] - 1
    builds = f"One cold build and {warm} warm on {document['builder']['name']}"
    return whole(
        title,
        together(
            [
                filled(
                    '<h1>{}</h1><p class="dim">{}</p>',
                    escaped(title),
                    escaped(f"{builds}; seconds are those of the RUN, bytes those of the cache."),
                ),
                _facts(mounts),
                _table(mounts, link),
            ]
        ),
    )


def _facts(mounts: Sequence[Mapping[str, Any]]) -> Html:
    works = [mount for mount in mounts if mount["verdict"] == "works"]
    idle = [mount for mount in mounts if mount["verdict"] not in _KINDS]
    # A RUN with several mounts is saved once.
    runs = {
        (mount["path"], mount["run"]): mount["coldSeconds"] - mount["warmSeconds"]
        for mount in works
    }
    facts = [
        (f"{sum(runs.values()):.1f} s", "saved by each build after the first"),
        (str(len(works)), "mounts work"),
        (str(len(idle)), "mounts do nothing as they are"),
    ]
    return filled(
        '<ul class="facts">{}</ul>',
        together(
            filled("<li><b>{}</b>{}</li>", escaped(number), escaped(text)) for number, text in facts
        ),
    )


def _table(mounts: Sequence[Mapping[str, Any]], link: Link) -> Html:
    times = [mount[name] or 0 for mount in mounts for name in ("coldSeconds", "warmSeconds")]
    longest = max(times, default=0) or 1
    heads = [head("Mount"), head("Verdict"), head("Cold"), head("Warm"), head("Stored")]
    return filled(
        '<table class="proof"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
        together(heads),
        together(_row(mount, link, longest) for mount in mounts),
    )


def _row(mount: Mapping[str, Any], link: Link, longest: float) -> Html:
    text = f"{mount['path']}:{mount['line'] + 1}"
    colour = colour_of(mount["tools"][0] if mount["tools"] else "")
    return filled(
        '<tr data-name="{}"><td class="key">{}<div>{}</div></td><td>{}</td>'
        '<td class="figure">{}</td><td class="figure">{}</td><td>{}</td></tr>',
        escaped(mount["key"]),
        escaped(mount["key"]),
        place(link(mount["path"], mount["line"]), text, f"stage {mount['stage']}"),
        _verdict(mount),
        _seconds(mount["coldSeconds"], "cold", longest, colour),
        _seconds(mount["warmSeconds"], "warm", longest, colour),
        escaped(f"{size(mount['bytes'])} stored"),
    )


def _verdict(mount: Mapping[str, Any]) -> Html:
    kind = escaped(_KINDS.get(mount["verdict"], "bad"))
    why = f" ({mount['finding']})" if mount["finding"] else ""
    parts = [
        badge(kind, mount["verdict"].replace("-", " ")),
        filled("<div>{}</div>", escaped(mount["words"] + why)),
    ]
    if mount["contradicts"]:
        text = (
            f"Cachekey says {mount['contradicts']} of this mount, and the builder shows otherwise: "
            "please report it as a defect of Cachekey."
        )
        parts.append(filled('<div class="broken">{}</div>', escaped(text)))
    return together(parts)


def _seconds(seconds: float | None, what: str, longest: float, colour: Html) -> Html:
    if seconds is None:
        return filled('<span class="dim">{}</span>', escaped("not run"))
    return together([escaped(f"{seconds:.2f} s {what}"), bar(seconds / longest, colour)])
