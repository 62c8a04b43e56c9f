"""One server process a module and client: starting costs a second."""

from __future__ import annotations

import pytest
import pytest_lsp
from pytest_lsp import ClientServerConfig

from tests.support.client import (
    FLAVOURS,
    PULLING,
    PUSHED,
    Client,
    command,
    environment,
    finish,
    make_client,
    start,
)

CONFIG = ClientServerConfig(
    server_command=command(), client_factory=make_client, server_env=environment()
)


@pytest_lsp.fixture(scope="module", params=list(FLAVOURS), config=CONFIG)
async def client(lsp_client: Client, request: pytest.FixtureRequest, tmp_path_factory):
    """Every client."""
    await start(lsp_client, tmp_path_factory.mktemp("workspace"), request.param)
    yield
    await finish(lsp_client)


@pytest_lsp.fixture(scope="module", params=PULLING, config=CONFIG)
async def pulling(lsp_client: Client, request: pytest.FixtureRequest, tmp_path_factory):
    """The clients that pull diagnostics."""
    await start(lsp_client, tmp_path_factory.mktemp("workspace"), request.param)
    yield
    await finish(lsp_client)


@pytest_lsp.fixture(scope="module", params=PUSHED, config=CONFIG)
async def pushed(lsp_client: Client, request: pytest.FixtureRequest, tmp_path_factory):
    """The clients that diagnostics are pushed to."""
    await start(lsp_client, tmp_path_factory.mktemp("workspace"), request.param)
    yield
    await finish(lsp_client)


@pytest_lsp.fixture(scope="module", config=CONFIG)
async def editor(lsp_client: Client, tmp_path_factory):
    """Today's VS Code alone."""
    await start(lsp_client, tmp_path_factory.mktemp("workspace"), "vscode")
    yield
    await finish(lsp_client)
