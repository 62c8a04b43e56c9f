"""``cachekey ci``: which builds of workflows lose their caches, and the map that carries them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cachekey.cli.loading import Input, around
from cachekey.cli.options import input_of, loaded, status_of, style
from cachekey.cli.terminal import Progress
from cachekey.cli.terminal import write as say
from cachekey.disk.files import absolute

if TYPE_CHECKING:
    from argparse import Namespace

    from cachekey.cli.workspace import Workspace


def run(options: Namespace) -> int:
    """Run ``cachekey ci``."""
    from cachekey.report.ci import render, render_map
    from cachekey.report.ci_data import ci_report

    with Progress() as progress:
        space, asked = whole(options, progress)
    only = [name for name in space.texts if below(space.path_of(name), asked)]
    document = ci_report(space.project, space.shown, only)
    if options.write_map:
        say(sys.stdout, render_map(document))
    elif options.format == "json":
        from cachekey.markup.data import dump

        say(sys.stdout, dump(document))
    else:
        say(sys.stdout, render(document, style()))
    return status_of(space, 0)


def whole(options: Namespace, progress: Progress) -> tuple[Workspace, list[str]]:
    """Read all files around those that are asked for: a Dockerfile's builds stand elsewhere.

    Also returns the absolute paths that are asked for.
    """
    wanted = input_of(options)
    asked = [absolute(path) for path in wanted.paths]
    inside = [path if os.path.isfile(path) else f"{path}/_" for path in asked]
    folders = [folder for path in inside for folder in around(path)]
    space = loaded(Input([*wanted.paths, *folders], wanted.overrides, wanted.config), progress)
    space.surroundings()
    for name in space.texts:
        if name not in space.project.index:
            space.model(name)
            space.project.release(name)
    return space, asked


def below(path: str, asked: Iterable[str]) -> bool:
    """Tell whether an absolute path is one of those that are asked for, or lies below one."""
    return any(path == one or path.startswith(f"{one.rstrip('/')}/") for one in asked)
