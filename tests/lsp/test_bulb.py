"""The light bulb stays short: where findings meet, each shows its best fix, and silencing is one entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cachekey.lsp.abilities import Abilities
from cachekey.lsp.actions import code_actions
from cachekey.lsp.session import Document, Session
from cachekey.rules import ALL
from lsprotocol import types

from tests.support.markdown import read_cases

MEETING = """\
FROM debian:13 AS base
RUN useradd --create-home --uid 1000 vscode
FROM base AS build
RUN --mount=type=cache,target=/root/.cache/uv \\
    uv sync
FROM base AS dev
USER vscode
RUN --mount=type=cache,target=/home/vscode/.cache/uv \\
    uv sync
"""


def opened(text: str) -> tuple[Session, Document]:
    session = Session()
    session.abilities = Abilities(versioned_edits=True, resolve_edits=True, chooses=True)
    document = session.open("file:///x/Dockerfile", "dockerfile", 1, text)
    assert document is not None
    return session, document


def entries(
    session: Session,
    document: Document,
    where: types.Range,
    asked: Sequence[types.Diagnostic] = (),
    only: str = "quickfix",
) -> list[types.CodeAction]:
    context = types.CodeActionContext(diagnostics=list(asked), only=[only])
    params = types.CodeActionParams(
        text_document=types.TextDocumentIdentifier(uri=document.uri), range=where, context=context
    )
    return code_actions(session, params)


def texts() -> Iterator[str]:
    yield MEETING
    for rule in ALL:
        for case in read_cases(rule.doc):
            yield from (item.text for item in case.blocks if item.language == "dockerfile")


def test_nobody_reads_more_entries() -> None:
    met = set()
    for text in texts():
        session, document = opened(text)
        analysis = session.analyse(document)
        for item in analysis.diagnostics:
            found = entries(
                session, document, types.Range(start=item.range.start, end=item.range.start)
            )
            explained = [entry for entry in found if entry.title.startswith("Explain ")]
            silencing = [entry for entry in found if entry.title.startswith("Silence ")]
            assert len(silencing) == 1
            assert found[-1] is silencing[0]
            assert len(found) <= (7 if len(explained) == 1 else 5 + len(explained)), text
            met.add(len(explained))
    assert met >= {1, 2, 3}


def test_where_findings_meet_each_shows_its_best_fix_first() -> None:
    session, document = opened(MEETING)
    diagnostics = session.analyse(document).diagnostics
    place = next(item for item in diagnostics if item.code == "CK204").range
    found = entries(session, document, place)
    fixes = [entry for entry in found if entry.data]
    codes = [entry.diagnostics[0].code for entry in fixes if entry.diagnostics]
    assert len(found) == 7
    assert set(codes[:3]) == {"CK101", "CK201", "CK204"}


def test_what_is_asked_about_comes_first() -> None:
    session, document = opened(MEETING)
    for item in session.analyse(document).diagnostics:
        first = entries(session, document, item.range, [item])[0]
        assert first.diagnostics
        assert first.diagnostics[0].code == item.code


def test_a_selection_of_many_mounts_offers_nothing_twice() -> None:
    mount = "--mount=type=cache,target=/root/.cache/pip"
    session, document = opened(
        f"FROM python:3.13\nRUN {mount} pip install x\nRUN {mount} pip install y\n"
        "RUN --mount=type=cache,target=/x true\n"
    )
    session.analyse(document)
    everything = types.Range(types.Position(0, 0), types.Position(9, 0))
    titles = [item.title for item in entries(session, document, everything, only="refactor")]
    assert len(titles) == len(set(titles))
    assert {title for title in titles if title.startswith("Name this cache")} == {
        "Name this cache: add id=pip-cache to lines 2 and 3",
        "Name this cache: add id=project-cache to line 4",
    }
