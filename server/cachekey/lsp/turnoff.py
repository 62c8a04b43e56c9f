"""*Turn this rule off*: the change of a settings file, and the way back."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.edits import settings as settings_edit
from cachekey.lsp import uris
from cachekey.lsp.convert import difference
from cachekey.lsp.edits import deleted_file, file_edit, new_file
from cachekey.text import Source
from cachekey.workspace.settings import TABLE

if TYPE_CHECKING:
    from cachekey.lsp.session import Document, Session
    from cachekey.text import Edit


@dataclass(frozen=True)
class TurningOff:
    """A change of a settings file; ``before`` is None when it makes the file."""

    path: str
    """Absolute."""
    name: str
    """The path as the workspace folder sees it."""
    before: Source | None
    change: Edit

    @property
    def after(self) -> str:
        """Return the file's text behind the change."""
        text, span = self.before.text if self.before is not None else "", self.change.span
        return text[: span.start] + self.change.text + text[span.end :]

    def edit(self, session: Session) -> types.WorkspaceEdit:
        """Return the change as the client's edit."""
        uri = uris.from_path(self.path)
        if self.before is None:
            return new_file(uri, self.change.text)
        return file_edit(session, uri, self.before, [self.change])

    def undo(self, session: Session, now: str | None) -> types.WorkspaceEdit | None:
        """Return the way back; None when the file on disk (``now``) is neither old nor new."""
        before = self.before.text if self.before is not None else None
        if now not in (before, self.after):
            return None
        uri = uris.from_path(self.path)
        if before is None:
            return deleted_file(uri)
        return file_edit(session, uri, Source(self.after), difference(self.after, before))


def turning_off(session: Session, document: Document, code: str) -> TurningOff | None:
    """Return what turns a rule off for a document; None where no settings file can say so."""
    area = document.area
    file = area.settings_file(document.path)
    if file is not None and not file.broken:
        table = TABLE if posixpath.basename(file.path) == "pyproject.toml" else ()
        edit = settings_edit.turn_off(file.source, code, table=table)
        if edit is not None:
            name = posixpath.relpath(file.path, area.root)
            return TurningOff(file.path, name, file.source, edit)
    elif file is None and area.root and session.abilities.create_files:
        edit = settings_edit.turn_off(Source(""), code)
        if edit is not None:
            name = settings_edit.NEW_FILE
            return TurningOff(area.full(name), name, None, edit)
    return None
