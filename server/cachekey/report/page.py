"""What pages of ours have in common: nothing from anywhere else, the reader's theme, bars and badges.

A page stands by itself in a browser and within an editor, whose colours it takes. Styles and scripts
are allowed by their hashes only; a click on a link is told to the editor that shows the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

from cachekey.markup.html import Html, asset, escaped, filled, together

ASSETS = Path(__file__).with_name("assets")
"""Style sheets and scripts of the pages."""
_HUES = 8


def whole(
    title: str, body: Html, script: Path = ASSETS / "page.js", styles: Iterable[Html] = ()
) -> Html:
    """Return a page; what it shows can be filtered and sorted, and its links open places.

    ``styles`` are the style sheets that the body has of its own.
    """
    style, code = sheet("page.css"), asset(script)
    return filled(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; '
        "style-src {}; script-src &#39;{}&#39;; base-uri &#39;none&#39;; "
        'form-action &#39;none&#39;">'
        '<meta name="viewport" content="width=device-width"><title>{}</title><style>{}</style>'
        "</head><body><main>{}</main><script>{}</script></body></html>\n",
        together(filled("&#39;{}&#39; ", digest(one)) for one in (style, *styles)),
        digest(code),
        escaped(title),
        style,
        body,
        code,
    )


def sheet(name: str) -> Html:
    """Return a style sheet that knows the colours of tools."""
    return together((asset(ASSETS / "tools.css"), asset(ASSETS / name)))


def digest(text: Html) -> Html:
    """Return by what a page's policy allows a style or a script."""
    found = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return escaped(f"sha256-{found}")


def bar(share: float, colour: Html) -> Html:
    """Draw a bar as a part of its column; the figure stands beside it as text."""
    width = max(0.5, min(100.0, 100 * share))
    return filled(
        '<svg class="bar {}" aria-hidden="true"><rect class="track" width="100%" height="100%"/>'
        '<rect class="value" width="{}%" height="100%"/></svg>',
        colour,
        escaped(f"{width:.1f}"),
    )


def colour_of(name: str) -> Html:
    """Give each tool a colour that stays its own, whatever else is shown, on pages and in the map."""
    return escaped(f"t{crc32(name.encode()) % _HUES}" if name else "none")


def badge(kind: Html, text: str) -> Html:
    """Return a word that stands out; ``kind`` is ``good``, ``bad`` or ``calm``."""
    return filled('<span class="badge {}">{}</span>', kind, escaped(text))


def place(uri: str, text: str, more: str = "") -> Html:
    """Return a link to a line of a file."""
    return filled(
        '<a href="{}">{}</a><span class="dim">{}</span>',
        escaped(uri),
        escaped(text),
        escaped(f" {more}" if more else ""),
    )


def listed(items: Iterable[Html]) -> Html:
    """Return items below each other."""
    return filled(
        '<ul class="plain">{}</ul>', together(filled("<li>{}</li>", item) for item in items)
    )


def filter_field(hint: str) -> Html:
    """Return a field that hides the rows without its text."""
    return filled(
        '<p><label>Filter <input id="filter" type="search" placeholder="{}"></label>'
        '<span id="count" role="status" class="dim"></span></p>',
        escaped(hint),
    )


def head(name: str, sort: str = "", *, sorted_by: bool = False) -> Html:
    """Return a column's head; with ``sort`` a press of it sorts the rows by that figure."""
    if not sort:
        return filled('<th scope="col">{}</th>', escaped(name))
    return filled(
        '<th scope="col" aria-sort="{}"><button type="button" data-sort="{}">{}</button></th>',
        escaped("descending" if sorted_by else "none"),
        escaped(sort),
        escaped(name),
    )
