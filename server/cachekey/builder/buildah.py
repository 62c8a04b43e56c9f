"""Looks at the folders in which Buildah and Podman keep caches: there is no daemon to ask.

Until 1.28 a folder bears the cleaned id or target. Newer ones (1.33 on) hash the name, the newest
with the owner behind it. Source: Buildah ``internal/volumes/volumes.go``; experiments with 1.28.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from hashlib import sha256

from cachekey.builder.places import Place
from cachekey.builder.records import CACHE, Builder, BuilderError, Usage, UsageRecord
from cachekey.builder.source import Source
from cachekey.syntax.dockerfile.go import go_quote

_DEFAULT = "/var/tmp"
_LOCKS = "buildah-cache-lockfiles"
_MOST_FILES = 200_000
"""Files that are measured; a cache may hold a million."""


def folders(environment: Mapping[str, str]) -> list[str]:
    """Return where caches of this user may lie, those that are there."""
    parent = environment.get("TMPDIR") or _DEFAULT
    user = os.getuid() if hasattr(os, "getuid") else 0
    candidates = (f"{parent}/buildah-cache", f"{parent}/buildah-cache-{user}")
    return [path for path in candidates if os.path.isdir(path)]


class Buildah(Source):
    """Buildah's folders of caches."""

    def __init__(self, places: Sequence[str], found: str) -> None:
        self.folders = tuple(places)
        self.names: Mapping[str, Sequence[str]] = {}
        """Wanted names by the path that each of them would have."""
        self.builder = Builder(", ".join(places), "buildah", "", found)

    def expect(self, places: Iterable[Place]) -> None:
        """Announce the workspace's mounts: folders do not tell the names of their caches."""
        wanted: dict[str, list[str]] = {}
        for place in places:
            if place.base == "plain" and not place.open:
                name = place.key.name.text
                for path in self._paths(name, place.uid or 0, place.gid or 0):
                    wanted.setdefault(path, []).append(place.name)
        self.names = wanted

    def _paths(self, name: str, uid: int, gid: int) -> Iterator[str]:
        for folder in self.folders:
            path = os.path.normpath(f"{folder}/{name}")
            if path.startswith(f"{folder}/"):
                yield path
            # An id is hashed as it is written, a target with its slash.
            for text in (name, f"/{name}"):
                for owned in (text, f"{text}:{uid}:{gid}"):
                    digest = sha256(owned.encode("utf-8", "surrogateescape")).hexdigest()
                    yield f"{folder}/{digest[:16]}"

    def usage(self) -> Usage:
        """Measure the folders: those of the workspace's caches, and what lies beside them."""
        records, seen = [], set()
        for path, names in self.names.items():
            if os.path.isdir(path) and not os.path.islink(path):
                seen.add(path)
                records.append(_record(path, names[0]))
        for folder in self.folders:
            for path in _children(folder):
                if path not in seen and not any(item.startswith(f"{path}/") for item in seen):
                    records.append(_record(path, "/" + os.path.basename(path)))
        return Usage(self.builder, tuple(records), ())

    def prune(self, record: str) -> Sequence[str]:
        """Return the command that removes one folder."""
        return ("rm", "-rf", record)


def _children(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            found = [
                e.path for e in entries if e.is_dir(follow_symlinks=False) and e.name != _LOCKS
            ]
    except PermissionError:
        raise BuilderError(f"Buildah's caches in {folder} may not be read by this user") from None
    return sorted(found)


def _record(path: str, name: str) -> UsageRecord:
    try:
        size, last = _measured(path)
        made = os.stat(path).st_ctime
    except PermissionError:
        raise BuilderError(f"Buildah's caches in {path} may not be read by this user") from None
    described = f"cached mount  from exec  with id {go_quote(name)}"
    created, used = (datetime.fromtimestamp(moment, timezone.utc) for moment in (made, last))
    return UsageRecord(path, CACHE, described, size, created, used, mutable=True)


def _measured(path: str) -> tuple[int, float]:
    """Return the bytes of a folder's files and when one of them was last changed."""
    size, last, count = 0, os.stat(path).st_mtime, 0
    for root, _, names in os.walk(path):
        for name in names:
            try:
                status = os.lstat(f"{root}/{name}")
            except OSError:
                # A build removes files while we look.
                continue
            last = max(last, status.st_mtime)
            size += status.st_size if stat.S_ISREG(status.st_mode) else 0
            count += 1
        if count > _MOST_FILES:
            break
    return size, last
