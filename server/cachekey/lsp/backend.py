"""What acts on messages: session, reporter and scanner of one connection, and what they send."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from cachekey.lsp import uris, words
from cachekey.lsp.abilities import Abilities
from cachekey.lsp.check import WorkspaceCheck
from cachekey.lsp.config import Editor, from_editor
from cachekey.lsp.diagnostics import Reporter, setting_diagnostics
from cachekey.lsp.names import WATCHED
from cachekey.lsp.progress import Progress
from cachekey.lsp.scan import Scanner
from cachekey.lsp.session import Session
from cachekey.markup.message import message

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from pygls.lsp.server import LanguageServer

    from cachekey.lsp.area import Area

logger = logging.getLogger(__name__)


class Backend:
    """One connection; it sends, the session knows."""

    def __init__(self, client: LanguageServer, params: types.InitializeParams) -> None:
        """Begin with what ``initialize`` says; ``client`` is the way to the other side."""
        self.client = client
        self.session = Session()
        self.scanner = Scanner(self.surroundings_changed, self.bar)
        publish = client.text_document_publish_diagnostics
        around = self.scanner.wait_for_first
        self.reporter = Reporter(self.session, publish, self.renew, around)
        stoppable = partial(self.bar, cancellable=True)
        self.check = WorkspaceCheck(self.session, publish, stoppable, client.progress, around)
        self._tasks: set[asyncio.Task[None]] = set()
        self._complaints: tuple[str, ...] = ()
        self._wrong_settings: dict[Area, dict[str, list[types.Diagnostic]]] = {}
        self._begin(params)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background and log how it fails."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

        def finished(ended: asyncio.Task[None]) -> None:
            self._tasks.discard(ended)
            if not ended.cancelled() and (error := ended.exception()) is not None:
                logger.error("background work failed", exc_info=error)

        task.add_done_callback(finished)

    def bar(self, files: int, *, cancellable: bool = False) -> Progress:
        """Make a progress bar for so many files."""
        return Progress(
            self.client, files, able=self.session.abilities.progress, cancellable=cancellable
        )

    # -- beginning ------------------------------------------------------------------------------

    def _begin(self, params: types.InitializeParams) -> None:
        session = self.session
        session.abilities = Abilities.of(params)
        encoding = self.client.workspace.position_encoding
        session.encoding = types.PositionEncodingKind(encoding).value
        session.editor = from_editor(params.initialization_options)
        folders = [folder.uri for folder in params.workspace_folders or ()]
        if not folders and params.root_uri:
            folders = [params.root_uri]
        if not folders and params.root_path:
            folders = [uris.from_path(uris.normal(params.root_path))]
        for uri in folders:
            session.add_folder(uri)
        if session.abilities.configuration:
            self.reporter.wait_for_settings()
        else:
            self.reporter.go()

    async def settle_in(self) -> None:
        """Ask the client for what may be asked only behind ``initialized``."""
        await self.configure()
        self.reporter.go()
        for area in self.session.areas:
            self.check_settings(area)
            self.scanner.start(area)
        await self._register()

    async def _register(self) -> None:
        abilities = self.session.abilities
        registrations = []
        if abilities.watch_files:
            watchers = [types.FileSystemWatcher(glob_pattern=glob) for glob in WATCHED]
            registrations.append(
                types.Registration(
                    id="cachekey-files",
                    method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
                    register_options=types.DidChangeWatchedFilesRegistrationOptions(
                        watchers=watchers
                    ),
                )
            )
        if abilities.configuration_events:
            registrations.append(
                types.Registration(
                    id="cachekey-settings",
                    method=types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                    register_options=types.DidChangeConfigurationRegistrationOptions(
                        section="cachekey"
                    ),
                )
            )
        if not registrations:
            return
        try:
            await self.client.client_register_capability_async(
                types.RegistrationParams(registrations=registrations)
            )
        except Exception as error:  # a client that says it can and cannot
            logger.warning("the client refused to register: %s", error)

    # -- settings -------------------------------------------------------------------------------

    async def configure(self, pushed: object = None) -> None:
        """Pull the editor's settings, a set for each folder; ``pushed`` is what it sent itself."""
        session = self.session
        scopes: list[Area | None] = [None, *session.areas]
        editors = await self._pull([area.uri if area else None for area in scopes])
        if editors is None:
            section = pushed.get("cachekey") if isinstance(pushed, dict) else None
            editor = session.editor if section is None else from_editor(section)
            editors = [editor] * len(scopes)
        self._complain([text for editor in editors for text in editor.problems])
        session.editor = editors[0]
        for area, editor in zip(scopes, editors, strict=True):
            if area is not None and area.configure(editor):
                self.scanner.start(area)
        for document in session.documents.values():
            if document.area.is_lonely:
                document.area.configure(session.editor)
        self.reporter.concerned(session.documents.values())
        self.renew_lenses()

    async def _pull(self, scopes: Sequence[str | None]) -> list[Editor] | None:
        if not self.session.abilities.configuration:
            return None
        items = [types.ConfigurationItem(scope_uri=uri, section="cachekey") for uri in scopes]
        try:
            answer = await self.client.workspace_configuration_async(
                types.ConfigurationParams(items=items)
            )
        except Exception as error:
            logger.warning("the client did not tell its settings: %s", error)
            return None
        if len(answer) != len(scopes) or all(item is None for item in answer):
            # Clients without such a section answer null; what came with initialize still counts.
            return [self.session.editor] * len(scopes)
        return [from_editor(item) for item in answer]

    def _complain(self, problems: Sequence[str]) -> None:
        fresh = [text for text in dict.fromkeys(problems) if text not in self._complaints]
        self._complaints = tuple(dict.fromkeys(problems))
        for text in fresh:
            said = message(f"Cachekey settings: {text}")
            self.client.window_show_message(words.pop_up(types.MessageType.Warning, said))

    def reload(self, area: Area) -> None:
        """Read an area's settings and its tools' configuration from disk again."""
        anew = area.reload_settings()
        if area.reload_texts() or anew:
            self.scanner.start(area)
        self.check_settings(area)
        self.reporter.concerned(self.session.siblings(area))

    def check_settings(self, area: Area) -> None:
        """Put what is wrong in an area's settings files where it stands."""
        known = {
            uris.from_path(path): setting_diagnostics(file, self.session.encoding)
            for path, file in area.settings_files.items()
            if uris.inside(path, area.root)
        }
        told = self._wrong_settings.get(area, {})
        self._wrong_settings[area] = known
        for uri in told.keys() | known.keys():
            if (now := known.get(uri, [])) != told.get(uri, []):
                self.client.text_document_publish_diagnostics(
                    types.PublishDiagnosticsParams(uri=uri, diagnostics=now)
                )

    # -- the world outside ----------------------------------------------------------------------

    def surroundings_changed(self, area: Area) -> None:
        """Look at the open documents again that files beside them concern, new or gone."""
        self._adopt(area)
        self.session.notice(area)
        self.reporter.look_after()
        self.renew_lenses()
        self.check.stirred()

    def _adopt(self, area: Area) -> None:
        """Take in the open files of an area that are ours since it is known who names them."""
        for uri, item in self.client.workspace.text_documents.items():
            place = self.session.area_of(uri)
            if place is None or place[0] is not area or self.session.find(uri) is not None:
                continue
            language, version = item.language_id or "", item.version or 0
            document = self.session.open(uri, language, version, item.source)
            if document is not None:
                self.reporter.touched(document)
                self.renew()

    def renew_lenses(self) -> None:
        """Have lenses and hints asked for again, which may speak of other files and of settings."""
        abilities, client, shown = self.session.abilities, self.client, self.session.shown
        if abilities.lens_refresh and "lenses" in shown:
            self.spawn(_patiently(client.workspace_code_lens_refresh_async(None)))
        if abilities.hint_refresh and "hints" in shown:
            self.spawn(_patiently(client.workspace_inlay_hint_refresh_async(None)))

    def renew(self) -> None:
        """Ask a client that pulls diagnostics to pull again."""
        if self.session.abilities.refresh:
            self.spawn(_patiently(self.client.workspace_diagnostic_refresh_async(None)))


async def _patiently(asking: Coroutine[Any, Any, None]) -> None:
    """Wait for a client to do what it says it can."""
    try:
        await asking
    except Exception as error:
        logger.debug("the client did not refresh: %s", error)
