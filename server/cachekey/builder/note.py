"""What a run of ``prove`` writes down while it lasts, so that the next one can take its things away.

A note is lines of JSON, each written whole: of a run that was killed, what it had begun is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import IO, Any

from cachekey.builder.records import when
from cachekey.disk.lock import lock
from cachekey.record import record, replace


@record(frozen=True)
class Trace:
    """By what the things of a run are known on its builder."""

    name: str
    """The namespace."""
    builder: str = ""
    before: frozenset[str] | None = None
    """The records that were there before its first build; None: no build was begun."""
    commands: tuple[str, ...] = ()
    """Those of its probed steps."""
    ended: bool = False
    """The run is over, and somebody else may have built since."""
    last: datetime | None = None
    """When the last step began that the run has heard of, by the builder's clock."""
    held: tuple[str, ...] = ()
    """Layers that the builder would not let go of: all else is removed."""


class Note:
    """The note of a run that lives: it is locked as long as it is open."""

    def __init__(self, file: IO[str], name: str, builder: str) -> None:
        lock(file.fileno())
        self._file = file
        self.trace = Trace(name)
        self.put(builder=builder)

    def put(self, **facts: Any) -> None:
        """Write facts down, named as in :class:`Trace`."""
        write(self._file, **facts)
        self.trace = _with(self.trace, facts)


def write(file: IO[str], **facts: Any) -> None:
    """Add a line to a note."""
    file.write(f"{json.dumps(facts)}\n")
    file.flush()


def read_note(lines: Iterable[str], name: str) -> Trace | None:
    """Read what a run that has ended has left; None when it had not got as far as its builder.

    A line that was not written to its end is none.
    """
    trace = Trace(name, ended=True)
    for line in lines:
        try:
            trace = _with(trace, json.loads(line))
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
    return trace if trace.builder else None


def _with(trace: Trace, facts: dict[str, Any]) -> Trace:
    return replace(
        trace,
        builder=str(facts.get("builder", trace.builder)),
        before=frozenset(facts["before"]) if "before" in facts else trace.before,
        commands=tuple(facts.get("commands", trace.commands)),
        last=when(facts.get("last")) or trace.last,
        held=tuple(facts.get("held", trace.held)),
    )
