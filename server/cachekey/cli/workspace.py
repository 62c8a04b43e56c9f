"""What the command line works on: the files it was given, read into one project."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cachekey.disk.files import File, absolute, read
from cachekey.disk.settings import SettingsFile, SettingsFinder
from cachekey.failure import internal_error
from cachekey.finding import Finding
from cachekey.kinds import kind_of, may_be_compose
from cachekey.report.record import Report, Sources
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Overrides, Settings, merge
from cachekey.workspace.summary import Document, Summary

if TYPE_CHECKING:
    from cachekey.kinds import Kind

STDIN = "-"

Step = Callable[[str, int, int], None]
"""Told what is being done, how many steps are done and how many there are."""


def quiet(what: str, done: int, total: int) -> None:
    """Show no progress."""


@dataclass
class Workspace:
    """The files that are worked on, and the project that knows what they say to each other.

    Few files keep their models to the end. Of many only what others need to know and the findings
    are kept; whoever wants more of a file has it read again.
    """

    root: str
    """Absolute folder to which the project's names are relative."""
    project: Project
    finder: SettingsFinder
    overrides: Overrides
    jobs: int = 1
    """How many processes to use."""
    files: dict[str, File] = field(default_factory=dict)
    """The files to check, by name in the project."""
    errors: list[str] = field(default_factory=list)
    """What the user must hear on stderr, a line each; then the exit status is 2."""
    stdin: str | None = None
    """The name of the document that is standard input."""
    _settings: dict[tuple[str, tuple[int, ...]], Settings] = field(default_factory=dict)
    _shown: dict[str, str] = field(default_factory=dict)
    _around: dict[str, str] = field(default_factory=dict)
    """The texts of which the index knows what they build."""
    texts: dict[str, str] = field(default_factory=dict)
    """The present texts of the files to check."""

    def name_of(self, path: str) -> str:
        """Return the project's name of an absolute path."""
        base = self.root.rstrip("/") + "/"
        return path.removeprefix(base)

    def path_of(self, name: str) -> str:
        """Return the absolute path of a document."""
        return name if name == STDIN else posixpath.join(self.root, name)

    def shown(self, name: str) -> str:
        """Return a document's path relative to the working directory."""
        if name == STDIN:
            return name
        if name not in self._shown:
            self._shown[name] = relative(self.path_of(name))
        return self._shown[name]

    def settings_file(self, name: str) -> SettingsFile:
        """Return the settings file in force for a document."""
        folder = os.getcwd() if name == STDIN else posixpath.dirname(self.path_of(name))
        return self.finder.of(absolute(folder))

    def settings(self, name: str) -> Settings:
        """Return the settings in force for a document, the command line's included."""
        file = self.settings_file(name)
        key = (file.path, file.overriding(self.path_of(name)))
        if key not in self._settings:
            self._settings[key] = merge(file.over(Settings(), key[1]), self.overrides)
        return self._settings[key]

    # -- texts ----------------------------------------------------------------------------------

    def take_in(self, name: str, file: File) -> None:
        """Take in a file to check; one that cannot be read is told of in ``errors``."""
        self.files[name] = file
        if file.failed:
            self.note(f"{self.shown(name)}: {file.problems[0].message}")
        if file.text is not None:
            self.texts[name] = file.text

    def read(self, name: str) -> str | None:
        """Return the present text of a file of the workspace; None without one that may be read."""
        if name in self.texts:
            return self.texts[name]
        path = posixpath.normpath(posixpath.join(self.root, name))
        return read(path, self.root).text if os.path.isfile(path) else None

    def put(self, name: str, text: str) -> None:
        """Give a file a new text."""
        self.texts[name] = text

    def models(self, names: Iterable[str]) -> Iterator[Document]:
        """Read files one by one; each model is forgotten when the next one is asked for."""
        self.surroundings()
        for name in names:
            if (document := self.model(name)) is not None:
                yield document
                self.project.release(name)

    def surroundings(self) -> list[Summary]:
        """Read what decides how Dockerfiles are built; return the summaries of those files."""
        names = [name for name, text in self.texts.items() if kind_for(name, text) != "dockerfile"]
        for name in names:
            # What the index knows of the same text is as good: nothing is read twice.
            if self._around.get(name) == self.texts[name] and name in self.project.index:
                continue
            self._around[name] = self.texts[name]
            if name not in self.project.documents and self.model(name) is not None:
                self.project.release(name)
        found = map(self.project.index.get, names)
        return [summary for summary in found if summary is not None]

    def model(self, name: str) -> Document | None:
        """Read a file and keep its model."""
        text = self.texts.get(name)
        if text is None:
            return None
        if (known := self.project.recall(name, text)) is not None:
            return known
        try:
            return self.project.add(name, text, kind_for(name, text))
        except (Exception, RecursionError) as error:
            self.note(f"{self.shown(name)}: {internal_error(error)}")
            return None

    def report(self, findings: Sequence[Finding]) -> Report:
        """Return findings with all that is needed to show them."""
        return Report(findings, Sources(self.texts), len(self.files), self.shown)

    def note(self, message: str) -> None:
        """Keep a line for stderr, once."""
        if message not in self.errors:
            self.errors.append(message)


def relative(path: str) -> str:
    """Return an absolute path relative to the working directory, with ``/``."""
    try:
        return os.path.relpath(path).replace(os.sep, "/")
    except ValueError:
        # Another drive.
        return path


def kind_for(name: str, text: str) -> Kind:
    """Tell what a file to check is: any name will do for a Dockerfile that the user names."""
    if kind := kind_of(name):
        return kind
    if may_be_compose(name):
        # It was found since a devcontainer.json names it, or named by the user.
        return "compose"
    if name == STDIN:
        begin = text.removeprefix("\ufeff").lstrip()[:2]
        return "devcontainer" if begin[:1] in ("{", '"') or begin in {"//", "/*"} else "dockerfile"
    return "devcontainer" if name.lower().endswith((".json", ".jsonc")) else "dockerfile"
