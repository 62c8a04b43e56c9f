"""How settings are read: from a settings file, with the place of whatever is wrong, or from an editor."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from cachekey.finding import Severity
from cachekey.nesting import deeper_than
from cachekey.selectors import Named, did_you_mean, names_rule, quote, unknown_rule
from cachekey.suggest import nearest
from cachekey.syntax.toml import KeyPath, Places
from cachekey.text import Source, Span
from cachekey.workspace.settings import (
    ENGINES,
    FILE_ONLY,
    OVERRIDABLE,
    SEVERITIES,
    ForPaths,
    Settings,
    Written,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_PROBLEMS = 100
"""Of one settings file."""

MOST_OVERRIDES = 100
"""Of one settings file."""

# Other names of the same builders.
_MEANT = {"docker": "buildkit", "buildx": "buildkit", "podman": "buildah"}
_AT_LINE = re.compile(r"\s*\(at line (\d+), column (\d+)\)|\s*\(at end of document\)")
_DEEPEST = 8
"""Tables and lists in each other, in the description of a tool or an image."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class SettingProblem:
    """A setting that does not count, and why; ``path`` is its place among the settings."""

    path: KeyPath
    message: str
    span: Span | None = None
    """Where it stands, for settings that were read from a file."""


@dataclass
class _Reader:
    data: Mapping[str, Any]
    rules: Sequence[Named]
    in_file: bool = False
    problems: list[SettingProblem] = field(default_factory=list)

    def problem(self, path: KeyPath, message: str) -> None:
        if self.full:
            return
        self.problems.append(SettingProblem(path, message))
        if len(self.problems) == MOST_PROBLEMS:
            self.problems.append(SettingProblem(path, "there are more of such problems"))

    @property
    def full(self) -> bool:
        """Whether enough is told: what comes now is left out, and nobody looks for what was meant."""
        return len(self.problems) > MOST_PROBLEMS

    def wrong(self, path: KeyPath, wanted: str, value: object) -> None:
        name = ".".join(str(part) for part in path if isinstance(part, str))
        self.problem(path, f"{name} must be {wanted}, not {_kind_of(value)}")

    def string(self, path: KeyPath, value: object, wanted: str = "a string") -> str | None:
        if isinstance(value, str):
            return value
        number = type(value) in {int, float} and wanted == "a string"
        self.wrong(path, f'{wanted} (write "{value}")' if number else wanted, value)
        return None

    def strings(self, path: KeyPath, value: object) -> tuple[str, ...] | None:
        if not isinstance(value, (list, tuple)):
            self.wrong(path, "a list of strings", value)
            return None
        wanted = "a list of strings"
        items = [self.string((*path, i), item, wanted) for i, item in enumerate(value)]
        return tuple(item for item in items if item is not None)

    def rule_list(self, path: KeyPath, value: object) -> tuple[str, ...] | None:
        if not isinstance(value, (list, tuple)):
            self.wrong(path, "a list of rules", value)
            return None
        good: list[str] = []
        for index, item in enumerate(value):
            place = (*path, index)
            text = self.string(place, item, "a list of rules")
            if text is None:
                continue
            if self.names_rule(place, text):
                good.append(text)
        return tuple(dict.fromkeys(good))

    def names_rule(self, place: KeyPath, text: str) -> bool:
        if names_rule(text, self.rules):
            return True
        if not self.full:
            self.problem(place, unknown_rule(text, self.rules) or "")
        return False

    def table(
        self, path: KeyPath, value: object, read: Callable[[KeyPath, object], _T | None]
    ) -> dict[str, _T] | None:
        if not isinstance(value, Mapping):
            self.wrong(path, "a table", value)
            return None
        found = {str(key): read((*path, str(key)), item) for key, item in value.items()}
        return {key: item for key, item in found.items() if item is not None}

    def subtable(self, path: KeyPath, value: object) -> Mapping[str, Any] | None:
        if not isinstance(value, Mapping):
            self.wrong(path, "a table", value)
            return None
        if deeper_than(value, _DEEPEST):
            name = ".".join(str(part) for part in path)
            self.problem(path, f"{name} is nested too deeply")
            return None
        return value

    def severities(self, path: KeyPath, value: object) -> dict[str, Severity | None] | None:
        words = self.table(path, value, self.string)
        if words is None:
            return None
        found: dict[str, Severity | None] = {}
        for key, word in words.items():
            place = (*path, key)
            if not self.names_rule(place, key):
                continue
            if word.lower() not in SEVERITIES:
                if self.full:
                    continue
                known = "error, warning, information, hint or off"
                longer = (name for name in SEVERITIES if name.startswith(word.lower()[:4]))
                meant = did_you_mean(nearest(word.lower(), SEVERITIES) or next(longer, None))
                self.problem(place, f"{key} must be {known}, not {quote(word)}{meant}")
            else:
                found[key] = SEVERITIES[word.lower()]
        return found

    def engine(self, path: KeyPath, value: object) -> str | None:
        word = self.string(path, value)
        if word is None or word in ENGINES:
            return word
        meant = _MEANT.get(word.lower()) or nearest(word.lower(), (*ENGINES, ""))
        self.problem(
            path, f"engine must be buildkit or buildah, not {quote(word)}{did_you_mean(meant)}"
        )
        return None

    def read(self) -> Written:
        """Read the settings, and what only a file may say besides."""
        own = {item.key for item in FILE_ONLY} if self.in_file else set()
        rest = {key: value for key, value in self.data.items() if key not in own}
        settings, given = self.values((), rest, tuple(own))
        extend, overrides = None, ()  # type: str | None, tuple[ForPaths, ...]
        if "extend" in own.intersection(self.data):
            extend = self.string(("extend",), self.data["extend"], "the path of a settings file")
        if "overrides" in own.intersection(self.data):
            overrides = tuple(self.overrides(("overrides",), self.data["overrides"]))
        return Written(settings, given, extend, overrides)

    def overrides(self, path: KeyPath, value: object) -> Iterator[ForPaths]:
        if not isinstance(value, (list, tuple)):
            self.wrong(path, "a list of tables ([[overrides]])", value)
            return
        for number, item in enumerate(value):
            place = (*path, number)
            if number == MOST_OVERRIDES:
                # Every file is compared with each of them.
                self.problem(
                    place, f"more than {MOST_OVERRIDES} overrides: the rest does not count"
                )
                return
            if not isinstance(item, Mapping):
                self.wrong(place, "a list of tables ([[overrides]])", item)
                continue
            if "paths" not in item:
                self.problem(place, "an override needs paths: the files that it is for")
                continue
            paths = self.strings((*place, "paths"), item["paths"]) or ()
            rest = {key: each for key, each in item.items() if key != "paths"}
            yield ForPaths(paths, *self.values(place, rest, ("paths",)))

    def values(
        self, path: KeyPath, data: Mapping[str, Any], others: tuple[str, ...]
    ) -> tuple[Settings, frozenset[str]]:
        """Read the settings of a table; ``others`` are keys that may stand beside them."""
        readers: dict[str, Callable[[KeyPath, object], object]] = {
            "rules": self.rule_list,
            "severities": self.severities,
            "strings": self.strings,
            "string": self.string,
            "table": lambda path, value: self.table(path, value, self.string),
            "tables": lambda path, value: self.table(path, value, self.subtable),
            "engine": self.engine,
        }
        known = {item.metadata["key"] or item.name: item for item in fields(Settings)}
        values: dict[str, Any] = {}
        for key, value in data.items():
            place = (*path, key)
            if path and key in known and key not in OVERRIDABLE:
                self.problem(
                    place, f"{key} holds for all files; an override sets {', '.join(OVERRIDABLE)}"
                )
            elif key in known:
                read = readers[known[key].metadata["kind"]](place, value)
                if read is not None:
                    values[known[key].name] = read
            elif not self.full:
                close = key.lower().replace("_", "-")
                names = (*(OVERRIDABLE if path else known), *others)
                meant = close if close in names else nearest(close, names)
                self.problem(place, f"there is no setting {quote(key)}{did_you_mean(meant)}")
        return Settings(**values), frozenset(values)


def _kind_of(value: object) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "a list"
    return names.get(type(value), "nothing" if value is None else "a date")


def from_mapping(
    data: Mapping[str, Any], rules: Sequence[Named] = ()
) -> tuple[Settings, list[SettingProblem]]:
    """Read settings; what is wrong is left out and reported, the rest counts.

    ``rules`` are those that may be named; without them no name is questioned.
    """
    reader = _Reader(data, rules)
    return reader.read().settings, reader.problems


def from_toml(
    text: str, rules: Sequence[Named] = (), *, table: Sequence[str] = ()
) -> tuple[Written | None, list[SettingProblem]]:
    """Read settings from the text of a TOML file; every problem has its span.

    ``table`` names the table that holds them (see :data:`TABLE`), by default the whole file. There
    are no settings (``None``) when the file has no such table.
    """
    source = Source(text)
    try:
        # A byte order mark is no TOML, but editors on Windows write it.
        data: Any = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message, span = _syntax_error(source, str(error))
        return None, [SettingProblem((), f"this is not TOML: {message}", span)]
    for number, key in enumerate(table):
        data = data.get(key) if isinstance(data, Mapping) else None
        if data is None:
            return None, []
        if not isinstance(data, Mapping):
            place = tuple(table[: number + 1])
            problem = SettingProblem((), f"{'.'.join(place)} must be a table, not {_kind_of(data)}")
            return None, [_located(problem, Places(source), place)]
    reader = _Reader(data, rules, in_file=True)
    written, problems = reader.read(), reader.problems
    places = Places(source) if problems else None
    return written, [_located(problem, places, tuple(table)) for problem in problems if places]


def _located(problem: SettingProblem, places: Places, table: tuple[str, ...]) -> SettingProblem:
    path = (*table, *problem.path)
    entry = places.find(path)
    if entry is None:
        return replace(problem, span=Span(0, 0))
    # An unknown key is wrong itself; of a known one it is the value.
    unknown = (
        problem.message.startswith("there is no setting") or "holds for all" in problem.message
    )
    named = problem.message.startswith("no rule") and isinstance(path[-1], str)
    return replace(problem, span=entry.key if unknown or named else entry.value)


def _syntax_error(source: Source, message: str) -> tuple[str, Span]:
    match = _AT_LINE.search(message)
    text = _AT_LINE.sub("", message)
    text = text[:1].lower() + text[1:]
    if match is None or match.group(1) is None:
        end = len(source.text)
        return text, Span(end, end)
    line = min(int(match.group(1)), len(source.line_starts)) - 1
    start = min(source.line_starts[line] + int(match.group(2)) - 1, len(source.text))
    return text, Span(start, min(start + 1, len(source.text)))
