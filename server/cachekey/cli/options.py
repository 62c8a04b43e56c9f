"""What the options of a command come to: which files, which settings, and what went wrong on the way."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cachekey.cli.loading import Input, load
from cachekey.cli.terminal import Progress, UsageError, complain, wants_colour
from cachekey.cli.workspace import STDIN, Workspace
from cachekey.disk.files import absolute, decode
from cachekey.disk.settings import SettingsFile, SettingsFinder
from cachekey.markup.terminal import Style
from cachekey.selectors import Named, unknown_rule
from cachekey.workspace.settings import Overrides

if TYPE_CHECKING:
    from argparse import Namespace


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


def style() -> Style:
    """Return how standard output is painted."""
    return Style(wants_colour(sys.stdout, os.environ))


def known_rules() -> Sequence[Named]:
    """Return the rules that an option may name."""
    from cachekey.report.rules import catalog

    return catalog()


def rule_list(values: Iterable[str], option: str) -> tuple[str, ...]:
    """Return the rules that an option lists; raises :class:`UsageError` for an unknown one."""
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    for name in names:
        if message := unknown_rule(name, known_rules()):
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


def overrides_of(options: Namespace) -> Overrides:
    """Return what the command line puts over the settings; raises :class:`UsageError`."""
    select = getattr(options, "select", None)
    return Overrides(
        select=None if select is None else rule_list(select, "--select"),
        ignore=rule_list(getattr(options, "ignore", None) or (), "--ignore"),
        namespace=options.namespace,
        build_args=_build_args(options.build_arg),
        engine=options.engine,
    )


def config_of(options: Namespace) -> SettingsFile | None:
    """Return the settings file that ``--config`` names; raises :class:`UsageError`."""
    if options.config is None:
        return None
    path = absolute(options.config)
    if os.path.isdir(path):
        raise UsageError(f"--config: {options.config} is a folder")
    if not os.path.isfile(path):
        raise UsageError(f"--config: {options.config}: no such file")
    found = SettingsFinder(known_rules).load(path)
    if found is None:
        raise UsageError(f"--config: {options.config} has no table [tool.cachekey]")
    return found


def input_of(options: Namespace) -> Input:
    """Return what a command is to read; raises :class:`UsageError`."""
    overrides, config = overrides_of(options), config_of(options)
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


def loaded(wanted: Input, progress: Progress, jobs: int = 1) -> Workspace:
    """Read what was asked for; what a rule logs is heard on stderr from now on."""
    space = load(wanted, progress, jobs)
    _listen(space)
    return space


def status_of(space: Workspace, status: int) -> int:
    """Say what went wrong on the way; that outweighs findings."""
    for message in space.errors:
        complain(message)
    return 2 if space.errors else status
