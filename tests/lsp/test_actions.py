"""The light bulb: what is offered, in which order, and what it does to the text."""

from __future__ import annotations

from pathlib import Path

import pytest
from cachekey.checking.keeping import Trial
from cachekey.finding import Safety
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.support.checking import make_project
from tests.support.client import Client, apply, connect, edits_of, span_of
from tests.support.expected import findings

SPLIT = """\
# syntax=docker/dockerfile:1
FROM python:3.13 AS build
# é 🐳 stay
RUN --mount=type=cache,target=/root/.cache/uv uv sync
RUN --mount=type=cache,target=/home/app/.cache/uv uv sync --frozen # é
"""
INVALID = """\
FROM python:3.13
RUN --mount=type=cache,taget=/root/.cache/uv uv sync
RUN --mount=type=cache,target=/root/.cache/pip,sharng=locked pip install x
"""
WHOLE = types.Range(
    start=types.Position(line=0, character=0), end=types.Position(line=999, character=0)
)


def codes(text: str, path: str = "Dockerfile") -> list[str]:
    return [finding.code for finding in findings({path: text}, path)]


@pytest.mark.parametrize("text", [SPLIT, INVALID], ids=["split", "invalid"])
async def test_every_fix_does_what_the_engine_says(client: Client, text: str) -> None:
    path = "fixes/Dockerfile"
    uri = client.open(client.uri(path), text)
    await client.diagnose(uri, 1)
    project = make_project({path: text})
    trial = Trial(project, lambda path: project.settings)
    found = findings({path: text}, path)
    fixes = [fix for finding in found for fix in trial.harmless(finding).fixes]
    assert fixes, "a test of nothing"
    offered = [item for item in await client.actions(uri, WHOLE, "quickfix") if _is_fix(item)]
    assert {item.title for item in offered} == {_title(fix) for fix in fixes}
    for action in offered:
        fix = next(fix for fix in fixes if _title(fix) == action.title)
        assert action.diagnostics
        assert action.kind == types.CodeActionKind.QuickFix
        assert bool(action.is_preferred) == (fix.preferred and fix.safety is Safety.SAFE)
        wanted = text
        for edit in sorted(fix.edits, key=lambda item: item.edit.span, reverse=True):
            start, end = edit.edit.span
            wanted = wanted[:start] + edit.edit.text + wanted[end:]
        assert set(edits_of(action.edit)) == {uri}
        assert apply(text, edits_of(action.edit)[uri], client.encoding) == wanted
    client.close(uri)


def _is_fix(action: types.CodeAction) -> bool:
    return not action.title.startswith(("Ignore ", "Turn ", "Why? "))


def _title(fix) -> str:
    suffix = {Safety.UNSAFE: " (unsafe)", Safety.MANUAL: " (to be completed)"}
    return fix.title + suffix.get(fix.safety, "")


async def test_edits_come_in_the_form_the_client_understands(client: Client) -> None:
    uri = client.open(client.uri("form/Dockerfile"), SPLIT, version=41)
    await client.diagnose(uri, 41)
    offered = [item for item in await client.actions(uri, WHOLE, "quickfix") if _is_fix(item)]
    abilities = client.capabilities.workspace.workspace_edit
    for action in offered:
        if not abilities.document_changes:
            assert action.edit.document_changes is None
            continue
        assert action.edit.changes is None
        documents = [change.text_document for change in action.edit.document_changes]
        assert [(item.uri, item.version) for item in documents] == [(uri, 41)]
        notes = action.edit.change_annotations or {}
        unsafe = "(unsafe)" in action.title or "(to be completed)" in action.title
        cautious = unsafe and abilities.change_annotation_support is not None
        assert [note.needs_confirmation for note in notes.values()] == [True] * cautious
        used = {
            getattr(edit, "annotation_id", None)
            for change in action.edit.document_changes
            for edit in change.edits
        }
        assert used == (set(notes) or {None})
    client.close(uri)


async def test_what_is_best_comes_first(client: Client) -> None:
    uri = client.open(client.uri("order/Dockerfile"), SPLIT)
    await client.diagnose(uri, 1)
    offered = await client.actions(uri, WHOLE)
    ranks = [
        (not item.is_preferred, "(unsafe)" in item.title, "(to be completed)" in item.title)
        for item in offered
        if _is_fix(item) and item.kind == "quickfix"
    ]
    assert ranks == sorted(ranks)
    abilities = client.capabilities.workspace.workspace_edit
    rest = [item.title.split(" ")[0] for item in offered if not _is_fix(item)]
    each = ["Ignore", "Turn", "Why?"] if abilities.resource_operations else ["Ignore", "Why?"]
    assert rest == each * (len(rest) // len(each))
    assert rest
    client.close(uri)


async def test_only_what_is_asked_for(client: Client) -> None:
    uri = client.open(client.uri("only/Dockerfile"), INVALID)
    await client.diagnose(uri, 1)

    async def kinds(*only: str) -> set[str]:
        return {item.kind for item in await client.actions(uri, WHOLE, *only)}

    assert await kinds("quickfix") == {"quickfix"}
    assert await kinds("source.fixAll.cachekey") == {"source.fixAll.cachekey"}
    assert await kinds("source.fixAll") == {"source.fixAll.cachekey"}
    assert await kinds("source") == {"source.fixAll.cachekey"}
    assert await kinds("source.fixAll.other") == set()
    assert await kinds("refactor") == set()
    assert await kinds() == {"quickfix", "source.fixAll.cachekey"}
    client.close(uri)


async def test_nothing_is_offered_elsewhere(client: Client) -> None:
    uri = client.open(client.uri("elsewhere/Dockerfile"), INVALID)
    await client.diagnose(uri, 1)
    assert await client.actions(uri, span_of(INVALID, "FROM", client.encoding), "quickfix") == []
    at_the_end = span_of(INVALID, "taget", client.encoding)
    at_the_end.start = at_the_end.end
    assert await client.actions(uri, at_the_end, "quickfix")
    assert await client.actions("untitled:unknown", WHOLE) == []
    client.close(uri)


async def test_fix_all_leaves_nothing_safe_to_fix(client: Client) -> None:
    path = "all/Dockerfile"
    uri = client.open(client.uri(path), INVALID)
    await client.diagnose(uri, 1)
    (action,) = await client.actions(uri, WHOLE, "source.fixAll")
    fixed = apply(INVALID, edits_of(action.edit)[uri], client.encoding)
    assert fixed == INVALID.replace("taget", "target").replace("sharng", "sharing")
    # Trying fixes out has not changed what the server believes the text to be.
    again = await client.actions(uri, WHOLE, "source.fixAll")
    assert edits_of(again[0].edit) == edits_of(action.edit)
    client.change(uri, 2, fixed)
    assert [item.code for item in await client.diagnose(uri, 2)] == codes(fixed, path)
    assert await client.actions(uri, WHOLE, "source.fixAll") == []
    client.close(uri)


async def test_ignore_here(client: Client) -> None:
    path = "ignore/Dockerfile"
    uri = client.open(client.uri(path), SPLIT)
    await client.diagnose(uri, 1)
    offered = await client.actions(uri, WHOLE, "quickfix")
    action = next(
        item for item in offered if item.title == "Ignore CK301 (cache-target-mismatch) here"
    )
    ignored = apply(SPLIT, edits_of(action.edit)[uri], client.encoding)
    assert "# cachekey: ignore[CK301]\n" in ignored
    client.change(uri, 2, ignored)
    assert "CK301" not in [item.code for item in await client.diagnose(uri, 2)]
    client.close(uri)


async def test_why(client: Client) -> None:
    uri = client.open(client.uri("why/Dockerfile"), INVALID)
    await client.diagnose(uri, 1)
    offered = await client.actions(uri, WHOLE, "quickfix")
    action = next(item for item in offered if item.title == "Why? (CK601 invalid-mount)")
    before = len(client.messages)
    answer = await client.workspace_execute_command_async(
        types.ExecuteCommandParams(
            command=action.command.command, arguments=list(action.command.arguments)
        )
    )
    assert "## Bad" in answer
    (message,) = client.messages[before:]
    assert message.message.startswith("CK601 invalid-mount: ")
    assert "##" not in message.message
    client.close(uri)


async def test_an_action_of_an_older_text_is_refused(editor: Client) -> None:
    uri = editor.open(editor.uri("stale/Dockerfile"), INVALID)
    params = types.CodeActionParams(
        text_document=types.TextDocumentIdentifier(uri=uri),
        range=WHOLE,
        context=types.CodeActionContext(diagnostics=[]),
    )
    action = (await editor.text_document_code_action_async(params))[0]
    assert action.edit is None
    editor.change(uri, 2, "#\n" + INVALID)
    with pytest.raises(JsonRpcException) as refusal:
        await editor.code_action_resolve_async(action)
    assert refusal.value.code == -32801
    assert refusal.value.message == "the document has changed since the action was offered"
    editor.close(uri)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("cachekey.toml", "", 'ignore = ["CK601"]\n'),
        ("cachekey.toml", 'ignore = ["CK5"]\n', 'ignore = ["CK5", "CK601"]\n'),
        (
            "pyproject.toml",
            '[project]\nname = "x"\n\n[tool.cachekey]\nnamespace = "n"\n',
            '[project]\nname = "x"\n\n[tool.cachekey]\nignore = ["CK601"]\nnamespace = "n"\n',
        ),
    ],
    ids=["empty", "list", "table"],
)
@pytest.mark.parametrize("flavour", ["vscode", "emacs"])
async def test_turn_a_rule_off(
    tmp_path: Path, flavour: str, name: str, before: str, after: str
) -> None:
    settings = tmp_path / name
    settings.write_bytes(before.encode())
    async with connect(tmp_path, flavour) as client:
        uri = client.open(client.uri("a/Dockerfile"), INVALID)
        assert await client.diagnose(uri, 1)
        offered = await client.actions(uri, WHOLE, "quickfix")
        action = next(item for item in offered if item.title == "Turn CK601 (invalid-mount) off")
        ((target, edits),) = edits_of(action.edit).items()
        assert target == settings.as_uri()
        assert apply(before, edits, client.encoding) == after
        settings.write_bytes(after.encode())
        client.tell_changed(settings.as_uri())
        await client.until_none(uri)


async def test_turn_a_rule_off_without_a_settings_file(tmp_path: Path) -> None:
    async with connect(tmp_path, "vscode") as client:
        uri = client.open(client.uri("Dockerfile"), INVALID)
        offered = await client.actions(uri, WHOLE, "quickfix")
        action = next(item for item in offered if item.title == "Turn CK601 (invalid-mount) off")
        create, write = action.edit.document_changes
        assert create == types.CreateFile(
            uri=client.uri("cachekey.toml"), options=types.CreateFileOptions(ignore_if_exists=True)
        )
        assert write.text_document.version is None
        assert apply("", write.edits, client.encoding) == 'ignore = ["CK601"]\n'
    async with connect(tmp_path, "emacs") as client:
        uri = client.open(client.uri("Dockerfile"), INVALID)
        await client.diagnose(uri, 1)
        offered = await client.actions(uri, WHOLE, "quickfix")
        # A client that cannot create a file is not offered to.
        assert not [item for item in offered if item.title.startswith("Turn ")]
        assert [item for item in offered if item.title.startswith("Ignore ")]


async def test_a_client_that_shows_rules_itself_gets_no_message(tmp_path: Path) -> None:
    capabilities = types.ClientCapabilities(experimental={"cachekey": {"explainRule": True}})
    async with connect(tmp_path, "emacs", capabilities=capabilities) as client:
        params = types.ExecuteCommandParams(command="cachekey.explainRule", arguments=["CK601"])
        answer = await client.workspace_execute_command_async(params)
        assert "## Bad" in answer
        unknown = types.ExecuteCommandParams(command="cachekey.explainRule", arguments=["CK999"])
        assert await client.workspace_execute_command_async(unknown) is None
        assert client.messages == []
