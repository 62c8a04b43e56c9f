"""Code lenses and inlay hints; which of them are shown, the settings say."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.assist.lens import cache_lenses, implied_ids, missing_lenses
from cachekey.dockerfile.records import Dockerfile
from cachekey.lsp import words
from cachekey.lsp.convert import to_position, to_range, to_span, where_range
from cachekey.lsp.names import APPLY, SHOW
from cachekey.lsp.told import facts
from cachekey.markup.message import message

if TYPE_CHECKING:
    from cachekey.assist.lens import CacheLens
    from cachekey.lsp.session import Document, Session

_MOST_PLACES = 200


def lenses(session: Session, params: types.CodeLensParams) -> list[types.CodeLens]:
    """Answer ``textDocument/codeLens``."""
    session.shown.add("lenses")
    document = session.find(params.text_document.uri)
    if document is None:
        return []
    shows = document.area.editor.shows
    found: list[types.CodeLens] = []
    if shows.missing:
        found += _missing(session, document)
    if shows.caches:
        found += _caches(session, document)
    return found


def _missing(session: Session, document: Document) -> Iterator[types.CodeLens]:
    analysis = session.analyse(document)
    model = document.area.project.documents.get(document.path)
    if not isinstance(model, Dockerfile):
        return
    for number, span, title in missing_lenses(model, analysis.findings):
        data = {"do": "complete", "index": number, "uri": document.uri, "version": document.version}
        yield types.CodeLens(
            range=to_range(analysis.source, span, session.encoding),
            command=words.command(message(title), APPLY, data),
        )


def _caches(session: Session, document: Document) -> Iterator[types.CodeLens]:
    source = session.read(document)
    model = document.area.project.documents.get(document.path)
    if not isinstance(model, Dockerfile):
        return
    told = facts(session, document, model)
    for lens in cache_lenses(document.area.project, model, told):
        where = to_range(source, lens.span, session.encoding)
        arguments = _places(session, document, lens, where) if session.abilities.chooses else ()
        # A command without a name is text that nobody can press.
        name = SHOW if arguments else ""
        command = words.command(message(lens.title), name, *arguments)
        yield types.CodeLens(range=where, command=command)


def _places(
    session: Session, document: Document, lens: CacheLens, where: types.Range
) -> tuple[object, ...]:
    area, key = document.area, lens.mount.key
    if key is None:
        return ()
    places = []
    for mount in islice(area.project.sharing(key), _MOST_PLACES):
        line = where_range(mount.where, session.encoding).start
        at = {"line": line.line, "character": line.character}
        places.append({"uri": session.uri(area, mount.path), "range": {"start": at, "end": at}})
    here = {"line": where.start.line, "character": where.start.character}
    return (document.uri, here, places)


def hints(session: Session, params: types.InlayHintParams) -> list[types.InlayHint]:
    """Answer ``textDocument/inlayHint``: the id that a mount without one implies."""
    session.shown.add("hints")
    document = session.find(params.text_document.uri)
    if document is None or not document.area.editor.shows.ids:
        return []
    source = session.read(document)
    model = document.area.project.documents.get(document.path)
    if not isinstance(model, Dockerfile):
        return []
    wanted = to_span(source, params.range, session.encoding)
    return [
        words.hint(to_position(source, at, session.encoding), message(text))
        for at, text in implied_ids(model)
        if wanted.start <= at <= wanted.end
    ]
