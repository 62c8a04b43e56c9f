"""The commands that ask a running builder: ``cachekey builder`` and ``cachekey prove``."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from cachekey.builder.records import BuilderError
from cachekey.cli.loading import Input
from cachekey.cli.options import config_of, input_of, loaded, overrides_of, status_of, style
from cachekey.cli.terminal import Progress, UsageError, complain
from cachekey.cli.terminal import write as say
from cachekey.disk.files import absolute
from cachekey.dockerfile.records import Dockerfile
from cachekey.markup.data import dump
from cachekey.markup.terminal import text_output

if TYPE_CHECKING:
    from argparse import Namespace

    from cachekey.builder.places import Place
    from cachekey.builder.source import Source
    from cachekey.builder.verdicts import Measured
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
        source, space = _found(options, wanted, progress)
        document = _document(source, space, progress, options.history)
    if options.format == "json":
        say(sys.stdout, dump(document))
    elif options.format == "html":
        from cachekey.report.builder_html import page

        say(sys.stdout, text_output(page(document, _link, _now())))
    else:
        from cachekey.report.builder import render

        say(sys.stdout, render(document, style(), _now()))
    return space


def _link(path: str, line: int) -> str:
    return f"{quote(path)}#L{line + 1}"


def _found(options: Namespace, wanted: Input, progress: Progress) -> tuple[Source, Workspace]:
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
    from cachekey.builder.places import places
    from cachekey.report.map_data import caches_of

    names = sorted(space.texts)
    found: list[Place] = []
    for number, model in enumerate(space.models(names)):
        progress("Reading", number, len(names))
        builds = space.project.built(model) if isinstance(model, Dockerfile) else ()
        found += places(model, builds)
    if isinstance(source, Buildah):
        source.expect(found)
    usage = source.usage()
    groups = caches_of(space.project.index, names)
    broken = {group.mounts[0].key.identity: group.broken for group in groups}
    told = document(source, usage, join(usage, found), broken, space.shown, _now())
    if history:
        told |= past(source.history(history), found, space.texts, space.shown)
    return told


def _now() -> datetime:
    return datetime.now(timezone.utc)


# -- prove ----------------------------------------------------------------------------------------


def prove(options: Namespace) -> int:
    """Run ``cachekey prove``."""
    from cachekey.builder.data import proof

    _end_as_if_interrupted()
    path, target = _what(options)
    try:
        with Progress() as progress:
            source, space = _found(
                options, Input([path], overrides_of(options), config_of(options)), progress
            )
        name = space.name_of(absolute(path))
        model = space.model(name)
        if not isinstance(model, Dockerfile):
            raise UsageError(f"{path} is no Dockerfile")
        codes = _codes(space, model)
        measured = _measure(options, source, space, model, target)
    except BuilderError as error:
        complain(str(error))
        return 2
    document = proof(source.builder, options.runs, measured, codes, space.shown)
    if options.format == "json":
        say(sys.stdout, dump(document))
    elif options.format == "html":
        from cachekey.report.prove_html import page

        say(sys.stdout, text_output(page(document, _link)))
    else:
        from cachekey.report.prove import render

        say(sys.stdout, render(document, style()))
    return status_of(space, 0)


def _end_as_if_interrupted() -> None:
    """Take SIGTERM for Control-C: what was made is removed first."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with suppress(ValueError, AttributeError):
        signal.signal(signal.SIGTERM, interrupt)


def _what(options: Namespace) -> tuple[str, str | None]:
    """Return the Dockerfile and the stage that the user means; raises :class:`UsageError`."""
    wanted, target = options.file, options.target
    if os.path.isdir(wanted):
        wanted = os.path.join(wanted, "Dockerfile")
    if os.path.isfile(wanted):
        return wanted, target
    if os.path.isfile("Dockerfile") and os.path.basename(wanted) == wanted and target is None:
        # The builder itself says whether there is such a stage.
        return "Dockerfile", wanted
    raise UsageError(f"{options.file}: no such file")


def _codes(space: Workspace, model: Dockerfile) -> dict[tuple[int, int], list[str]]:
    """Return the findings on each mount, by its RUN's line and the place of its flag."""
    from cachekey.cli.checker import Checker

    findings = [f for f in Checker(space).check(detail="findings") if f.path == model.path]
    found: dict[tuple[int, int], list[str]] = {}
    for run, mount in model.caches:
        rest = [other.span for other in run.mounts if other is not mount]
        inside = run.span
        found[run.instruction.first_line, mount.span.start] = [
            item.code
            for item in findings
            if any(
                inside.start <= place.start <= inside.end
                and not any(span.start <= place.start < span.end for span in rest)
                for place in item.places()
            )
        ]
    return found


def _measure(
    options: Namespace,
    source: Source,
    space: Workspace,
    model: Dockerfile,
    target: str | None,
) -> list[Measured]:
    from cachekey.builder.build import BuildRequest
    from cachekey.builder.measure import measure
    from cachekey.builder.namespaces import clear, remove
    from cachekey.report.builder import counted

    if not model.caches:
        raise BuilderError(f"{space.shown(model.path)} has no cache mount to prove")
    if cleared := clear(source):
        complain(f"removed what {counted(len(cleared), 'interrupted run')} left behind")
    path = space.path_of(model.path)
    context = options.context or os.path.dirname(path)
    if not os.path.isdir(context):
        raise UsageError(f"--context: {options.context}: no such folder")
    request = BuildRequest(
        context=context,
        folder="",
        args=dict(space.settings(model.path).build_args),
        target=target,
        platform=options.platform,
        secrets=tuple(options.secret),
        contexts=_contexts(options.build_context),
    )
    watched = options.steps or (sys.stderr is not None and sys.stderr.isatty())

    def tell(text: str, detail: bool) -> None:
        # Each step only to somebody who watches.
        if watched or not detail:
            complain(text)

    try:
        return measure(source, model, request, options.runs, options.keep, tell)
    finally:
        # The client of a run that was killed may have gone on for a moment.
        for name in cleared:
            remove(source, name)


def _contexts(values: list[str]) -> dict[str, str]:
    found = {}
    for value in values:
        name, equals, place = value.partition("=")
        if not (name and equals and place):
            raise UsageError(f"--build-context takes NAME=VALUE, not '{value}'")
        found[name] = place
    return found
