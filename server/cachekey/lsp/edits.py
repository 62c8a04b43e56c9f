"""Edits of the core as workspace edits, in the most careful form the client understands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.lsp import words
from cachekey.lsp.convert import to_text_edit
from cachekey.markup.message import message
from cachekey.text import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cachekey.finding import FileEdit
    from cachekey.lsp.area import Area
    from cachekey.lsp.session import Session
    from cachekey.text import Edit

_NOTE = "cachekey"


@dataclass(frozen=True)
class Caution:
    """What the user is to confirm before an edit is applied."""

    label: str
    reason: str


def workspace_edit(
    session: Session, area: Area, edits: Sequence[FileEdit], caution: Caution | None = None
) -> types.WorkspaceEdit | None:
    """Turn edits of an area's documents into one edit; ``None`` when a document is unknown."""
    by_path: dict[str, list[Edit]] = {}
    for item in edits:
        by_path.setdefault(item.path, []).append(item.edit)
    changes: list[tuple[str, int | None, list[types.TextEdit]]] = []
    for path, group in by_path.items():
        source = area.source(path)
        if source is None:
            return None
        converted = [to_text_edit(source, edit, session.encoding) for edit in group]
        changes.append((session.uri(area, path), session.version(area, path), converted))
    return _assemble(session, changes, caution)


def file_edit(session: Session, uri: str, source: Source, edit: Edit) -> types.WorkspaceEdit:
    """Turn an edit of a file that is no document of ours into a workspace edit."""
    return _assemble(session, [(uri, None, [to_text_edit(source, edit, session.encoding)])], None)


def new_file(uri: str, text: str) -> types.WorkspaceEdit:
    """Make an edit that creates a file; only for clients that can."""
    start = types.Position(line=0, character=0)
    return types.WorkspaceEdit(
        document_changes=[
            types.CreateFile(uri=uri, options=types.CreateFileOptions(ignore_if_exists=True)),
            types.TextDocumentEdit(
                text_document=types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=None),
                edits=[types.TextEdit(range=types.Range(start=start, end=start), new_text=text)],
            ),
        ]
    )


def _assemble(
    session: Session,
    changes: Sequence[tuple[str, int | None, list[types.TextEdit]]],
    caution: Caution | None,
) -> types.WorkspaceEdit:
    abilities = session.abilities
    if not abilities.versioned_edits:
        return types.WorkspaceEdit(changes={uri: edits for uri, _, edits in changes})
    note = caution if abilities.annotations else None
    documents = [
        types.TextDocumentEdit(
            text_document=types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version),
            edits=edits if note is None else [_annotated(edit) for edit in edits],
        )
        for uri, version, edits in changes
    ]
    if note is None:
        return types.WorkspaceEdit(document_changes=documents)
    reason = message(note.reason) if note.reason else None
    annotation = words.annotation(message(note.label), reason)
    return types.WorkspaceEdit(document_changes=documents, change_annotations={_NOTE: annotation})


def _annotated(edit: types.TextEdit) -> types.AnnotatedTextEdit:
    return types.AnnotatedTextEdit(annotation_id=_NOTE, range=edit.range, new_text=edit.new_text)
