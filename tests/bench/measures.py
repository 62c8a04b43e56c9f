"""The figures of one run, by name: numbers, and what must be said beside them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Measures:
    """Numbers by name, such as ``edit.cachekey.p50``.

    Times of the command line are seconds, times of the server milliseconds; memory is megabytes.
    """

    values: dict[str, float] = field(default_factory=dict)
    lower_bounds: list[str] = field(default_factory=list)
    """Names of numbers that would be higher still: the measurement was stopped."""
    notes: dict[str, str] = field(default_factory=dict)
    """What to say beside a number."""
    problems: dict[str, str] = field(default_factory=dict)
    """Why a goal is not met, or a number not there, whatever the numbers say."""
    about: dict[str, str] = field(default_factory=dict)
    """Machine, versions, commit, load."""

    def get(self, name: str) -> float | None:
        return self.values.get(name)

    def set(self, name: str, value: float | None, *, stopped: str = "") -> None:
        """Put a number down; ``stopped`` says how its measurement was cut short, if it was."""
        if value is None:
            return
        self.values[name] = value
        if stopped:
            self.lower_bounds.append(name)
            self.problems[name] = stopped

    def times(self, name: str, seconds: Sequence[float]) -> None:
        """Put down the median and the 95th percentile of times, in milliseconds."""
        if not seconds:
            return
        ordered = sorted(seconds)
        self.set(f"{name}.p50", statistics.median(ordered) * 1e3)
        self.set(f"{name}.p95", ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] * 1e3)

    def save(self, path: Path, title: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"title": title, **asdict(self)}, indent=1)
        path.write_text(content + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> tuple[str, Measures]:
        """Read what :meth:`save` wrote: its title and the measures."""
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content.pop("title"), cls(**content)
