"""The files nobody has open: read in the background, in slices that never keep typing waiting."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import posixpath
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from cachekey.disk import discovery, files
from cachekey.kinds import may_be_dockerfile
from cachekey.lsp.names import document_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cachekey.lsp.area import Area
    from cachekey.lsp.progress import Progress

logger = logging.getLogger(__name__)

Stamp = tuple[int, int] | None
"""Time and size of a file; None without one."""

_BATCH = 32
"""Files that are read from disk at a time."""
_PATIENCE = 3.0
"""Seconds that an answer may wait for files which nobody has open."""
_SLICE = 0.004
"""Seconds of parsing between two looks at what the client has said."""


class Scanner:
    """Keeps the projects of the workspace folders in step with the disk."""

    def __init__(self, done: Callable[[Area], None], bar: Callable[[int], Progress]) -> None:
        """Begin with what to call when files were read, and what makes a bar for so many files."""
        self._done, self._bar = done, bar
        self._tasks: dict[Area, asyncio.Task[None]] = {}
        self._read: WeakKeyDictionary[Area, asyncio.Event] = WeakKeyDictionary()
        """For each area, whether a scan of it has come to its end."""
        self._stamps: dict[Area, dict[str, Stamp]] = {}
        """What files, and folders (with a slash behind), looked like when they were read."""

    def start(self, area: Area) -> None:
        """Read all files of an area, in place of a scan that is still under way."""
        self.stop(area)
        task = asyncio.get_running_loop().create_task(self._scan(area))
        self._tasks[area] = task

        def finished(ended: asyncio.Task[None]) -> None:
            if self._tasks.get(area) is ended:
                del self._tasks[area]
                self._first(area).set()
            if not ended.cancelled() and (error := ended.exception()) is not None:
                logger.error("the scan of %s failed", area.root, exc_info=error)

        task.add_done_callback(finished)

    def stop(self, area: Area) -> None:
        """Give up the scan of an area."""
        self._stamps.pop(area, None)
        if (task := self._tasks.pop(area, None)) is not None:
            task.cancel()

    def stop_all(self) -> None:
        """Give up every scan."""
        for area in list(self._tasks):
            self.stop(area)

    async def wait_for_first(self, area: Area, patience: float = _PATIENCE) -> None:
        """Wait until an area was read once, but not for ever."""
        if area.is_lonely:
            return
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._first(area).wait(), patience)

    def _first(self, area: Area) -> asyncio.Event:
        return self._read.setdefault(area, asyncio.Event())

    async def _scan(self, area: Area) -> None:
        # What comes while we look is not gone, though it is not found.
        known = set(area.project.index)
        found = await asyncio.to_thread(discovery.find, area.root, area.exclusion())
        cut = len(area.root.rstrip("/")) + 1
        paths = [path[cut:] for path in found.files]
        named = {path[cut:]: place for place, path in enumerate(found.named, 1)}
        # Who names a file, or builds a Dockerfile, decides how it is read: those first.
        paths.sort(key=lambda path: (document_kind(path) == "dockerfile", named.get(path, 0)))
        gone = known - set(paths)
        bar = self._bar(len(paths))
        await bar.begin("Reading Dockerfiles")
        try:
            await self._take_in(area, paths, bar)
        finally:
            bar.end()
        for path in gone:
            if not area.is_open(path):
                area.forget(path)
        # What is known of files nobody has open stays: no later collection needs to look at it.
        gc.freeze()
        self._done(area)

    async def update(self, area: Area, paths: Sequence[str]) -> None:
        """Read some files of an area anew; those that are gone are forgotten."""
        await self._take_in(
            area, [path for path in paths if area.project.kind(path) or may_be_dockerfile(path)]
        )
        self._done(area)

    async def look_again(self, area: Area) -> None:
        """Read anew what has changed on disk since it was read: nobody tells us.

        Files that are new in a folder with known ones are found, too.
        """
        if (scan := self._tasks.get(area)) is not None:
            # What is written while files are read may be behind it.
            await asyncio.wait({scan})
        if stamps := self._stamps.get(area):
            changed, seen = await asyncio.to_thread(_changed, area.root, dict(stamps))
            stamps.update(seen)
            if changed:
                await self.update(area, changed)

    async def _take_in(self, area: Area, paths: Sequence[str], bar: Progress | None = None) -> None:
        until = time.monotonic() + _SLICE
        for start in range(0, len(paths), _BATCH):
            batch = [path for path in paths[start : start + _BATCH] if not area.is_open(path)]
            texts, seen = await asyncio.to_thread(_read_all, area.root, batch)
            self._stamps.setdefault(area, {}).update(seen)
            for path, text in zip(batch, texts, strict=True):
                if area.is_open(path):
                    continue
                if text is None or area.excluded(path):
                    area.forget(path)
                    continue
                area.add_file(path, text)
                if time.monotonic() > until:
                    await asyncio.sleep(0)
                    until = time.monotonic() + _SLICE
            if bar is not None:
                bar.at(start + len(batch))


def _read_all(root: str, paths: Sequence[str]) -> tuple[list[str | None], dict[str, Stamp]]:
    # What is written while it is read looks new the next time.
    seen = {path: _stamp(root, path) for path in paths}
    return [files.read(posixpath.join(root, path), root).text for path in paths], seen


def _stamp(root: str, name: str) -> Stamp:
    try:
        status = os.stat(posixpath.join(root, name.strip("/")))
    except OSError:
        return None
    return (status.st_mtime_ns, 0 if name.endswith("/") else status.st_size)


def _changed(root: str, stamps: dict[str, Stamp]) -> tuple[list[str], dict[str, Stamp]]:
    """Return the files that look other than they did, and those that are new beside them.

    Also returns what the folders look like now that were searched for new ones.
    """
    known = [name for name in stamps if not name.endswith("/")]
    found = [path for path in known if _stamp(root, path) != stamps[path]]
    seen: dict[str, Stamp] = {}
    for folder in {posixpath.dirname(path) for path in known} | {""}:
        name = f"{folder}/"
        stamp = _stamp(root, name)
        if stamp == stamps.get(name) or stamp is None:
            continue
        seen[name] = stamp
        beside = (posixpath.join(folder, entry) for entry in _entries(root, folder))
        found += [path for path in beside if path not in stamps and document_kind(path)]
    return found, seen


def _entries(root: str, folder: str) -> list[str]:
    try:
        return os.listdir(posixpath.join(root, folder))
    except OSError:
        return []
