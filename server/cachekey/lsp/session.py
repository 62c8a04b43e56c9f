"""What the server knows: the client's abilities, the folders, the open documents.

Answers are computed from here; nothing in this module sends a message.
"""

from __future__ import annotations

import logging
import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.checking import engine
from cachekey.checking.suppress import UNREADABLE
from cachekey.finding import Finding, Severity
from cachekey.lsp import uris
from cachekey.lsp.abilities import Abilities
from cachekey.lsp.analysis import Analysis
from cachekey.lsp.area import Area
from cachekey.lsp.calm import Calm
from cachekey.lsp.config import Editor
from cachekey.lsp.convert import to_diagnostic, to_range
from cachekey.lsp.figures import Figures
from cachekey.lsp.names import document_kind
from cachekey.text import Source, Span
from cachekey.workspace.settings import FILE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cachekey.kinds import Kind
    from cachekey.text import Encoding

logger = logging.getLogger(__name__)

LARGEST = 500_000
"""Characters; reading a longer text would keep everything else waiting for seconds."""


@dataclass(eq=False)
class Document:
    """An open document of ours."""

    uri: str
    """As the client writes it."""
    kind: Kind
    version: int
    text: str
    area: Area
    path: str
    """Its name in the area's project."""
    unread: bool = True
    """The project has not been given this text yet."""
    analysis: Analysis | None = field(default=None, repr=False)
    epoch: int = -1
    """State of the area in which ``analysis`` was made."""
    calm: Calm = field(default_factory=Calm, repr=False)

    def forget(self) -> None:
        """Note that what was found no longer holds."""
        self.analysis = None


class Session:
    """State of one connection."""

    def __init__(self) -> None:
        self.abilities = Abilities()
        self.encoding: Encoding = "utf-16"
        self.documents: dict[str, Document] = {}
        """Open documents by :func:`cachekey.lsp.uris.same` of their URI."""
        self.settings_texts: dict[str, str] = {}
        """Open settings files by :func:`cachekey.lsp.uris.same` of their URI: what is checked is on disk."""
        self.areas: list[Area] = []
        """One for every workspace folder, deepest first."""
        self.stirred: dict[str, Document] = {}
        """Open documents that changes elsewhere concern, until somebody looks after them."""
        self.shown: set[str] = set()
        """What the client has asked for, of "lenses" and "hints"."""
        self.figures = Figures()
        self.editor = Editor()
        """Settings of the editor where no folder says otherwise."""

    # -- folders --------------------------------------------------------------------------------

    def add_folder(self, uri: str) -> Area | None:
        """Make a workspace folder known; ``None`` when it is not on disk or known already."""
        root = uris.to_path(uri)
        if root is None or any(area.root == root for area in self.areas):
            return None
        area = Area(uri, root, self.editor)
        self.areas.append(area)
        self.areas.sort(key=lambda item: -len(item.root))
        self._rehome()
        return area

    def remove_folder(self, uri: str) -> Area | None:
        """Forget a workspace folder; its open documents stay, each on its own."""
        root = uris.to_path(uri)
        gone = next((area for area in self.areas if area.root == root), None)
        if gone is not None:
            self.areas.remove(gone)
            self._rehome()
        return gone

    def area_of(self, uri: str) -> tuple[Area, str] | None:
        """Return the workspace folder that holds a file, and the file's path in it."""
        path = uris.to_path(uri)
        if path is not None:
            for area in self.areas:
                if relative := uris.inside(path, area.root):
                    return area, relative
        return None

    def _rehome(self) -> None:
        for document in self.documents.values():
            home = self.area_of(document.uri)
            if home is None and document.area.is_lonely:
                continue
            area, path = home or self._lonely(document.uri)
            if area is not document.area:
                document.area.close(document.path)
                document.area.forget(document.path)
                document.area, document.path = area, path
                document.unread, document.analysis = True, None
                area.open(path, document.kind)

    def _lonely(self, uri: str) -> tuple[Area, str]:
        """Give a document outside every folder an area of its own.

        It goes by its last name: the rest of the path is not ours to tell, and what lies beside it is
        nobody's to read.
        """
        path = uris.to_path(uri)
        name = (path or uri.rpartition(":")[2]).rpartition("/")[2] or "untitled"
        return Area(uri, "", self.editor, is_lonely=True), name

    # -- documents ------------------------------------------------------------------------------

    def open(self, uri: str, language: str, version: int, text: str) -> Document | None:
        """Take in an opened document; ``None`` when it is none that is checked."""
        if posixpath.basename(uris.to_path(uri) or uri) in FILE_NAMES:
            self.settings_texts[uris.same(uri)] = text
        kind, place = document_kind(uris.to_path(uri) or uri, language), self.area_of(uri)
        if kind is None and place is not None:
            kind = place[0].project.kind(place[1])
        if kind is None:
            return None
        area, path = place or self._lonely(uri)
        document = Document(uri, kind, version, text, area, path)
        self.documents[uris.same(uri)] = document
        area.open(path, kind)
        return document

    def change(self, uri: str, version: int, text: str) -> Document | None:
        """Take in a new text; nothing is read before somebody asks."""
        if uris.same(uri) in self.settings_texts:
            self.settings_texts[uris.same(uri)] = text
        document = self.find(uri)
        if document is not None:
            if self.abilities.calm:
                document.calm.changed(document.text, text)
            document.version, document.text = version, text
            document.unread, document.analysis = True, None
        return document

    def close(self, uri: str) -> Document | None:
        """Forget an open document; what is on disk counts again."""
        self.settings_texts.pop(uris.same(uri), None)
        document = self.documents.pop(uris.same(uri), None)
        if document is not None:
            self.stirred.pop(uris.same(uri), None)
            document.area.close(document.path)
            self.notice(document.area)
        return document

    def find(self, uri: str) -> Document | None:
        """Return an open document."""
        return self.documents.get(uris.same(uri))

    def siblings(self, area: Area, besides: Document | None = None) -> Iterator[Document]:
        """Iterate over the open documents of an area."""
        return (
            document
            for document in self.documents.values()
            if document.area is area and document is not besides
        )

    # -- answers --------------------------------------------------------------------------------

    def read(self, document: Document) -> Source:
        """Make the project know the present texts of a document and of those around it."""
        area = document.area
        for item in self.siblings(area):
            if item.unread:
                item.unread = False
                area.write(item.path, item.text if len(item.text) <= LARGEST else None)
        self.notice(area)
        return area.source(document.path) or Source(document.text)

    def notice(self, area: Area) -> None:
        """Find the open documents for which something has changed in other files."""
        if concerned := area.concerned():
            for item in self.siblings(area):
                if item.path in concerned:
                    item.forget()
                    self.stirred[uris.same(item.uri)] = item

    def analyse(self, document: Document) -> Analysis:
        """Return what is to be said about a document, from memory when nothing has changed."""
        source, area = self.read(document), document.area
        if document.analysis is None or document.epoch != area.epoch:
            document.epoch = area.epoch
            document.analysis = self._check(document, source)
        return document.analysis

    def _check(self, document: Document, source: Source) -> Analysis:
        area, version = document.area, document.version
        findings: Sequence[Finding] = ()
        try:
            if area.excluded(document.path):
                findings = ()
            elif len(document.text) > LARGEST:
                findings = (_too_large(document),)
            else:
                settings = area.settings(document.path)
                findings = engine.check(area.project, document.path, settings)
        except Exception:  # one broken document must not cost the others their answers
            logger.exception("cannot check %s", document.path)
        diagnostics = self.diagnostics(area, source, findings, version)
        return Analysis(source, version, tuple(findings), diagnostics)

    def diagnostics(
        self, area: Area, source: Source, findings: Sequence[Finding], version: int | None
    ) -> tuple[types.Diagnostic, ...]:
        """Turn the findings of one of an area's documents into the client's."""
        return tuple(
            to_diagnostic(
                finding,
                source,
                self.encoding,
                self.abilities,
                lambda related: self.location(area, related.path, related.span),
                {"rule": finding.rule, "index": index, "version": version},
            )
            for index, finding in enumerate(findings)
            if not (finding.common and self.abilities.others)
        )

    # -- places ---------------------------------------------------------------------------------

    def location(self, area: Area, path: str, span: Span) -> types.Location | None:
        """Locate a span of one of an area's documents; ``None`` when nobody knows its text."""
        source = area.source(path)
        if source is None:
            return None
        where = to_range(source, span, self.encoding)
        return types.Location(uri=self.uri(area, path), range=where)

    def uri(self, area: Area, path: str) -> str:
        """Return a document's URI, as the client spells it when the client has it open."""
        document = self._opened(area, path)
        return document.uri if document is not None else area.uri_of(path)

    def version(self, area: Area, path: str) -> int | None:
        """Return the version of an open document, ``None`` for a file on disk."""
        document = self._opened(area, path)
        return document.version if document is not None else None

    def _opened(self, area: Area, path: str) -> Document | None:
        return next((item for item in self.siblings(area) if item.path == path), None)


def _too_large(document: Document) -> Finding:
    message = f"the file is larger than {LARGEST // 1000} kB: it is not checked while you type"
    severity = Severity.INFORMATION
    name = UNREADABLE.name
    return Finding(document.path, UNREADABLE.code, name, severity, Span(0, 0), message)
