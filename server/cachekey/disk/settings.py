"""The settings files that count for a folder: the nearest one above, and those that it extends."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from cachekey.disk.discovery import repository
from cachekey.disk.files import absolute, inside, is_folder, read
from cachekey.disk.ignore import IgnoreRules
from cachekey.selectors import Named, quote
from cachekey.syntax.toml import KeyPath, Places
from cachekey.text import Source
from cachekey.workspace.settings import (
    FILE_NAMES,
    TABLE,
    ForPaths,
    Settings,
    Written,
    lay_over,
)
from cachekey.workspace.settings_reader import SettingProblem, from_toml

_MOST_BASES = 10
"""Files that extend each other."""


@dataclass(frozen=True)
class SettingsFile:
    """Settings as read from a file; ``path`` is empty for the defaults, when there is none."""

    written: Written = field(default_factory=Written)
    path: str = ""
    problems: tuple[SettingProblem, ...] = ()
    source: Source = field(default_factory=lambda: Source(""))
    broken: bool = False
    """The file is no TOML, or could not be read."""
    bases: tuple[SettingsFile, ...] = ()
    """The files that it extends, the nearest first; each holds what it says by itself."""

    @property
    def folder(self) -> str:
        """Return the folder to which ``exclude`` and the paths of overrides are relative."""
        return os.path.dirname(self.path)

    @property
    def table(self) -> KeyPath:
        """Return the table of the file in which its settings stand."""
        return TABLE if posixpath.basename(self.path) == "pyproject.toml" else ()

    @cached_property
    def settings(self) -> Settings:
        """Return the settings for files of which no override speaks."""
        return self.over(Settings())

    @cached_property
    def overrides(self) -> tuple[tuple[SettingsFile, ForPaths], ...]:
        """Return all overrides, each with the file that has it, in the order in which they count."""
        files = (*reversed(self.bases), self)
        return tuple((file, item) for file in files for item in file.written.overrides)

    def overriding(self, path: str) -> tuple[int, ...]:
        """Return which of the overrides speak of an absolute path."""
        base = self.folder.rstrip("/") + "/"
        if not self._patterns or not path.startswith(base):
            return ()
        name = path[len(base) :]
        return tuple(
            number for number, rules in enumerate(self._patterns) if rules.verdict(name) is True
        )

    @cached_property
    def _patterns(self) -> tuple[IgnoreRules, ...]:
        return tuple(IgnoreRules(item.paths) for _, item in self.overrides)

    def over(self, below: Settings, overriding: Sequence[int] = ()) -> Settings:
        """Put what the file and its bases say, and some of the overrides, over other settings."""
        for file in (*reversed(self.bases), self):
            below = lay_over(below, file.written.settings, file.written.given)
        for number in overriding:
            item = self.overrides[number][1]
            below = lay_over(below, item.settings, item.given)
        return below


@dataclass
class SettingsFinder:
    """Finds the nearest settings file of every folder, each file read once."""

    rules: Callable[[], Sequence[Named]] = tuple
    """The rules that settings may name: asked for when there are settings, since it takes a while."""
    fixed: SettingsFile | None = None
    """The one file for all, when the user names one."""
    root: str = ""
    """The workspace, where there is no repository: what a file extends lies in it, too."""
    _folders: dict[str, SettingsFile] = field(default_factory=dict)
    _read: dict[str, SettingsFile | None] = field(default_factory=dict)
    _excluding: dict[str, IgnoreRules] = field(default_factory=dict)

    def of(self, folder: str) -> SettingsFile:
        """Return the settings that apply to files in ``folder``.

        The search goes up to the repository's root, or all the way without a repository.
        """
        if self.fixed is not None:
            return self.fixed
        known = self._folders.get(folder)
        if known is None:
            known = self._here(folder)
            above = os.path.dirname(folder)
            if known is None and above != folder and not os.path.lexists(f"{folder}/.git"):
                known = self.of(above)
            known = self._folders[folder] = known or SettingsFile()
        return known

    def _here(self, folder: str) -> SettingsFile | None:
        for name in FILE_NAMES:
            path = f"{folder.rstrip('/')}/{name}"
            if not (os.path.isfile(path) and inside(path, folder)):
                continue
            if found := self.load(path):
                return found
        return None

    def load(self, path: str) -> SettingsFile | None:
        """Read a settings file with all that it extends; None for a ``pyproject.toml`` without our table."""
        file = self._alone(path)
        if file is None or file.written.extend is None:
            return file
        chain = [file]
        while chain[-1].written.extend is not None:
            base = self._base(chain)
            if isinstance(base, str):
                chain[-1] = _refuse(chain[-1], base)
                break
            chain.append(base)
        return replace(chain[0], bases=tuple(chain[1:]))

    def _base(self, chain: Sequence[SettingsFile]) -> SettingsFile | str:
        """Return the file that the last one of a chain extends, or why there is none."""
        last = chain[-1]
        name = last.written.extend or ""
        if "\0" in name:
            return f"extend names no file: {quote(name)}"
        path = absolute(posixpath.join(last.folder, name))
        if not inside(path, self._top(chain[0].path)):
            return f"extend leads out of the workspace: {quote(name)}"
        if is_folder(path):
            return f"extend names a folder, not a file: {quote(name)}"
        if not os.path.isfile(path):
            return f"extend names no file: {quote(name)}"
        if path in {file.path for file in chain}:
            return f"extend goes round in a circle: {quote(name)} extends this file"
        if len(chain) > _MOST_BASES:
            return f"more than {_MOST_BASES} files extend each other"
        return self._alone(path) or f"{quote(name)} has no table [{'.'.join(TABLE)}]"

    def _top(self, path: str) -> str:
        """Return the folder whose files a settings file may extend."""
        folder = posixpath.dirname(path)
        if top := repository(folder):
            return top
        return self.root if self.root and inside(path, self.root) else folder

    def _alone(self, path: str) -> SettingsFile | None:
        if path not in self._read:
            self._read[path] = self._parse(path)
        return self._read[path]

    def _parse(self, path: str) -> SettingsFile | None:
        """Read one settings file; None when it is a ``pyproject.toml`` without our table."""
        file = read(path)
        if file.text is None:
            unread = tuple(SettingProblem((), item.message) for item in file.problems)
            return SettingsFile(path=path, problems=unread, broken=True)
        whole = not path.endswith("/pyproject.toml")
        # Most pyproject.toml files say nothing about us: spare the parsing.
        if not whole and "cachekey" not in file.text:
            return None
        written, problems = from_toml(file.text, self.rules(), table=() if whole else TABLE)
        if written is None and not (problems and (whole or "[tool.cachekey" in file.text)):
            return None
        return SettingsFile(
            written or Written(), path, tuple(problems), Source(file.text), broken=written is None
        )

    def excluded(self, path: str) -> bool:
        """Tell whether the nearest settings exclude a file or (with a final ``/``) a folder."""
        found = self.of(os.path.dirname(path.rstrip("/")))
        if not found.settings.exclude:
            return False
        if found.path not in self._excluding:
            self._excluding[found.path] = IgnoreRules(found.settings.exclude)
        base = found.folder.rstrip("/") + "/"
        if not path.startswith(base):
            return False
        return self._excluding[found.path].verdict(path[len(base) :]) is True


def _refuse(file: SettingsFile, why: str) -> SettingsFile:
    """Return a file with one more problem, which stands where it says what it extends."""
    entry = Places(file.source).find((*file.table, "extend"))
    problem = SettingProblem(("extend",), why, entry.value if entry is not None else None)
    return replace(file, problems=(*file.problems, problem))
