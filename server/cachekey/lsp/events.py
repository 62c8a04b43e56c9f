"""What happens when the client says that something has happened."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.assist import keys_page
from cachekey.lsp import uris, words
from cachekey.markup.message import message
from cachekey.report.rules import as_markdown, catalog
from cachekey.workspace.settings import FILE_NAMES

if TYPE_CHECKING:
    from cachekey.lsp.area import Area
    from cachekey.lsp.backend import Backend


def opened(back: Backend, params: types.DidOpenTextDocumentParams) -> None:
    """Take in a document."""
    item = params.text_document
    _look_around(back)
    document = back.session.open(item.uri, item.language_id, item.version, item.text)
    if document is not None:
        back.reporter.touched(document)
        document.area.settings(document.path)
        back.check_settings(document.area)


def changed(back: Backend, params: types.DidChangeTextDocumentParams) -> None:
    """Take in a new text; the last change holds it whole."""
    if not params.content_changes:
        return
    item = params.text_document
    document = back.session.change(item.uri, item.version, params.content_changes[-1].text)
    if document is not None:
        back.reporter.touched(document)


def saved(back: Backend, params: types.DidSaveTextDocumentParams) -> None:
    """Look at the disk when the client does not watch it for us."""
    _look_around(back)


def closed(back: Backend, params: types.DidCloseTextDocumentParams) -> None:
    """Let go of a document; what is on disk counts again."""
    document = back.session.close(params.text_document.uri)
    if document is None:
        return
    back.reporter.closed(document)
    back.reporter.look_after()


async def files_changed(back: Backend, params: types.DidChangeWatchedFilesParams) -> None:
    """Take in what changed on disk; an open document's text is the editor's."""
    by_area: dict[Area, list[str]] = {}
    for event in params.changes:
        if (place := back.session.area_of(event.uri)) is not None:
            by_area.setdefault(place[0], []).append(place[1])
        elif (path := uris.to_path(event.uri) or "").endswith(".toml"):
            # Above the folder, and still settings of something in it.
            name = posixpath.basename(path)
            for area in back.session.areas:
                if name in FILE_NAMES or path in area.settings_files:
                    by_area.setdefault(area, [])
    for area, paths in by_area.items():
        back.reload(area)
        documents = [path for path in paths if area.project.kind(path) and not area.is_open(path)]
        if documents:
            await back.scanner.update(area, documents)


async def folders_changed(back: Backend, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Take in folders that came and went."""
    for folder in params.event.removed:
        if (area := back.session.remove_folder(folder.uri)) is not None:
            back.scanner.stop(area)
    added = [back.session.add_folder(folder.uri) for folder in params.event.added]
    await back.configure()
    for area in added:
        if area is not None:
            back.scanner.start(area)


def rules() -> list[dict[str, str]]:
    """Return what a user may choose a rule from."""
    return [{"code": rule.code, "name": rule.name, "summary": rule.summary} for rule in catalog()]


def explain_rule(back: Backend, code: str) -> str | None:
    """Say what a rule is about; the answer to the command is its whole documentation."""
    if code == keys_page.NAME:
        return keys_page.PAGE
    rule = next((rule for rule in catalog() if code in {rule.code, rule.name}), None)
    if rule is None:
        return None
    if not back.session.abilities.shows_rules:
        text = " ".join(rule.doc.strip().split("\n## ")[0].split())
        said = message(f"{rule.code} {rule.name}: {text} (cachekey rule {rule.code})")
        back.client.window_show_message(words.pop_up(types.MessageType.Info, said))
    return as_markdown(rule)


def _look_around(back: Backend) -> None:
    if not back.session.abilities.watch_files:
        for area in back.session.areas:
            back.reload(area)
            back.spawn(back.scanner.look_again(area))
