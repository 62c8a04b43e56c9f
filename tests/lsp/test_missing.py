"""One click on the lens of an ordinary Dockerfile leaves no finding: for every tool that has a mount."""

from __future__ import annotations

import pytest
from cachekey.assist.lens import missing_lenses
from cachekey.dockerfile.records import Dockerfile
from cachekey.finding import Finding
from cachekey.knowledge import Knowledge
from cachekey.knowledge.records import Tool
from cachekey.lsp.abilities import Abilities
from cachekey.lsp.actions import edit_for
from cachekey.lsp.config import from_editor
from cachekey.lsp.session import Document, Session

from tests.support.client import apply, edits_of

IMAGE = "example.org/base"
PLAIN = {
    # What only holds for one generation or one kind of project.
    "dnf": ("rhel", {"dnf": "4"}),
    "dnf5": ("fedora", {"dnf": "5"}),
    "yum": ("rhel", {"yum": "4"}),
    "microdnf": ("rhel", {"microdnf": "3"}),
}
PLACES = {"CONDA_DIR": "/opt/conda", "MAMBA_ROOT_PREFIX": "/opt/conda"}
NEEDS_A_PROJECT = {"yarn1", "yarn-berry"}
"""Which of them ``yarn`` is, package.json tells."""
FETCHES = {
    *("cargo fetch x", "conan install x", "dart pub get x", "deno install x", "deno cache x"),
    *("dotnet restore x", "go mod download x", "pnpm fetch x", "cabal update x", "stack setup x"),
}
"""What only fills a cache: a mount would take that out of an image for which no step uses it."""
WORDS = {"gradle": "build", "maven": "package", "sbt": "compile", "pacman": "-S git"}


def opened(
    text: str, family: str = "debian", facts: dict[str, str] | None = None
) -> tuple[Session, Document]:
    session = Session()
    session.abilities = Abilities(versioned_edits=True)
    image = {"family": family, "home": "/root", "facts": facts or {}, "env": PLACES}
    session.editor = from_editor({"images": {IMAGE: image}})
    document = session.open("file:///x/Dockerfile", "dockerfile", 1, text)
    assert document is not None
    return session, document


def pressed(text: str, *around: object) -> tuple[str, str, tuple[Finding, ...]]:
    """Press the first lens; return its title, the text afterwards, and what is found in it."""
    session, document = opened(text, *around)
    findings = session.analyse(document).findings
    model = document.area.project.documents[document.path]
    assert isinstance(model, Dockerfile)
    (number, _, title), *_ = missing_lenses(model, findings)
    edit = edit_for(session, document, {"do": "complete", "index": number})
    assert edit is not None
    after = apply(text, edits_of(edit)[document.uri], "utf-16")
    session, document = opened(after, *around)
    return title, after, session.analyse(document).findings


TOOLS = [tool for tool in Knowledge().tools() if tool.suggest]


def _remembered(tool: Tool) -> bool:
    """Tell whether nobody has looked: such a tool, or such a place of its cache, says nothing."""
    return not (tool.confidence.warns and all(item.confidence.warns for item in tool.caches[:1]))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.id)
def test_one_click_leaves_no_finding(tool: Tool) -> None:
    family, facts = PLAIN.get(tool.id, (tool.families[0] if tool.families else "debian", {}))
    name = tool.commands[0].names[0]
    for pattern in [pattern for item in tool.suggest for pattern in item.commands]:
        options = [option for option in pattern.options if "[" not in option]
        words = WORDS.get(tool.id) or " ".join([*pattern.words, *options, "x"])
        text = f"FROM {IMAGE}\nWORKDIR /srv/shop\nRUN {name} {words}\n"
        if tool.id in NEEDS_A_PROJECT or _remembered(tool) or f"{name} {words}" in FETCHES:
            session, document = opened(text, family, facts)
            findings = session.analyse(document).findings
            model = document.area.project.documents[document.path]
            assert isinstance(model, Dockerfile)
            assert not list(missing_lenses(model, findings))
            continue
        title, after, findings = pressed(text, family, facts)
        assert title.startswith(f"{tool.name} ")
        assert title.endswith(" anew · add a cache mount")
        assert "--mount=type=cache,target=/" in after
        assert [(item.code, item.message) for item in findings] == []


APT = "apt-get update && apt-get install -y git"
LISTS = "rm -rf /var/lib/apt/lists/*"


@pytest.mark.parametrize(
    ("before", "gone"),
    [
        (f"FROM debian:13\nRUN {APT} && {LISTS}\n", [LISTS]),
        (
            f"FROM debian:13\nRUN {APT} \\\n && apt-get clean \\\n && {LISTS}\n",
            [LISTS, "apt-get clean"],
        ),
        (f"FROM ubuntu:24.04\nRUN set -eux; {APT}; {LISTS} /tmp/*\n", ["lists"]),
        (
            f"FROM ubuntu:24.04\nRUN <<EOF\napt-get update\napt-get install -y git\n{LISTS}\nEOF\n",
            [LISTS],
        ),
        ("FROM alpine:3.22\nRUN apk add --no-cache git\n", ["--no-cache"]),
        ("FROM python:3.13\nRUN pip install --no-cache-dir -r r.txt\n", ["--no-cache-dir"]),
        ("FROM python:3.13\nRUN pip install -r r.txt && rm -rf ~/.cache\n", ["rm"]),
        ("FROM python:3.13\nRUN pip install -r r.txt && pip cache purge\n", ["purge"]),
        ("FROM python:3.13\nRUN uv pip install --system --no-cache x\n", ["--no-cache"]),
        ("FROM node:22\nRUN npm ci && npm cache clean --force\n", ["clean"]),
        ("FROM node:22\nUSER node\nRUN npm ci && rm -rf /home/node/.npm\n", ["rm"]),
        ("FROM golang:1.25\nRUN CGO_ENABLED=0 go build -o /app .\n", []),
        ("FROM rust:1.90\nCOPY . .\nRUN cargo build --release\n", []),
        ("FROM fedora:42\nRUN dnf install -y git && dnf clean all\n", ["clean"]),
    ],
)
def test_what_would_empty_the_cache_goes_with_the_same_click(before: str, gone: list[str]) -> None:
    _, after, findings = pressed(before)
    assert findings == ()
    assert not [word for word in gone if word in after]
    # Whatever else the command did it still does.
    assert ("/tmp/*" in before) == ("rm -rf /tmp/*" in after)
    if "apt-get" in before:
        assert "RUN rm -f /etc/apt/apt.conf.d/docker-clean" in after
        assert "Keep-Downloaded-Packages" in after
        assert after.count("--mount=type=cache") == 2


def test_the_title_says_what_is_made_anew() -> None:
    mount = "--mount=type=cache,target=/go/pkg/mod"
    title, _, findings = pressed(f"FROM golang:1.25\nWORKDIR /s\nRUN {mount} go build -o /app .\n")
    assert title == "Go makes compiled packages and test results anew · add a cache mount"
    assert findings == ()
