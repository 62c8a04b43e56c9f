"""``cachekey check``: finds defects, mends them, and says so in the form that was asked for."""

from __future__ import annotations

import os
import posixpath
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from cachekey.cli.checker import Checker
from cachekey.cli.options import input_of, loaded, status_of
from cachekey.cli.terminal import Progress, Sink, UsageError, complain, wants_colour, write_bytes
from cachekey.cli.terminal import write as say
from cachekey.cli.workers import available
from cachekey.cli.workspace import STDIN, Workspace
from cachekey.disk.files import absolute, encode, read
from cachekey.finding import Detail, Finding, Safety, Severity
from cachekey.markup.terminal import Output, Style, output, terminal
from cachekey.report.formats import COMPLETE
from cachekey.report.record import Report, Sources
from cachekey.workspace.settings import SEVERITIES

if TYPE_CHECKING:
    from argparse import Namespace

    from cachekey.checking.fixing import Outcome
    from cachekey.disk.files import File

Fresh = Callable[[Sequence[Finding]], list[Finding]]
"""Leaves out the findings that are known."""


def run(options: Namespace) -> int:
    """Run ``cachekey check``, once or at every change."""
    if options.show_settings:
        from cachekey.cli import settings

        return settings.run(options)
    if options.watch:
        from cachekey.cli.watch import watch

        return watch(options, _once)
    return _once(options)


def _once(options: Namespace) -> int:
    wanted = input_of(options)
    _refuse(options, wanted.stdin)
    if options.fix:
        _mend()
    with Progress() as progress:
        space = loaded(wanted, progress, _processes(options))
        before = dict(space.texts)
        checker = Checker(space)
        fresh = _fresh(space, options)
        found = checker.check(progress, _detail(options))
        findings = fresh(found)
        if options.add_ignores:
            return _add_ignores(checker, findings, options, progress, fresh)
        outcome = _repair(checker, findings, options, progress, fresh)
    if options.write_baseline is not None:
        return _write_baseline(space, found, options)
    if options.diff:
        return _diff(space, findings, outcome, before, options)
    if checker.untried:
        many = "file" if checker.untried == 1 else "files"
        complain(
            f"the fixes of {checker.untried} {many} are left out: there are more than one run tries;"
            " name fewer files"
        )
    known = len(found) - len(findings)
    fixed, sink = 0, Sink(sys.stdout)
    if outcome is not None:
        findings = list(outcome.findings)
        failed = _save(space, outcome.texts)
        fixed = sum(item.path not in failed for item in outcome.applied)
        if wanted.stdin is not None:
            # Standard output belongs to the mended text then.
            _echo(space, wanted.stdin, outcome)
            sink = Sink(sys.stderr)
    if options.output_file is not None:
        sink = Sink(sys.stdout, options.output_file)
    _write_report(space, findings, options, fixed, known, sink)
    if why := sink.close():
        space.note(f"--output-file: {options.output_file}: {why}")
    return status_of(space, _verdict(findings, options.fail_on))


def _refuse(options: Namespace, stdin: File | None) -> None:
    """Raise :class:`UsageError` for options that contradict each other."""
    writes = [
        name
        for name, given in (
            ("--fix", options.fix),
            ("--diff", options.diff),
            ("--add-ignores", options.add_ignores),
            ("--write-baseline", options.write_baseline is not None),
        )
        if given
    ]
    if len(writes) > 1 and writes != ["--fix", "--diff"]:
        raise UsageError(f"{writes[0]} and {writes[1]} do not go together")
    if stdin is not None and options.add_ignores:
        raise UsageError("--add-ignores changes files; standard input is none")


def _mend() -> None:
    """Give back what a run that was killed has left half written, before anybody reads it."""
    from cachekey.disk.journal import restore

    for path in restore():
        complain(f"{path}: an interrupted run left it half written; it has its old text again")


def _processes(options: Namespace) -> int:
    if options.jobs is None:
        return available()
    if options.jobs < 1:
        raise UsageError(f"--jobs takes a number from 1, not '{options.jobs}'")
    return int(options.jobs)


def _detail(options: Namespace) -> Detail:
    """Tell how much of the fixes this run needs to know."""
    if options.fix or options.diff:
        return "edits"
    if options.format in {"json", "sarif"}:
        return "tried"
    titles = options.format in {"text", "markdown"} or options.statistics
    return "titles" if titles else "findings"


# -- what is known ---------------------------------------------------------------------------------


def _fresh(space: Workspace, options: Namespace) -> Fresh:
    """Return what leaves out the findings of ``--baseline``; a wrong one is told and leaves out nothing."""
    if options.baseline is None:
        return list
    from cachekey.report import baseline

    file = read(absolute(options.baseline))
    try:
        if file.text is None:
            raise baseline.BaselineError(file.problems[0].message)
        known = baseline.read(file.text)
    except baseline.BaselineError as error:
        space.note(f"--baseline: {options.baseline}: {error}")
        return list
    name = _beside(space, options.baseline)

    def fresh(findings: Sequence[Finding]) -> list[Finding]:
        return baseline.fresh(findings, known, Sources(space.texts), name)

    return fresh


def _write_baseline(space: Workspace, findings: Sequence[Finding], options: Namespace) -> int:
    from cachekey.report import baseline

    path = options.write_baseline
    text = baseline.render(findings, Sources(space.texts), _beside(space, path))
    sink = Sink(sys.stdout, path)
    sink.put(text)
    if why := sink.close():
        space.note(f"--write-baseline: {path}: {why}")
    else:
        what = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"
        say(sys.stderr, output([terminal(f"Wrote {what} to {path}.")]))
    return status_of(space, 0)


def _beside(space: Workspace, baseline: str) -> Callable[[str], str]:
    """Return what names documents from a baseline's folder, wherever the run is started."""
    folder = posixpath.dirname(absolute(baseline))

    def name(document: str) -> str:
        if document == STDIN:
            return document
        try:
            return os.path.relpath(space.path_of(document), folder).replace(os.sep, "/")
        except ValueError:
            # Another drive.
            return space.path_of(document)

    return name


# -- mending ---------------------------------------------------------------------------------------


def _repair(
    checker: Checker,
    findings: Sequence[Finding],
    options: Namespace,
    progress: Progress,
    fresh: Fresh,
) -> Outcome | None:
    if not (options.fix or options.diff):
        return None
    from cachekey.checking.fixing import apply_fixes

    level = Safety.UNSAFE if options.unsafe_fixes else Safety.SAFE

    def recheck(texts: Mapping[str, str]) -> list[Finding]:
        for name, text in texts.items():
            checker.put(name, text)
        return fresh(checker.check(progress, "edits"))

    space = checker.space
    return apply_fixes(dict(space.texts), findings, level, recheck, lambda: space.project.index)


def _add_ignores(
    checker: Checker,
    findings: Sequence[Finding],
    options: Namespace,
    progress: Progress,
    fresh: Fresh,
) -> int:
    """Write a comment for each finding that would be listed, so that none is left."""
    from cachekey.checking.silencing import silence

    space = checker.space

    def recheck(texts: Mapping[str, str]) -> list[Finding]:
        for name, text in texts.items():
            checker.put(name, text)
        return _listed(fresh(checker.check(progress, "findings")), options)[0]

    def document(name: str) -> object:
        return space.project.documents.get(name) or space.model(name)

    wanted, _ = _listed(findings, options)
    texts, left = silence(wanted, document, recheck)
    failed = _save(space, texts)
    done = len(wanted) - left
    files = len(texts) - len(failed)
    what = f"Ignored {done} finding{'' if done == 1 else 's'} in {files} file{'' if files == 1 else 's'}."
    tail = f" {left} have no place for a comment." if left else ""
    say(sys.stderr, output([terminal(what + tail)]))
    return status_of(space, int(left > 0))


def _save(space: Workspace, texts: Mapping[str, str]) -> set[str]:
    """Write the changed files and return the names of those that could not be."""
    from cachekey.disk.writing import tidy, write

    tidy({posixpath.dirname(space.path_of(name)) for name in space.files if name != STDIN})
    failed: set[str] = set()
    for name, text in texts.items():
        file = space.files[name]
        if name == space.stdin:
            continue
        why = write(file.path, file.data, encode(text, file.encoding))
        if why is not None:
            failed.add(name)
            space.errors.append(f"{space.shown(name)}: cannot be written: {why}")
    return failed


def _echo(space: Workspace, stdin: File, outcome: Outcome) -> None:
    text = outcome.texts.get(space.stdin or STDIN, stdin.text)
    if text is not None:
        write_bytes(sys.stdout, encode(text, stdin.encoding))


def _diff(
    space: Workspace,
    findings: Sequence[Finding],
    outcome: Outcome | None,
    before: Mapping[str, str],
    options: Namespace,
) -> int:
    from cachekey.report.patch import patch

    changed = outcome.texts if outcome is not None else {}
    sink = Sink(sys.stdout, options.output_file)
    for name in sorted(changed, key=space.shown):
        sink.put(patch(space.shown(name), before[name], changed[name], space.files[name].encoding))
    if why := sink.close():
        space.note(f"--output-file: {options.output_file}: {why}")
    count = len(outcome.applied) if outcome is not None else 0
    files = f"{len(changed)} file{'' if len(changed) == 1 else 's'}"
    what = terminal(f"Would fix {count} in {files}." if count else "Nothing to fix.")
    say(sys.stderr, output([what]))
    return status_of(space, _verdict(findings, options.fail_on))


# -- the report ------------------------------------------------------------------------------------


def _listed(findings: Sequence[Finding], options: Namespace) -> tuple[list[Finding], int]:
    """Return the findings to list, and how many hints are only counted: nobody asked for them."""
    asked = options.hints or options.fail_on == "hint" or options.select
    if asked:
        return list(findings), 0
    kept = [finding for finding in findings if finding.severity is not Severity.HINT]
    return kept, len(findings) - len(kept)


def _write_report(
    space: Workspace,
    findings: Sequence[Finding],
    options: Namespace,
    fixed: int,
    known: int,
    sink: Sink,
) -> None:
    kind = options.format
    listed, unlisted = (findings, 0) if kind in COMPLETE else _listed(findings, options)
    report = space.report(listed)
    if kind != "text":
        sink.put(_for_programs(report, kind, options))
        return
    from cachekey.report import statistics, text

    style = Style(wants_colour(sink.stream, os.environ) and options.output_file is None)
    if options.statistics:
        sink.put(statistics.render(report, style))
    else:
        sink.put_all(text.render(report, style))
    last = text.summary(report, fixed, unsafe=options.unsafe_fixes, unlisted=unlisted, known=known)
    sink.put(last)


def _for_programs(report: Report, kind: str, options: Namespace) -> Output:
    if options.statistics:
        if kind != "json":
            raise UsageError(f"--statistics are text or json, not {kind}")
        from cachekey.report import statistics

        return statistics.as_json(report)
    from cachekey.report.formats import render

    return render(report, kind)


def _verdict(findings: Iterable[Finding], fail_on: str) -> int:
    level = SEVERITIES.get(fail_on)
    if level is None:
        return 0
    return int(any(finding.severity.rank <= level.rank for finding in findings))
