"""Which files are compose files because somebody names them, whatever they are called themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cachekey.devcontainer.compose import read_compose, taken_in
from cachekey.devcontainer.read import read_devcontainer
from cachekey.text import Source


def compose_files(configurations: Iterable[str], read: Callable[[str], str | None]) -> list[str]:
    """Return the compose files that devcontainer.json files name, and those that these take in.

    ``configurations`` are paths of devcontainer.json files, ``read`` returns the text of a path, or
    None for a file that does not count. Paths are relative to the workspace, with ``/``; none leads
    out of it. Each file stands behind one that names it.
    """
    found: dict[str, str] = {}
    waiting = [path for one in configurations for path in _named(one, read(one))]
    for path in waiting:  # It grows meanwhile.
        if path in found or (text := read(path)) is None:
            continue
        found[path] = text
        # What a file takes in is told by these two words; without them it need not be parsed.
        if "include" in text or "extends" in text:
            waiting += taken_in(read_compose(path, Source(text)))
    return list(found)


def _named(path: str, text: str | None) -> Iterator[str]:
    if text is not None and "dockerComposeFile" in text:
        for named in read_devcontainer(path, Source(text)).compose_paths:
            if named is not None:
                yield named
