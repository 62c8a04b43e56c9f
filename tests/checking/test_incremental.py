"""Whatever is typed, an edited document is read as if it had been opened that way."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from cachekey.assist.hover import hover
from cachekey.checking import engine
from cachekey.dockerfile.records import Dockerfile
from cachekey.finding import Finding
from cachekey.report.keys_data import mounts_report
from cachekey.syntax.dockerfile.parse import parse
from cachekey.syntax.dockerfile.reparse import reparse
from cachekey.syntax.dockerfile.tree import DockerfileTree, Instruction
from cachekey.text import Source
from cachekey.workspace.project import Project

from tests.rules.test_rules import CASES, texts

PATH = "Dockerfile"
LINES = (
    "RUN --mount=type=cache,target=/root/.cache/pip pip install x\n",
    "RUN --mount=type=cache,id=pip,target=/home/app/.cache/pip,uid=1000 \\\n    pip install y\n",
    "RUN <<EOF\npip install z\nEOF\n",
    "USER app\n",
    "ENV PIP_CACHE_DIR=/c\n",
    "ARG X=1\n",
    "WORKDIR /app\n",
    "# a comment\n",
    "# cachekey: ignore\n",
    "\n",
    "FROM python:3.13 AS other\n",
    "COPY --from=0 /a /b\n",
    "RUN useradd -u 1000 app\n",
    "RUN npm config set cache /n\n",
    "RUN --mount=type=cache,from=other,target=/x true\n",
)
BITS = (
    "x",
    " ",
    "\n",
    "\\\n",
    "\\",
    '"',
    "=",
    ",",
    "-",
    "<<E\n",
    "é",
    "#",
    "/",
    "$X",
    "EOF\n",
    "\r\n",
)


def edits(text: str, seed: int) -> Iterator[str]:
    """Yield what comes of ``text`` when somebody works on it."""
    pick = random.Random(seed)
    for _ in range(8):
        at = pick.randrange(len(text) + 1)
        kind = pick.randrange(6)
        if kind == 0:
            text = text[:at] + pick.choice(BITS) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + pick.randrange(1, 4) :]
        elif kind == 2:
            line = text.rfind("\n", 0, at) + 1
            text = text[:line] + pick.choice(LINES) + text[line:]
        elif kind == 3:
            start = text.rfind("\n", 0, at) + 1
            end = text.find("\n", at) + 1 or len(text)
            text = text[:start] + text[end:]
        elif kind == 4:
            # A fix of many findings, a formatter: several places change at once.
            for place in sorted({pick.randrange(len(text) + 1) for _ in range(3)}, reverse=True):
                line = text.rfind("\n", 0, place) + 1
                text = text[:line] + pick.choice(LINES) + text[line:]
        else:
            word = pick.choice(("pip", "uv", "cache", "target", "run"))
            text = text[:at] + word + text[at:]
        yield text


def told(project: Project) -> object:
    """Return everything that somebody may see of a document."""
    document = project.documents[PATH]
    assert isinstance(document, Dockerfile)
    places = range(0, len(document.source.text), 11)
    return (
        [whole(finding) for finding in engine.check(project, PATH)],
        mounts_report([document], project),
        [hover(project, PATH, offset) for offset in places],
        outline(document.tree),
    )


def outline(tree: DockerfileTree) -> object:
    """Return a tree as plain values, with every place in it."""
    return (
        [instruction_outline(item) for item in tree.instructions],
        tree.comments,
        tree.problems,
        [(item.name, item.span) for item in tree.directives],
    )


def instruction_outline(item: Instruction) -> object:
    return (
        (item.keyword, item.keyword_span, item.span, item.first_line, item.last_line),
        [
            (flag.span, flag.name.text, None if flag.value is None else flag.value.span())
            for flag in item.flags
        ],
        (item.args.text, [item.args.offset(at) for at in range(len(item.args) + 1)]),
        [word.span() for word in item.json or ()],
        [(doc.marker, doc.body.text, doc.body.span(), doc.end) for doc in item.heredocs],
        item.inner and instruction_outline(item.inner),
    )


def whole(finding: Finding) -> object:
    fixes = [(fix.title, fix.safety, fix.edits) for fix in finding.fixes]
    return finding, fixes


TEXTS = [text for _, case in CASES for path, text in texts(case).items() if "ockerfile" in path]


@pytest.mark.parametrize("part", range(8))
def test_an_edited_document_is_read_as_a_new_one(part: int) -> None:
    for number, text in enumerate(TEXTS[part::8]):
        project = Project()
        project.add(PATH, text)
        told(project)
        for step, edited in enumerate(edits(text, 100 * number + part)):
            project.add(PATH, edited)
            fresh = Project()
            fresh.add(PATH, edited)
            assert told(project) == told(fresh), (number, step, edited)


def test_what_is_not_touched_is_not_read_again() -> None:
    text = "FROM a\n" + "".join(f"RUN echo {number}\n" for number in range(9))
    project = Project()
    before = project.add(PATH, text)
    assert isinstance(before, Dockerfile)
    runs = before.runs
    after = project.add(PATH, text.replace("echo 4", "echo four"))
    assert isinstance(after, Dockerfile)
    kept = [one is other for one, other in zip(runs, after.runs, strict=True)]
    assert kept == [number not in (3, 4) for number in range(9)] or kept == [
        number != 4 for number in range(9)
    ]
    assert [run.span.start for run in after.runs] == [
        after.source.text.index("RUN", item.instruction.span.start) for item in after.runs
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# escape=`\nFROM a\n", "# escape=\\\nFROM a\n"),
        ("FROM a\nRUN b \\\n\nRUN c\n", "FROM a\nRUN b\n\nRUN c\n"),
        ("FROM a\nRUN <<E\nRUN b\nE\nRUN c\n", "FROM a\nRUN <<F\nRUN b\nE\nRUN c\n"),
        ("FROM a\nRUN b\n", "FROM a\nRUN b\nRUN c"),
        ("FROM a\nRUN b\nRUN c\n", "FROM a\nRUN bRUN c\n"),
        ("FROM a\nRUN b\nRUN c\n", "FROM a\n\nRUN b\nRUN c\n"),
        ("FROM a\nRUN b\nRUN c\n", "FROM a\nRUN b\n# escape=`\nRUN c\n"),
        ("FROM a\n  RUN b\n", "FROM a\nRUN b\n"),
    ],
)
def test_changes_at_the_seams(old: str, new: str) -> None:
    found = reparse(parse(Source(old)), Source(new))
    if found is not None:
        assert outline(found) == outline(parse(Source(new)))
