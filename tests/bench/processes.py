"""What processes cost: wall time, processor time and memory, with those they started.

Processor time and memory are read where Linux keeps them; elsewhere they are left out.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_SAMPLE = 0.1
"""Seconds between two looks at the memory of a command, at least."""
_WAITING = 6
"""So many times its processor time a command may take on a busy machine."""
_SHARE = 30
"""A look at much memory takes long; so many times as long nobody looks again."""


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds of wall and processor time, megabytes at its peak."""

    wall: float
    cpu: float
    peak: float
    code: int
    stopped: bool
    """It did not end in time; the figures are what it had taken by then."""


def run(command: Sequence[str], folder: Path, cpu_limit: float) -> Cost:
    """Run a command and say what it and its workers took.

    It is stopped when it has taken ``cpu_limit`` seconds of processor time, or so many times as long by the
    clock that it must be waiting for something.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    watch = _Watch(process.pid, cpu_limit)
    watch.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.end()
    # The kernel counts kilobytes, and bytes on macOS.
    largest = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    return Cost(
        wall=wall,
        # Of workers that were killed the kernel does not tell.
        cpu=max(usage.ru_utime + usage.ru_stime, watch.cpu),
        peak=max(largest, watch.peak),
        code=process.returncode,
        stopped=watch.stopped,
    )


def cpu_seconds(process: int) -> float | None:
    """Return the processor time of a living process and its children, in seconds."""
    total = 0.0
    for one in _family(process):
        try:
            for task in (_PROC / str(one) / "task").iterdir():
                total += int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            if one == process:
                return None
    return total


def peak_megabytes(process: int) -> float | None:
    """Return the most memory that a living process and its children have had."""
    total = 0.0
    for one in _family(process):
        try:
            status = (_PROC / str(one) / "status").read_text()
        except OSError:
            if one == process:
                return None
            continue
        total += sum(int(x.split()[1]) for x in status.splitlines() if x.startswith("VmHWM")) / 1024
    return total


class _Watch(threading.Thread):
    """Looks at a command and its workers now and then; memory they share is counted once."""

    def __init__(self, process: int, cpu_limit: float) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._limit = cpu_limit
        self._end = threading.Event()
        self.peak = 0.0
        self.cpu = 0.0
        self.stopped = False

    def run(self) -> None:
        pause, latest = _SAMPLE, time.perf_counter() + self._limit * _WAITING
        while not self._end.wait(pause):
            begin = time.perf_counter()
            self.cpu = max(self.cpu, cpu_seconds(self._process) or 0)
            self.peak = max(self.peak, sum(map(_share, _family(self._process))))
            if self.cpu > self._limit or begin > latest:
                self.stopped = True
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process, signal.SIGKILL)
                return
            pause = max(_SAMPLE, _SHARE * (time.perf_counter() - begin))

    def end(self) -> None:
        self._end.set()
        self.join()


def _share(process: int) -> float:
    try:
        lines = (_PROC / str(process) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _family(process: int) -> Iterator[int]:
    yield process
    try:
        for task in (_PROC / str(process) / "task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))
    except OSError:
        return
