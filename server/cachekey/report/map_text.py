"""A cache map as text for a terminal, and as a Mermaid diagram."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cachekey.markup.mermaid import Mermaid, diagram, edge, node
from cachekey.markup.terminal import Output, Terminal, line, output, terminal
from cachekey.report.map_data import Cache


def text(caches: Sequence[Cache], shown: Callable[[str], str]) -> Output:
    """Return one paragraph for each cache: its key, its mounts, and what is broken."""
    return output(_text(caches, shown) if caches else [terminal("no cache mounts")])


def _text(caches: Sequence[Cache], shown: Callable[[str], str]) -> Iterator[Terminal]:
    for cache in caches:
        tools = f" ({', '.join(cache.tools)})" if cache.tools else ""
        yield line("{}{}", terminal(cache.key), terminal(tools))
        for mount in cache.mounts:
            who = f", as {mount.who}" if mount.who else ""
            place = f"{shown(mount.path)}:{mount.line + 1} (stage {mount.stage}{who})"
            yield line("  {}", terminal(place))
        for item in cache.broken:
            yield line("  not shared with {}: {}", terminal(item.key), terminal(item.why))


def mermaid(caches: Sequence[Cache], shown: Callable[[str], str]) -> Output:
    """Return a flow chart: files on the left, caches on the right, broken sharing dotted."""
    files: dict[str, str] = {}
    for cache in caches:
        for mount in cache.mounts:
            files.setdefault(shown(mount.path), f"f{len(files)}")
    numbers = {cache.key: f"c{number}" for number, cache in enumerate(caches)}
    return diagram(_mermaid(caches, shown, files, numbers))


def _mermaid(
    caches: Sequence[Cache],
    shown: Callable[[str], str],
    files: dict[str, str],
    numbers: dict[str, str],
) -> Iterator[Mermaid]:
    for path, name in files.items():
        yield node("  {}[{}]", name, path)
    for cache in caches:
        tools = f" ({', '.join(cache.tools)})" if cache.tools else ""
        yield node("  {}([{}])", numbers[cache.key], f"{cache.key}{tools}")
    drawn: set[frozenset[str]] = set()
    for cache in caches:
        for path in dict.fromkeys(shown(mount.path) for mount in cache.mounts):
            yield edge("  {} --> {}", files[path], numbers[cache.key])
        for item in cache.broken:
            pair = frozenset((cache.key, item.key))
            if item.key in numbers and pair not in drawn:
                drawn.add(pair)
                yield edge("  {} -. broken .- {}", numbers[cache.key], numbers[item.key])
