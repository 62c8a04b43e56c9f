"""The lines of the report: what is promised of speed and memory, and how a run stands to it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.measures import Measures


@dataclass(frozen=True)
class Line:
    """One promise: a number, or its ratio to another, and the limit."""

    what: str
    own: str
    """The name of our number in :class:`Measures`."""
    unit: str
    limit: float | None = None
    """None: measured for information, nothing is promised."""
    other: str = ""
    """The name of the number that ours is divided by."""
    beside: str = ""
    """Whose number the other one is."""
    at_least: bool = False
    """The limit is to be reached; otherwise it is not to be passed."""

    def goal(self) -> str:
        """Return the goal as text."""
        if self.limit is None:
            return "–"
        sign = "≥" if self.at_least else "≤"
        if self.unit == "yes":
            return "yes"
        if self.other:
            return f"{sign} {self.limit:g} × {self.beside}"
        return f"{sign} {quantity(self.limit, self.unit)}"

    def value(self, measures: Measures) -> float | None:
        """Return the number that is held against the limit."""
        own = measures.get(self.own)
        if not self.other or own is None:
            return own
        other = measures.get(self.other)
        return own / other if other else None

    def verdict(self, measures: Measures) -> str:
        """Return whether the goal is met, and otherwise by how much not or why."""
        value = self.value(measures)
        problem = next(
            (p for name, p in measures.problems.items() if _concerns(name, self.own, self.other)),
            "",
        )
        if value is None:
            return f"not measured: {problem}" if problem else "not measured"
        if self.limit is None:
            return problem or "–"
        met = value >= self.limit if self.at_least else value <= self.limit
        if met and not problem:
            return "yes"
        if met:
            return f"no: {problem}"
        answer = "no"
        if value and self.unit != "yes":
            off = self.limit / value if self.at_least else value / self.limit
            answer = f"no: {off:.2f} × {'off' if self.at_least else 'the goal'}"
            answer += self._by_cpu(measures)
        return f"{answer}; {problem}" if problem else answer

    def _by_cpu(self, measures: Measures) -> str:
        """Return how the goal stands by processor time, which a busy machine changes less."""
        own, other = (measures.get(sibling(name, "cpu")) for name in (self.own, self.other))
        if not self.own.endswith(".p50") or not own or not other or not self.limit:
            return ""
        off = own / other / self.limit
        return f"; by CPU {'met' if off <= 1 else f'{off:.2f} ×'}"


def sibling(name: str, kind: str) -> str:
    """Return the name of another number of the same measurement."""
    return f"{name.rpartition('.')[0]}.{kind}"


def _concerns(problem: str, *names: str) -> bool:
    return any(name == problem or name.startswith(f"{problem}.") for name in names)


def quantity(value: float, unit: str) -> str:
    """Return a number with its unit, in three digits."""
    if unit == "yes":
        return "yes" if value else "no"
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip("0").rstrip(".")
    return f"{number} {unit}"


def _beside(what: str, own: str, unit: str, limit: float, other: str, beside: str) -> Line:
    return Line(what, own, unit, limit, other, beside)


EDIT = "didChange → diagnostics, 93 lines"
REQUESTS = ("hover", "codeAction", "completion", "references")
PROMISES: tuple[Line, ...] = (
    Line("`check`, CPU for 4 × the files, worst step", "check.growth", "×", 4.2),
    Line("`check`, memory a file", "check.per_file", "KB", 25),
    Line("`check`, memory in all, largest tree", "check.peak", "MB", 300),
    Line(
        "`check`, files per second",
        "lint.cachekey.rate",
        "/s",
        1.5,
        "lint.utils.rate",
        "dockerfile-utils",
        at_least=True,
    ),
    Line(
        "`check`, files per second",
        "lint.cachekey.rate",
        "/s",
        7,
        "lint.tally.rate",
        "tally",
        at_least=True,
    ),
    *(
        _beside(
            f"{EDIT}, {rank}", f"edit.cachekey.{rank}", "ms", limit, f"edit.{peer}.{rank}", name
        )
        for peer, name, limit in (
            ("pygls", "bare pygls", 2),
            ("langserver", "docker-langserver", 0.6),
        )
        for rank in ("p50", "p95")
    ),
    *(
        _beside(
            f"the same in the large workspace, {rank}",
            f"edit.many.{rank}",
            "ms",
            1.2,
            f"edit.cachekey.{rank}",
            "with one file",
        )
        for rank in ("p50", "p95")
    ),
    Line("a file of 20,000 lines: CPU to open, 4 × the lines, worst step", "open.growth", "×", 4.2),
    Line(
        "a file of 20,000 lines: CPU of an edit, 4 × the lines, worst step", "long.growth", "×", 4.2
    ),
    _beside(
        "a file of 20,000 lines: an edit, p50", "long.20000.p50", "ms", 5, "long.93.p50", "93 lines"
    ),
    *(
        _beside(
            f"{request}, p50{where}",
            f"{request}.{server}.p50",
            "ms",
            2,
            "hover.pygls.p50",
            "bare pygls hover",
        )
        for server, where in (("cachekey", ""), ("many", ", large workspace"))
        for request in REQUESTS
    ),
    _beside(
        "peak memory of the server, one file",
        "memory.cachekey",
        "MB",
        1.4,
        "memory.pygls",
        "bare pygls",
    ),
    _beside(
        "spawn → initialize",
        "start.cachekey.p50",
        "ms",
        1,
        "start.langserver.p50",
        "docker-langserver",
    ),
    Line("first index of the large workspace", "index.seconds", "s", 20),
    Line("a hover meanwhile, p95 (usable: 100 ms)", "index.hover.p95", "ms", 100),
    Line("progress shown", "index.progress", "yes", 1, at_least=True),
    _beside(
        "`prove`, three builds of half a minute in all",
        "prove.cachekey.wall",
        "s",
        1.05,
        "prove.builds.wall",
        "the builds themselves",
    ),
)
"""What issue and README promise."""
FURTHER: tuple[Line, ...] = (
    Line(
        "start → first squiggle, one file",
        "squiggle.cachekey.p50",
        "ms",
        other="squiggle.langserver.p50",
        beside="docker-langserver",
    ),
    Line(
        "start → first squiggle, one file",
        "squiggle.cachekey.p50",
        "ms",
        other="squiggle.pygls.p50",
        beside="bare pygls",
    ),
    Line(
        "start → first squiggle, large workspace",
        "squiggle.many.p50",
        "ms",
        other="squiggle.cachekey.p50",
        beside="with one file",
    ),
    Line(
        "spawn → initialize",
        "start.cachekey.p50",
        "ms",
        other="start.pygls.p50",
        beside="bare pygls",
    ),
    Line("a hundred changes at once, each", "burst.cachekey.p50", "ms"),
    Line(
        "memory of the server, large workspace",
        "memory.many",
        "MB",
        other="memory.cachekey",
        beside="with one file",
    ),
    Line("the longest hover during the first index", "index.hover.max", "ms"),
    Line("what `prove` adds to its builds, whatever they take", "prove.added", "s"),
)
"""What else is worth a look."""
