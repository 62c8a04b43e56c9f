"""The findings of a workspace: map every file, in several processes if there are many, then reduce."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from cachekey.checking.engine import Examined, conclude, examine, wished
from cachekey.checking.keeping import LEAST, Trial, unfixed
from cachekey.checking.mapping import Job, Mapped, complete_files, map_files
from cachekey.checking.suppress import UNREADABLE
from cachekey.cli.workers import WORTH, WorkerLostError, Workers
from cachekey.cli.workspace import Step, Workspace, kind_for, quiet
from cachekey.disk.files import File, read
from cachekey.failure import internal_error
from cachekey.finding import Detail, Finding, Severity
from cachekey.workspace.index import Index
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings
from cachekey.workspace.summary import Summary

_ALLOWANCE = 4_000_000
"""Characters that are read again to try the fixes of a run: half a minute of one processor or so."""


class Checker:
    """Knows the findings of a workspace, and which of them a changed text concerns.

    Few files keep their models to the end. Of many only what others need to know and the findings
    are kept; whoever wants the edits of a fix has the file read again.
    """

    def __init__(self, space: Workspace) -> None:
        self.space = space
        self._examined: dict[str, Examined] = {}
        self._findings: dict[str, list[Finding]] = {}
        self.untried = 0
        """Files whose fixes are left out, since there were more than one run tries."""

    def put(self, name: str, text: str) -> None:
        """Give a file a new text."""
        self.space.put(name, text)
        self._examined.pop(name, None)

    def check(self, step: Step = quiet, detail: Detail = "titles") -> list[Finding]:
        """Return the findings of all files, sorted by the paths that are shown.

        ``detail`` is how much of the fixes is wanted. What is known of files that have not changed
        since the last time, and that no change concerns, is not asked again.
        """
        new = [name for name in self.space.texts if name not in self._examined]
        if len(new) < WORTH:
            self._look_at(new, step)
        else:
            self._map(new, step, detail)
        found: Iterable[Finding] = (
            finding for name in self.space.files for finding in self._of_file(name)
        )
        if detail == "tried" and len(new) < WORTH:
            tried = set(self._tryable(self.space.texts))
            listed = list(found)
            sifted = Trial(self.space.project, self.space.settings).sift(
                one for one in listed if one.path in tried
            )
            found = [*sifted, *(unfixed(one) for one in listed if one.path not in tried)]
        return sorted(found, key=lambda item: (self.space.shown(item.path), *item.order))

    def _of_file(self, name: str) -> list[Finding]:
        settings = self.space.settings(name)
        return [*_problems(name, self.space.files[name], settings), *self._findings.get(name, ())]

    def _look_at(self, new: Sequence[str], step: Step) -> None:
        """Examine files here, keeping their models, and those that their changes concern."""
        self.space.surroundings()
        for name in new:
            self.space.model(name)
        concerned = self.space.project.concerned() & self.space.texts.keys()
        names = [name for name in self.space.texts if name in concerned or name in new]
        for number, name in enumerate(names):
            step("Checking", number, len(names))
            if name not in self.space.project.documents:
                self.space.model(name)
            try:
                examined = examine(self.space.project, name, self.space.settings(name))
                if examined is not None:
                    self._examined[name] = examined
            except (Exception, RecursionError) as error:
                self.space.note(f"{self.space.shown(name)}: {internal_error(error)}")
        self._conclude(names)

    def _map(self, new: Sequence[str], step: Step, detail: Detail) -> None:
        """Examine many files, in several processes if there are, keeping no model."""
        plan = (
            self.space.project.settings,
            self.space.root,
            self.space.project.name,
            self._given(),
        )
        builders = self.space.surroundings()
        first: Detail = "findings" if detail == "findings" else "titles"
        workers = Workers[Job, Mapped](self.space.jobs, _mapper, *plan, builders, first)
        jobs = self._jobs(new)
        done = 0
        try:
            for done, mapped in enumerate(workers.results(jobs), 1):
                step("Checking", done, len(jobs))
                self._keep(mapped)
        except WorkerLostError:
            self.space.note(
                f"a worker process was ended from outside twice: {len(jobs) - done} of "
                f"{len(jobs)} files are not checked"
            )
        self.space.project.concerned()
        self._conclude([name for name in new if name in self._examined])
        if detail in {"edits", "tried"}:
            names = [name for name in new if self._findings.get(name)]
            wanted = self._tryable(names) if detail == "tried" else names
            self._complete(wanted, plan, detail)
            for name in set(names).difference(wanted):
                self._findings[name] = list(map(unfixed, self._findings[name]))

    def _tryable(self, names: Iterable[str]) -> list[str]:
        """Return the files whose fixes are tried, from the first on: as many as a run has time for."""
        tried, cost = [], 0
        for name in names:
            fixes = sum(len(finding.fixes) for finding in self._findings.get(name, ()))
            cost += fixes * max(LEAST, len(self.space.texts[name]))
            if fixes == 0 or cost <= _ALLOWANCE:
                tried.append(name)
            else:
                self.untried += 1
        return tried

    def _complete(self, names: Sequence[str], plan: tuple[Any, ...], detail: Detail) -> None:
        """Have the edits of all fixes written out, now that all files are known."""
        index = self.space.project.index
        workers = Workers[Job, Any](self.space.jobs, _completer, *plan, index, detail)
        try:
            for name, findings in workers.results(self._jobs(names)):
                self._findings[name] = list(findings)
        except WorkerLostError:
            self.space.note(
                "a worker process was ended from outside twice: some fixes are left out"
            )

    def _keep(self, mapped: Mapped) -> None:
        for failure in mapped.failures:
            self.space.note(failure)
        if mapped.summary is not None:
            self.space.project.put(mapped.summary)
        if mapped.examined is not None:
            self._examined[mapped.path] = mapped.examined

    def _conclude(self, names: Iterable[str]) -> None:
        for name in names:
            if (examined := self._examined.get(name)) is not None:
                findings = conclude(self.space.project, examined, self.space.settings(name))
                # A worker, which sees one file, does not know which ids are free.
                self._findings[name] = list(wished(self.space.project, findings))

    def _jobs(self, names: Iterable[str]) -> list[Job]:
        return [
            Job(name, text, kind_for(name, text), self.space.settings(name))
            for name in names
            if (text := self.space.texts.get(name)) is not None
        ]

    def _given(self) -> dict[str, str]:
        """Return the texts that are not those on disk."""
        return {
            name: text
            for name, text in self.space.texts.items()
            if name == self.space.stdin or text != self.space.files[name].text
        }


def _problems(name: str, file: File, settings: Settings) -> list[Finding]:
    if not settings.selects(UNREADABLE):
        return []
    severity = settings.severity_of(UNREADABLE, Severity.ERROR)
    code, rule = UNREADABLE.code, UNREADABLE.name
    return [
        Finding(name, code, rule, severity, problem.span, problem.message)
        for problem in file.problems
    ]


def _project(settings: Settings, root: str, name: str, given: Mapping[str, str]) -> Project:
    """Make a worker's project: it reads below ``root``, and ``given`` texts in the place of files."""

    def read_beside(path: str) -> str | None:
        if path in given:
            return given[path]
        full = posixpath.normpath(posixpath.join(root, path))
        return read(full, root).text if os.path.isfile(full) else None

    project = Project(settings, read_beside)
    project.name = name
    return project


def _mapper(
    settings: Settings,
    root: str,
    name: str,
    given: Mapping[str, str],
    builders: Iterable[Summary],
    detail: Detail,
) -> Callable[[Iterable[Job]], Iterable[Mapped]]:
    project = _project(settings, root, name, given)
    project.whole = False
    for summary in builders:
        project.put(summary)
    return partial(map_files, project, detail=detail)


def _completer(
    settings: Settings,
    root: str,
    name: str,
    given: Mapping[str, str],
    index: Index,
    detail: Detail,
) -> Callable[[Iterable[Job]], Iterable[tuple[str, tuple[Finding, ...]]]]:
    project = _project(settings, root, name, given)
    project.index = index
    return partial(complete_files, project, detail=detail)
