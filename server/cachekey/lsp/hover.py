"""Hovers: what :mod:`cachekey.assist.hover` says, for the client's columns and its kind of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.assist import hover as explain
from cachekey.assist import keys_page
from cachekey.dockerfile.records import Dockerfile
from cachekey.lsp import words
from cachekey.lsp.convert import to_offset, to_range
from cachekey.lsp.names import EXPLAIN
from cachekey.markup.markdown import card, plain_card
from cachekey.markup.rich import Rich, link, rich

if TYPE_CHECKING:
    from cachekey.buildkit.mounts import Mount
    from cachekey.dockerfile.records import Run
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

    def told(run: Run, mount: Mount) -> Rich | None:
        model = area.project.documents.get(document.path)
        if not isinstance(model, Dockerfile):
            return None
        figures = session.figures
        said = "; ".join(figures.said(document.uri, model, run, mount))
        return rich("On the builder {}: {}", figures.builder, said) if said else None

    settings = area.settings(document.path)
    how = _how(session)
    found = explain.hover(area.project, document.path, offset, settings, place, how, told)
    if found is None:
        return None
    markdown = session.abilities.markdown_hover
    text = card(found.lines) if markdown else plain_card(found.lines)
    return types.Hover(
        contents=words.contents(text, markdown=markdown),
        range=to_range(source, found.span, session.encoding),
    )


def _how(session: Session) -> Rich:
    """Point at the page on keys: in the editor where it shows pages of ours, else on the web."""
    text = "How keys work"
    if not session.abilities.markdown_hover:
        return explain.HOW
    if session.abilities.shows_rules:
        return link(text, f"command:{EXPLAIN}?%5B%22{keys_page.NAME}%22%5D")
    return link(text, "https://docs.docker.com/reference/dockerfile/#run---mounttypecache")
