"""What ``cachekey explain`` says of a place, as plain data for programs."""

from __future__ import annotations

from typing import Any

from cachekey.assist.hover import Hover
from cachekey.markup.markdown import plain
from cachekey.report.keys_data import mounts_report, range_of
from cachekey.workspace.project import Project
from cachekey.workspace.summary import Document

VERSION = 1


def explanation(project: Project, document: Document, found: Hover) -> dict[str, Any]:
    """Return the document of ``cachekey explain --format json``.

    ``lines`` are those of the hover without markup, the head first. ``mount`` is the mount that is
    spoken of, in the shape of ``cachekey keys --format json``; None for anything else. The range is
    zero-based lines and UTF-16 characters.
    """
    place = range_of(document.source, found.span)
    mounts = mounts_report([document], project)["mounts"]
    return {
        "version": VERSION,
        "path": document.path,
        "range": place,
        "lines": [plain(line) for line in found.lines],
        "mount": next((mount for mount in mounts if _holds(mount["range"], place)), None),
    }


def _holds(outer: dict[str, Any], inner: dict[str, Any]) -> bool:
    start, end = _spot(inner["start"]), _spot(inner["end"])
    return _spot(outer["start"]) <= start and end <= _spot(outer["end"])


def _spot(position: dict[str, int]) -> tuple[int, int]:
    return position["line"], position["character"]
