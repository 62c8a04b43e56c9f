"""What the commands do: they load a workspace, ask the core, and write a report."""

from __future__ import annotations

import logging
import os
import posixpath
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from cachekey.cli.checker import Checker
from cachekey.cli.loading import Input, load
from cachekey.cli.terminal import Progress, UsageError, complain, wants_colour, write_bytes
from cachekey.cli.terminal import write as say
from cachekey.cli.terminal import write_all as say_all
from cachekey.cli.workers import available
from cachekey.cli.workspace import STDIN, Workspace
from cachekey.disk.discovery import SettingsFile, SettingsFinder, parents, repository
from cachekey.disk.files import absolute, decode, encode
from cachekey.finding import Detail, Finding, Safety
from cachekey.markup.listing import listing
from cachekey.markup.rich import Rich, rich
from cachekey.markup.terminal import (
    Output,
    Style,
    output,
    terminal,
    text_output,
)
from cachekey.selectors import Named, unknown_rule
from cachekey.workspace.settings import FILE_NAMES, SEVERITIES, Overrides

if TYPE_CHECKING:
    from argparse import Namespace

    from cachekey.checking.fixing import Outcome
    from cachekey.disk.files import File

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?:?\Z", re.DOTALL)


class _OneLine(logging.Handler):
    """Tells of a rule that failed in one line, without its traceback."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message for stderr."""
        why = f": {record.exc_info[1]!r}" if record.exc_info else ""
        text = f"internal error: {record.getMessage()}{why}"
        if text not in self.errors:
            self.errors.append(text)


def _listen(space: Workspace) -> None:
    logger = logging.getLogger("cachekey")
    logger.handlers[:] = [_OneLine(space.errors)]
    logger.propagate = bool(os.environ.get("CACHEKEY_DEBUG"))


def _style() -> Style:
    return Style(wants_colour(sys.stdout, os.environ))


# -- options ---------------------------------------------------------------------------------------


def _rules() -> Sequence[Named]:
    from cachekey.report.rules import catalog

    return catalog()


def _rule_list(values: Iterable[str], option: str) -> tuple[str, ...]:
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    for name in names:
        if message := unknown_rule(name, _rules()):
            raise UsageError(f"{option}: {message}")
    return tuple(names)


def _build_args(values: Iterable[str]) -> dict[str, str]:
    arguments: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not name:
            raise UsageError(f"--build-arg takes NAME=VALUE, not '{value}'")
        if equals:
            arguments[name] = text
        elif name in os.environ:
            # As docker build does; a name that the environment lacks says nothing.
            arguments[name] = os.environ[name]
    return arguments


def _overrides(options: Namespace) -> Overrides:
    select = getattr(options, "select", None)
    return Overrides(
        select=None if select is None else _rule_list(select, "--select"),
        ignore=_rule_list(getattr(options, "ignore", None) or (), "--ignore"),
        namespace=options.namespace,
        build_args=_build_args(options.build_arg),
        engine=options.engine,
    )


def _config(options: Namespace) -> SettingsFile | None:
    if options.config is None:
        return None
    path = absolute(options.config)
    if not os.path.isfile(path):
        raise UsageError(f"--config: {options.config}: no such file")
    found = SettingsFinder(_rules()).load(path)
    if found is None:
        raise UsageError(f"--config: {options.config} has no table [tool.cachekey]")
    return found


def _input(options: Namespace) -> Input:
    overrides, config = _overrides(options), _config(options)
    paths = list(options.paths)
    name = getattr(options, "stdin_filename", None)
    stdin = None
    if STDIN in paths or (name is not None and not paths):
        path = absolute(name) if name else STDIN
        stdin = decode(path, sys.stdin.buffer.read() if sys.stdin is not None else b"")
        paths = [path for path in paths if path != STDIN]
    elif not paths:
        paths = ["."]
    return Input(paths, overrides, config, stdin)


def _load(wanted: Input, progress: Progress, jobs: int = 1) -> Workspace:
    space = load(wanted, progress, jobs)
    _listen(space)
    return space


def _status(space: Workspace, status: int) -> int:
    """Say what went wrong on the way; that outweighs findings."""
    for message in space.errors:
        complain(message)
    return 2 if space.errors else status


# -- check -----------------------------------------------------------------------------------------


def check(options: Namespace) -> int:
    """Run ``cachekey check``."""
    wanted = _input(options)
    if options.fix:
        _mend()
    with Progress() as progress:
        space = _load(wanted, progress, _processes(options))
        before = dict(space.texts)
        checker = Checker(space)
        findings = checker.check(progress, _detail(options))
        outcome = _repair(checker, findings, options, progress)
    if options.diff:
        return _diff(space, findings, outcome, before, options)
    fixed, stream = 0, sys.stdout
    if outcome is not None:
        findings = list(outcome.findings)
        failed = _save(space, outcome)
        fixed = sum(item.path not in failed for item in outcome.applied)
        if wanted.stdin is not None:
            # Standard output belongs to the mended text then.
            _echo(space, wanted.stdin, outcome)
            stream = sys.stderr
    _write_report(space, findings, options, fixed, stream)
    return _status(space, _verdict(findings, options.fail_on))


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
    if options.fix or options.diff or options.format in {"json", "sarif"}:
        return "edits"
    return "titles" if options.format == "text" else "findings"


def _repair(
    checker: Checker, findings: list[Finding], options: Namespace, progress: Progress
) -> Outcome | None:
    if not (options.fix or options.diff):
        return None
    from cachekey.checking.fixing import apply_fixes

    level = Safety.UNSAFE if options.unsafe_fixes else Safety.SAFE

    def recheck(texts: Mapping[str, str]) -> list[Finding]:
        for name, text in texts.items():
            checker.put(name, text)
        return checker.check(progress, "edits")

    space = checker.space
    outcome = apply_fixes(dict(space.texts), findings, level, recheck)
    for item in outcome.abandoned:
        space.errors.append(
            f"{space.shown(item.path)}: the fix of {item.code} was taken back: it broke the file"
        )
    return outcome


def _save(space: Workspace, outcome: Outcome) -> set[str]:
    """Write the changed files and return the names of those that could not be."""
    from cachekey.disk.writing import tidy, write

    tidy({posixpath.dirname(space.path_of(name)) for name in space.files if name != STDIN})
    failed: set[str] = set()
    for name, text in outcome.texts.items():
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
    from cachekey.checking.fixing import diff

    changed = outcome.texts if outcome is not None else {}
    for name in sorted(changed, key=space.shown):
        say(sys.stdout, text_output(diff(space.shown(name), before[name], changed[name])))
    count = len(outcome.applied) if outcome is not None else 0
    files = f"{len(changed)} file{'' if len(changed) == 1 else 's'}"
    what = terminal(f"Would fix {count} in {files}." if count else "Nothing to fix.")
    say(sys.stderr, output([what]))
    return _status(space, _verdict(findings, options.fail_on))


def _write_report(
    space: Workspace, findings: Sequence[Finding], options: Namespace, fixed: int, stream: TextIO
) -> None:
    report = space.report(findings)
    if options.format != "text":
        from cachekey.report.formats import render

        say(stream, render(report, options.format))
        return
    from cachekey.report import text

    style = Style(wants_colour(stream, os.environ))
    say_all(stream, text.render(report, style))
    say(stream, text.summary(report, fixed, unsafe=options.unsafe_fixes))


def _verdict(findings: Iterable[Finding], fail_on: str) -> int:
    level = SEVERITIES.get(fail_on)
    if level is None:
        return 0
    return int(any(finding.severity.rank <= level.rank for finding in findings))


# -- keys, explain, rule ---------------------------------------------------------------------------


def keys(options: Namespace) -> int:
    """Run ``cachekey keys``."""
    from cachekey.report.keys_data import mounts_report

    with Progress() as progress:
        space = _load(_input(options), progress)
        document = mounts_report(space.models(sorted(space.texts)))
    for mount in document["mounts"]:
        mount["path"] = space.shown(mount["path"])
    if options.format == "json":
        from cachekey.markup.data import dump

        say(sys.stdout, dump(document))
    else:
        from cachekey.report.keys import render

        say(sys.stdout, render(document, _style()))
    return _status(space, 0)


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
        space = _load(Input(paths, _overrides(options), _config(options)), progress)
        for _ in space.models(space.texts):
            pass
        space.model(space.name_of(path))
    text = _hover(space, space.name_of(path), int(match.group("line")), match.group("column"))
    if text is None:
        complain(f"{options.place}: nothing to explain here")
        return _status(space, 1)
    say(sys.stdout, text)
    return _status(space, 0)


def _around(path: str) -> list[str]:
    """Return the folder whose files belong together with ``path``, if that can be told."""
    folder = posixpath.dirname(path)
    if top := repository(folder):
        return [top]
    for above in parents(folder):
        if any(os.path.isfile(posixpath.join(above, name)) for name in FILE_NAMES):
            return [above]
    for above in parents(folder):
        if os.path.isdir(posixpath.join(above, ".devcontainer")):
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
    from cachekey.report.rules import as_data, catalog, page, table

    entries = catalog()
    if options.rule is not None:
        wanted = options.rule.lower()
        entries = tuple(e for e in entries if wanted in {e.code.lower(), e.name})
        if not entries:
            message = unknown_rule(options.rule, _rules())
            raise UsageError(message or f"'{options.rule}' stands for several rules")
    if options.format == "json":
        from cachekey.markup.data import dump

        data = [as_data(entry) for entry in entries]
        say(sys.stdout, dump(data[0] if options.rule is not None else data))
    elif options.rule is not None:
        say(sys.stdout, page(entries[0], _style()))
    else:
        say(sys.stdout, table(_style()))
    return 0


RUN: dict[str, Callable[[Namespace], int]] = {
    "check": check,
    "keys": keys,
    "explain": explain,
    "rule": rule,
}
