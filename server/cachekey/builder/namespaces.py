"""Private cache namespaces: what is in one belongs to one run of ``prove``, and goes with it.

So do the layers of the steps that it had run anew: nobody else can use them. Each run leaves a note
in a folder of the user's own while it lasts. The next run finds the notes of runs that were killed,
and takes their records away. Notes of runs that live are locked.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4

from cachekey.builder.descriptions import OWNER_STEP, read_description
from cachekey.builder.history import PROOF
from cachekey.builder.note import Note, Trace, read_note, write
from cachekey.builder.places import plain
from cachekey.builder.records import CACHE, BuilderError, Usage, UsageRecord
from cachekey.builder.source import Source
from cachekey.disk.lock import LOCKS, lock
from cachekey.record import replace

_NOTE = "note"
_TRIES = 40
_HELD_TRIES = 12
"""The same for layers, which a later run can remove as well."""
_PAUSE = 0.25
"""Seconds between tries: a build that was stopped gives its records back a moment later."""
_LATER = timedelta(seconds=2)
"""A layer is a moment younger than the last that is known of its step."""
_STILLBORN = 60
"""Seconds after which a folder without a note belongs to nobody who lives."""


class Namespace:
    """One private namespace, the folder for its files, and what is written down of it."""

    def __init__(self, name: str, folder: str, note: Note, keep: bool) -> None:
        self.name, self.folder, self.note, self.keep = name, folder, note, keep
        self.usage: Usage | None = None
        """What is there, when nothing was built since it was asked for."""


def mine(usage: Usage, name: str) -> list[UsageRecord]:
    """Return the caches of a namespace."""
    return [
        item
        for item in usage.records
        if item.type == CACHE
        and (read_description(item.description, usage.names).name or "").startswith(f"{name}/")
    ]


def made_by(usage: Usage, trace: Trace) -> list[UsageRecord]:
    """Return the layers that a run has made: new ones of its probed commands, and those on top.

    Those without anything on top come first: only such can be removed. Layers of the same commands
    that somebody has made since a run ended are not its own.
    """
    if trace.before is None:
        return []
    fresh = [item for item in usage.records if item.id not in trace.before and item.type != CACHE]
    above: dict[str, list[UsageRecord]] = {}
    for item in fresh:
        for parent in item.parents:
            above.setdefault(parent, []).append(item)
    last = _last(usage, trace) if trace.ended else None
    begun = [
        item
        for item in fresh
        if _is_probed(item, trace.commands) and (not trace.ended or _is_before(item.created, last))
    ]
    found: dict[str, UsageRecord] = {}
    while begun:
        item = begun.pop()
        # Put in again behind what it stands on.
        found.pop(item.id, None)
        found[item.id] = item
        begun += above.get(item.id, ())
    return list(reversed(found.values()))


def _is_probed(item: UsageRecord, commands: tuple[str, ...]) -> bool:
    layer = item.description.startswith("mount / from exec ")
    own = layer and bool(commands) and plain(item.description).endswith(commands)
    return own or item.description == OWNER_STEP


def _is_before(created: datetime | None, last: datetime | None) -> bool:
    return created is not None and last is not None and created <= last + _LATER


def _last(usage: Usage, trace: Trace) -> datetime | None:
    """Return the last moment of a run that is known, by the builder's clock: its caches tell, too.

    When they were used last does not: BuildKit takes a question for a use, whoever asks it.
    """
    times = [trace.last, *(item.created for item in mine(usage, trace.name))]
    return max((time for time in times if time is not None), default=None)


@contextmanager
def namespace(source: Source, keep: bool, tell: Callable[[str], None]) -> Iterator[Namespace]:
    """Open a namespace; when the block is left, however, all that was made in it is removed.

    What the builder holds on to is told, and stays written down for the next run.
    """
    name = PROOF + uuid4().hex[:12]
    folder = os.path.join(_home(), name)
    os.makedirs(folder, mode=0o700)
    with open(os.path.join(folder, _NOTE), "w", encoding="utf-8") as file:
        private = Namespace(name, folder, Note(file, name, source.builder.name), keep)
        held: list[str] = []
        try:
            yield private
        finally:
            if not keep and private.note.trace.before is not None:
                held = remove(source, private.note.trace, private.usage)
            if held:
                private.note.put(held=held)
                tell(held_words(held))
            else:
                shutil.rmtree(folder, ignore_errors=True)


def remove(source: Source, trace: Trace, usage: Usage | None = None) -> list[str]:
    """Prune what a run has made, by id, until nothing is left; ``usage`` is what is there, if known.

    Returns the layers that the builder holds on to: Docker does so with layers of a build that was
    stopped, until it is started again. Raises ``BuilderError`` about caches that stay.
    """
    usage = usage or source.usage()
    if trace.held:
        there = [item.id for item in usage.records if item.id in trace.held]
        if there:
            source.remove(there)
            usage = source.usage()
        return [item.id for item in usage.records if item.id in trace.held]
    left: list[str] = []
    idle = 0
    if trace.ended:
        # What is known of its last moment goes with its caches.
        trace = replace(trace, last=_last(usage, trace))
    for _ in range(_TRIES):
        before = left
        left = [item.id for item in (*made_by(usage, trace), *mine(usage, trace.name))]
        if not left:
            return []
        if left == before:
            idle += 1
            if idle > _HELD_TRIES and not mine(usage, trace.name):
                break
            time.sleep(_PAUSE)
        source.remove(left)
        usage = source.usage()
    stuck = [item.id for item in mine(usage, trace.name)]
    if stuck:
        raise BuilderError(f"these records are in use and could not be pruned: {', '.join(stuck)}")
    return [item.id for item in made_by(usage, trace)]


def held_words(held: Sequence[str]) -> str:
    """Say what stays for now."""
    return f"the builder holds on to {len(held)} of its layers: a later run of prove removes them"


def clear(source: Source) -> list[Trace]:
    """Remove what killed runs have left on this builder; return by what it was known."""
    cleared = []
    home = _home()
    for name in sorted(os.listdir(home)):
        folder = os.path.join(home, name)
        if not name.startswith(PROOF):
            continue
        trace = _orphan(folder, name)
        if trace is not None and trace.builder == source.builder.name:
            if not trace.held:
                trace = replace(trace, last=_over(source, trace))
            if held := remove(source, trace):
                with open(os.path.join(folder, _NOTE), "a", encoding="utf-8") as file:
                    write(file, held=held)
            else:
                shutil.rmtree(folder, ignore_errors=True)
            if not trace.held:
                cleared.append(replace(trace, held=tuple(held)))
    return cleared


def _over(source: Source, trace: Trace) -> datetime | None:
    """Return when a killed run was over: its client ends with it, its build a moment later.

    A builder that remembers its builds tells it. Else it is what the run has heard last.
    """
    for _ in range(_TRIES):
        ends = source.builds_in(trace.name) or []
        if None not in ends:
            break
        time.sleep(_PAUSE)
    times = [trace.last, *ends]
    return max((time for time in times if time is not None), default=None)


def _orphan(folder: str, name: str) -> Trace | None:
    """Return what a run has written down that lives no more; None of others."""
    path = os.path.join(folder, _NOTE)
    try:
        if time.time() - os.stat(folder).st_mtime > _STILLBORN and not os.path.exists(path):
            shutil.rmtree(folder, ignore_errors=True)
        if not LOCKS:
            # Windows renames no file that somebody has open.
            os.replace(path, f"{path}.moved")
            os.replace(f"{path}.moved", path)
        with open(path, "r+", encoding="utf-8", errors="replace") as note:
            # Who is alive holds the lock.
            return read_note(note, name) if lock(note.fileno()) else None
    except OSError:
        return None


def _home() -> str:
    """Return the folder for notes, which nobody else may write to; raises ``BuilderError``."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    user = os.geteuid() if hasattr(os, "geteuid") else "user"
    for parent in (os.path.join(base, "cachekey"), f"{tempfile.gettempdir()}/cachekey-{user}"):
        home = os.path.join(parent, "prove")
        try:
            os.makedirs(home, mode=0o700, exist_ok=True)
            if _is_ours(parent) and _is_ours(home):
                return home
        except OSError:
            continue
    raise BuilderError("there is no folder of this user's own for the files of a proof")


def _is_ours(folder: str) -> bool:
    """Tell whether nobody else can put anything into a folder."""
    status = os.lstat(folder)
    if not hasattr(os, "geteuid"):
        return stat.S_ISDIR(status.st_mode)
    own = status.st_uid == os.geteuid() and not status.st_mode & 0o022
    return own and stat.S_ISDIR(status.st_mode)
