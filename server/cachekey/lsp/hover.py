"""Hovers: what :mod:`cachekey.assist.hover` says, for the client's columns and its kind of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.assist import hover as explain
from cachekey.lsp import words
from cachekey.lsp.convert import to_offset, to_range
from cachekey.markup.markdown import card, plain_card
from cachekey.markup.rich import Rich, link

if TYPE_CHECKING:
    from cachekey.lsp.session import Session


def hover(session: Session, params: types.HoverParams) -> types.Hover | None:
    """Answer ``textDocument/hover``."""
    document = session.find(params.text_document.uri)
    if document is None:
        return None
    source, area = session.read(document), document.area
    offset = to_offset(source, params.position, session.encoding)

    def place(path: str, line: int) -> Rich:
        # "#L5": how VS Code and others read a line out of a link.
        return link(f"{path}:{line + 1}", f"{session.uri(area, path)}#L{line + 1}")

    settings = area.settings(document.path)
    found = explain.hover(area.project, document.path, offset, settings, place)
    if found is None:
        return None
    markdown = session.abilities.markdown_hover
    text = card(found.lines) if markdown else plain_card(found.lines)
    return types.Hover(
        contents=words.contents(text, markdown=markdown),
        range=to_range(source, found.span, session.encoding),
    )
