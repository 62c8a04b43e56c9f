"""Somebody at work in one document: where they type, and what they ask for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench import corpus
from tests.bench.client import Message, Server, ServerError, now

_PATIENCE = 120
"""Seconds that a server may take for its first diagnostics."""
Change = tuple[int, int, int, str]
"""Line, first character, character behind the last, and what stands there instead."""


class Editor:
    """A server with the document that is open in it."""

    def __init__(self, command: Sequence[str], folder: Path, text: str = "") -> None:
        """Start the server in a folder, and open its Dockerfile; ``text`` is that file's text."""
        text = text or corpus.subject()
        self.server = Server(command, folder)
        begun = self.server.cpu()
        self.start_cpu = begun
        """Seconds of processor time until ``initialize`` was answered."""
        try:
            self.opening = self.server.open(folder / "Dockerfile", text, _PATIENCE)
        except ServerError:
            self.server.close()
            raise
        """Seconds from ``didOpen`` to the first diagnostics."""
        self.squiggle = now() - self.server.began
        """Seconds from the start of the process to the first diagnostics."""
        spent = self.server.cpu()
        self.opening_cpu = None if begun is None or spent is None else spent - begun
        self._changes = changes(text)
        self._mounts = itertools.cycle(mounts(text))
        lines = text.split("\n")
        shared = next((n for n, line in enumerate(lines) if corpus.SHARED_ID in line), 0)
        self._shared = (shared, max(0, lines[shared].find(corpus.SHARED_ID)) + 2)

    def type(self) -> float:
        """Make a change; return the seconds until its diagnostics."""
        return self.server.replace(*next(self._changes))

    def burst(self, count: int) -> float:
        """Make changes without waiting; return the seconds until the last one's diagnostics."""
        return self.server.burst([next(self._changes) for _ in range(count)])

    def hover(self) -> Any:
        return self._ask("hover", next(self._mounts))

    def completion(self) -> Any:
        return self._ask("completion", next(self._mounts))

    def references(self) -> list[Any]:
        """Ask who uses the shared cache."""
        found = self._ask("references", self._shared, context={"includeDeclaration": True})
        return list(found or ())

    def code_action(self) -> Any:
        """Ask what can be done about a mount, as an editor does when the cursor comes to rest."""
        line, character = next(self._mounts)
        here = {"line": line, "character": character}
        return self.server.request(
            "textDocument/codeAction",
            textDocument={"uri": self.server.uri},
            range={"start": here, "end": here},
            context={"diagnostics": [d for d in self.server.diagnostics if _covers(d, line)]},
        )

    def close(self) -> None:
        self.server.close()

    def _ask(self, what: str, place: tuple[int, int], **more: Any) -> Any:
        line, character = place
        return self.server.request(
            f"textDocument/{what}",
            textDocument={"uri": self.server.uri},
            position={"line": line, "character": character},
            **more,
        )


def mounts(text: str) -> list[tuple[int, int]]:
    """Return a place inside the last target of each line that mounts something."""
    return [(line, end - 1) for line, end in _targets(text)]


def changes(text: str) -> Iterator[Change]:
    """Type by turns at the ends of comments and of mounts' targets; no two texts are the same."""
    lines = text.split("\n")
    comments = [(n, len(line)) for n, line in enumerate(lines) if n and line.startswith("# ")]
    sites = sorted([*comments, *_targets(text)])
    typed: dict[int, int] = {}
    for count in itertools.count():
        line, start = sites[count % len(sites)]
        new = "".join(chr(ord("a") + count // 26**place % 26) for place in (2, 1, 0))
        yield line, start, start + typed.get(line, 0), new
        typed[line] = len(new)


def _targets(text: str) -> list[tuple[int, int]]:
    found = []
    for number, line in enumerate(text.split("\n")):
        if (begin := line.rfind("target=")) >= 0:
            stops = (line.find(mark, begin) for mark in ", ")
            found.append((number, min((stop for stop in stops if stop > 0), default=len(line))))
    return found


def _covers(diagnostic: Message, line: int) -> bool:
    place = diagnostic["range"]
    return bool(place["start"]["line"] <= line <= place["end"]["line"])
