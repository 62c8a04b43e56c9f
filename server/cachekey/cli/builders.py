"""The commands that ask a running builder: ``cachekey builder`` and ``cachekey prove``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from cachekey.builder.records import BuilderError
from cachekey.cli.commands import _input, _load, _status, _style
from cachekey.cli.terminal import Progress, complain
from cachekey.cli.terminal import write as say
from cachekey.markup.data import dump

if TYPE_CHECKING:
    from argparse import Namespace

    from cachekey.builder.places import Place
    from cachekey.builder.source import Source
    from cachekey.cli.loading import Input
    from cachekey.cli.workspace import Workspace


def builder(options: Namespace) -> int:
    """Run ``cachekey builder``: once, or with ``--watch`` until it is interrupted."""
    wanted = _input(options)
    try:
        while True:
            space = _report(options, wanted)
            if not options.watch:
                return _status(space, 0)
            time.sleep(options.watch)
    except BuilderError as error:
        complain(str(error))
        return 2


def _report(options: Namespace, wanted: Input) -> Workspace:
    """Ask the builder, read the workspace, and write what they have in common."""
    with Progress() as progress:
        source, space = _found(options, wanted, progress)
        document = _document(source, space, progress)
    if options.format == "json":
        say(sys.stdout, dump(document))
    else:
        from cachekey.report.builder import render

        say(sys.stdout, render(document, _style(), _now()))
    return space


def _found(options: Namespace, wanted: Input, progress: Progress) -> tuple[Source, Workspace]:
    """Return the builder in use and the workspace, whose keys are that builder's."""
    from cachekey.builder.find import find

    space = _load(wanted, progress)
    source = find(options.builder, space.project.settings.engine, os.environ)
    kind = source.builder.kind
    engine: Literal["buildkit", "buildah"] = "buildah" if kind == "buildah" else "buildkit"
    if space.project.settings.engine != engine:
        # Another builder forms other keys.
        overrides = replace(wanted.overrides, engine=engine)
        space = _load(replace(wanted, overrides=overrides), progress)
    return source, space


def _document(source: Source, space: Workspace, progress: Progress) -> dict[str, Any]:
    from cachekey.builder.buildah import Buildah
    from cachekey.builder.data import document
    from cachekey.builder.join import join
    from cachekey.builder.places import places

    names = sorted(space.texts)
    found: list[Place] = []
    for number, model in enumerate(space.models(names)):
        progress("Reading", number, len(names))
        found += places(model)
    if isinstance(source, Buildah):
        source.expect(found)
    usage = source.usage()
    return document(source, usage, join(usage, found), space.shown, _now())


def _now() -> datetime:
    return datetime.now(timezone.utc)


RUN: dict[str, Callable[[Namespace], int]] = {"builder": builder}
