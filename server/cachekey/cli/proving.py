"""``cachekey prove``: what each cache mount of a build saves, measured on the builder in use."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from cachekey.builder.records import BuilderError
from cachekey.cli.builders import link, meet
from cachekey.cli.loading import Input
from cachekey.cli.options import config_of, overrides_of, status_of, style
from cachekey.cli.subject import Subject, subject_of
from cachekey.cli.terminal import Progress, UsageError, complain
from cachekey.cli.terminal import write as say
from cachekey.disk.files import absolute
from cachekey.dockerfile.records import Dockerfile
from cachekey.markup.data import dump
from cachekey.markup.terminal import text_output
from cachekey.workspace.keyed import platform_args

if TYPE_CHECKING:
    from argparse import Namespace

    from cachekey.builder.source import Source
    from cachekey.builder.verdicts import Measured
    from cachekey.cli.workspace import Workspace
    from cachekey.workspace.settings import Overrides

_SIGNALS = ("SIGTERM", "SIGHUP")


def prove(options: Namespace) -> int:
    """Run ``cachekey prove``."""
    _end_as_if_interrupted()
    try:
        with Progress() as progress:
            subject = subject_of(options, progress)
            asked = Input([subject.file], _overrides(options, subject), config_of(options))
            source, space = meet(options, asked, progress)
        model = space.model(space.name_of(absolute(subject.file)))
        if not isinstance(model, Dockerfile):
            raise UsageError(f"{subject.file} is no Dockerfile")
        # The builder works meanwhile: what the rules say of the mounts costs no time of its own.
        with ThreadPoolExecutor(1) as pool:
            codes = pool.submit(_codes, space, model)
            measured = _measure(options, source, space, model, subject)
        _report(options, source, space, measured, codes.result())
    except BuilderError as error:
        complain(str(error))
        return 2
    return status_of(space, 0)


def _report(
    options: Namespace,
    source: Source,
    space: Workspace,
    measured: list[Measured],
    codes: dict[tuple[int, int], list[str]],
) -> None:
    from cachekey.builder.data import proof

    document = proof(source.builder, options.runs, measured, codes, space.shown)
    if options.format == "json":
        say(sys.stdout, dump(document))
    elif options.format == "html":
        from cachekey.report.prove_html import page

        say(sys.stdout, text_output(page(document, link)))
    else:
        from cachekey.report.prove import render

        say(sys.stdout, render(document, style()))


def _end_as_if_interrupted() -> None:
    """Take other requests to end for Control-C: what was made is removed first.

    ``timeout`` asks twice: the second request is not to break that off.
    """

    def interrupt(number: int, frame: object) -> None:
        signal.signal(number, lambda *_: None)
        raise KeyboardInterrupt

    for name in _SIGNALS:
        with suppress(ValueError, AttributeError):
            signal.signal(getattr(signal, name), interrupt)


def _overrides(options: Namespace, subject: Subject) -> Overrides:
    """Return settings with which the keys are those of the build."""
    overrides = overrides_of(options)
    platform = options.platform or subject.platform
    named = platform_args(platform) if platform and "," not in platform else {}
    return replace(overrides, build_args={**named, **subject.args, **overrides.build_args})


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
    options: Namespace, source: Source, space: Workspace, model: Dockerfile, subject: Subject
) -> list[Measured]:
    from cachekey.builder.build import BuildRequest
    from cachekey.builder.measure import measure
    from cachekey.builder.namespaces import clear, held_words, remove
    from cachekey.report.builder import counted

    if not model.caches:
        raise BuilderError(_without_caches(space, model))
    request = BuildRequest(
        context=_context(options, subject),
        folder="",
        args={**subject.args, **space.settings(model.path).build_args},
        target=options.target or subject.target,
        platform=options.platform or subject.platform,
        secrets=tuple(options.secret),
        agents=tuple(options.ssh),
        network=options.network,
        contexts={**subject.contexts, **_contexts(options.build_context)},
    )
    if cleared := clear(source):
        complain(f"removed what {counted(len(cleared), 'interrupted run')} left behind")
        if held := [layer for trace in cleared for layer in trace.held]:
            complain(held_words(held))
    watched = options.steps or (sys.stderr is not None and sys.stderr.isatty())

    def tell(text: str, detail: bool) -> None:
        # Each step only to somebody who watches.
        if watched or not detail:
            complain(text)

    try:
        return measure(source, model, request, options.runs, options.keep, tell)
    finally:
        # The client of a run that was killed may have gone on for a moment.
        for trace in cleared:
            remove(source, trace)


def _without_caches(space: Workspace, model: Dockerfile) -> str:
    from cachekey.builder.places import refused

    name = space.shown(model.path)
    for one in refused(model):
        return (
            f"{name} does not build, so that there is nothing to prove: the builder refuses the "
            f"cache mount on line {one.line + 1} ({one.why})"
        )
    return f"{name} has no cache mount to prove"


def _context(options: Namespace, subject: Subject) -> str:
    if options.context is None:
        return subject.context
    if not os.path.isdir(options.context):
        raise UsageError(f"--context: {options.context}: no such folder")
    return str(options.context)


def _contexts(values: list[str]) -> dict[str, str]:
    found = {}
    for value in values:
        name, equals, place = value.partition("=")
        if not (name and equals and place):
            raise UsageError(f"--build-context takes NAME=VALUE, not '{value}'")
        found[name] = place
    return found
