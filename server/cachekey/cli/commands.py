"""What the commands do: they load a workspace, ask the core, and write a report."""

from __future__ import annotations

import os
import posixpath
import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cachekey.cli import check, settings
from cachekey.cli.loading import Input
from cachekey.cli.options import (
    config_of,
    input_of,
    known_rules,
    loaded,
    overrides_of,
    status_of,
    style,
)
from cachekey.cli.terminal import Progress, UsageError, complain
from cachekey.cli.terminal import write as say
from cachekey.disk.discovery import parents, repository
from cachekey.disk.files import absolute
from cachekey.markup.listing import listing
from cachekey.markup.rich import Rich, rich
from cachekey.markup.terminal import Output, text_output
from cachekey.selectors import unknown_rule
from cachekey.workspace.settings import FILE_NAMES

if TYPE_CHECKING:
    from argparse import Namespace

    from cachekey.cli.workspace import Workspace


_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?:?\Z", re.DOTALL)


def keys(options: Namespace) -> int:
    """Run ``cachekey keys``."""
    from cachekey.report.keys_data import mounts_report

    with Progress() as progress:
        space = loaded(input_of(options), progress)
        document = mounts_report(space.models(sorted(space.texts)), space.project)
    for mount in document["mounts"]:
        mount["path"] = space.shown(mount["path"])
        for build in mount["builds"]:
            build["path"] = space.shown(build["path"])
    if options.format == "json":
        from cachekey.markup.data import dump

        say(sys.stdout, dump(document))
    else:
        from cachekey.report.keys import render

        say(sys.stdout, render(document, style()))
    return status_of(space, 0)


def _whole(options: Namespace, progress: Progress) -> tuple[Workspace, list[str]]:
    """Read all files around those that are asked for: a Dockerfile's builds stand elsewhere.

    Also returns the absolute paths that are asked for.
    """
    wanted = input_of(options)
    asked = [absolute(path) for path in wanted.paths]
    inside = [path if os.path.isfile(path) else f"{path}/_" for path in asked]
    around = [folder for path in inside for folder in _around(path)]
    space = loaded(Input([*wanted.paths, *around], wanted.overrides, wanted.config), progress)
    space.surroundings()
    for name in space.texts:
        if name not in space.project.index:
            space.model(name)
            space.project.release(name)
    return space, asked


def ci(options: Namespace) -> int:
    """Run ``cachekey ci``."""
    from cachekey.report.ci import render, render_map
    from cachekey.report.ci_data import ci_report

    with Progress() as progress:
        space, asked = _whole(options, progress)
    only = [name for name in space.texts if _below(space.path_of(name), asked)]
    document = ci_report(space.project, space.shown, only)
    if options.write_map:
        say(sys.stdout, render_map(document))
    elif options.format == "json":
        from cachekey.markup.data import dump

        say(sys.stdout, dump(document))
    else:
        say(sys.stdout, render(document, style()))
    return status_of(space, 0)


def _below(path: str, asked: Iterable[str]) -> bool:
    return any(path == one or path.startswith(f"{one.rstrip('/')}/") for one in asked)


def diff(options: Namespace) -> int:
    """Run ``cachekey diff``."""
    from cachekey.cli.diffing import compare, show

    with Progress() as progress:
        space, asked = _whole(options, progress)
        document = compare(space, options.revision, asked)
    show(document, options.format)
    return status_of(space, 0)


def explain(options: Namespace) -> int:
    """Run ``cachekey explain``."""
    match = _PLACE.match(options.place)
    if match is None:
        raise UsageError(f"explain takes FILE:LINE or FILE:LINE:COL, not '{options.place}'")
    path = absolute(match.group("file"))
    if not os.path.isfile(path):
        raise UsageError(f"{match.group('file')}: no such file")
    with Progress() as progress:
        # The whole workspace: who shares a key is half of what there is to say.
        paths = [path, *_around(path)]
        space = loaded(Input(paths, overrides_of(options), config_of(options)), progress)
        for _ in space.models(space.texts):
            pass
        space.model(space.name_of(path))
    text = _hover(space, space.name_of(path), int(match.group("line")), match.group("column"))
    if text is None:
        complain(f"{options.place}: nothing to explain here")
        return status_of(space, 1)
    say(sys.stdout, text)
    return status_of(space, 0)


def _around(path: str) -> list[str]:
    """Return the folder whose files belong together with ``path``, if that can be told."""
    folder = posixpath.dirname(path)
    if top := repository(folder):
        return [top]
    for above in parents(folder):
        if any(os.path.isfile(posixpath.join(above, name)) for name in FILE_NAMES):
            return [above]
    return []


def _hover(space: Workspace, name: str, line: int, column: str | None) -> Output | None:
    from cachekey.assist.hover import hover

    document = space.project.documents.get(name)
    if document is None:
        return None
    source = document.source
    if not 1 <= line <= len(source.line_starts):
        raise UsageError(f"{space.shown(name)} has {len(source.line_starts)} lines")
    span = source.line_span(line - 1)
    start = span.start if column is None else span.start + int(column) - 1
    stop = span.end if column is None else start

    def link(path: str, number: int) -> Rich:
        return rich("{}", f"{space.shown(path)}:{number + 1}")

    settings = space.settings(name)
    for offset in range(min(max(start, span.start), span.end), min(stop, span.end) + 1):
        if found := hover(space.project, name, offset, settings, link):
            return listing(found.lines)
    return None


def rule(options: Namespace) -> int:
    """Run ``cachekey rule``."""
    from cachekey.assist import keys_page
    from cachekey.report.rules import as_data, catalog, page, table

    if options.rule == keys_page.NAME and options.format == "text":
        say(sys.stdout, text_output(keys_page.PAGE))
        return 0
    entries = catalog()
    if options.rule is not None:
        wanted = options.rule.lower()
        entries = tuple(e for e in entries if wanted in {e.code.lower(), e.name})
        if not entries:
            message = unknown_rule(options.rule, known_rules())
            raise UsageError(message or f"'{options.rule}' stands for several rules")
    if options.format == "json":
        from cachekey.markup.data import dump

        data = [as_data(entry) for entry in entries]
        say(sys.stdout, dump(data[0] if options.rule is not None else data))
    elif options.rule is not None:
        say(sys.stdout, page(entries[0], style()))
    else:
        say(sys.stdout, table(style()))
    return 0


RUN: dict[str, Callable[[Namespace], int]] = {
    "check": check.run,
    "keys": keys,
    "ci": ci,
    "diff": diff,
    "explain": explain,
    "rule": rule,
    "settings": settings.run,
}
