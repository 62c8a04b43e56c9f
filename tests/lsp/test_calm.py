"""Nothing flickers while somebody types: what a word says before it is complete is not shown."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from cachekey.kinds import kind_of
from cachekey.lsp import diagnostics
from cachekey.lsp.abilities import Abilities
from cachekey.lsp.area import Area
from cachekey.lsp.calm import PAUSE, Calm
from cachekey.lsp.diagnostics import Reporter
from cachekey.lsp.session import Document, Session
from cachekey.rules import ALL
from lsprotocol import types

from tests.support.client import Client
from tests.support.expected import findings, where
from tests.support.markdown import read_cases

HEAD = """\
FROM python:3.13
USER app
RUN --mount=type=cache,taget=/root/.cache/pip pip install x
RUN --mount=type=cache,target=/root/.cache/uv """
WRONG = f"{HEAD}uv sync\n"


def examples() -> Iterator[object]:
    """Yield every file of every example in the rules' documentation, with the files beside it."""
    for rule in ALL:
        for case in read_cases(rule.doc):
            files = {path: block.text for path, block in case.files.items()}
            for path in files:
                yield pytest.param(files, path, id=f"{rule.code}-{case.title}-{path}")


async def _at_once(area: Area) -> None:
    """Nothing lies around a document that nobody has saved."""


class Typist:
    """Types into a document of a client that diagnostics are pushed to."""

    def __init__(self, uri: str, text: str = "", folder: Path | None = None) -> None:
        self.session = Session()
        self.pushed: list[types.PublishDiagnosticsParams] = []
        self.reporter = Reporter(self.session, self.pushed.append, lambda: None, _at_once)
        self.session.abilities = Abilities(related=True)
        area = self.session.add_folder(folder.as_uri()) if folder is not None else None
        for file in sorted(folder.rglob("*")) if folder is not None else ():
            if area is not None and file.is_file():
                area.add_file(file.relative_to(area.root).as_posix(), file.read_text("utf-8"))
        language = "" if kind_of(uri) else "dockerfile"
        made = self.session.open(uri, language, 0, text)
        assert made is not None
        self.document: Document = made

    async def begin(self) -> None:
        self.reporter.go()
        self.reporter.touched(self.document)
        await asyncio.sleep(0)

    async def type(self, text: str, burst: int = 1, first: int = 1) -> None:
        """Press keys until the text is this one; so many of them arrive together."""
        begun = len(self.document.text)
        for end in [*range(begun + first, len(text), burst), len(text)]:
            self.session.change(self.document.uri, self.document.version + 1, text[:end])
            self.reporter.touched(self.document)
            # The server looks as soon as all that has arrived is taken in.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    @property
    def told(self) -> list[tuple[str, str]]:
        """Return what is shown, wherever it stands: squiggles move along."""
        return sorted((str(item.code), item.message) for item in self.shown)

    @property
    def shown(self) -> tuple[types.Diagnostic, ...]:
        return tuple(self.pushed[-1].diagnostics) if self.pushed else ()


def _finished(text: str, end: int, path: str) -> str:
    """Return a text to the end of the line that is being typed, with all lines that continue it."""
    while not path.endswith(".json") and (stop := text.find("\n", end)) >= 0:
        end = stop + 1
        if not text[:stop].rstrip().endswith("\\"):
            return text[:end]
    return text


@pytest.mark.parametrize(("files", "path"), list(examples()))
async def test_an_example_is_typed_in_calm(
    files: dict[str, str], path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is: typing does not pause.
    monkeypatch.setattr(diagnostics, "PAUSE", 3600)
    for other in files.keys() - {path}:
        (tmp_path / other).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / other).write_text(files[other], "utf-8")
    text = files[path]
    # An empty devcontainer.json is wrong, and told when it is opened.
    begun = int(path.endswith(".json"))
    typist = Typist((tmp_path / path).as_uri(), text[:begun], tmp_path)
    await typist.begin()
    changes, told = 0, typist.told
    for end in range(begun + 1, len(text) + 1):
        await typist.type(text[:end])
        changes, told = changes + (typist.told != told), typist.told
        assert changes <= 1, f"more than one change while {text[:end].split()[-1]} is typed"
        if text[end - 1].isspace():
            changes = 0
        real = {
            (finding.code, where(whole, finding.span, "utf-16")[0])
            for whole in ({_finished(text, end, path), text} if typist.shown else ())
            for finding in findings({**files, path: whole}, path)
        }
        assert {(item.code, item.range.start.line) for item in typist.shown} <= real, text[:end]


async def test_a_squiggle_changes_once_for_a_word() -> None:
    typist = Typist("untitled:/Dockerfile")
    await typist.begin()
    await typist.type(
        "FROM python:3.13\nRUN --mount=type=cache,taget=/root/.cache/pip pip install x"
    )
    typist.session.change(typist.document.uri, 90, typist.document.text + "\n")
    typist.reporter.touched(typist.document)
    await asyncio.sleep(0.01)
    before = [(item.code, item.message) for item in typist.shown]
    assert before, "a test of nothing"
    seen = [before]
    for word in ("taget", "tage", "tag", "ta", "t", "ta", "tar", "targ", "targe", "target"):
        text = typist.document.text
        new = re.sub(r"\bt[a-z]*=/root", f"{word}=/root", text)
        typist.session.change(typist.document.uri, typist.document.version + 1, new)
        typist.reporter.touched(typist.document)
        await asyncio.sleep(0.01)
        seen.append([(item.code, item.message) for item in typist.shown])
    await asyncio.sleep(PAUSE + 0.4)
    seen.append([(item.code, item.message) for item in typist.shown])
    assert sum(one != other for one, other in pairwise(seen)) == 1
    assert seen[-1] == []


def test_a_fix_where_another_edit_has_ended_is_not_typed() -> None:
    calm, text = Calm(), "RUN --mount=type=cache,id=uv,target=/x true\n"
    cut = text.replace(",id=uv", "")
    calm.changed(text, cut)
    calm.changed(cut, text)
    assert not calm.typing
    # What goes on behind a key is typed, also when it comes late and at once.
    calm.changed(text, f"{text}R")
    calm.rest()
    calm.changed(f"{text}R", f"{text}RUN --mount=type=cache")
    assert calm.typing


@pytest.mark.parametrize("burst", [3, 7, 16, 40])
async def test_keys_that_arrive_together_are_keys(
    burst: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some clients send what was typed in a quarter of a second as one change."""
    monkeypatch.setattr(diagnostics, "PAUSE", 3600)
    head = "FROM python:3.13\nENV UV_LINK_MODE=copy\n"
    typist = Typist("untitled:/Dockerfile", head)
    await typist.begin()
    await typist.type(
        head + "RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv uv pip install x", burst
    )
    assert not any(item.diagnostics for item in typist.pushed)
    # An edit that nobody types is looked at at once.
    typist.document.calm.rest()
    text = typist.document.text.replace("target", "tar")
    typist.session.change(typist.document.uri, typist.document.version + 1, text)
    typist.reporter.touched(typist.document)
    await asyncio.sleep(0.01)
    assert "CK601" in [code for code, _ in typist.told]


async def test_typing_goes_on_where_it_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine holds keys back for longer than a pause, and sends them together then."""
    monkeypatch.setattr(diagnostics, "PAUSE", 3600)
    head = "FROM python:3.13\n"
    typist = Typist("untitled:/Dockerfile", head)
    await typist.begin()
    await typist.type(head + "RUN ")
    typist.document.calm.rest()
    await typist.type(head + "RUN --mount=type=cache,targe", 12, first=12)
    assert not any(item.diagnostics for item in typist.pushed)


async def test_what_is_true_shows_when_typing_pauses(client: Client) -> None:
    uri = client.open(client.uri("calm/Dockerfile"), HEAD)
    await client.diagnose(uri, 1)
    for number, end in enumerate(range(len(HEAD) + 1, len(WRONG)), 2):
        client.change(uri, number, WRONG[:end])
    await client.until_codes(
        uri, [item.code for item in findings({"calm/Dockerfile": WRONG[:-1]}, "calm/Dockerfile")]
    )
    client.close(uri)


async def test_what_stands_elsewhere_moves_along(client: Client) -> None:
    text = "FROM python:3.13\nRUN echo x --mount=type=cache\nRUN --mount=type=cache,taget=/x pip list\n"
    path = "along/Dockerfile"
    uri = client.open(client.uri(path), text)
    (before,) = [item for item in await client.diagnose(uri, 1) if item.code == "CK601"]
    new = text.replace("taget", "xtaget")
    client.change(uri, 2, new)
    (after,) = [item for item in await client.diagnose(uri, 2) if item.code == "CK601"]
    assert after.range.start.line == before.range.start.line
    assert after.range.end.character == before.range.end.character + 1
    client.close(uri)


async def test_a_bigger_change_is_looked_at_at_once(client: Client) -> None:
    path = "bigger/Dockerfile"
    text = WRONG.replace("taget", "sharing")
    uri = client.open(client.uri(path), text)
    await client.diagnose(uri, 1)
    fixed = text.replace("sharing=", "target=")
    client.change(uri, 2, fixed)
    received = await client.diagnose(uri, 2)
    assert [item.code for item in received] == [
        finding.code for finding in findings({path: fixed}, path)
    ]
    client.close(uri)
