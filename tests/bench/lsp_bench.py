"""The language server at work, beside its peers: each edit goes to one server after the other.

What a busy machine does to one server it so does to all. Times are taken by the client, from the message
sent to the answer read.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.bench import corpus, peers
from tests.bench.client import ServerError, now
from tests.bench.editor import Editor
from tests.bench.measures import Measures
from tests.bench.plan import Plan

Commands = dict[str, Sequence[str]]
SERVER = (sys.executable, "-m", "cachekey", "lsp")
REQUESTS: dict[str, Callable[[Editor], Any]] = {
    "hover": Editor.hover,
    "codeAction": Editor.code_action,
    "completion": Editor.completion,
    "references": Editor.references,
}
LONG = (1_250, 5_000, 20_000)
"""Lines of the long files; their factor is four, as that of the trees."""
_TOO_LONG = "CK002"
"""The finding that a file was not checked, or only its syntax."""
_BURST = 100
_SHARED_FILES = 20
"""About so many files of the workspace share a cache with the open one."""
_PAUSE = 0.05
_LOOK = 0.5
"""Seconds between two hovers, and between two looks for the last file, while the workspace is read."""


def measure(measures: Measures, plan: Plan, folder: Path) -> None:
    """Put down what the server takes; workspaces are made in ``folder``."""
    alone, many = folder / "alone", folder / "many"
    alone.mkdir()
    shared = corpus.write_tree(many, plan.many, plan.many // _SHARED_FILES)
    for place in (alone, many):
        _write(place, corpus.subject())
    commands = _commands(measures)
    Editor(SERVER, alone).close()  # Warms the byte code.
    crowded = _first_index(measures, plan, many, len(shared) + 1)
    try:
        _at_work(measures, plan, commands, alone, crowded)
        measures.set("memory.many", crowded.server.peak())
    finally:
        crowded.close()
    _squiggles(measures, plan, many)
    _long_files(measures, plan, folder)


def _commands(measures: Measures) -> Commands:
    commands: Commands = {"cachekey": SERVER}
    for name, peer in (("pygls", peers.bare()), ("langserver", peers.langserver())):
        measures.about[peer.name] = peer.version
        if peer.problem:
            for what in ("edit", "hover", "start", "memory"):
                measures.problems[f"{what}.{name}"] = peer.problem
        else:
            commands[name] = peer.command
    return commands


def _first_index(measures: Measures, plan: Plan, folder: Path, wanted: int) -> Editor:
    """Open a large workspace and hover in it until all its files are known."""
    begin = now()
    editor = Editor(SERVER, folder)
    hovers: list[float] = []
    look, found = begin, 0
    while found < wanted and now() - begin < plan.index_seconds:
        sent = now()
        editor.hover()
        hovers.append(now() - sent)
        if now() >= look:
            found = len(editor.references())
            look = now() + _LOOK
        time.sleep(_PAUSE)
    known = f"{found} of {wanted} files that share a cache known by then"
    measures.set("index.seconds", now() - begin, stopped=known if found < wanted else "")
    measures.set("index.cpu", editor.server.cpu())
    measures.times("index.hover", hovers)
    measures.set("index.hover.max", max(hovers) * 1e3)
    measures.set("index.progress", float("begin" in editor.server.progress))
    return editor


def _at_work(
    measures: Measures, plan: Plan, commands: Commands, alone: Path, crowded: Editor
) -> None:
    """Start all servers, type and ask; the one with many files joins those with one."""
    clock = _Clock(plan.series_seconds)
    peaks: dict[str, float] = {}
    for turn in range(plan.rounds):
        editors: dict[str, Editor] = {}
        try:
            for name in _rotated(list(commands), turn):
                editor = editors[name] = Editor(commands[name], alone)
                clock.times[f"start.{name}"].append(editor.server.start)
                clock.cpu[f"start.{name}"].append(editor.start_cpu)
                clock.times[f"squiggle.{name}"].append(editor.squiggle)
            everyone = {**editors, "many": crowded}
            clock.interleave("edit", everyone, plan.edits, Editor.type)
            for what, ask in REQUESTS.items():
                clock.interleave(what, _able(what, everyone), plan.requests, ask)
            for name, editor in editors.items():
                peaks[name] = max(peaks.get(name, 0), editor.server.peak() or 0)
            clock.times["burst.cachekey"].append(editors["cachekey"].burst(_BURST) / _BURST)
        finally:
            for editor in editors.values():
                editor.close()
    clock.put_down(measures)
    for name, peak in peaks.items():
        measures.set(f"memory.{name}", peak or None)


class _Clock:
    """Times of single steps, and the processor time of a series of them, by name and server."""

    def __init__(self, seconds: float) -> None:
        """Let no series take much longer than so many seconds."""
        self._seconds = seconds
        self.times: dict[str, list[float]] = defaultdict(list)
        self.cpu: dict[str, list[float | None]] = defaultdict(list)
        self.given_up: dict[str, float] = {}
        """Seconds that a server was waited for in vain; it is not asked again."""

    def interleave(
        self,
        what: str,
        editors: Mapping[str, Editor],
        count: int,
        step: Callable[[Editor], Any],
    ) -> None:
        """Take a step in one editor after the other, ``count`` times, in an order that rotates."""
        before = {name: editor.server.cpu() for name, editor in editors.items()}
        end, taken = now() + self._seconds, 0
        while taken < count and now() < end:
            turn, taken = taken, taken + 1
            for name in _rotated(list(editors), turn):
                if f"{what}.{name}" in self.given_up:
                    continue
                begin = now()
                try:
                    answer = step(editors[name])
                except ServerError:
                    self.given_up[f"{what}.{name}"] = now() - begin
                    continue
                # Typing is timed inside, from the message sent: the text is made before.
                seconds = answer if isinstance(answer, float) else now() - begin
                self.times[f"{what}.{name}"].append(seconds)
        for name, editor in editors.items():
            begun, ended = before[name], editor.server.cpu()
            if begun is not None and ended is not None:
                self.cpu[f"{what}.{name}"].append((ended - begun) / taken)

    def put_down(self, measures: Measures) -> None:
        for name, waited in self.given_up.items():
            measures.problems[name] = f"no answer after {waited:.0f} s"
            if not self.times[name]:
                measures.set(f"{name}.p50", waited * 1e3, stopped=measures.problems[name])
        for name, seconds in self.times.items():
            measures.times(name, seconds)
        for name, spent in self.cpu.items():
            known = [seconds for seconds in spent if seconds is not None]
            if known:
                measures.set(f"{name}.cpu", sum(known) / len(known) * 1e3)


def _able(what: str, editors: Mapping[str, Editor]) -> dict[str, Editor]:
    """Return the editors whose server is asked: the bare one knows hovers only."""
    return {n: e for n, e in editors.items() if n in {"cachekey", "many"} or what == "hover"}


def _squiggles(measures: Measures, plan: Plan, many: Path) -> None:
    """Open the large folder anew and wait for the first squiggle."""
    taken = []
    for _ in range(plan.rounds):
        editor = Editor(SERVER, many)
        taken.append(editor.squiggle)
        editor.close()
    measures.times("squiggle.many", taken)


def _long_files(measures: Measures, plan: Plan, folder: Path) -> None:
    """Open long files, and edit the longest beside one of the usual length."""
    clock = _Clock(plan.series_seconds)
    for _ in range(plan.long_rounds):
        editors: dict[str, Editor] = {}
        try:
            for lines in (corpus.SUBJECT_LINES, *LONG):
                text = corpus.long_file(lines) if lines in LONG else corpus.subject()
                place = folder / f"long{lines}"
                place.mkdir(exist_ok=True)
                _write(place, text)
                try:
                    editor = editors[str(lines)] = Editor(SERVER, place, text)
                except ServerError as error:
                    measures.problems["open.growth"] = f"{lines:,} lines: {error}"
                    measures.problems[f"long.{lines}.p50"] = f"{lines:,} lines: {error}"
                    continue
                clock.times[f"open.{lines}"].append(editor.opening)
                clock.cpu[f"open.{lines}"].append(editor.opening_cpu)
                if any(d.get("code") == _TOO_LONG for d in editor.server.diagnostics):
                    problem = f"the server does not check {lines:,} lines while typing"
                    measures.problems["open.growth"] = problem
                    measures.problems[f"long.{lines}.p50"] = problem
            clock.interleave("long", editors, plan.long_edits, Editor.type)
        finally:
            for editor in editors.values():
                editor.close()
    clock.put_down(measures)
    for what in ("open", "long"):
        growths = {
            f"{small:,} → {large:,}": ratio
            for small, large in pairwise(LONG)
            if (ratio := _ratio(measures, f"{what}.{large}.cpu", f"{what}.{small}.cpu"))
        }
        if growths:
            measures.set(f"{what}.growth", max(growths.values()))
            measures.notes[f"{what}.growth"] = ", ".join(
                f"{n}: {x:.1f}" for n, x in growths.items()
            )


def _ratio(measures: Measures, above: str, below: str) -> float | None:
    over, under = measures.get(above), measures.get(below)
    return over / under if over and under else None


def _write(folder: Path, text: str) -> None:
    (folder / "Dockerfile").write_text(text, encoding="utf-8", newline="\n")


def _rotated(names: list[str], turn: int) -> list[str]:
    first = turn % len(names)
    return names[first:] + names[:first]
