"""The light bulb: what is offered, in which order, and what it does to the text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cachekey.checking.keeping import Trial
from cachekey.finding import Safety
from cachekey.rules import ALL
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.support.checking import make_project
from tests.support.client import Client, apply, capabilities, connect, edits_of, span_of
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
BAD_EXAMPLES = [
    block
    for rule in ALL
    for block in re.findall(r"```dockerfile\n(.*?)```", rule.doc.split("## Good")[0], re.DOTALL)
]
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
    fixes = [fix for finding in trial.sift(found) for fix in finding.fixes]
    assert fixes, "a test of nothing"
    offered = [item for item in await client.actions(uri, WHOLE, "quickfix") if _is_fix(item)]
    assert {item.title for item in offered} == {_title(fix) for fix in fixes}
    # An editor's "Auto Fix" applies the one that is preferred, without a question.
    assert [action.title for action in offered if action.is_preferred] == [offered[0].title]
    for action in offered:
        fix = next(fix for fix in fixes if _title(fix) == action.title)
        assert action.diagnostics
        assert action.kind == types.CodeActionKind.QuickFix
        assert not action.is_preferred or (fix.preferred and fix.safety is Safety.SAFE)
        wanted = text
        for edit in sorted(fix.edits, key=lambda item: item.edit.span, reverse=True):
            start, end = edit.edit.span
            wanted = wanted[:start] + edit.edit.text + wanted[end:]
        assert set(edits_of(action.edit)) == {uri}
        assert apply(text, edits_of(action.edit)[uri], client.encoding) == wanted
    client.close(uri)


def _is_fix(action: types.CodeAction) -> bool:
    return not action.title.startswith(("Ignore ", "Turn ", "Explain ", "Silence "))


def _title(fix) -> str:
    """What a fix changes besides the cache stands in its title."""
    if fix.safety is Safety.SAFE or not fix.reason:
        return fix.title
    return f"{fix.title} ({fix.reason.rstrip('.')})"


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
        # One click is one click: nothing waits for a yes.
        assert not action.edit.change_annotations
        edits = [edit for change in action.edit.document_changes for edit in change.edits]
        assert not [edit for edit in edits if getattr(edit, "annotation_id", None)]
    client.close(uri)


async def test_what_is_best_comes_first(client: Client) -> None:
    path = "order/Dockerfile"
    uri = client.open(client.uri(path), SPLIT)
    await client.diagnose(uri, 1)
    offered = [item for item in await client.actions(uri, WHOLE) if item.kind == "quickfix"]
    safety = {_title(fix): fix.safety for one in findings({path: SPLIT}, path) for fix in one.fixes}
    order = list(Safety)
    ranks = [
        (not item.is_preferred, order.index(safety[item.title]))
        for item in offered
        if _is_fix(item)
    ]
    assert ranks == sorted(ranks)
    assert len(ranks) > 1
    rest = [item.title.split(" ")[0] for item in offered[len(ranks) :]]
    here = len(set(codes(SPLIT, path)))
    abilities = client.capabilities.workspace.workspace_edit
    silence = ["Ignore", "Turn"] if abilities.resource_operations else ["Ignore"]
    assert rest == ["Explain"] * here + silence * here
    client.close(uri)


async def test_one_finding_has_seven_entries_at_most(editor: Client) -> None:
    for number, text in enumerate(BAD_EXAMPLES):
        uri = editor.open(editor.uri(f"seven/{number}/Dockerfile"), text)
        for found in await editor.diagnose(uri, 1):
            offered = await editor.actions(uri, found.range, "quickfix")
            own = [item for item in offered if item.diagnostics[0].code == found.code]
            assert len(own) <= 7, [item.title for item in own]
            assert [item.title for item in own if item.title.startswith("Explain ")]
        editor.close(uri)


async def test_one_entry_silences_where_the_client_lets_choose(tmp_path: Path) -> None:
    async with _choosing(tmp_path) as client:
        uri = client.open(client.uri("Dockerfile"), SPLIT)
        await client.diagnose(uri, 1)
        offered = await client.actions(uri, WHOLE, "quickfix")
        (entry,) = [item for item in offered if item.title.startswith("Silence ")]
        assert entry is offered[-1]
        assert entry.command.command == "cachekey.silence"
        shown = {choice["label"]: choice for choice in entry.command.arguments}
        first = codes(SPLIT)[0]
        assert len(shown) == 2 * len(set(codes(SPLIT)))
        assert not [item for item in offered if item.title.startswith(("Ignore ", "Turn "))]
        ignore = next(label for label in shown if label.startswith(f"Ignore {first}"))
        await _pick(client, shown[ignore])
        (applied,) = client.applied
        text = apply(SPLIT, edits_of(applied.edit)[uri], client.encoding)
        assert f"# cachekey: ignore[{first}]" in text


async def test_nothing_is_offered_that_does_nothing(tmp_path: Path) -> None:
    """Among the lines of a workflow's text no comment can stand: only the rule can be turned off."""
    entry = '"uv": {"target": "/root/.cache/uv"}'
    workflow = f"""\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - {{id: bx, uses: docker/setup-buildx-action@v3}}
      - uses: reproducible-containers/buildkit-cache-dance@v3
        with:
          builder: ${{{{ steps.bx.outputs.name }}}}
          cache-map: |
            {{ {entry} }}
      - uses: docker/build-push-action@v6
"""
    async with _choosing(tmp_path) as client:
        mount = "--mount=type=cache,uid=1,target=/root/.cache/uv"
        client.open(client.uri("Dockerfile"), f"FROM python:3.13\nRUN {mount} uv sync\n")
        uri = client.open(client.uri(".github/workflows/image.yml"), workflow, "yaml")
        (found,) = [item for item in await client.diagnose(uri, 1) if item.code == "CK506"]
        offered = await client.actions(uri, found.range, "quickfix", diagnostics=[found])
        (entries,) = [item.command.arguments for item in offered if "Silence" in item.title]
        assert [item["label"][:11] for item in entries] == ["Turn CK506 "]


@pytest.mark.parametrize("undo", [True, False])
async def test_turning_off_says_where_and_can_be_undone(tmp_path: Path, undo: bool) -> None:
    async with _choosing(tmp_path) as client:
        uri = client.open(client.uri("Dockerfile"), INVALID)
        await client.diagnose(uri, 1)
        client.answer = "Undo" if undo else None
        offered = await client.actions(uri, WHOLE, "quickfix")
        (choices,) = [item.command.arguments for item in offered if "Silence" in item.title]
        off = next(item for item in choices if item["label"].startswith("Turn CK601 "))
        assert off["label"] == "Turn CK601 (invalid-mount) off in cachekey.toml"
        await _pick(client, off)
        await client.until_asked()
        (question,) = client.questions
        assert question.message == "CK601 (invalid-mount) is off: cachekey.toml says so."
        assert [button.title for button in question.actions] == ["Undo"]
        if undo:
            await client.until_applied(2)
            (delete,) = client.applied[1].edit.document_changes
            assert delete.kind == "delete"
            assert delete.uri == client.uri("cachekey.toml")
    assert len(client.applied) == 1 + undo


async def test_turning_off_counts_when_the_editor_does_not_see_its_own_file(tmp_path: Path) -> None:
    async with _choosing(tmp_path) as client:
        uri = client.open(client.uri("Dockerfile"), INVALID)
        assert await client.diagnose(uri, 1)
        offered = await client.actions(uri, WHOLE, "quickfix")
        (choices,) = [item.command.arguments for item in offered if "Silence" in item.title]
        off = next(item for item in choices if item["label"].startswith("Turn CK601 "))
        # What the editor writes when it applies the edit; that the file is there, nobody tells.
        client.write("cachekey.toml", 'ignore = ["CK601"]\n')
        await _pick(client, off)
        await client.until_none(uri)


def _choosing(root: Path):
    made = capabilities("vscode")
    made.experimental = {"cachekey": {"silence": True}}
    return connect(root, "vscode", capabilities=made)


async def _pick(client: Client, choice: dict) -> None:
    params = types.ExecuteCommandParams(command="cachekey.apply", arguments=[choice["data"]])
    await client.workspace_execute_command_async(params)


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


async def test_explain(client: Client) -> None:
    uri = client.open(client.uri("explain/Dockerfile"), INVALID)
    await client.diagnose(uri, 1)
    offered = await client.actions(uri, WHOLE, "quickfix")
    action = next(item for item in offered if item.title == "Explain CK601 (invalid-mount)")
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
        action = next(
            item for item in offered if item.title.startswith("Turn CK601 (invalid-mount) off in ")
        )
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
        action = next(
            item for item in offered if item.title.startswith("Turn CK601 (invalid-mount) off in ")
        )
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
        assert answer.startswith("# CK601 invalid-mount\n\n*error, ")
        assert "## Bad" in answer
        unknown = types.ExecuteCommandParams(command="cachekey.explainRule", arguments=["CK999"])
        assert await client.workspace_execute_command_async(unknown) is None
        assert client.messages == []
