"""What the commands do: they load a workspace, ask the core, and write a report."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from cachekey.cli import agents, answers, builders, builds, completion, proving, settings
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
from cachekey.markup.terminal import Output, text_output
from cachekey.selectors import unknown_rule

if TYPE_CHECKING:
    from argparse import Namespace

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
    with Progress() as progress:
        space = loaded(input_of(options), progress)
        document = answers.keys_of(space)
    if options.format == "json":
        from cachekey.markup.data import dump

        say(sys.stdout, dump(document))
    else:
        from cachekey.report.keys import render

        say(sys.stdout, render(document, style()))
    return status_of(space, 0)


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
        column = match.group("column")
        found = answers.hover_at(
            space, path, int(match.group("line")), int(column) if column else None
        )
    if found is None:
        complain(f"{options.place}: nothing to explain here")
        return status_of(space, 1)
    if options.format == "json":
        from cachekey.markup.data import dump

        say(sys.stdout, dump(answers.explanation_of(space, path, found)))
    else:
        say(sys.stdout, listing(found.lines, style()))
    return status_of(space, 0)


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
    "mcp": agents.run,
}
