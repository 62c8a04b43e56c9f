"""Hover, completion, and the ways from one mount to another."""

from __future__ import annotations

import pytest
from cachekey.assist import hover as explain
from cachekey.markup.rich import Rich, link
from cachekey.workspace.project import Project
from lsprotocol import types

from tests.support.client import Client, apply, capabilities, connect, place, span_of
from tests.support.expected import corners, where

TEXT = """\
# syntax=docker/dockerfile:1
FROM python:3.13 AS build
RUN echo '🐳é' && true
RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv,sharing=locked uv sync
FROM python:3.13
RUN --mount=type=cache,id=uv-cache,target=/c uv sync --cache-dir /c
"""


WEB = "https://docs.docker.com/reference/dockerfile/#run---mounttypecache"


def at(client: Client, uri: str, text: str, part: str, nth: int = 0) -> dict:
    found = span_of(text, part, client.encoding, nth)
    return {
        "text_document": types.TextDocumentIdentifier(uri=uri),
        "position": types.Position(line=found.start.line, character=found.start.character + 1),
    }


@pytest.mark.parametrize("part", ["target=/root", "/root/.cache", "sharing", "locked", "uv sync"])
async def test_a_hover_is_what_explain_says(client: Client, part: str) -> None:
    uri = client.open(client.uri("hover/Dockerfile"), TEXT)
    found = await client.text_document_hover_async(types.HoverParams(**at(client, uri, TEXT, part)))
    project = Project()
    project.add("hover/Dockerfile", TEXT)

    def place(path: str, line: int) -> Rich:
        return link(f"{path}:{line + 1}", f"{client.uri(path)}#L{line + 1}")

    how = link("How keys work", WEB)
    expected = explain.hover(project, "hover/Dockerfile", TEXT.index(part) + 1, link=place, how=how)
    assert corners(found.range) == where(TEXT, expected.span, client.encoding)
    assert found.contents == types.MarkupContent(
        kind=types.MarkupKind.Markdown, value=expected.markdown
    )
    client.close(uri)


async def test_a_hover_without_markdown(tmp_path) -> None:
    capabilities = types.ClientCapabilities(
        text_document=types.TextDocumentClientCapabilities(
            hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.PlainText])
        )
    )
    async with connect(tmp_path, "emacs", capabilities=capabilities) as client:
        uri = client.open(client.uri("Dockerfile"), TEXT)
        params = types.HoverParams(**at(client, uri, TEXT, "/c uv"))
        found = await client.text_document_hover_async(params)
        assert found.contents.kind == types.MarkupKind.PlainText
        assert "uv-cache" in found.contents.value
        assert not [mark for mark in ("**", "`", "](", "file://") if mark in found.contents.value]


async def test_how_keys_work_is_a_page_of_our_own_where_it_can_be_shown(tmp_path) -> None:
    made = capabilities("vscode")
    made.experimental = {"cachekey": {"explainRule": True}}
    async with connect(tmp_path, "vscode", capabilities=made) as client:
        uri = client.open(client.uri("Dockerfile"), TEXT)
        params = types.HoverParams(**at(client, uri, TEXT, "uv-cache"))
        found = await client.text_document_hover_async(params)
        wanted = "[How keys work](command:cachekey.explainRule?%5B%22keys%22%5D)"
        assert found.contents.value.endswith(wanted)
        page = await client.workspace_execute_command_async(
            types.ExecuteCommandParams(command="cachekey.explainRule", arguments=["keys"])
        )
        assert page.startswith("# How the key of a cache mount works")


async def test_no_hover_on_what_says_nothing(client: Client) -> None:
    uri = client.open(client.uri("nothing/Dockerfile"), TEXT)
    for part in ("# syntax", "echo"):
        params = types.HoverParams(**at(client, uri, TEXT, part))
        assert await client.text_document_hover_async(params) is None
    client.close(uri)


async def test_ways_between_mounts_of_one_cache(client: Client) -> None:
    uri = client.open(client.uri("ways/Dockerfile"), TEXT)
    first, second = (span_of(TEXT, "uv-cache", client.encoding, nth) for nth in (0, 1))
    here = at(client, uri, TEXT, "uv-cache")
    found = await client.text_document_definition_async(types.DefinitionParams(**here))
    assert list(found) == [types.Location(uri=uri, range=second)]
    found = await client.text_document_references_async(
        types.ReferenceParams(**here, context=types.ReferenceContext(include_declaration=True))
    )
    assert list(found) == [types.Location(uri=uri, range=item) for item in (first, second)]
    found = await client.text_document_document_highlight_async(
        types.DocumentHighlightParams(**here)
    )
    assert [item.range for item in found] == [first, second]
    nowhere = types.DefinitionParams(**at(client, uri, TEXT, "echo"))
    assert not await client.text_document_definition_async(nowhere)
    client.close(uri)


async def test_a_link_to_the_dockerfile(client: Client) -> None:
    text = '{\n  // é\n  "build": {"dockerfile": "Dockerfile.dev"}\n}\n'
    dockerfile = client.open(client.uri("links/.devcontainer/Dockerfile.dev"), TEXT)
    uri = client.open(client.uri("links/.devcontainer/devcontainer.json"), text, "jsonc")
    found = await client.text_document_document_link_async(
        types.DocumentLinkParams(text_document=types.TextDocumentIdentifier(uri=uri))
    )
    (link,) = found
    assert link.target == dockerfile
    assert link.range.start.line == 2
    client.close(uri)
    client.close(dockerfile)


# -- completion ------------------------------------------------------------------------------------


async def completions(
    client: Client, marked: str, name: str = "Dockerfile"
) -> tuple[str, list[types.CompletionItem]]:
    """Complete at the mark ``‸``; return the text without it and the items."""
    offset = marked.index("‸")
    text = marked.replace("‸", "")
    language = "dockerfile" if name == "Dockerfile" else "toml"
    uri = client.open(client.uri(f"complete/{name}"), text, language)
    found = await client.text_document_completion_async(
        types.CompletionParams(
            text_document=types.TextDocumentIdentifier(uri=uri),
            position=place(text, offset, client.encoding),
        )
    )
    client.close(uri)
    return text, sorted(found.items if found else (), key=lambda item: item.sort_text)


def accepted(client: Client, text: str, item: types.CompletionItem) -> str:
    return apply(text, [item.text_edit], client.encoding)


HEAD = "FROM python:3.13\nRUN "


@pytest.mark.parametrize(
    ("marked", "first", "result"),
    [
        (
            "--mount=‸ uv sync",
            "type=cache,target=/root/.cache/uv for uv",
            "--mount=type=cache,target=/root/.cache/uv uv sync",
        ),
        ("--mount=‸ uv sync", None, "--mount=type= uv sync"),
        ("--mount=type=‸ uv sync", "cache", "--mount=type=cache uv sync"),
        ("--mount=type=c‸ uv sync", "cache", "--mount=type=cache uv sync"),
        (
            "--mount=type=cache,‸ uv sync",
            "target=/root/.cache/uv for uv",
            "--mount=type=cache,target=/root/.cache/uv uv sync",
        ),
        (
            "--mount=type=cache,target=‸ uv sync",
            "/root/.cache/uv",
            "--mount=type=cache,target=/root/.cache/uv uv sync",
        ),
        (
            "--mount=type=cache,target=/ro‸ot,id=x uv sync",
            "/root/.cache/uv",
            "--mount=type=cache,target=/root/.cache/uv,id=x uv sync",
        ),
        (
            "--mount=type=cache,id=🐳,target=‸ uv sync",
            "/root/.cache/uv",
            "--mount=type=cache,id=🐳,target=/root/.cache/uv uv sync",
        ),
        (
            "--mount=type=cache,target=/root/.cache/uv,id=‸ uv sync",
            "uv-cache",
            "--mount=type=cache,target=/root/.cache/uv,id=uv-cache uv sync",
        ),
        (
            "--mount=type=cache,sharing=‸,target=/x apt-get install -y x",
            "locked",
            "--mount=type=cache,sharing=locked,target=/x apt-get install -y x",
        ),
        (
            "\\\n    --mount=type=cache,target=/x,sh‸ uv sync",
            None,
            "\\\n    --mount=type=cache,target=/x,sharing= uv sync",
        ),
        (
            "--m‸ uv sync",
            "--mount=type=cache for uv",
            "--mount=type=cache,target=/root/.cache/uv uv sync",
        ),
        (
            "--mount=type=cache,target=/a,target=‸",
            None,
            "--mount=type=cache,target=/a,target=/root/.cache/uv",
        ),
    ],
)
async def test_inside_of_a_mount(
    editor: Client, marked: str, first: str | None, result: str
) -> None:
    text, items = await completions(editor, HEAD + marked + "\n")
    if first is not None:
        assert items[0].label == first
    results = [accepted(editor, text, item) for item in items]
    assert HEAD + result + "\n" in results


async def test_columns_of_completions(client: Client) -> None:
    marked = HEAD + "--mount=type=cache,id=é🐳,target=‸ uv sync\n"
    text, items = await completions(client, marked)
    wanted = marked.replace("‸", "/root/.cache/uv")
    assert [accepted(client, text, item) for item in items] == [wanted]


async def test_what_is_offered_fits_the_user(editor: Client) -> None:
    marked = (
        "FROM python:3.13\nRUN useradd -u 1234 -m me\nUSER me\nRUN --mount=type=cache,‸ uv sync\n"
    )
    text, items = await completions(editor, marked)
    written = accepted(editor, text, items[0])
    assert "target=/home/me/.cache/uv,uid=1234" in written


async def test_before_there_is_a_command_every_tool_is_offered(editor: Client) -> None:
    _, items = await completions(editor, HEAD + "--mount=type=cache,target=‸\n")
    labels = [item.label for item in items]
    assert {"/root/.cache/uv", "/root/.cache/pip", "/root/.npm"} <= set(labels)
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize(
    "marked",
    [
        "‸FROM python:3.13\nRUN uv sync\n",
        "FROM python:3.13‸\nRUN uv sync\n",
        "FROM python:3.13\nRUN uv ‸sync\n",
        "FROM python:3.13\nRUN uv sync --‸\n",
        "FROM python:3.13\nRU‸N uv sync\n",
        "FROM python:3.13\nCOPY --‸ a b\n",
        "FROM python:3.13\n# RUN --mount=‸\n",
        "FROM python:3.13\nRUN --network=‸ uv sync\n",
    ],
)
async def test_elsewhere_nothing_is_offered(editor: Client, marked: str) -> None:
    assert (await completions(editor, marked))[1] == []


async def test_a_python_image_is_not_offered_another_package_manager(client: Client) -> None:
    _, found = await completions(client, "FROM python:3.13\nRUN ‸\n")
    labels = [item.label for item in found]
    assert "--mount=type=cache for pip" in labels
    assert not [label for label in labels if label.endswith((" apk", " dnf", " zypper"))]
    # What people install with in such an image comes first.
    assert labels[0] == "--mount=type=cache for pip"
    _, found = await completions(client, "FROM golang:1.24\nRUN ‸\n")
    assert [item.label[-7:] for item in found[:2]] == [" for Go", "for apt"]
    _, found = await completions(client, "FROM alpine:3.22\nRUN ‸\n")
    assert "--mount=type=cache for apk" in [item.label for item in found]


async def test_ids_of_the_workspace_with_who_uses_them(client: Client) -> None:
    other = client.open(client.uri("other/Dockerfile"), TEXT)
    await client.diagnose(other, 1)
    _, found = await completions(client, f"{HEAD}--mount=type=cache,id=‸,target=/x true\n")
    (item,) = [item for item in found if item.label == "uv-cache"]
    assert item.detail == "uv in other/Dockerfile:4, 2 mounts"
    client.close(other)


async def test_rules_in_a_comment_that_silences(client: Client) -> None:
    text, found = await completions(
        client, "FROM alpine\n# cachekey: ignore[CK101, CK2‸]\nRUN true\n"
    )
    (item,) = [item for item in found if item.label == "CK201"]
    assert item.detail.startswith("cache-not-writable: ")
    assert "ignore[CK101, CK201]" in accepted(client, text, item)


SETTINGS = [
    ("cachekey.toml", 'ignore = ["CK101", "CK2‸"]\n', "CK201", 'ignore = ["CK101", "CK201"]\n'),
    (
        "cachekey.toml",
        'select = [\n  "CK101",\n  ‸\n]\n',
        "CK201",
        'select = [\n  "CK101",\n  "CK201"\n]\n',
    ),
    ("cachekey.toml", "select = ['‸", "CK201", "select = ['CK201'"),
    ("cachekey.toml", "[severity]\n‸\n", "CK201", '[severity]\nCK201 = "\n'),
    ("cachekey.toml", '[severity]\nCK201 = "h‸"\n', "hint", '[severity]\nCK201 = "hint"\n'),
    ("cachekey.toml", "severity = { CK1‸ }\n", "CK101", 'severity = { CK101 = " }\n'),
    (
        "cachekey.toml",
        'severity = { CK1 = "off", CK101 = ‸ }\n',
        "off",
        'severity = { CK1 = "off", CK101 = "off" }\n',
    ),
    ("cachekey.toml", "eng‸", "engine", 'engine = "'),
    ("cachekey.toml", 'engine = "‸"', "buildah", 'engine = "buildah"'),
    (
        "pyproject.toml",
        '[tool.cachekey]\nignore = ["‸"]\n',
        "CK201",
        '[tool.cachekey]\nignore = ["CK201"]\n',
    ),
    (
        "pyproject.toml",
        "[tool.cachekey.severity]\nCK2‸",
        "CK201",
        '[tool.cachekey.severity]\nCK201 = "',
    ),
]


@pytest.mark.parametrize(("name", "marked", "label", "result"), SETTINGS)
async def test_rules_in_a_settings_file(
    editor: Client, name: str, marked: str, label: str, result: str
) -> None:
    text, found = await completions(editor, marked, name)
    (item,) = [item for item in found if item.label == label]
    assert accepted(editor, text, item) == result


@pytest.mark.parametrize(
    ("name", "marked"),
    [
        ("cachekey.toml", 'namespace = "‸"\n'),
        ("cachekey.toml", "# ignore = [‸\n"),
        ("cachekey.toml", '[images."x"]\n‸\n'),
        ("cachekey.toml", 'namespace = "x" ‸\n'),
        ("pyproject.toml", '[tool.ruff]\nignore = ["‸"]\n'),
        ("pyproject.toml", "‸"),
        ("other.toml", 'ignore = ["‸"]\n'),
    ],
)
async def test_nothing_is_offered_where_no_rule_can_stand(
    editor: Client, name: str, marked: str
) -> None:
    assert (await completions(editor, marked, name))[1] == []
