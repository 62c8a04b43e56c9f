"""Private cache namespaces: what is in one belongs to one run of ``prove``, and goes with it.

Each run leaves a note in a folder of the user's own while it lasts. The next run finds the notes of
runs that were killed, and takes their records away. Notes of runs that live are locked.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from cachekey.builder.descriptions import OWNER_STEP, read_description
from cachekey.builder.history import PROOF
from cachekey.builder.places import plain
from cachekey.builder.records import CACHE, BuilderError, Usage, UsageRecord
from cachekey.builder.source import Source
from cachekey.disk.lock import LOCKS, lock

_NOTE = "note.json"
_TRIES = 40
_PAUSE = 0.25
"""Seconds between tries: a build that was stopped gives its caches back a moment later."""


@dataclass
class Namespace:
    """One private namespace and the folder for its files."""

    name: str
    folder: str
    keep: bool = False


def mine(usage: Usage, name: str) -> list[UsageRecord]:
    """Return the caches of a namespace."""
    return [
        item
        for item in usage.records
        if item.type == CACHE
        and (read_description(item.description, usage.names).name or "").startswith(f"{name}/")
    ]


def made_by(usage: Usage, before: Iterable[str], commands: Iterable[str]) -> list[UsageRecord]:
    """Return the layers that a run has made: new ones of its probed commands, and those on top.

    Those without anything on top come first: only such can be removed.
    """
    known, ours = set(before), tuple(commands)
    fresh = [item for item in usage.records if item.id not in known and item.type != CACHE]
    above: dict[str, list[UsageRecord]] = {}
    for item in fresh:
        for parent in item.parents:
            above.setdefault(parent, []).append(item)
    begun = [item for item in fresh if _is_layer(item) and plain(item.description).endswith(ours)]
    begun += [item for item in fresh if item.description == OWNER_STEP]
    found: dict[str, UsageRecord] = {}
    while begun:
        item = begun.pop()
        # Put in again behind what it stands on.
        found.pop(item.id, None)
        found[item.id] = item
        begun += above.get(item.id, ())
    return list(reversed(found.values()))


def _is_layer(item: UsageRecord) -> bool:
    return item.description.startswith("mount / from exec ")


@contextmanager
def namespace(source: Source, keep: bool) -> Iterator[Namespace]:
    """Open a namespace; when the block is left, however, its caches and its folder are removed."""
    name = PROOF + uuid4().hex[:12]
    folder = os.path.join(_home(), name)
    os.makedirs(folder, mode=0o700)
    with open(os.path.join(folder, _NOTE), "w", encoding="utf-8") as note:
        lock(note.fileno())
        json.dump({"builder": source.builder.name}, note)
        note.flush()
        try:
            yield Namespace(name, folder, keep)
        finally:
            if not keep:
                remove(source, name)
            shutil.rmtree(folder, ignore_errors=True)


def remove(source: Source, name: str) -> None:
    """Prune the caches of a namespace, by id, until none is left."""
    left: list[str] = []
    for _ in range(_TRIES):
        before, left = left, [item.id for item in mine(source.usage(), name)]
        if not left:
            return
        if left == before:
            time.sleep(_PAUSE)
        source.remove(left)
    left = [item.id for item in mine(source.usage(), name)]
    if left:
        raise BuilderError(f"these records are in use and could not be pruned: {', '.join(left)}")


def clear(source: Source) -> list[str]:
    """Remove what killed runs have left on this builder; return the names of their namespaces."""
    cleared = []
    home = _home()
    for name in sorted(os.listdir(home)):
        folder = os.path.join(home, name)
        if name.startswith(PROOF) and _is_orphan(folder, source.builder.name):
            remove(source, name)
            shutil.rmtree(folder, ignore_errors=True)
            cleared.append(name)
    return cleared


def _is_orphan(folder: str, builder: str) -> bool:
    path = os.path.join(folder, _NOTE)
    try:
        if not LOCKS:
            # Windows renames no file that somebody has open.
            os.replace(path, f"{path}.moved")
            os.replace(f"{path}.moved", path)
        with open(path, "r+", encoding="utf-8") as note:
            # Who is alive holds the lock.
            return lock(note.fileno()) and json.load(note).get("builder") == builder
    except (OSError, ValueError, AttributeError):
        return False


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
