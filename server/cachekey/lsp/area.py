"""One workspace folder (or one document outside any): its project, settings and files on disk."""

from __future__ import annotations

import logging
import posixpath
from typing import TYPE_CHECKING

from cachekey.disk import files
from cachekey.disk.ignore import IgnoreRules
from cachekey.disk.settings import SettingsFile, SettingsFinder
from cachekey.lsp import uris
from cachekey.lsp.config import same_meaning
from cachekey.rules import ALL
from cachekey.workspace.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from cachekey.kinds import Kind
    from cachekey.lsp.config import Editor
    from cachekey.text import Source
    from cachekey.workspace.settings import Settings

logger = logging.getLogger(__name__)


class Area:
    """The documents that are checked together, by ``/``-separated path relative to ``root``."""

    def __init__(self, uri: str, root: str, editor: Editor, *, is_lonely: bool = False) -> None:
        self.uri = uri
        self.root = root
        """Absolute path of the folder; empty when there is none on disk."""
        self.is_lonely = is_lonely
        """It holds one open document outside every workspace folder."""
        self.epoch = 0
        """Grows whenever documents may have other findings though their texts are the same."""
        self._editor = editor
        self._open: dict[str, Kind] = {}
        self._texts: dict[str, str | None] = {}
        """Files beside the documents that were asked for, as they were read."""
        self.settings_files: dict[str, SettingsFile] = {}
        """Settings files that count for some document, by absolute path."""
        self._settings: dict[str, Settings] = {}
        """Those in force, by document."""
        self._joined: dict[tuple[str, tuple[int, ...]], Settings] = {}
        self._finder = self._new_finder()
        self._excluded = self.exclusion()
        self.project = self._new_project()

    def _new_finder(self) -> SettingsFinder:
        return SettingsFinder(lambda: ALL, root=self.root)

    def _new_project(self) -> Project:
        project = Project(self.settings(""), self.read if self.root else None)
        project.call(self.root)
        return project

    # -- settings -------------------------------------------------------------------------------

    @property
    def editor(self) -> Editor:
        """Return the editor's settings for this folder."""
        return self._editor

    def settings_file(self, path: str) -> SettingsFile | None:
        """Return the settings file that counts for a document; ``None`` without one."""
        if not self.root:
            return None
        found = self._finder.of(posixpath.dirname(self.full(path or "_")))
        if not found.path:
            return None
        self.settings_files |= {file.path: file for file in (found, *found.bases)}
        return found

    def settings(self, path: str) -> Settings:
        """Return the settings in force for a document."""
        if path not in self._settings:
            self._settings[path] = self._join(path)
        return self._settings[path]

    def _join(self, path: str) -> Settings:
        """Put a file's settings over the editor's: the project's word counts more than the person's."""
        file = self.settings_file(path)
        if file is None:
            return self._editor.settings
        key = (file.path, file.overriding(self.full(path)))
        if key not in self._joined:
            self._joined[key] = file.over(self._editor.settings, key[1])
        return self._joined[key]

    def excluded(self, path: str) -> bool:
        """Tell whether the settings leave a document out."""
        return self._excluded(self.full(path))

    def exclusion(self) -> Callable[[str], bool]:
        """Return a test for absolute paths (a folder's ends in ``/``), good for another thread."""
        rules = IgnoreRules(self._editor.settings.exclude)
        finder = self._new_finder()
        cut = len(self.root.rstrip("/")) + 1

        def excluded(path: str) -> bool:
            if rules and rules.verdict(path[cut:]):
                return True
            return bool(self.root) and finder.excluded(path)

        return excluded

    def configure(self, editor: Editor) -> bool:
        """Take the editor's settings; tell whether all files must be read anew."""
        self._editor = editor
        return self.reload_settings()

    def reload_settings(self) -> bool:
        """Read the settings anew; tell whether all files must be read anew, too."""
        before = dict(self._settings)
        self._finder = self._new_finder()
        self._excluded = self.exclusion()
        for known in (self._settings, self._joined, self.settings_files):
            known.clear()
        if {path: self.settings(path) for path in before} == before:
            return False
        self.epoch += 1
        settings = self.settings("")
        if same_meaning(self.project.settings, settings):
            self.project.settings = settings
            return False
        old = self.project
        self.project = self._new_project()
        self._read_anew(old)
        return True

    def reload_texts(self) -> bool:
        """Read files beside the documents anew; tell whether one of them has changed."""
        now = {path: self.load(path) for path in self._texts}
        if now == self._texts:
            return False
        self._texts = now
        self.epoch += 1
        self._read_anew(self.project)
        return True

    def _read_anew(self, old: Project) -> None:
        for path, kind in self._open.items():
            if (document := old.documents.get(path)) is not None:
                old.release(path)
                self._add(path, document.source.text, kind)

    # -- documents ------------------------------------------------------------------------------

    def full(self, path: str) -> str:
        """Return the absolute path of a path of this area."""
        return posixpath.normpath(posixpath.join(self.root, path))

    def uri_of(self, path: str) -> str:
        """Return the URI of a path of this area."""
        return uris.from_path(self.full(path)) if self.root else self.uri

    def open(self, path: str, kind: Kind) -> None:
        """Note that an editor's text stands for a path from now on."""
        self._open[path] = kind

    def close(self, path: str) -> None:
        """Note that the file on disk counts again, if there is one."""
        self._open.pop(path, None)
        text = None if self.is_lonely else self.load(path)
        if text is None or self.excluded(path):
            self.forget(path)
        else:
            self.add_file(path, text)

    def is_open(self, path: str) -> bool:
        """Tell whether an editor's text stands for a path."""
        return path in self._open

    def write(self, path: str, text: str | None) -> None:
        """Give the project the text of an open document; ``None`` takes the document out."""
        if text is None:
            self.project.remove(path)
        else:
            self._add(path, text, self._open.get(path))

    def concerned(self) -> set[str]:
        """Return the open documents that other documents' changes concern, since this was last asked."""
        return self.project.concerned() & self._open.keys()

    def add_file(self, path: str, text: str) -> None:
        """Let the project know of a file nobody has open."""
        if path in self._open:
            return
        try:
            self.project.survey(path, text)
        except Exception:  # whatever a file holds, the server goes on
            logger.exception("cannot read %s", path)
            self.project.remove(path)

    def stir(self) -> None:
        """Note that something about the area is new: nothing said before is known to hold."""
        self.epoch += 1

    def forget(self, path: str) -> None:
        """Take a document out of the project."""
        if path in self.project.index:
            self.project.remove(path)

    def source(self, path: str) -> Source | None:
        """Return the text of a document, open or not, with its line index."""
        document = self.project.model(path)
        return document.source if document is not None else None

    def _add(self, path: str, text: str, kind: Kind | None) -> None:
        try:
            self.project.add(path, text, kind)
        except Exception:  # whatever a file holds, the server goes on
            logger.exception("cannot read %s", path)
            self.project.remove(path)

    # -- disk -----------------------------------------------------------------------------------

    def read(self, path: str) -> str | None:
        """Return the text of a file of the folder, from memory when it was asked for before."""
        if path in self.project.index:
            # A document: read when it is looked at, known by its summary otherwise.
            return self.load(path)
        if path not in self._texts:
            self._texts[path] = self.load(path)
        return self._texts[path]

    def load(self, path: str) -> str | None:
        """Read a file of the folder from disk; ``None`` when there is none that may be read."""
        if not self.root or path.startswith(("/", "..")):
            return None
        return files.read(self.full(path), self.root).text
