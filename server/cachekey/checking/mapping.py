"""The map of many files: each is read, told of in a few kilobytes, and forgotten.

What is handed over and handed on is plain data, so that it may be done in other processes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from cachekey.checking.engine import Examined, check, examine
from cachekey.checking.keeping import Trial
from cachekey.failure import internal_error
from cachekey.finding import Detail, Finding
from cachekey.kinds import Kind
from cachekey.record import record, replace
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings
from cachekey.workspace.summary import Summary


@record(frozen=True)
class Job:
    """One file to look at."""

    path: str
    text: str
    kind: Kind
    settings: Settings

    def settings_of(self, path: str) -> Settings:
        """Return the settings of the file, which stand for those of its neighbours."""
        return self.settings


@record(frozen=True)
class Mapped:
    """What became of a job."""

    path: str
    summary: Summary | None
    examined: Examined | None
    failures: tuple[str, ...] = ()
    """What went wrong in the program itself, a line each."""


def map_files(project: Project, jobs: Iterable[Job], detail: Detail) -> Iterator[Mapped]:
    """Map: tell of each file what it tells by itself, keeping no model."""
    for job in jobs:
        # Who builds what was told to every process; of other files none knows of another.
        told = job.path in project.index
        with _failures(job.path) as failures:
            examined = summary = None
            try:
                if not told or project.recall(job.path, job.text) is None:
                    project.add(job.path, job.text, job.kind)
                summary = project.index.get(job.path)
                examined = examine(project, job.path, job.settings)
                if examined is not None:
                    examined = replace(examined, findings=_told(examined.findings, detail))
            finally:
                (project.release if told else project.forget)(job.path)
        yield Mapped(job.path, summary, examined, tuple(failures))


def complete_files(
    project: Project, jobs: Iterable[Job], detail: Detail
) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    """Write out all findings of the files with their edits; the project's index must be whole."""
    for job in jobs:
        findings: tuple[Finding, ...] = ()
        with _failures(job.path):
            project.add(job.path, job.text, job.kind)
            found = check(project, job.path, job.settings)
            if detail == "tried":
                found = Trial(project, job.settings_of).sift(found)
            findings = _told(found, detail)
        project.release(job.path)
        yield job.path, findings


def _told(findings: Iterable[Finding], detail: Detail) -> tuple[Finding, ...]:
    return tuple(finding.told(detail) for finding in findings)


class _Lines(logging.Handler):
    """Keeps what is logged, a line each."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        why = f": {record.exc_info[1]!r}" if record.exc_info else ""
        self.lines.append(f"internal error: {record.getMessage()}{why}")


@contextmanager
def _failures(path: str) -> Iterator[list[str]]:
    """Collect what goes wrong in the program itself; whatever it is, the other files go on."""
    logger = logging.getLogger("cachekey")
    handler = _Lines()
    logger.addHandler(handler)
    try:
        yield handler.lines
    except (Exception, RecursionError) as error:
        handler.lines.append(f"{path}: {internal_error(error)}")
    finally:
        logger.removeHandler(handler)
