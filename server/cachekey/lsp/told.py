"""What the client has asked a builder for: pages to show, figures to keep.

The client runs ``cachekey builder`` and ``cachekey prove`` when its user says so, and hands their
documents to us. Nothing is asked from here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcException

from cachekey.dockerfile.records import Dockerfile
from cachekey.lsp import uris
from cachekey.lsp.names import REQUEST_FAILED
from cachekey.markup.message import message
from cachekey.report import builder_html, prove_html

if TYPE_CHECKING:
    from cachekey.lsp.session import Document, Session
    from cachekey.markup.html import Html

_MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
_UNKNOWN = message("Cachekey does not know this form of answer: is it of another version?")


def take_caches(session: Session, given: Mapping[str, Any]) -> dict[str, str]:
    """Answer ``cachekey.takeCaches``: keep a ``builder`` document and return its page."""
    try:
        document = given["document"]
        html = builder_html.page(document, _links(given), datetime.now(timezone.utc))
        session.figures.take_caches(document)
    except _MALFORMED:
        raise JsonRpcException(_UNKNOWN, code=REQUEST_FAILED) from None
    return _page(f"Caches on {session.figures.builder}", html)


def take_proof(session: Session, given: Mapping[str, Any]) -> dict[str, str]:
    """Answer ``cachekey.takeProof``: keep a ``prove`` document and return its page."""
    try:
        proof = given["document"]
        html = prove_html.page(proof, _links(given))
        document = session.find(str(given["uri"]))
        if document is not None:
            session.read(document)
            model = document.area.project.documents.get(document.path)
            if isinstance(model, Dockerfile):
                session.figures.take_proof(document.uri, model, proof)
    except _MALFORMED:
        raise JsonRpcException(_UNKNOWN, code=REQUEST_FAILED) from None
    return _page(f"Proof of {posixpath.basename(str(given['uri']))}", html)


def _page(title: str, html: Html) -> dict[str, str]:
    return {"title": message(title), "html": html}


def _links(given: Mapping[str, Any]) -> builder_html.Link:
    """Make links of paths that are relative to the folder in which the client ran the command."""
    base = uris.to_path(str(given["folder"]))

    def link(path: str, line: int) -> str:
        whole = uris.normal(posixpath.join(base or "/", path))
        return f"{uris.from_path(whole)}#L{line + 1}"

    return link


def facts(session: Session, document: Document, model: Dockerfile) -> Mapping[int, Sequence[str]]:
    """Return what is known of each cache mount, by where it stands."""
    figures = session.figures
    return {m.span.start: [*figures.said(document.uri, model, run, m)] for run, m in model.caches}
