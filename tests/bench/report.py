"""From measures to RESULTS.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.bench.figures import FURTHER, PROMISES, Line, quantity, sibling
from tests.bench.measures import Measures

LAYERS = "layer."
HEAD = """# Speed and memory

Written by `make bench`; it takes about fifteen minutes, with `QUICK=1` three. Nothing here passes or fails a
build. Each ratio is of figures that were measured by turns in one run, so that a busy machine slows both
sides; wall times alone tell little on such a machine, and CPU stands beside them.
"""
METHOD = """
## How it is measured

- Files are generated (`corpus.py`): 20 to 150 lines, one to eight stages, with and without cache mounts
  and mistakes. The same number gives the same file.
- `check` runs as a user runs it, with its default of processes, text to nowhere. CPU and memory include
  its workers; memory they share is counted once. Memory a file is what the largest tree needs over the
  next smaller one, by file.
- A check that takes too much processor time is stopped: its figures are then lower bounds, marked `>`.
- dockerfile-utils has no command for many files, so its library reads them all in one process. tally
  runs as a native program without its ShellCheck rules, which are nearly all of its cost. They look for
  other things: dockerfile-utils has nothing to say of these files.
- The servers hold the same file of 93 lines. Each change makes a text that none has seen, by turns at the
  end of a comment and in a mount's target; it goes to one server after the other, in an order that rotates.
  The bare server sends one diagnostic, and one hover, always the same. docker-langserver names no
  version in its diagnostics: the first after the change count.
- Where a wall time misses its goal, the same goal by CPU stands behind it: on a machine that others use,
  what works longer waits more often.
- Code actions are asked for without their edits, which an editor asks for when one is chosen.
- `prove` is measured by turns with the builds that it runs: the same probed files in a namespace, by the
  builder's own client. What it adds does not grow with the builds: the start of the command line, one
  question to the builder in front and two behind, and the removal of what it made.
- The first index ends when references of a cache name every file that shares it, the last one among
  them; hovers go on meanwhile.
"""


def render(measures: Measures, history: Sequence[tuple[str, Measures]] = ()) -> str:
    """Return the whole report; ``history`` holds earlier runs, the oldest first."""
    about = measures.about
    parts = [
        HEAD,
        "\n".join(f"- {name}: {value}" for name, value in about.items()),
        "\n## Goals\n",
        _table(PROMISES, measures),
        "\nCPU: processor time of one step (of `check`: of all files), ours : theirs.",
        "\n## Also measured\n",
        _table(FURTHER, measures),
        "\n## `check` by size\n",
        _sizes(measures),
        "\n## Where the time goes\n",
        _layers(measures),
    ]
    if history:
        parts += ["\n## Before this round\n", _history(history, measures)]
    return "\n".join(parts) + "\n" + METHOD


def row(line: Line, measures: Measures) -> list[str]:
    """Return the cells of one line."""
    other = measures.get(line.other)
    return [
        line.what,
        line.goal(),
        _own(line, measures),
        f"{quantity(other, line.unit)} ({line.beside})" if other is not None else "",
        _ratio(line, measures) if line.other else "",
        _cpu(line, measures),
        line.verdict(measures),
    ]


def _table(lines: Iterable[Line], measures: Measures) -> str:
    head = ("figure", "goal", "measured", "beside", "ratio", "CPU", "met")
    return _markdown(head, [row(line, measures) for line in lines])


def _own(line: Line, measures: Measures) -> str:
    own = measures.get(line.own)
    if own is None:
        return "–"
    text = quantity(own, line.unit)
    if line.own in measures.lower_bounds:
        text = f"> {text}"
    note = measures.notes.get(line.own)
    return f"{text} ({note})" if note else text


def _ratio(line: Line, measures: Measures) -> str:
    value = line.value(measures)
    return "–" if value is None else quantity(value, "×")


def _cpu(line: Line, measures: Measures) -> str:
    """Return the processor time, ours and theirs, and its ratio, which load changes least."""
    own = measures.get(sibling(line.own, "cpu"))
    other = measures.get(sibling(line.other, "cpu"))
    if own is None or line.unit == "yes":
        return ""
    unit = "s" if line.own.startswith(("lint", "index", "prove")) else "ms"
    if not other:
        return quantity(own, unit)
    return f"{quantity(own, unit)} : {quantity(other, unit)}, {quantity(own / other, '×')}"


def _sizes(measures: Measures) -> str:
    sizes = sorted(
        int(name.split(".")[1])
        for name in measures.values
        if name.startswith("check.") and name.endswith(".wall")
    )
    rows = [
        [f"{size:,}"]
        + [
            (f"> {text}" if f"check.{size}.{kind}" in measures.lower_bounds else text)
            for kind, unit in (("cpu", "s"), ("wall", "s"), ("peak", "MB"))
            for text in [quantity(measures.values[f"check.{size}.{kind}"], unit)]
        ]
        + [quantity(measures.values[f"check.{size}.cpu"] / size * 1e3, "ms")]
        for size in sizes
    ]
    return _markdown(("files", "CPU", "wall", "peak memory", "CPU a file"), rows)


def _layers(measures: Measures) -> str:
    rows = [
        [name[len(LAYERS) :], quantity(value, "ms")]
        for name, value in measures.values.items()
        if name.startswith(LAYERS)
    ]
    said = "CPU in one process, a file of 93 lines; each line includes those above it.\n\n"
    return said + _markdown(("layer", "median"), rows)


def _history(history: Sequence[tuple[str, Measures]], measures: Measures) -> str:
    columns = [*history, ("now", measures)]
    heads = [f"{title} ({past.about.get('commit', '?')})" for title, past in columns]
    rows = []
    for line in (*PROMISES, *FURTHER):
        cells = [_short(line, past) for _, past in columns]
        rows.append([f"{line.what}{f', beside {line.beside}' if line.other else ''}", *cells])
    return _markdown(("figure", *heads), rows)


def _short(line: Line, measures: Measures) -> str:
    """Return a line in one cell: what was measured, and the ratio."""
    own = measures.get(line.own)
    if own is None:
        return "–"
    bound = "> " if line.own in measures.lower_bounds else ""
    text = bound + quantity(own, line.unit)
    return f"{text}, {_ratio(line, measures)}" if line.other else text


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
