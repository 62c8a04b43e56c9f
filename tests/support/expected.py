"""What an editor must show, worked out from the engine alone: no code of the server takes part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cachekey.checking import engine
from cachekey.finding import Finding, Severity
from cachekey.kinds import Kind, kind_of
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings
from lsprotocol import types

from tests.support.client import Client, place

_SEVERITY = {
    Severity.ERROR: 1,
    Severity.WARNING: 2,
    Severity.INFORMATION: 3,
    Severity.HINT: 4,
}


def findings(
    files: Mapping[str, str], path: str, settings: Settings | None = None
) -> list[Finding]:
    """Return the findings of one of some files that are checked together."""
    project = Project(settings or Settings(), files.get)
    for name, text in files.items():
        unnamed: Kind = "devcontainer" if name.endswith(".json") else "dockerfile"
        project.add(name, text, kind_of(name) or unnamed)
    return engine.check(project, path, project.settings)


def shown(
    client: Client,
    files: Mapping[str, str],
    path: str,
    version: int = 1,
    *,
    settings: Settings | None = None,
    uri: Callable[[str], str] | None = None,
) -> list[dict[str, Any]]:
    """Return the diagnostics that this client must see, as plain data."""
    capability = client.capabilities.text_document.publish_diagnostics
    named = uri or client.uri
    return [
        {
            "range": where(files[path], finding.span, client.encoding),
            "severity": _SEVERITY[finding.severity],
            "code": finding.code,
            "source": "cachekey",
            "message": finding.message,
            "tags": [1] if finding.unnecessary and capability.tag_support else [],
            "related": [
                (named(r.path), where(files[r.path], r.span, client.encoding), r.message)
                for r in finding.related
            ]
            if capability.related_information
            else [],
            "data": {"rule": finding.rule, "index": index, "version": version},
        }
        for index, finding in enumerate(findings(files, path, settings))
    ]


def where(text: str, span: Iterable[int], encoding: str) -> tuple[int, int, int, int]:
    """Return a span as start line, start column, end line, end column."""
    start, end = (place(text, offset, encoding) for offset in span)
    return (start.line, start.character, end.line, end.character)


def flat(diagnostics: Any) -> list[dict[str, Any]]:
    """Return what was received in the same form."""
    return [
        {
            "range": corners(item.range),
            "severity": int(item.severity),
            "code": item.code,
            "source": item.source,
            "message": item.message,
            "tags": [int(tag) for tag in item.tags or ()],
            "related": [
                (related.location.uri, corners(related.location.range), related.message)
                for related in item.related_information or ()
            ],
            "data": dict(item.data),
        }
        for item in diagnostics
    ]


def corners(found: types.Range) -> tuple[int, int, int, int]:
    """Return a range as start line, start column, end line, end column."""
    return (found.start.line, found.start.character, found.end.line, found.end.character)
