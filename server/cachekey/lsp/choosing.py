"""What our own client sends after the user has chosen: silence a finding, with a way back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified

from cachekey.disk import files
from cachekey.lsp import events, words
from cachekey.lsp.actions import edit_for
from cachekey.lsp.edits import touched
from cachekey.lsp.turnoff import turning_off
from cachekey.markup.message import message

if TYPE_CHECKING:
    from cachekey.lsp.area import Area
    from cachekey.lsp.backend import Backend
    from cachekey.lsp.turnoff import TurningOff

logger = logging.getLogger(__name__)

_UNDO = message("Undo")


async def apply(back: Backend, data: Mapping[str, Any]) -> None:
    """Answer ``cachekey.apply``: make the edit that the data of a choice names, and apply it."""
    session = back.session
    document = session.find(str(data.get("uri")))
    if document is None or document.version != data.get("version"):
        raise JsonRpcContentModified("the document has changed since the action was offered")
    edit = edit_for(session, document, data)
    if edit is None:
        return
    if data.get("do") != "off":
        await send(back, edit)
        return
    # The finding's place in the list was looked at by edit_for.
    finding = session.analyse(document).findings[data["index"]]
    change = turning_off(session, document, finding.code)
    if change is not None and await send(back, edit):
        name = f"{finding.code} ({finding.rule})"
        back.spawn(_offer_undo(back, document.area, change, name))


async def send(back: Backend, edit: types.WorkspaceEdit) -> bool:
    """Have the client apply an edit; tell whether it did.

    Files that are not open are saved, and read again at once: an editor's watcher tells of them late, or
    never while it is still starting.
    """
    metadata = types.WorkspaceEditMetadata(is_refactoring=True)
    answer = await back.client.workspace_apply_edit_async(
        types.ApplyWorkspaceEditParams(edit=edit, metadata=metadata)
    )
    if not answer.applied:
        logger.warning("the client did not apply an edit: %s", answer.failure_reason)
        return False
    changed = [types.FileEvent(uri, types.FileChangeType.Changed) for uri in touched(edit)]
    await events.files_changed(back, types.DidChangeWatchedFilesParams(changed))
    return True


async def _offer_undo(back: Backend, area: Area, change: TurningOff, name: str) -> None:
    said = message(f"{name} is off: {change.name} says so.")
    info = types.MessageType.Info
    answer = await back.client.window_show_message_request_async(words.question(info, said, _UNDO))
    if answer is None or answer.title != _UNDO:
        return
    edit = change.undo(back.session, files.read(change.path, area.root).text)
    if edit is not None:
        await send(back, edit)
        return
    said = message(f"{change.name} has changed since: take {name} out of its list `ignore` there.")
    back.client.window_show_message(words.pop_up(types.MessageType.Warning, said))
