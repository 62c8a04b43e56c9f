"""Shows how far the reading of a large workspace folder is, where the client can show it."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.lsp import words
from cachekey.markup.message import message

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)

_PATIENCE = 2.0
"""Seconds that a client may take to agree before the files are read without a bar."""
WORTH = 200
"""Fewer files are read before anybody has looked."""


class Progress:
    """One bar; it says nothing where the client has none to show."""

    def __init__(
        self, client: LanguageServer, total: int, *, able: bool, cancellable: bool
    ) -> None:
        self._client, self._total = client, total
        self._token: str | None = str(uuid.uuid4()) if able and total >= WORTH else None
        self._percent = -1
        self._cancellable = cancellable

    @property
    def cancelled(self) -> bool:
        """Tell whether the user has had enough."""
        if self._token is None:
            return False
        waiting = self._client.work_done_progress.tokens.get(self._token)
        return waiting is not None and waiting.cancelled()

    async def begin(self, title: str) -> None:
        """Ask the client for a bar and begin it."""
        if self._token is None:
            return
        bars = self._client.work_done_progress
        try:
            await asyncio.wait_for(bars.create_async(self._token), _PATIENCE)
        except Exception as error:  # a client that says it can and cannot
            logger.debug("the client shows no progress: %s", error)
            self._token = None
            return
        bars.begin(self._token, words.bar(message(title), cancellable=self._cancellable))

    def at(self, done: int) -> None:
        """Note that so many files are read."""
        percent = 100 * done // self._total if self._total else 100
        if self._token is not None and percent != self._percent:
            self._percent = percent
            report = words.bar_at(percent, message(f"{done} of {self._total} files"))
            self._client.work_done_progress.report(self._token, report)

    def end(self) -> None:
        """Take the bar away."""
        if self._token is not None:
            bars = self._client.work_done_progress
            bars.end(self._token, types.WorkDoneProgressEnd())
            # pygls keeps tokens for ever.
            bars.tokens.pop(self._token, None)
            self._token = None
