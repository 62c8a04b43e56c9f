"""What the command line works on: the files it was given, read into one project."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cachekey.checking.engine import check
from cachekey.checking.suppress import UNREADABLE, UNUSED
from cachekey.cli.terminal import internal_error
from cachekey.disk.discovery import SettingsFile, SettingsFinder, find, repository
from cachekey.disk.files import File, absolute, is_folder, read
from cachekey.finding import Finding, Severity
from cachekey.kinds import kind_of
from cachekey.report.record import Report
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Overrides, Settings, merge

if TYPE_CHECKING:
    from cachekey.kinds import Kind

STDIN = "-"

Step = Callable[[str, int, int], None]
"""Told what is being done, how many steps are done and how many there are."""


def quiet(what: str, done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Input:
    """What the user asks for."""

    paths: Sequence[str]
    overrides: Overrides = field(default_factory=Overrides)
    config: SettingsFile | None = None
    stdin: File | None = None
    """Standard input as a document; its path is absolute, or ``-`` without a name."""


@dataclass
class Workspace:
    """A project with the files it was made of."""

    root: str
    """Absolute folder to which the project's names are relative."""
    project: Project
    finder: SettingsFinder
    overrides: Overrides
    files: dict[str, File] = field(default_factory=dict)
    """The files to check, by name in the project."""
    errors: list[str] = field(default_factory=list)
    """What the user must hear on stderr, a line each; then the exit status is 2."""
    stdin: str | None = None
    """The name of the document that is standard input."""
    _settings: dict[str, Settings] = field(default_factory=dict)
    _shown: dict[str, str] = field(default_factory=dict)

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
        if file.path not in self._settings:
            self._settings[file.path] = merge(file.settings, self.overrides)
        return self._settings[file.path]

    def put(self, name: str, text: str) -> None:
        """Give the project a text, the document's first or a new one."""
        try:
            self.project.add(name, text, kind_for(name, text))
        except (Exception, RecursionError) as error:
            self._internal(name, error)

    def check(self, step: Step = quiet) -> list[Finding]:
        """Return the findings of all files, sorted by the paths that are shown."""
        findings: list[Finding] = []
        for number, (name, file) in enumerate(self.files.items()):
            step("Checking", number, len(self.files))
            settings = self.settings(name)
            findings += _problems(name, file, settings)
            if file.text is None:
                continue
            try:
                findings += check(self.project, name, settings)
            except (Exception, RecursionError) as error:
                self._internal(name, error)
        return sorted(findings, key=lambda item: (self.shown(item.path), *item.order))

    def report(self, findings: Sequence[Finding]) -> Report:
        """Return findings with all that is needed to show them."""
        sources = {name: item.source for name, item in self.project.documents.items()}
        return Report(findings, sources, len(self.files), self.shown)

    def texts(self) -> Mapping[str, str]:
        """Return the texts that fixes may change."""
        documents = self.project.documents
        return {name: documents[name].source.text for name in self.files if name in documents}

    def _internal(self, name: str, error: BaseException) -> None:
        message = f"{self.shown(name)}: {internal_error(error)}"
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
    """Tell what a file is that the user named: any name will do for a Dockerfile."""
    if kind := kind_of(name):
        return kind
    if name == STDIN:
        begin = text.removeprefix("\ufeff").lstrip()[:2]
        return "devcontainer" if begin[:1] == "{" or begin in {"//", "/*"} else "dockerfile"
    return "devcontainer" if name.lower().endswith((".json", ".jsonc")) else "dockerfile"


def _problems(name: str, file: File, settings: Settings) -> list[Finding]:
    if not settings.selects(UNREADABLE):
        return []
    severity = settings.severity_of(UNREADABLE, Severity.ERROR)
    code, rule = UNREADABLE.code, UNREADABLE.name
    return [
        Finding(name, code, rule, severity, problem.span, problem.message)
        for problem in file.problems
    ]


# -- loading ---------------------------------------------------------------------------------------


@dataclass
class _Targets:
    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def take(self, path: str) -> None:
        place = absolute(path)
        if is_folder(place):
            self.folders.append(place)
        elif os.path.isfile(place):
            self.files.append(place)
        elif os.path.exists(place):
            self.errors.append(f"{path}: not a regular file; use - to read standard input")
        else:
            self.errors.append(f"{path}: no such file or folder")


def _common(places: Sequence[str]) -> str:
    if not places:
        return absolute(os.getcwd())
    try:
        return absolute(os.path.commonpath(places))
    except ValueError:
        return absolute(os.getcwd())


def _root(common: str) -> str:
    """Return the folder that stands for the workspace, as a workspace folder of an editor would."""
    if top := repository(common):
        return top
    here = absolute(os.getcwd())
    if common.startswith(here.rstrip("/") + "/") and os.path.dirname(here) != here:
        return here
    head, separator, _ = (common + "/").partition("/.devcontainer/")
    return head or "/" if separator else common


def load(wanted: Input, step: Step = quiet) -> Workspace:
    """Find and read everything that the user asks for; what fails is said in ``errors``."""
    from cachekey.rules import ALL

    targets = _Targets()
    for path in wanted.paths:
        targets.take(path)
    folders = [*targets.folders, *(posixpath.dirname(path) for path in targets.files)]
    if wanted.stdin is not None and wanted.stdin.path != STDIN:
        folders.append(posixpath.dirname(wanted.stdin.path))
    common = _common(folders)
    finder = SettingsFinder([*ALL, UNUSED, UNREADABLE], wanted.config)
    root = _root(common)

    def read_beside(name: str) -> str | None:
        path = posixpath.normpath(posixpath.join(root, name))
        return read(path, root).text if os.path.isfile(path) else None

    settings = merge(finder.of(common).settings, wanted.overrides)
    project = Project(settings, read_beside)
    project.call(root)
    space = Workspace(root, project, finder, wanted.overrides, errors=targets.errors)
    paths = set(targets.files)
    for folder in targets.folders:
        found = find(folder, finder.excluded)
        paths.update(found.files)
        space.errors += [f"{relative(path)}: {why}" for path, why in found.problems]
    _read(space, sorted(paths), wanted.stdin, step)
    _complain(space)
    return space


def _read(space: Workspace, paths: Sequence[str], stdin: File | None, step: Step) -> None:
    files = {space.name_of(path): path for path in paths}
    if stdin is not None:
        name = space.name_of(stdin.path)
        files.pop(name, None)
        space.stdin = name
        space.files[name] = stdin
        if stdin.text is not None:
            space.put(name, stdin.text)
    for number, (name, path) in enumerate(files.items()):
        step("Reading", number, len(files))
        file = read(path)
        space.files[name] = file
        if file.failed:
            space.errors.append(f"{space.shown(name)}: {file.problems[0].message}")
        if file.text is not None:
            space.put(name, file.text)


def _complain(space: Workspace) -> None:
    """Say once what is wrong in each settings file that counts for some file."""
    used = {file.path: file for file in map(space.settings_file, space.files)}
    for path, file in sorted(used.items()):
        for problem in file.problems:
            source, span = file.source, problem.span
            line, column = source.position(span.start, "utf-32") if span else (0, 0)
            place = f"{relative(path)}:{line + 1}:{column + 1}"
            space.errors.append(f"{place}: {problem.message}")
