"""One method for each message of the protocol: where it is answered, nothing else.

Importing this module loads the engine. The server answers ``initialize`` before it does so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cachekey.lsp import (
    actions,
    choosing,
    completion,
    events,
    hover,
    lenses,
    mapping,
    navigate,
    rename,
    symbols,
    told,
)
from cachekey.lsp.backend import Backend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lsprotocol import types


class Connection(Backend):
    """The backend with everything that a client may say or ask."""

    # -- what the client says -------------------------------------------------------------------

    def opened(self, params: types.DidOpenTextDocumentParams) -> None:
        """Take in a document."""
        events.opened(self, params)

    def changed(self, params: types.DidChangeTextDocumentParams) -> None:
        """Take in a new text."""
        events.changed(self, params)

    def saved(self, params: types.DidSaveTextDocumentParams) -> None:
        """Note that a file was written."""
        events.saved(self, params)

    def closed(self, params: types.DidCloseTextDocumentParams) -> None:
        """Let go of a document."""
        events.closed(self, params)

    async def files_changed(self, params: types.DidChangeWatchedFilesParams) -> None:
        """Take in what changed on disk."""
        await events.files_changed(self, params)

    async def folders_changed(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        """Take in folders that came and went."""
        await events.folders_changed(self, params)

    def rules(self) -> list[dict[str, str]]:
        """List the rules."""
        return events.rules()

    def explain_rule(self, code: str) -> str | None:
        """Say what a rule is about."""
        return events.explain_rule(self, code)

    async def apply(self, data: dict[str, Any]) -> None:
        """Do what was chosen."""
        await choosing.apply(self, data)

    async def cache_map(self) -> list[dict[str, str]]:
        """Draw the caches of each folder, once its files were read."""
        for area in list(self.session.areas):
            await self.scanner.wait_for_first(area)
        return mapping.cache_maps(self.session)

    def take_caches(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Take in what a builder has told the client."""
        page = told.take_caches(self.session, given)
        self.renew_lenses()
        return page

    def take_proof(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Take in what the client's builds have proven."""
        page = told.take_proof(self.session, given)
        self.renew_lenses()
        return page

    # -- what the client asks -------------------------------------------------------------------------------

    def hover(self, params: types.HoverParams) -> types.Hover | None:
        """Answer ``textDocument/hover``."""
        return hover.hover(self.session, params)

    def code_actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """Answer ``textDocument/codeAction``."""
        return actions.code_actions(self.session, params)

    def resolve_action(self, action: types.CodeAction) -> types.CodeAction:
        """Answer ``codeAction/resolve``."""
        return actions.resolve(self.session, action)

    def complete(self, params: types.CompletionParams) -> types.CompletionList | None:
        """Answer ``textDocument/completion``."""
        return completion.complete(self.session, params)

    def definition(self, params: types.DefinitionParams) -> list[types.Location]:
        """Answer ``textDocument/definition``."""
        return navigate.definition(self.session, params)

    def references(self, params: types.ReferenceParams) -> list[types.Location]:
        """Answer ``textDocument/references``."""
        return navigate.references(self.session, params)

    def highlights(
        self, params: types.DocumentHighlightParams
    ) -> list[types.DocumentHighlight] | None:
        """Answer ``textDocument/documentHighlight``."""
        return navigate.highlights(self.session, params)

    def prepare_rename(
        self, params: types.PrepareRenameParams
    ) -> types.PrepareRenamePlaceholder | None:
        """Answer ``textDocument/prepareRename``."""
        return rename.prepare(self.session, params)

    async def rename(self, params: types.RenameParams) -> types.WorkspaceEdit | None:
        """Answer ``textDocument/rename``."""
        return await rename.rename(self, params)

    def symbols(self, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        """Answer ``textDocument/documentSymbol``."""
        return symbols.document_symbols(self.session, params)

    def workspace_symbols(self, params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
        """Answer ``workspace/symbol``."""
        return symbols.workspace_symbols(self.session, params)

    def lenses(self, params: types.CodeLensParams) -> list[types.CodeLens]:
        """Answer ``textDocument/codeLens``."""
        return lenses.lenses(self.session, params)

    def hints(self, params: types.InlayHintParams) -> list[types.InlayHint]:
        """Answer ``textDocument/inlayHint``."""
        return lenses.hints(self.session, params)

    def links(self, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        """Answer ``textDocument/documentLink``."""
        return navigate.links(self.session, params)
