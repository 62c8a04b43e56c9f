"""``cachekey check --watch``: checks again whenever one of the files has changed."""

from __future__ import annotations

import os
import posixpath
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cachekey.cli.options import input_of
from cachekey.cli.terminal import UsageError
from cachekey.cli.terminal import write as say
from cachekey.disk.discovery import find
from cachekey.disk.files import absolute, is_folder
from cachekey.disk.settings import SettingsFinder
from cachekey.markup.terminal import output, terminal

if TYPE_CHECKING:
    from argparse import Namespace

EVERY = 0.5
"""Seconds between two looks at the files: their names, sizes and times, and which settings count."""

State = frozenset[tuple[str, int, int]]


def watch(options: Namespace, check: Callable[[Namespace], int]) -> int:
    """Check now and after every change, until it is interrupted; raises :class:`UsageError`."""
    wanted = input_of(options)
    if wanted.stdin is not None or options.fix or options.add_ignores:
        raise UsageError("--watch only looks at files: no standard input, no --fix")
    before: State | None = None
    while True:
        now = _state(wanted.paths)
        if now != before:
            before = now
            check(options)
            say(sys.stderr, output([terminal("Watching for changes; Ctrl-C ends it.")]))
        time.sleep(EVERY)


def _state(paths: Sequence[str]) -> State:
    """Return what tells that a file has changed."""
    found: set[tuple[str, int, int]] = set()
    for path in paths:
        place = absolute(path)
        files = find(place).files if is_folder(place) else [place]
        for file in (*files, *_settings(place if is_folder(place) else posixpath.dirname(place))):
            try:
                status = os.stat(file)
            except OSError:
                continue
            found.add((file, status.st_mtime_ns, status.st_size))
    return frozenset(found)


def _settings(folder: str) -> list[str]:
    found = SettingsFinder(root=absolute(".")).of(folder)
    return [file.path for file in (found, *found.bases)]
