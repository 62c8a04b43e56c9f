"""What is agreed at the start."""

from __future__ import annotations

from lsprotocol import types

from tests.support.client import FLAVOURS, PULLING, Client


async def test_what_the_server_offers(client: Client) -> None:
    offered = client.started.capabilities
    assert offered.position_encoding == FLAVOURS[client.flavour]
    sync = offered.text_document_sync
    assert (sync.open_close, sync.change) == (True, types.TextDocumentSyncKind.Incremental)
    pull = types.DiagnosticOptions(
        inter_file_dependencies=True, workspace_diagnostics=True, identifier="cachekey"
    )
    assert offered.diagnostic_provider == (pull if client.flavour in PULLING else None)
    assert offered.code_action_provider == types.CodeActionOptions(
        code_action_kinds=(
            "quickfix",
            "refactor.rewrite",
            "source.fixAll",
            "source.fixAll.cachekey",
        ),
        resolve_provider=True,
    )
    assert offered.hover_provider
    assert offered.definition_provider
    assert offered.references_provider
    assert offered.document_highlight_provider
    assert offered.document_link_provider
    assert offered.completion_provider.trigger_characters == ("=", ",", "-", '"', "{", "[")
    assert offered.execute_command_provider.commands == (
        "cachekey.explainRule",
        "cachekey.rules",
        "cachekey.check",
        "cachekey.cacheMap",
        "cachekey.takeCaches",
        "cachekey.takeProof",
        "cachekey.apply",
    )
    # What they draw into the text has its settings: test_names.py.
    assert offered.inlay_hint_provider is not None
    assert offered.code_lens_provider is not None


async def test_the_server_says_its_name_and_version(client: Client) -> None:
    from cachekey import __version__

    assert client.started.server_info == types.ServerInfo(name="cachekey", version=__version__)


async def test_registrations_only_where_the_client_can(client: Client) -> None:
    # A round trip: what the server asks for behind "initialized" has been asked by now.
    await client.text_document_hover_async(
        types.HoverParams(
            text_document=types.TextDocumentIdentifier(uri="untitled:none"),
            position=types.Position(line=0, character=0),
        )
    )
    dynamic = {
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES: (
            client.capabilities.workspace.did_change_watched_files
        ),
        types.WORKSPACE_DID_CHANGE_CONFIGURATION: (
            client.capabilities.workspace.did_change_configuration
        ),
    }
    wanted = {name for name, can in dynamic.items() if can and can.dynamic_registration}
    await client.registered(wanted)
    assert set(client.registrations) == wanted
