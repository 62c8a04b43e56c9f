"""The editor's settings: read, and joined with those of a settings file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cachekey.rules import ALL
from cachekey.workspace.settings import Settings
from cachekey.workspace.settings_reader import from_mapping

_CLIENT_ONLY = "there is no setting"


@dataclass(frozen=True)
class Shows:
    """What the editor shows beside squiggles."""

    caches: bool = True
    """A lens above mounts that share a cache (``codeLens.caches``)."""
    missing: bool = True
    """A lens above commands that download everything anew (``codeLens.missing``)."""
    ids: bool = False
    """The id that a mount without one implies (``inlayHints.id``)."""

    @classmethod
    def of(cls, data: Mapping[str, object]) -> Shows:
        """Read the settings; what is no true or false counts as not set."""
        blank = cls()

        def read(section: str, name: str, default: bool) -> bool:
            group = data.get(section)
            value = group.get(name) if isinstance(group, Mapping) else data.get(f"{section}.{name}")
            return value if isinstance(value, bool) else default

        return cls(
            read("codeLens", "caches", blank.caches),
            read("codeLens", "missing", blank.missing),
            read("inlayHints", "id", blank.ids),
        )


@dataclass(frozen=True)
class Editor:
    """The editor's ``cachekey.*`` settings."""

    settings: Settings = field(default_factory=Settings)
    problems: tuple[str, ...] = ()
    shows: Shows = field(default_factory=Shows)


def from_editor(data: object) -> Editor:
    """Read the editor's settings and say what is wrong with them.

    Editors send everything under that name, their own settings for the extension included, and
    ``null`` for what is not set: neither is worth a word.
    """
    for wrapper in ("settings", "cachekey"):
        # initializationOptions have no form of their own; editors' users write either.
        if isinstance(data, Mapping) and isinstance(data.get(wrapper), Mapping):
            data = data[wrapper]
    if not isinstance(data, Mapping):
        return Editor()
    given: dict[str, Any] = {str(key): value for key, value in data.items() if value is not None}
    settings, problems = from_mapping(given, ALL)
    said = (problem.message for problem in problems)
    told = tuple(text for text in said if not text.startswith(_CLIENT_ONLY))
    return Editor(settings, told, Shows.of(given))


def same_meaning(one: Settings, other: Settings) -> bool:
    """Tell whether two settings make the same models of the same files, whatever they report."""
    names = ("namespace", "build_args", "engine", "images", "tools", "exclude")
    return all(getattr(one, name) == getattr(other, name) for name in names)
