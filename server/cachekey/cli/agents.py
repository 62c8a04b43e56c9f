"""``cachekey mcp``: what the command line says, for agents that speak the Model Context Protocol.

It serves one client on stdin and stdout, and reads the working directory only. The protocol is the
business of the library ``mcp``, which is not there unless it is asked for: ``cachekey[mcp]``.
"""

from __future__ import annotations

import functools
import math
import os
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from cachekey import __version__
from cachekey.cli import answers
from cachekey.cli.loading import Input
from cachekey.cli.options import config_of, loaded, overrides_of
from cachekey.cli.terminal import Progress, UsageError
from cachekey.cli.workspace import Workspace
from cachekey.disk.files import File, absolute, inside, is_folder
from cachekey.markup.data import dump
from cachekey.markup.terminal import Output

ABOUT = (
    "Explains and checks the cache mounts of Docker builds: RUN --mount=type=cache in Dockerfiles, "
    "caches of devcontainer.json and compose files. What it says of keys and owners is proven on "
    "real builders: ask it instead of guessing. It reads files of the working directory and runs nothing."
)


def run(options: Namespace) -> int:
    """Run ``cachekey mcp``."""
    try:
        from mcp.server import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
    except ImportError:
        raise UsageError(
            "mcp needs a library that is not installed: pip install 'cachekey[mcp]'"
        ) from None
    agent = _Agent(options)
    server = MCPServer("cachekey", instructions=ABOUT, version=__version__)
    for tool in (agent.explain_cache, agent.check_text, agent.cache_keys):
        server.add_tool(_telling(tool, ToolError), structured_output=False)
    server.run("stdio")
    return 0


def _telling(tool: Callable[..., str], error: type[Exception]) -> Callable[..., str]:
    """Make a tool tell the agent what was wrong with the question; of other errors nothing is told."""

    @functools.wraps(tool)
    def call(*arguments: Any, **named: Any) -> str:
        try:
            return tool(*arguments, **named)
        except UsageError as wrong:
            raise error(str(wrong)) from None

    return call


class _Agent:
    """The tools; their docstrings are what an agent is told about them."""

    def __init__(self, options: Namespace) -> None:
        self._overrides, self._config = overrides_of(options), config_of(options)
        self._root = absolute(".")

    def explain_cache(self, path: str, line: int, column: int | None = None) -> str:
        """Explain what stands at a line of a Dockerfile, devcontainer.json or compose file.

        Of a cache mount it tells the key by which the builder finds the cache, who else has it, which
        tool uses it, and whether the user of the RUN may write to it. Lines and columns count from 1.
        """
        place = self._place(path)
        if not os.path.isfile(place):
            raise UsageError(f"{path}: no such file")
        # The whole workspace: who shares a key is half of what there is to say.
        space = self._load([place, self._root])
        found = answers.hover_at(space, place, line, column)
        if found is None:
            return _answer(space, {"lines": [], "mount": None})
        return _answer(space, answers.explanation_of(space, place, found))

    def check_text(self, text: str, path: str = "Dockerfile") -> str:
        """Check a text as if it stood in a file: what is wrong with its caches, and the edits that mend it.

        The path decides what kind of file it is, which settings count and which neighbours it has;
        the file need not exist. Ranges are zero-based lines and UTF-16 characters.
        """
        space = self._load([], File(self._place(path), text))
        return _answer(space, answers.findings_of(space))

    def cache_keys(self, folder: str = ".") -> str:
        """List every cache mount below a folder with its key, owner and tools, and who shares a cache."""
        place = self._place(folder)
        if not is_folder(place):
            raise UsageError(f"{folder} is no folder")
        space = self._load([place])
        return _answer(space, answers.keys_of(space))

    def _load(self, paths: list[str], text: File | None = None) -> Workspace:
        return loaded(
            Input(paths, self._overrides, self._config, text), Progress(patience=math.inf)
        )

    def _place(self, path: str) -> str:
        place = absolute(os.path.join(self._root, path)) if "\0" not in path else ""
        if not place or not inside(place, self._root):
            raise UsageError(f"{path!r} is not below the working directory")
        return place


def _answer(space: Workspace, document: dict[str, Any]) -> Output:
    """Write an answer as the command line would, with what it would say on stderr."""
    return dump({**document, **({"errors": space.errors} if space.errors else {})})
