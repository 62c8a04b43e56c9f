"""Outlines: the stages and caches of a Dockerfile, the caches of the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.dockerfile.records import Dockerfile
from cachekey.lsp import words
from cachekey.lsp.convert import to_range, where_range
from cachekey.markup.message import message
from cachekey.text import Span
from cachekey.workspace.summary import name_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cachekey.dockerfile.records import Stage
    from cachekey.lsp.area import Area
    from cachekey.lsp.session import Session
    from cachekey.text import Source

_MOST = 500


def document_symbols(
    session: Session, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol]:
    """Answer ``textDocument/documentSymbol``: stages, and the caches that they mount."""
    document = session.find(params.text_document.uri)
    if document is None:
        return []
    source = session.read(document)
    model = document.area.project.documents.get(document.path)
    if not isinstance(model, Dockerfile):
        return []
    return [
        _stage(session, source, stage) for stage in model.stages if not stage.instruction.implied
    ]


def _stage(session: Session, source: Source, stage: Stage) -> types.DocumentSymbol:
    first = stage.instruction.span
    last = max([first.end, *(step.instruction.span.end for step in stage.steps)])
    caches = [
        words.symbol(
            message(mount.key.label),
            types.SymbolKind.Key,
            to_range(source, mount.span, session.encoding),
            to_range(source, name_span(mount), session.encoding),
            detail=message(mount.target.text),
        )
        for run in stage.runs
        for mount in run.caches
        if mount.key is not None and mount.span.start >= first.start
    ]
    return words.symbol(
        message(stage.name or stage.base.reference.text or "stage"),
        types.SymbolKind.Namespace,
        to_range(source, Span(first.start, last), session.encoding),
        to_range(source, stage.base.span, session.encoding),
        detail=message(f"stage {stage.index}"),
        children=caches,
    )


def workspace_symbols(
    session: Session, params: types.WorkspaceSymbolParams
) -> list[types.WorkspaceSymbol]:
    """Answer ``workspace/symbol``: each cache once, at its first mount."""
    for document in session.documents.values():
        session.read(document)
    found: list[types.WorkspaceSymbol] = []
    for area in session.areas:
        found += _caches_of(session, area, params.query.lower())
    return found[:_MOST]


def _caches_of(session: Session, area: Area, query: str) -> Iterator[types.WorkspaceSymbol]:
    index, seen = area.project.index, set()
    for path in sorted(index):
        summary = index.get(path)
        for mount in summary.mounts if summary is not None else ():
            key = mount.key
            if key.identity in seen or query not in key.label.lower():
                continue
            seen.add(key.identity)
            count = index.count_sharing(key.identity)
            yield words.workspace_symbol(
                message(key.label),
                types.SymbolKind.Key,
                types.Location(
                    uri=session.uri(area, path), range=where_range(mount.where, session.encoding)
                ),
                message(f"{path}, 1 mount" if count == 1 else f"{path}, {count} mounts"),
            )
