"""Reading a table of the data into typed values, with every complaint at its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from typing import Any, TypeVar

from cachekey.knowledge.patterns import pattern
from cachekey.knowledge.ways import Pattern
from cachekey.record import record

Keys = tuple["str | int", ...]
E = TypeVar("E", bound=Enum)


@record(frozen=True)
class Problem:
    """What is wrong with the data: where (keys from the root down), and what."""

    keys: Keys
    message: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.keys))}: {self.message}"


@dataclass
class Table:
    """One table that is being read; asks for keys it knows and reports all others at the end."""

    data: Mapping[str, Any]
    keys: Keys
    problems: list[Problem]
    asked: list[str] = field(default_factory=list)

    def complain(self, message: str, *keys: str | int) -> None:
        """Note a problem at a key of this table, or at the table."""
        self.problems.append(Problem((*self.keys, *keys), message))

    def _get(self, key: str, kind: type, name: str) -> Any:
        self.asked.append(key)
        value = self.data.get(key)
        if value is None or isinstance(value, kind):
            return value
        self.complain(f"expected {name}", key)
        return None

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Read a string."""
        value = self._get(key, str, "a string")
        if value is None or not value:
            if required and key not in self.data:
                self.complain(f"{key!r} is missing")
            return default if value is None else ""
        return str(value)

    def optional(self, key: str) -> str | None:
        """Read a string that may be absent or, as ``?``, unknown."""
        value = self._get(key, str, "a string")
        return None if value is None or value == "?" else str(value)

    def flag(self, key: str, default: bool = False) -> bool:
        """Read a boolean."""
        value = self._get(key, bool, "true or false")
        return default if value is None else bool(value)

    def number(self, key: str) -> int | None:
        """Read an integer that may be absent."""
        value = self._get(key, int, "a number")
        return None if value is None else int(value)

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Read a list of strings; one string stands for a list of one."""
        self.asked.append(key)
        value = self.data.get(key)
        if value is None:
            return default
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.complain("expected a list of strings", key)
        return default

    def patterns(self, key: str, default: tuple[str, ...] = ()) -> tuple[Pattern, ...]:
        """Read a list of command patterns."""
        return tuple(pattern(text) for text in self.texts(key, default))

    def mapping(self, key: str) -> dict[str, str]:
        """Read a table of strings."""
        value = self._get(key, dict, "a table of strings") or {}
        for name, item in value.items():
            if not isinstance(item, str):
                self.complain("expected a string", key, name)
        return {name: item for name, item in value.items() if isinstance(item, str)}

    def choice(self, key: str, kind: type[E], default: E) -> E:
        """Read one of an enumeration's words."""
        text = self.text(key)
        if not text:
            return default
        try:
            return kind(text)
        except ValueError:
            words = ", ".join(str(item.value) for item in kind)
            self.complain(f"{text!r} is none of {words}", key)
            return default

    def optional_choice(self, key: str, kind: type[E]) -> E | None:
        """Read one of an enumeration's words, or None."""
        if key in self.data:
            return self.choice(key, kind, next(iter(kind)))
        self.asked.append(key)
        return None

    def table(self, key: str) -> Table | None:
        """Open a table inside this one."""
        value = self._get(key, dict, "a table")
        return None if value is None else Table(value, (*self.keys, key), self.problems)

    def tables(self, key: str) -> list[Table]:
        """Open a list of tables; one table stands for a list of one."""
        self.asked.append(key)
        value = self.data.get(key, [])
        if isinstance(value, dict):
            return [Table(value, (*self.keys, key), self.problems)]
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.complain("expected a list of tables", key)
            return []
        return [
            Table(item, (*self.keys, key, index), self.problems) for index, item in enumerate(value)
        ]

    def close(self) -> None:
        """Report the keys that nobody asked for."""
        for key in self.data:
            if key not in self.asked:
                near = get_close_matches(key, self.asked, 1)
                hint = f", did you mean {near[0]!r}?" if near else ""
                self.complain(f"unknown key{hint}", key)
