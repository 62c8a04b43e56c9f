"""Completions of :mod:`cachekey.assist.completion` as the client's items."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.assist import completion as proposals
from cachekey.assist.completion_settings import complete_settings
from cachekey.lsp import uris, words
from cachekey.lsp.convert import to_offset, to_range
from cachekey.markup.markdown import Plain, paragraphs, plain_paragraphs
from cachekey.markup.message import message
from cachekey.text import Source

if TYPE_CHECKING:
    from cachekey.assist.completion_devcontainer import Proposal
    from cachekey.lsp.session import Session

_KINDS = {
    "option": types.CompletionItemKind.Property,
    "value": types.CompletionItemKind.EnumMember,
    "path": types.CompletionItemKind.Folder,
    "snippet": types.CompletionItemKind.Snippet,
}
_AGAIN = words.command(message("Suggest"), "editor.action.triggerSuggest")


def complete(session: Session, params: types.CompletionParams) -> types.CompletionList | None:
    """Answer ``textDocument/completion``."""
    uri = params.text_document.uri
    document, settings = session.find(uri), session.settings_texts.get(uris.same(uri))
    if document is not None:
        source = session.read(document)
    elif settings is not None:
        source = Source(settings)
    else:
        return None
    offset = to_offset(source, params.position, session.encoding)
    if document is not None:
        offered = proposals.complete(document.area.project, document.path, offset)
    else:
        name = posixpath.basename(uris.to_path(uri) or uri)
        offered = complete_settings(name, source.text, offset)
    line = source.line_of(offset)
    # The protocol wants an edit to stay on the caret's line.
    found = [
        item
        for item in offered
        if source.line_of(item.span.start) == line == source.line_of(item.span.end)
    ]
    items = [_item(session, source, item, f"{number:03}") for number, item in enumerate(found)]
    return types.CompletionList(is_incomplete=False, items=items)


def _item(session: Session, source: Source, item: Proposal, order: str) -> types.CompletionItem:
    documentation: types.MarkupContent | Plain | None = None
    if about := item.documentation:
        if session.abilities.markdown_completion:
            documentation = words.contents(paragraphs(about), markdown=True)
        else:
            documentation = plain_paragraphs(about)
    label = message(item.label)
    return words.proposal(
        label,
        _KINDS[item.kind],
        types.TextEdit(range=to_range(source, item.span, session.encoding), new_text=item.text),
        order,
        detail=message(item.detail) if item.detail else None,
        documentation=documentation,
        # What is typed already is compared with this; a label may say more than what is written.
        written=item.text if label != item.text else None,
        follow_up=_AGAIN if item.more and session.abilities.suggests_again else None,
    )
