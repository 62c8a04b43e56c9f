"""Reads the progress of a build as BuildKit's clients write it (``--progress=rawjson``).

Source: BuildKit ``client/graph.go`` (SolveStatus); names of steps by ``dockerfile2llb/convert.go``.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cachekey.builder.records import when
from cachekey.dockerfile.records import Dockerfile, Run

_STEP = re.compile(
    r"\[(?:(?P<platform>\S+/\S+) )?(?:(?P<stage>\S+) )?(?P<number>\d+)/\d+\] RUN\b", re.DOTALL
)
_PAINT = re.compile(r"\x1b\[[0-9;]*m")
_STOPPED = "context canceled"
_MOST_LOG = 20_000
"""Characters of a step's own words that are kept."""


@dataclass
class Step:
    """One RUN of a build as the builder tells of it."""

    name: str
    started: datetime | None = None
    completed: datetime | None = None
    cached: bool = False
    error: str = ""
    log: str = ""

    @property
    def seconds(self) -> float | None:
        """Return how long it ran; None when it did not."""
        if self.cached or self.started is None or self.completed is None:
            return None
        return (self.completed - self.started).total_seconds()


@dataclass
class Progress:
    """All steps of a build, by the builder's own names for them."""

    steps: dict[str, Step] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    """Lines that are no progress: the client's own complaint."""

    def feed(self, line: str) -> Step | None:
        """Take one line in; return the step that has just begun, if one has."""
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            if line.strip():
                self.said.append(line.strip())
            return None
        begun = None
        for vertex in told.get("vertexes") or ():
            begun = self._vertex(vertex) or begun
        for entry in told.get("logs") or ():
            self._log(entry)
        return begun

    def _vertex(self, vertex: Mapping[str, Any]) -> Step | None:
        step = self.steps.setdefault(str(vertex.get("digest")), Step(str(vertex.get("name", ""))))
        fresh = step.started is None and bool(vertex.get("started"))
        step.started = step.started or when(vertex.get("started"))
        step.completed = when(vertex.get("completed")) or step.completed
        step.cached = step.cached or bool(vertex.get("cached"))
        step.error = str(vertex.get("error") or step.error)
        return step if fresh and not step.cached else None

    def _log(self, entry: Mapping[str, Any]) -> None:
        step = self.steps.get(str(entry.get("vertex")))
        if step is not None and len(step.log) < _MOST_LOG:
            data = base64.b64decode(str(entry.get("data") or ""))
            step.log += data.decode("utf-8", "replace")

    @property
    def failure(self) -> str:
        """Return what went wrong, as one line."""
        failed = [step for step in self.steps.values() if step.error]
        # What else was going on is stopped then.
        failed = [step for step in failed if not step.error.endswith(_STOPPED)] or failed
        if failed:
            log = _PAINT.sub("", failed[-1].log)
            words = [line.strip() for line in log.splitlines() if line.strip()]
            tail = f" ({words[-1]})" if words else ""
            return f"{failed[-1].name}: {failed[-1].error}{tail}"
        said = [line for line in self.said if line.lower().startswith("error")] or self.said
        return (
            re.sub(r"(?i)^error: (failed to solve: )?", "", said[-1]) if said else "no reason given"
        )


def runs_of(model: Dockerfile, steps: Iterable[Step]) -> dict[int, list[Step]]:
    """Tell which steps are which RUN, by the RUN's first line; of several platforms all.

    The builder numbers a stage's steps in the order of its instructions.
    """
    found: dict[tuple[str, str], list[tuple[int, Step]]] = {}
    for step in steps:
        if match := _STEP.match(step.name):
            group = (match["platform"] or "", (match["stage"] or "").lower())
            found.setdefault(group, []).append((int(match["number"]), step))
    matched: dict[int, list[Step]] = {}
    for (_, name), numbered in found.items():
        runs = _runs(model, name)
        if len(runs) == len(numbered):
            ordered = [step for _, step in sorted(numbered, key=lambda item: item[0])]
            for run, step in zip(runs, ordered, strict=True):
                matched.setdefault(run.instruction.first_line, []).append(step)
    return matched


def _runs(model: Dockerfile, name: str) -> Sequence[Run]:
    for stage in model.stages:
        named = (stage.name or f"stage-{stage.index}").lower()
        if name == named or (not name and len(model.stages) == 1):
            return [run for run in stage.runs if not run.dormant]
    return []
