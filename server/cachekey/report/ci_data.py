"""Which builds of a workspace lose their caches, and whether dance maps are right, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from cachekey.builds.invocation import Invocation
from cachekey.dockerfile.records import Dockerfile
from cachekey.workspace.carried import (
    Needed,
    cache_map,
    carrier,
    may_carry,
    needed,
)
from cachekey.workspace.keyed import Built
from cachekey.workspace.mapcheck import checkable, problems
from cachekey.workspace.project import Project

VERSION = 1


def ci_report(
    project: Project, shown: Callable[[str], str], only: Collection[str] | None = None
) -> dict[str, Any]:
    """Return the document of ``cachekey ci --format json``.

    Builds of workflows and pipelines, with the cache mounts that they come to; dance maps with what is
    wrong; and the map that would carry what is lost. ``only`` are the files that count, all without it;
    ``shown`` names a file for the reader. Lines are zero-based.
    """
    builds: list[dict[str, Any]] = []
    maps: list[dict[str, Any]] = []
    wanted: list[Needed] = []
    for path in sorted(project.index):
        summary = project.index.get(path)
        for build in summary.builds if summary is not None else ():
            if build.job and _counts(build, only):
                builds.append(_build(project, build, shown))
                wanted += _lost(project, build)
        for dance in summary.dances if summary is not None else ():
            if only is None or path in only or _near(project, dance.path, dance.job, only):
                maps.append(
                    {
                        "path": shown(path),
                        "line": dance.where.line,
                        "name": dance.name,
                        "checked": checkable(project, dance),
                        "problems": [
                            {"line": one.line, "key": one.key or None, "message": one.message}
                            for one in problems(project, dance)
                        ],
                    }
                )
    return {
        "version": VERSION,
        "builds": builds,
        "maps": maps,
        "cacheMap": cache_map(wanted),
        "leftOut": sorted({str(item.key) for item in wanted if item.key.unresolved}),
    }


def _counts(build: Invocation, only: Collection[str] | None) -> bool:
    return only is None or build.path in only or build.dockerfile in only


def _near(project: Project, path: str, job: str, only: Collection[str]) -> bool:
    summary = project.index.get(path)
    builds = summary.builds if summary is not None else ()
    return any(build.job == job and build.dockerfile in only for build in builds)


def _build(project: Project, build: Invocation, shown: Callable[[str], str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "path": shown(build.path),
        "line": build.where.line,
        "name": build.name,
        "runner": build.runner,
        "runsOn": build.runs_on,
        "dockerfile": shown(build.dockerfile) if build.dockerfile is not None else None,
        "target": build.target.text if build.target is not None else None,
        "mounts": [],
        "note": None,
    }
    built = _built(project, build)
    if built is None:
        row["note"] = "which Dockerfile it builds is not known here"
        return row
    row["mounts"] = list(_mounts(project, built, shown))
    document = project.model(build.dockerfile) if build.dockerfile is not None else None
    if isinstance(document, Dockerfile) and not document.caches:
        row["note"] = "the Dockerfile has no cache mount"
        return row
    if not built.told:
        row["note"] = "which stages it comes to is not known"
    elif not row["mounts"]:
        row["note"] = "it comes to no cache mount"
    return row


def _built(project: Project, build: Invocation) -> Built | None:
    document = project.model(build.dockerfile) if build.dockerfile is not None else None
    if not isinstance(document, Dockerfile):
        return None
    return next((one for one in project.built(document) if one.build == build), None)


def _mounts(
    project: Project, built: Built, shown: Callable[[str], str]
) -> Iterator[dict[str, Any]]:
    build = built.build
    assert build.dockerfile is not None
    document = project.model(build.dockerfile)
    assert isinstance(document, Dockerfile)
    for _, mount in document.caches:
        for one in built.keys.get(mount.span.start, ()):
            dance = carrier(project, build, one.key)
            fresh = None if may_carry(project, build) else False
            kept = {"kept": True, "fresh": fresh, "unknown": None}[build.runner]
            yield {
                "path": shown(build.dockerfile),
                "line": document.source.line_of(mount.span.start),
                "key": str(one.key),
                "platforms": list(one.platforms),
                "survives": True if dance is not None else kept,
                "carriedBy": dance.name if dance is not None else None,
            }


def _lost(project: Project, build: Invocation) -> list[Needed]:
    """Return what a map should carry for a build."""
    if build.runner == "kept":
        return []
    return needed(project, build) or []
