"""``cachekey builder``: what the running builder has, and whose it is."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from cachekey.builder.records import BuilderError
from cachekey.cli.loading import Input
from cachekey.cli.options import input_of, loaded, status_of, style
from cachekey.cli.terminal import Progress, complain
from cachekey.cli.terminal import write as say
from cachekey.dockerfile.records import Dockerfile
from cachekey.markup.data import dump
from cachekey.markup.terminal import text_output

if TYPE_CHECKING:
    from argparse import Namespace

    from cachekey.builder.places import Place, Refused
    from cachekey.builder.source import Source
    from cachekey.cli.workspace import Workspace


def builder(options: Namespace) -> int:
    """Run ``cachekey builder``: once, or with ``--watch`` until it is interrupted."""
    wanted = input_of(options)
    try:
        while True:
            space = _report(options, wanted)
            if not options.watch:
                return status_of(space, 0)
            time.sleep(options.watch)
    except BuilderError as error:
        complain(str(error))
        return 2


def _report(options: Namespace, wanted: Input) -> Workspace:
    """Ask the builder, read the workspace, and write what they have in common."""
    with Progress() as progress:
        source, space = meet(options, wanted, progress)
        document = _document(source, space, progress, options.history)
    if options.format == "json":
        say(sys.stdout, dump(document))
    elif options.format == "html":
        from cachekey.report.builder_html import page

        say(sys.stdout, text_output(page(document, link, _now())))
    else:
        from cachekey.report.builder import render

        say(sys.stdout, render(document, style(), _now()))
    return space


def link(path: str, line: int) -> str:
    """Return what a page that the command line writes links a zero-based line to."""
    return f"{quote(path)}#L{line + 1}"


def meet(options: Namespace, wanted: Input, progress: Progress) -> tuple[Source, Workspace]:
    """Return the builder in use and the workspace, whose keys are that builder's."""
    from cachekey.builder.find import find

    space = loaded(wanted, progress)
    source = find(options.builder, space.project.settings.engine, os.environ)
    kind = source.builder.kind
    engine: Literal["buildkit", "buildah"] = "buildah" if kind == "buildah" else "buildkit"
    if space.project.settings.engine != engine:
        # Another builder forms other keys.
        overrides = replace(wanted.overrides, engine=engine)
        space = loaded(replace(wanted, overrides=overrides), progress)
    return source, space


def _document(
    source: Source, space: Workspace, progress: Progress, history: int | None
) -> dict[str, Any]:
    from cachekey.builder.buildah import Buildah
    from cachekey.builder.data import document, past
    from cachekey.builder.join import join
    from cachekey.builder.places import places, refused
    from cachekey.report.map_data import caches_of

    names = sorted(space.texts)
    found: list[Place] = []
    bad: list[Refused] = []
    for number, model in enumerate(space.models(names)):
        progress("Reading", number, len(names))
        builds = space.project.built(model) if isinstance(model, Dockerfile) else ()
        found += places(model, builds)
        # Of Buildah it is not known what it refuses.
        bad += [] if isinstance(source, Buildah) else refused(model)
    if isinstance(source, Buildah):
        source.expect(found)
    usage = source.usage()
    groups = caches_of(space.project.index, names)
    broken = {group.mounts[0].key.identity: group.broken for group in groups}
    told = document(source, usage, join(usage, found), broken, space.shown, _now(), bad)
    if history:
        told |= past(source.history(history), found, space.texts, space.shown)
    return told


def _now() -> datetime:
    return datetime.now(timezone.utc)
