"""Every setting with its default and one line of documentation, and how they are read and joined.

The settings file, the editor's ``cachekey.*`` settings and the command line use the same names.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeVar

from cachekey.finding import Severity
from cachekey.nesting import deeper_than
from cachekey.selectors import (
    Named,
    did_you_mean,
    heaviest,
    names_rule,
    quote,
    unknown_rule,
    weigh,
)
from cachekey.suggest import nearest
from cachekey.syntax.toml import KeyPath, Places
from cachekey.text import Source, Span

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Engine = Literal["buildkit", "buildah"]
ENGINES: tuple[Engine, ...] = ("buildkit", "buildah")
SEVERITIES: Mapping[str, Severity | None] = {
    "error": Severity.ERROR,
    "warning": Severity.WARNING,
    "information": Severity.INFORMATION,
    "info": Severity.INFORMATION,
    "hint": Severity.HINT,
    "off": None,
}
"""The words for ``severity`` and ``--fail-on``; ``None``: the rule does not run."""
MOST_PROBLEMS = 100
"""Of one settings file."""
FILE_NAMES = ("cachekey.toml", "pyproject.toml")
"""Where settings stand, the first that exists in a folder; a ``pyproject.toml`` needs the table."""
TABLE = ("tool", "cachekey")

# Other names of the same builders.
_MEANT = {"docker": "buildkit", "buildx": "buildkit", "podman": "buildah"}
_AT_LINE = re.compile(r"\s*\(at line (\d+), column (\d+)\)|\s*\(at end of document\)")
_DEEPEST = 8
"""Tables and lists in each other, in the description of a tool or an image."""
_T = TypeVar("_T")


def _about(kind: str, doc: str, key: str = "") -> dict[str, str]:
    return {"kind": kind, "doc": doc, "key": key}


@dataclass(frozen=True)
class Settings:
    """All settings. Rules are named by code (``CK101``), prefix (``CK1``), name or ``ALL``."""

    select: tuple[str, ...] = field(
        default=(), metadata=_about("rules", "Rules to run; empty means all.")
    )
    ignore: tuple[str, ...] = field(default=(), metadata=_about("rules", "Rules not to run."))
    severity: Mapping[str, Severity | None] = field(
        default_factory=dict,
        metadata=_about(
            "severities", "Severity by rule: error, warning, information, hint or off."
        ),
    )
    exclude: tuple[str, ...] = field(
        default=(),
        metadata=_about("strings", "Files and folders to leave out, as .gitignore patterns."),
    )
    namespace: str = field(
        default="",
        metadata=_about("string", "Cache namespace of the builds (BUILDKIT_CACHE_MOUNT_NS)."),
    )
    build_args: Mapping[str, str] = field(
        default_factory=dict,
        metadata=_about(
            "table", "Values of build arguments, as with --build-arg.", key="build-args"
        ),
    )
    engine: Engine = field(
        default="buildkit",
        metadata=_about("engine", "Builder whose rules for keys apply: buildkit or buildah."),
    )
    images: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict,
        metadata=_about("tables", "Own base images, in the shape of the built-in ones."),
    )
    tools: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict,
        metadata=_about("tables", "Own tools, in the shape of the built-in ones."),
    )

    def selects(self, rule: Named) -> bool:
        """Tell whether a rule runs: the longest selector decides, ``ignore`` wins a tie."""
        chosen = heaviest(self.select, rule) if self.select else 1
        if chosen <= heaviest(self.ignore, rule):
            return False
        return self._severity(rule, Severity.ERROR) is not None

    def severity_of(self, rule: Named, default: Severity) -> Severity:
        """Return the severity that the settings give a finding of ``rule``, else ``default``."""
        return self._severity(rule, default) or default

    def _severity(self, rule: Named, default: Severity) -> Severity | None:
        best, weight = default, 0  # type: Severity | None, int
        for selector, severity in self.severity.items():
            if (new := weigh(selector, rule)) > weight:
                best, weight = severity, new
        return best


@dataclass(frozen=True)
class SettingDoc:
    """One setting for tables and schemas."""

    key: str
    kind: str
    default: object
    doc: str


def documentation() -> tuple[SettingDoc, ...]:
    """Describe every setting in the order in which they are declared."""
    blank = Settings()
    return tuple(
        SettingDoc(
            item.metadata["key"] or item.name,
            item.metadata["kind"],
            getattr(blank, item.name),
            item.metadata["doc"],
        )
        for item in fields(Settings)
    )


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

    def read(self) -> Settings:
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
        for key, value in self.data.items():
            if key not in known:
                if self.full:
                    continue
                close = key.lower().replace("_", "-")
                meant = close if close in known else nearest(close, known)
                self.problem((key,), f"there is no setting {quote(key)}{did_you_mean(meant)}")
                continue
            read = readers[known[key].metadata["kind"]]((key,), value)
            if read is not None:
                values[known[key].name] = read
        return Settings(**values)


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
    return reader.read(), reader.problems


def from_toml(
    text: str, rules: Sequence[Named] = (), *, table: Sequence[str] = ()
) -> tuple[Settings | None, list[SettingProblem]]:
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
    settings, problems = from_mapping(data, rules)
    places = Places(source) if problems else None
    return settings, [_located(problem, places, tuple(table)) for problem in problems if places]


def _located(problem: SettingProblem, places: Places, table: tuple[str, ...]) -> SettingProblem:
    path = (*table, *problem.path)
    entry = places.find(path)
    if entry is None:
        return replace(problem, span=Span(0, 0))
    # An unknown key is wrong itself; of a known one it is the value.
    unknown = len(problem.path) == 1 and problem.message.startswith("there is no setting")
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


@dataclass(frozen=True)
class Overrides:
    """What the command line says; ``None`` and empty mean that it says nothing."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    namespace: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    engine: Engine | None = None


def merge(settings: Settings, over: Overrides) -> Settings:
    """Put the command line's choices over a file's.

    Choosing rules by ``select`` is explicit: it also lifts the file's ``ignore`` and ``off``.
    ``ignore`` alone adds to the file's.
    """
    if over.select is not None:
        loud = {key: value for key, value in settings.severity.items() if value is not None}
        settings = replace(settings, select=over.select, ignore=over.ignore, severity=loud)
    elif over.ignore:
        settings = replace(settings, ignore=(*settings.ignore, *over.ignore))
    return replace(
        settings,
        namespace=settings.namespace if over.namespace is None else over.namespace,
        build_args={**settings.build_args, **over.build_args},
        engine=over.engine or settings.engine,
    )
