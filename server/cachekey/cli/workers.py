"""Several processes for one pure function over many items: same results, in order, for any number.

Nothing else starts a process here, and no other program is run.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

Work = Callable[[Iterable[_Item]], Iterable[_Result]]
"""Turns items into as many results, in order. Made once in each process."""

_PROCESS: type[BaseProcess]
if sys.platform == "linux":
    _PROCESS = multiprocessing.get_context("fork").Process
else:
    _PROCESS = multiprocessing.get_context("spawn").Process

CHUNK = 24
"""Items that are handed over at a time: enough to forget the cost of it, few enough to share well."""
WORTH = 64
"""Fewer items are done sooner here than by processes that are still to be started."""


class WorkerLostError(Exception):
    """A process was ended from outside, and so was the one that took its work over."""


def available() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers(Generic[_Item, _Result]):
    """Does work in processes, or in this one when that does not pay.

    ``prepare`` makes the work function, in each process, from the arguments; both must be picklable
    where processes cannot be forked.
    """

    def __init__(
        self, count: int, prepare: Callable[..., Work[_Item, _Result]], *arguments: Any
    ) -> None:
        self._count, self._prepare, self._arguments = count, prepare, arguments

    def results(self, items: Sequence[_Item]) -> Iterator[_Result]:
        """Yield the results in the order of the items.

        Raises :class:`WorkerLostError` behind the last result that could be had in order.
        """
        if self._count < 2 or len(items) < WORTH:
            yield from self._prepare(*self._arguments)(items)
            return
        chunks = [items[at : at + CHUNK] for at in range(0, len(items), CHUNK)]
        early: dict[int, list[_Result]] = {}
        following = 0
        with closing(self._done(chunks)) as done:
            for number, results in done:
                early[number] = results
                while following in early:
                    yield from early.pop(following)
                    following += 1

    def _done(
        self, chunks: Sequence[Sequence[_Item]]
    ) -> Generator[tuple[int, list[_Result]], None, None]:
        """Yield chunks as they are done, by number."""
        waiting = deque(range(len(chunks)))
        lost: set[int] = set()
        team = [self._start() for _ in range(min(self._count, len(chunks)))]
        try:
            for worker in team:
                worker.give(waiting.popleft(), chunks)
            while busy := [worker for worker in team if worker.at is not None]:
                for connection in wait([worker.connection for worker in busy]):
                    worker = next(item for item in busy if item.connection is connection)
                    number = worker.at
                    assert number is not None
                    try:
                        results: list[_Result] = worker.connection.recv()
                    except (EOFError, OSError):
                        # Ended from outside. Its chunk is done again, once.
                        if number in lost:
                            raise WorkerLostError from None
                        lost.add(number)
                        waiting.appendleft(number)
                        team.remove(worker)
                        worker.end()
                        worker = self._start()
                        team.append(worker)
                    else:
                        yield number, results
                    worker.give(waiting.popleft() if waiting else None, chunks)
        finally:
            for worker in team:
                worker.end()

    def _start(self) -> _Worker:
        ours, theirs = multiprocessing.Pipe()
        process = _PROCESS(
            target=_serve, args=(theirs, self._prepare, self._arguments), daemon=True
        )
        with _no_interrupt():
            process.start()
        theirs.close()
        return _Worker(process, ours)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Let a process begin deaf to Ctrl-C, which reaches all processes of a terminal.

    The first process ends the others; for that one the signal only waits.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """One process, and the chunk that it works on."""

    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        self.process, self.connection = process, connection
        self.at: int | None = None

    def give(self, number: int | None, chunks: Sequence[Sequence[Any]]) -> None:
        """Hand over a chunk; a process that is gone by now is noticed when it does not answer."""
        self.at = number
        if number is not None:
            with suppress(OSError):
                self.connection.send(chunks[number])

    def end(self) -> None:
        """End the process now, whatever it is doing."""
        self.process.terminate()
        self.connection.close()
        self.process.join()


def _serve(
    connection: Connection, prepare: Callable[..., Work[Any, Any]], arguments: tuple[Any, ...]
) -> None:
    """Answer chunk after chunk, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A model is a circle of objects: it is gone only when it has been looked for, file after file.
    gc.freeze()
    gc.set_threshold(5_000, 10, 5)
    gc.enable()
    work = prepare(*arguments)
    with suppress(EOFError, OSError):
        while True:
            connection.send(list(work(connection.recv())))
