"""Finds and reads what the user asks for."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field

from cachekey.builds.read import concerns
from cachekey.checking.suppress import UNREADABLE, UNUSED
from cachekey.cli.workspace import STDIN, Step, Workspace, quiet, relative
from cachekey.disk.discovery import find, parents, repository
from cachekey.disk.files import File, absolute, inside, is_folder, read
from cachekey.disk.settings import SettingsFile, SettingsFinder
from cachekey.selectors import Named
from cachekey.workspace.project import Project
from cachekey.workspace.settings import FILE_NAMES, Overrides, merge


@dataclass(frozen=True)
class Input:
    """What the user asks for."""

    paths: Sequence[str]
    overrides: Overrides = field(default_factory=Overrides)
    config: SettingsFile | None = None
    stdin: File | None = None
    """Standard input as a document; its path is absolute, or ``-`` without a name."""


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


def around(path: str) -> list[str]:
    """Return the folder whose files belong together with ``path``, if that can be told.

    Of a repository only what lies below the working directory, when ``path`` does: other commands
    run there see no more, and nothing above it is named.
    """
    folder = posixpath.dirname(path)
    if top := repository(folder):
        here = absolute(".")
        return [here] if inside(path, here) and inside(here, top) else [top]
    for above in parents(folder):
        if any(os.path.isfile(posixpath.join(above, name)) for name in FILE_NAMES):
            return [above]
    for above in parents(folder):
        if os.path.isdir(posixpath.join(above, ".devcontainer")):
            return [above]
    return []


def load(wanted: Input, step: Step = quiet, jobs: int = 1) -> Workspace:
    """Find and read everything that the user asks for; what fails is said in ``errors``."""
    targets = _Targets()
    for path in wanted.paths:
        targets.take(path)
    folders = [*targets.folders, *(posixpath.dirname(path) for path in targets.files)]
    if wanted.stdin is not None and wanted.stdin.path != STDIN:
        folders.append(posixpath.dirname(wanted.stdin.path))
    common = _common(folders)
    root = _root(common)
    finder = SettingsFinder(_rules, wanted.config, root=root)
    settings = merge(finder.of(common).settings, wanted.overrides)
    project = Project(settings)
    project.call(root)
    space = Workspace(root, project, finder, wanted.overrides, jobs, errors=targets.errors)
    project.read, project.sees_files = space.read, True
    paths = set(targets.files)
    for folder in targets.folders:
        found = find(folder, finder.excluded)
        paths.update(found.files)
        space.errors += [f"{relative(path)}: {why}" for path, why in found.problems]
    _read(space, sorted(paths), wanted.stdin, step, set(targets.files))
    _complain(space)
    return space


def _rules() -> Sequence[Named]:
    from cachekey.rules import ALL

    return [*ALL, UNUSED, UNREADABLE]


def _read(
    space: Workspace, paths: Sequence[str], stdin: File | None, step: Step, named: set[str]
) -> None:
    files = {space.name_of(path): path for path in paths}
    if stdin is not None:
        name = space.name_of(stdin.path)
        files.pop(name, None)
        space.stdin = name
        space.take_in(name, stdin)
    for number, (name, path) in enumerate(files.items()):
        step("Reading", number, len(files))
        file = read(path)
        # A Makefile that builds no image is none of our files, unless somebody asks for it.
        if path in named or file.text is None or concerns(name, file.text):
            space.take_in(name, file)


def _complain(space: Workspace) -> None:
    """Say once what is wrong in each settings file that counts for some file."""
    counting = map(space.settings_file, space.files)
    used = {file.path: file for found in counting for file in (found, *found.bases)}
    for path, file in sorted(used.items()):
        for problem in file.problems:
            source, span = file.source, problem.span
            line, column = source.position(span.start, "utf-32") if span else (0, 0)
            place = f"{relative(path)}:{line + 1}:{column + 1}"
            space.errors.append(f"{place}: {problem.message}")
