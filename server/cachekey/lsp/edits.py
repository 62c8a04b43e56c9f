"""Edits of the core as workspace edits, in the most careful form the client understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.lsp import words
from cachekey.lsp.convert import to_text_edit
from cachekey.markup.message import message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cachekey.finding import FileEdit
    from cachekey.lsp.area import Area
    from cachekey.lsp.session import Session
    from cachekey.text import Edit, Source

_NOTE = "cachekey"
CHOOSE = "Take the tick away from what shall stay as it is"


def workspace_edit(
    session: Session, area: Area, edits: Sequence[FileEdit], *, choose: str = ""
) -> types.WorkspaceEdit | None:
    """Turn edits of an area's documents into one edit; ``None`` when a document is unknown.

    With ``choose``, which says why, an editor that can shows the places first, all of them ticked.
    """
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
    shown = choose if shows_first(session, area) else ""
    return _assemble(session, changes, choose=shown)


def shows_first(session: Session, area: Area) -> bool:
    """Tell whether the editor can show the places of an edit in an area before it is applied."""
    return session.abilities.previews and not area.is_lonely


def file_edit(
    session: Session, uri: str, source: Source, edits: Sequence[Edit]
) -> types.WorkspaceEdit:
    """Turn edits of a file that is no document of ours into a workspace edit."""
    converted = [to_text_edit(source, edit, session.encoding) for edit in edits]
    return _assemble(session, [(uri, None, converted)])


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


def deleted_file(uri: str) -> types.WorkspaceEdit:
    """Make an edit that deletes a file; only for clients that could create it."""
    options = types.DeleteFileOptions(ignore_if_not_exists=True)
    return types.WorkspaceEdit(document_changes=[types.DeleteFile(uri=uri, options=options)])


def touched(edit: types.WorkspaceEdit) -> list[str]:
    """Return the addresses of the files that an edit of ours changes, makes or deletes."""
    named = [
        item.text_document.uri if isinstance(item, types.TextDocumentEdit) else item.uri
        for item in edit.document_changes or ()
        if not isinstance(item, types.RenameFile)
    ]
    return list(dict.fromkeys([*(edit.changes or {}), *named]))


def _assemble(
    session: Session,
    changes: Sequence[tuple[str, int | None, list[types.TextEdit]]],
    *,
    choose: str = "",
) -> types.WorkspaceEdit:
    abilities = session.abilities
    if not abilities.versioned_edits:
        return types.WorkspaceEdit(changes={uri: edits for uri, _, edits in changes})
    documents = [
        types.TextDocumentEdit(
            text_document=types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version),
            edits=edits,
        )
        for uri, version, edits in changes
    ]
    if not (choose and documents):
        return types.WorkspaceEdit(document_changes=documents)
    # VS Code shows the places when one change wants a yes, and leaves the box of that one empty. So it
    # is a change that does nothing, and that VS Code therefore leaves out: to create, unless it is
    # there, a file that is there.
    nothing = types.CreateFile(
        uri=documents[0].text_document.uri,
        options=types.CreateFileOptions(ignore_if_exists=True),
        annotation_id=_NOTE,
    )
    note = words.annotation(message(choose))
    return types.WorkspaceEdit(
        document_changes=[*documents, nothing], change_annotations={_NOTE: note}
    )
