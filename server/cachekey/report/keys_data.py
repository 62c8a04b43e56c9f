"""Every cache mount of a project with its key, as plain data for ``cachekey keys``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cachekey.buildkit.keys import Base, Key
from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.text import Source, Span
from cachekey.tools.uses import relation_to
from cachekey.workspace.keyed import Built
from cachekey.workspace.project import Project
from cachekey.workspace.summary import Document

VERSION = 1


def mounts_report(documents: Iterable[Document], project: Project) -> dict[str, Any]:
    """Return the document of ``cachekey keys --format json``, asking for one model after the other.

    Ranges are zero-based lines and UTF-16 characters. A mount that BuildKit refuses has no key and
    its complaint as ``error``; mounts of other types are listed only when they are refused.
    """
    mounts: list[dict[str, Any]] = []
    caches: dict[object, tuple[str, list[int]]] = {}
    for document in documents:
        if not isinstance(document, Dockerfile):
            continue
        builds = project.built(document)
        for run in document.runs:
            for flag, error in () if run.dormant else run.flag_errors:
                mounts.append(_row(document, run, flag.span) | {"error": str(error)})
            for mount in run.mounts:
                if mount.error is None and not mount.is_cache:
                    continue
                if mount.key is not None:
                    _, members = caches.setdefault(mount.key.identity, (str(mount.key), []))
                    members.append(len(mounts))
                row = _mount_row(document, run, mount)
                mounts.append(row | {"builds": list(_builds(mount, builds))})
    groups = [{"key": key, "mounts": members} for key, members in caches.values()]
    return {"version": VERSION, "mounts": mounts, "caches": groups}


def _row(document: Dockerfile, run: Run, span: Span) -> dict[str, Any]:
    user = run.scope.user
    return {
        "path": document.path,
        "range": range_of(document.source, span),
        "stage": document.stage_of(run).label,
        "key": None,
        "namespace": "",
        "name": None,
        "nameFrom": None,
        "base": None,
        "target": None,
        "sharing": None,
        "readonly": None,
        "user": user.name or user.text,
        "uid": user.uid,
        "tools": [],
        "unresolved": [],
        "error": None,
        "builds": [],
    }


def _mount_row(document: Dockerfile, run: Run, mount: Mount) -> dict[str, Any]:
    row = _row(document, run, mount.span) | {
        "target": mount.target.text,
        # Nothing in this file triggers a dormant ONBUILD, so that its build refuses nothing.
        "error": str(mount.error) if mount.error and not run.dormant else None,
    }
    if mount.key is None:
        return row
    tools = {
        use.tool.id
        for use in run.uses
        if mount.directory and relation_to(mount.directory, use) in ("exact", "part", "parent")
    }
    return (
        row
        | _key_row(mount.key)
        | {
            "sharing": mount.sharing,
            "readonly": mount.readonly,
            "tools": sorted(tools),
            "unresolved": sorted(mount.key.unresolved),
        }
    )


def _builds(mount: Mount, builds: Iterable[Built]) -> Iterator[dict[str, Any]]:
    """Yield the builds that come to a mount, once for each key that it has there."""
    for built in builds:
        target = built.build.target
        for one in built.keys.get(mount.span.start, ()):
            yield {
                "path": built.build.path,
                "name": built.build.name,
                "kind": built.build.kind,
                "args": dict(built.args),
                "platforms": list(one.platforms),
                "target": target.text if target is not None else None,
                "key": str(one.key),
                "unresolved": sorted(one.key.unresolved),
            }


def _key_row(key: Key) -> dict[str, Any]:
    return {
        "key": str(key),
        "namespace": key.namespace,
        "name": key.name.text,
        "nameFrom": key.name_from,
        "base": _base_row(key.base) if key.base else None,
    }


def _base_row(base: Base) -> dict[str, Any]:
    row: dict[str, Any] = {"from": base.origin} if base.origin else {}
    if base.owner is not None:
        owner = base.owner
        row |= {"uid": owner.uid, "gid": owner.gid, "mode": f"{owner.mode:04o}"}
    return row


def range_of(source: Source, span: Span) -> dict[str, Any]:
    """Return a span as LSP writes it: zero-based lines, UTF-16 characters."""
    start, end = source.position(span.start), source.position(span.end)
    return {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }
