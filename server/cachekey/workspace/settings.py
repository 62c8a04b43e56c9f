"""Every setting with its default and one line of documentation, and how they are joined.

The settings file, the editor's ``cachekey.*`` settings and the command line use the same names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from cachekey.finding import Severity
from cachekey.selectors import Named, heaviest, weigh

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
FILE_NAMES = ("cachekey.toml", "pyproject.toml")
"""Where settings stand, the first that exists in a folder; a ``pyproject.toml`` needs the table."""
TABLE = ("tool", "cachekey")


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


FILE_ONLY = (
    SettingDoc(
        "extend",
        "string",
        None,
        "A settings file of this workspace to build on, relative to this one. "
        "What it says counts as if it stood here.",
    ),
    SettingDoc(
        "overrides",
        "overrides",
        (),
        "`select`, `ignore` and `severity` for some files only, which `paths` names "
        "as .gitignore patterns.",
    ),
)
"""What a settings file may say beside the settings themselves; an editor or an option may not."""
OVERRIDABLE = ("select", "ignore", "severity")
"""Settings that may differ from file to file; the others decide what files mean to each other."""


@dataclass(frozen=True)
class ForPaths:
    """Settings for some files only: one of the ``[[overrides]]`` of a settings file."""

    paths: tuple[str, ...]
    """Patterns as in .gitignore, relative to the folder of the settings file in force."""
    settings: Settings
    given: frozenset[str]
    """The names of the settings that stand there."""


@dataclass(frozen=True)
class Written:
    """What a settings file says by itself, without the one that it extends."""

    settings: Settings = field(default_factory=Settings)
    given: frozenset[str] = frozenset()
    """The names of the settings that stand there; the others are defaults."""
    extend: str | None = None
    """The path of the file that it extends, as it is written."""
    overrides: tuple[ForPaths, ...] = ()


def lay_over(below: Settings, above: Settings, given: Iterable[str]) -> Settings:
    """Put the settings of ``above`` that are ``given`` over others.

    Lists of what is left out add up, and so do tables, in which the upper one's word counts.
    """
    values: dict[str, Any] = {}
    for name in given:
        mine, theirs = getattr(below, name), getattr(above, name)
        if name in {"ignore", "exclude"}:
            # In their order, each once.
            values[name] = tuple(dict.fromkeys((*theirs, *mine)))
        elif isinstance(theirs, Mapping):
            values[name] = {**mine, **theirs}
        else:
            values[name] = theirs
    return replace(below, **values)


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
