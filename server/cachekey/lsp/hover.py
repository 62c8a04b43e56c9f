"""Hovers: what :mod:`cachekey.assist.hover` says, for the client's columns and its kind of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.assist import hover as explain
from cachekey.lsp.convert import to_offset, to_range

if TYPE_CHECKING:
    from cachekey.lsp.session import Session

_LINK = re.compile(r"\[([^\]\n]*)\]\([^)\n]*\)")
_MARKS = re.compile(r"(?<!\\)(\*\*|`)|^#+ |\\(?=[\\`*_{}\[\]()#+\-.!<>|])", re.MULTILINE)


def hover(session: Session, params: types.HoverParams) -> types.Hover | None:
    """Answer ``textDocument/hover``."""
    document = session.find(params.text_document.uri)
    if document is None:
        return None
    source, area = session.read(document), document.area
    offset = to_offset(source, params.position, session.encoding)
    markdown = session.abilities.markdown_hover

    def link(path: str, line: int) -> str:
        place = explain.plain_link(path, line)
        # "#L5": how VS Code and others read a line out of a link.
        return f"[{place}]({session.uri(area, path)}#L{line + 1})" if markdown else place

    settings = area.settings(document.path)
    found = explain.hover(area.project, document.path, offset, settings, link)
    if found is None:
        return None
    return types.Hover(
        contents=types.MarkupContent(
            kind=types.MarkupKind.Markdown if markdown else types.MarkupKind.PlainText,
            value=found.markdown if markdown else plain(found.markdown),
        ),
        range=to_range(source, found.span, session.encoding),
    )


def plain(markdown: str) -> str:
    """Take the Markdown out of a text, for clients that show it as it is.

    >>> plain("**key** `uv-cache` as in [api/Dockerfile:4](file:///api/Dockerfile#L4)")
    'key uv-cache as in api/Dockerfile:4'
    """
    return _MARKS.sub("", _LINK.sub(r"\1", markdown))
