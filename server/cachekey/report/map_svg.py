"""A cache map as a picture: files and stages on the left, caches on the right, and as a page around it.

Colours follow the reader's theme; a page loads nothing and runs one script, its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cachekey.markup.html import Html, escaped, filled, together
from cachekey.record import record
from cachekey.report.map_data import Cache
from cachekey.report.page import ASSETS, colour_of, filter_field, sheet, whole
from cachekey.workspace.summary import CacheMount

Link = Callable[[CacheMount], str]
"""The URI of a mount's line."""

_ROW, _TOP, _WIDTH, _LEFT, _LEFT_END, _RIGHT, _BREAK = 22, 34, 872, 8, 376, 536, 852
"""Pixels. The width fits beside the explorer of an ordinary window."""
_MOST, _MOST_RIGHT = 46, 41
"""Characters of a text: a longer one is cut in its middle, its title has all."""


@record(frozen=True)
class _Row:
    """A line of the left column: a file, or one mount below it."""

    y: int
    path: str
    text: str
    mount: CacheMount | None


def svg(caches: Sequence[Cache], shown: Callable[[str], str], link: Link) -> Html:
    """Return the picture; it stands by itself in a file or within a page."""
    rows = list(_rows(caches, shown))
    places = {id(row.mount): row.y for row in rows if row.mount is not None}
    caches = sorted(caches, key=lambda cache: cache.tools[:1] or ("~",))
    end = max([_TOP, *(row.y for row in rows)])
    heights, heads = _heights(caches, end)
    height = max([end, *heights]) + 2 * _ROW
    return filled(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img">'
        "<title>Cache map</title><style>{}</style>"
        '<text class="head" x="{}" y="14">Files and stages</text>'
        '<text class="head" x="{}" y="14">Caches</text>{}{}{}</svg>\n',
        _number(_WIDTH),
        _number(height),
        _style(),
        _number(_LEFT),
        _number(_RIGHT - 8),
        together(_lines(caches, places, heights)),
        together(_left(row, link) for row in rows),
        together([*map(_head, heads), *map(_right, caches, heights)]),
    )


def _style() -> Html:
    # In a narrow window it is scrolled: text that shrinks is not read.
    width = filled("body svg{{min-width:{}px}}", _number(_WIDTH))
    return together((width, sheet("map.css")))


def _heights(caches: Sequence[Cache], end: int) -> tuple[list[int], list[tuple[int, str]]]:
    """Return where each cache stands, and the names of the tools with theirs above their caches."""
    groups = len({cache.tools[:1] for cache in caches})
    room = (end - _TOP - groups * _ROW) // max(1, len(caches))
    step, y = min(2 * _ROW, max(_ROW, room)), _TOP
    heights: list[int] = []
    heads: list[tuple[int, str]] = []
    before: tuple[str, ...] | None = None
    for cache in caches:
        if cache.tools[:1] != before:
            before = cache.tools[:1]
            heads.append((y, before[0] if before else "of no known tool"))
            y += _ROW
        heights.append(y)
        y += step
    return heights, heads


def _head(head: tuple[int, str]) -> Html:
    y, text = head
    return filled(
        '<text class="file" x="{}" y="{}">{}</text>',
        _number(_RIGHT - 8),
        _number(y),
        escaped(text),
    )


def _rows(caches: Sequence[Cache], shown: Callable[[str], str]) -> Iterator[_Row]:
    files: dict[str, list[CacheMount]] = {}
    for cache in caches:
        for mount in cache.mounts:
            files.setdefault(mount.path, []).append(mount)
    y = _TOP
    for path in sorted(files):
        yield _Row(y, shown(path), shown(path), None)
        for mount in sorted(files[path], key=lambda item: item.span.start):
            y += _ROW
            who = f", as {mount.who}" if mount.who else ""
            text = f"line {mount.line + 1}, stage {mount.stage}{who}"
            yield _Row(y, shown(path), text, mount)
        y += _ROW + _ROW // 2


def _lines(
    caches: Sequence[Cache], places: dict[int, int], heights: Sequence[int]
) -> Iterator[Html]:
    drawn: set[frozenset[str]] = set()
    middle = (_LEFT_END + _RIGHT) // 2
    by_key = {cache.key: y for cache, y in zip(caches, heights, strict=True)}
    for cache, end in zip(caches, heights, strict=True):
        for mount in cache.mounts:
            start = places[id(mount)]
            yield filled(
                '<path class="line {}" data-key="{}" d="M {} {} C {} {} {} {} {} {}"/>',
                colour_of(cache.tools[0] if cache.tools else ""),
                escaped(cache.key),
                _number(_LEFT_END),
                _number(start - 4),
                _number(middle),
                _number(start - 4),
                _number(middle),
                _number(end - 4),
                _number(_RIGHT + 4),
                _number(end - 4),
            )
        for item in cache.broken:
            pair = frozenset((cache.key, item.key))
            if item.key in by_key and pair not in drawn:
                drawn.add(pair)
                yield _break(cache, end, by_key[item.key], item.why)


def _break(cache: Cache, start: int, end: int, why: str) -> Html:
    return filled(
        '<path class="broken" data-key="{}" d="M {} {} c 18 0 18 {} 0 {}"><title>{}</title></path>',
        escaped(cache.key),
        _number(_BREAK),
        _number(start - 4),
        _number(end - start),
        _number(end - start),
        escaped(why),
    )


def _left(row: _Row, link: Link) -> Html:
    if row.mount is None:
        return filled(
            '<text class="file" data-file="{}" x="{}" y="{}">{}<title>{}</title></text>',
            escaped(row.path),
            _number(_LEFT),
            _number(row.y),
            escaped(_cut(row.text)),
            escaped(row.text),
        )
    return filled(
        # Where its line begins: with hundreds of them no eye crosses a gap.
        '<a href="{}" data-key="{}" data-file="{}">'
        '<text class="mount" x="{}" y="{}">{}<title>{}</title></text></a>',
        escaped(link(row.mount)),
        escaped(row.mount.key.label),
        escaped(row.path),
        _number(_LEFT_END - 8),
        _number(row.y),
        escaped(_cut(row.text)),
        escaped(row.mount.key.label),
    )


def _right(cache: Cache, y: int) -> Html:
    others = f" (also {', '.join(cache.tools[1:])})" if cache.tools[1:] else ""
    count = len(cache.mounts)
    said = f"{cache.key}{others}, {count} mount{'s' if count > 1 else ''}"
    broken = "; ".join(f"not shared with {item.key}: {item.why}" for item in cache.broken)
    mark = " (broken)" if cache.broken else ""
    return filled(
        '<g class="{}" data-key="{}" data-tools="{}"><circle class="dot" cx="{}" cy="{}" r="4"/>'
        '<text x="{}" y="{}">{}<title>{}</title></text></g>',
        colour_of(cache.tools[0] if cache.tools else ""),
        escaped(cache.key),
        escaped(" ".join(cache.tools)),
        _number(_RIGHT + 8),
        _number(y - 4),
        _number(_RIGHT + 20),
        _number(y),
        escaped(_cut(said, _MOST_RIGHT - len(mark)) + mark),
        escaped(broken or said),
    )


def _cut(text: str, most: int = _MOST) -> str:
    if len(text) <= most:
        return text
    half = most // 2 - 1
    return f"{text[:half]}…{text[-half:]}"


def _number(value: int) -> Html:
    return escaped(str(value))


# -- the page -------------------------------------------------------------------------------------


def page(caches: Sequence[Cache], shown: Callable[[str], str], link: Link) -> Html:
    """Return a page with the picture, a field that filters it, and nothing from anywhere else."""
    body = together((filter_field("key, tool or file"), svg(caches, shown, link)))
    return whole("Cache map", body, ASSETS / "map.js", [_style()])
