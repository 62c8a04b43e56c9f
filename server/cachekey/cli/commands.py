"""What the commands do: they load a workspace, ask the core, and write a report."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cachekey.cli import builders, builds, completion, proving, settings
from cachekey.cli.loading import Input, around
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
from cachekey.disk.files import absolute
from cachekey.markup.listing import listing
from cachekey.markup.manual import manual
from cachekey.markup.rich import Rich, rich
from cachekey.markup.terminal import Output, text_output
from cachekey.selectors import unknown_rule

if TYPE_CHECKING:
    from argparse import Namespace

    from cachekey.assist.hover import Hover
    from cachekey.cli.workspace import Workspace
    from cachekey.report.map_data import Cache
    from cachekey.workspace.summary import CacheMount


_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?:?\Z", re.DOTALL)


def check(options: Namespace) -> int:
    """Run ``cachekey check``."""
    # The rules take a while to come in, and most other commands need none.
    from cachekey.cli.check import run

    return run(options)


def diff(options: Namespace) -> int:
    """Run ``cachekey diff``."""
    from cachekey.cli.diffing import run

    return run(options)


def keys(options: Namespace) -> int:
    """Run ``cachekey keys``."""
    from cachekey.report.keys_data import mounts_report

    with Progress() as progress:
        space = loaded(input_of(options), progress)
        document = mounts_report(space.models(sorted(space.texts)), space.project)
    _show_paths(document["mounts"], space)
    if options.format == "json":
        from cachekey.markup.data import dump

        say(sys.stdout, dump(document))
    else:
        from cachekey.report.keys import render

        say(sys.stdout, render(document, style()))
    return status_of(space, 0)


def _show_paths(mounts: Iterable[dict[str, Any]], space: Workspace) -> None:
    """Name the files of mounts as the command line does."""
    for mount in mounts:
        mount["path"] = space.shown(mount["path"])
        for build in mount["builds"]:
            build["path"] = space.shown(build["path"])


def cache_map(options: Namespace) -> int:
    """Run ``cachekey map``."""
    from cachekey.report.map_data import caches_of

    with Progress() as progress:
        space = loaded(input_of(options), progress)
        for _ in space.models(space.texts):
            pass
    say(sys.stdout, _drawn(options.format, caches_of(space.project.index, space.texts), space))
    return status_of(space, 0)


def _drawn(kind: str, caches: Sequence[Cache], space: Workspace) -> Output:
    from cachekey.report import map_data, map_svg, map_text

    def link(mount: CacheMount) -> str:
        return f"{quote(space.shown(mount.path))}#L{mount.line + 1}"

    if kind == "json":
        from cachekey.markup.data import dump

        return dump(map_data.as_data(caches, space.shown))
    if kind == "svg":
        return text_output(map_svg.svg(caches, space.shown, link))
    if kind == "html":
        return text_output(map_svg.page(caches, space.shown, link))
    return (map_text.mermaid if kind == "mermaid" else map_text.text)(caches, space.shown)


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
        paths = [path, *around(path)]
        space = loaded(Input(paths, overrides_of(options), config_of(options)), progress)
        for _ in space.models(space.texts):
            pass
        space.model(space.name_of(path))
    name = space.name_of(path)
    found = _hover(space, name, int(match.group("line")), match.group("column"))
    if found is None:
        complain(f"{options.place}: nothing to explain here")
        return status_of(space, 1)
    if options.format == "json":
        from cachekey.markup.data import dump
        from cachekey.report.explain import explanation

        data = explanation(space.project, space.project.documents[name], found)
        data["path"] = space.shown(data["path"])
        _show_paths([data["mount"]] if data["mount"] else [], space)
        say(sys.stdout, dump(data))
    else:
        say(sys.stdout, listing(found.lines, style()))
    return status_of(space, 0)


def _hover(space: Workspace, name: str, line: int, column: str | None) -> Hover | None:
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
            return found
    return None


def rule(options: Namespace) -> int:
    """Run ``cachekey rule``."""
    from cachekey.assist import keys_page
    from cachekey.report.rules import as_data, catalog, page, table

    if options.rule == keys_page.NAME and options.format == "text":
        say(sys.stdout, manual(keys_page.PAGE, style()))
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
    "check": check,
    "keys": keys,
    "map": cache_map,
    "ci": builds.run,
    "diff": diff,
    "explain": explain,
    "rule": rule,
    "settings": settings.run,
    "builder": builders.builder,
    "prove": proving.prove,
    "completion": completion.run,
}
