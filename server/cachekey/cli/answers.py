"""What commands and agents ask of a loaded workspace, as plain data for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cachekey.cli.terminal import UsageError
from cachekey.markup.rich import Rich, rich

if TYPE_CHECKING:
    from cachekey.assist.hover import Hover
    from cachekey.cli.workspace import Workspace


def keys_of(space: Workspace) -> dict[str, Any]:
    """Return the document of ``cachekey keys --format json``."""
    from cachekey.report.keys_data import mounts_report

    document = mounts_report(space.models(sorted(space.texts)), space.project)
    _show_paths(document["mounts"], space)
    return document


def _show_paths(mounts: Iterable[dict[str, Any]], space: Workspace) -> None:
    """Name the files of mounts as the command line does."""
    for mount in mounts:
        mount["path"] = space.shown(mount["path"])
        for build in mount["builds"]:
            build["path"] = space.shown(build["path"])


def findings_of(space: Workspace) -> dict[str, Any]:
    """Return the document of ``cachekey check --format json``; its fixes are those that were tried."""
    from cachekey.cli.checker import Checker
    from cachekey.report.json import document

    return document(space.report(Checker(space).check(detail="tried")))


_MOST_TRIED = 200
"""Places of one line that are asked for something narrower than what lies around the line."""


def hover_at(space: Workspace, path: str, line: int, column: int | None) -> Hover | None:
    """Return what is to say of a place of a file, given by its absolute path; None where nothing is.

    Lines and columns count from one; without a column it is the first thing that begins in the line, as
    a whole, else what lies around the line. Raises :class:`UsageError` for a line behind the end.
    """
    from cachekey.assist.hover import hover

    for _ in space.models(space.texts):
        pass
    name = space.name_of(path)
    document = space.model(name)
    if document is None:
        return None
    source = document.source
    if not 1 <= line <= len(source.line_starts):
        raise UsageError(f"{space.shown(name)} has {len(source.line_starts)} lines")
    span = source.line_span(line - 1)
    start = span.start if column is None else span.start + column - 1
    stop = span.end if column is None else start

    def link(path: str, number: int) -> Rich:
        return rich("{}", f"{space.shown(path)}:{number + 1}")

    settings = space.settings(name)
    around: Hover | None = None
    first: Hover | None = None
    tried = 0
    for offset in range(min(max(start, span.start), span.end), min(stop, span.end) + 1):
        if tried and source.text[offset - 1 : offset].isalnum():
            # Nothing begins within a word.
            continue
        found = hover(space.project, name, offset, settings, link)
        tried += found is not None
        if found is not None and found.span.start < span.start:
            around = around or found
        elif found is not None and (first is None or found.span.covers(first.span)):
            first = found
        if tried >= _MOST_TRIED:
            break
    return first or around


def explanation_of(space: Workspace, path: str, found: Hover) -> dict[str, Any]:
    """Return the document of ``cachekey explain --format json`` for what :func:`hover_at` has found."""
    from cachekey.report.explain import explanation

    data = explanation(space.project, space.project.documents[space.name_of(path)], found)
    data["path"] = space.shown(data["path"])
    _show_paths([data["mount"]] if data["mount"] else [], space)
    return data
