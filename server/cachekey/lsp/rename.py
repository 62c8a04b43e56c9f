"""Renaming: one new name for a cache or a volume, in every file that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from cachekey.assist.rename import is_unnamed, name_at
from cachekey.lsp import words
from cachekey.lsp.convert import to_offset, to_range
from cachekey.lsp.edits import shows_first, workspace_edit
from cachekey.lsp.names import REQUEST_FAILED
from cachekey.markup.message import message

if TYPE_CHECKING:
    from cachekey.assist.rename import Name
    from cachekey.lsp.backend import Backend
    from cachekey.lsp.session import Document, Session
    from cachekey.text import Source

_JOIN = message("Make them one")
_UNNAMED = message(
    "This cache has no id: its target names it. Give it one first, by the code action 'Name this cache'."
)


def prepare(
    session: Session, params: types.PrepareRenameParams
) -> types.PrepareRenamePlaceholder | None:
    """Answer ``textDocument/prepareRename``: where the name stands; None where there is none.

    A cache that its target names has no name to change: the refusal says how it gets one.
    """
    found = _at(session, params.text_document.uri, params.position)
    if found is None:
        if _is_unnamed(session, params):
            raise JsonRpcException(_UNNAMED, code=REQUEST_FAILED)
        return None
    _, source, name = found
    where = to_range(source, name.span, session.encoding)
    return types.PrepareRenamePlaceholder(range=where, placeholder=name.text)


async def rename(back: Backend, params: types.RenameParams) -> types.WorkspaceEdit | None:
    """Answer ``textDocument/rename``.

    A name that is taken makes one of what was apart: the editor shows the places first, all of them
    ticked, or the user is asked.
    """
    session, new = back.session, params.new_name.strip()
    found = _at(session, params.text_document.uri, params.position)
    if found is None:
        return None
    document, _, name = found
    renaming = name.write(new)
    if renaming.refusal:
        raise JsonRpcException(message(renaming.refusal), code=REQUEST_FAILED)
    label = ""
    if renaming.joins:
        places = "another place has" if renaming.joins == 1 else f"{renaming.joins} places have"
        label = f"{places} the name {new} already: they become one with {name.text}"
        if not shows_first(session, document.area) and not await _agrees(back, label):
            raise JsonRpcException(message(f"{label}; nothing was renamed"), code=REQUEST_FAILED)
    return workspace_edit(session, document.area, renaming.edits, choose=label)


async def _agrees(back: Backend, label: str) -> bool:
    if not back.session.abilities.asks:
        return False
    question = words.question(types.MessageType.Warning, message(f"{label}."), _JOIN)
    answer = await back.client.window_show_message_request_async(question)
    return answer is not None and answer.title == _JOIN


def _is_unnamed(session: Session, params: types.PrepareRenameParams) -> bool:
    """Tell whether a place is the target of a cache mount without ``id``."""
    document = session.find(params.text_document.uri)
    if document is None:
        return False
    offset = to_offset(session.read(document), params.position, session.encoding)
    return is_unnamed(document.area.project, document.path, offset)


def _at(
    session: Session, uri: str, position: types.Position
) -> tuple[Document, Source, Name] | None:
    document = session.find(uri)
    if document is None:
        return None
    source = session.read(document)
    offset = to_offset(source, position, session.encoding)
    name = name_at(document.area.project, document.path, offset)
    return (document, source, name) if name is not None else None
