"""Code actions: fixes first, then *Explain*, then what silences a finding; *fix all*, refactorings.

An action names what it would do (``data``); the edit is computed when the client resolves it, or at
once for clients that cannot. Nothing of an edit rides in a diagnostic, so nothing goes stale. Every
edit is applied at once: what it changes besides the cache stands in its title. Only where the user
is to choose among places (:attr:`cachekey.finding.Fix.choose`) an editor that can shows them first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified

from cachekey.assist.refactor import refactorings
from cachekey.assist.refactor_cache import Copy, copies, workflow_copies
from cachekey.builds.invocation import BuildFile
from cachekey.checking import comments, engine, fixing
from cachekey.checking.keeping import Trial
from cachekey.dockerfile.records import Dockerfile
from cachekey.finding import FileEdit, Finding, Fix, Safety
from cachekey.lsp import words
from cachekey.lsp.convert import difference, to_span
from cachekey.lsp.edits import CHOOSE, workspace_edit
from cachekey.lsp.names import COPY, EXPLAIN, FIX_ALL, SILENCE
from cachekey.lsp.turnoff import turning_off
from cachekey.markup.message import message
from cachekey.text import Span, apply_edits

if TYPE_CHECKING:
    from cachekey.lsp.analysis import Analysis
    from cachekey.lsp.session import Document, Session
    from cachekey.markup.message import Message
    from cachekey.text import Edit

_SAFETY = (Safety.SAFE, Safety.UNSAFE, Safety.MANUAL)
_MOST_FIXES = 4
_MOST_ENTRIES = 7
"""Nobody reads more: with *Explain* for each rule, and the ways to silence. Where several findings meet
each shows its best fix, then its second, until there are so many."""
_MOST_ROUNDS = 8
"""Fixes behind each other that one click makes."""


def code_actions(session: Session, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Answer ``textDocument/codeAction``."""
    document = session.find(params.text_document.uri)
    if document is None:
        return []
    analysis = session.analyse(document)
    actions: list[types.CodeAction] = []
    if _wanted(params.context.only, types.CodeActionKind.QuickFix):
        actions += _quick_fixes(session, document, analysis, params)
    if _wanted(params.context.only, types.CodeActionKind.RefactorRewrite):
        actions += _refactorings(session, document, analysis, params)
    if _wanted(params.context.only, FIX_ALL) and _has_safe_fix(analysis):
        action = words.action(message("Fix everything that is safe to fix (Cachekey)"), FIX_ALL)
        actions.append(_with_edit(session, document, action, {"do": "fixAll"}))
    return [action for action in actions if action.edit or action.data or action.command]


def resolve(session: Session, action: types.CodeAction) -> types.CodeAction:
    """Answer ``codeAction/resolve``: fill in the edit."""
    data = action.data
    if not isinstance(data, Mapping) or action.edit is not None:
        return action
    document = session.find(str(data.get("uri")))
    if document is None or document.version != data.get("version"):
        raise JsonRpcContentModified("the document has changed since the action was offered")
    action.edit = edit_for(session, document, data)
    return action


def _wanted(only: Sequence[str] | None, kind: str) -> bool:
    if only is None:
        return True
    return any(asked == "" or kind == asked or kind.startswith(f"{asked}.") for asked in only)


# -- offers ----------------------------------------------------------------------------------------


def _quick_fixes(
    session: Session, document: Document, analysis: Analysis, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    span = to_span(analysis.source, params.range, session.encoding)
    asked = {_name(item) for item in params.context.diagnostics}
    if len(asked) > 1:
        # An editor that names all that is at the place asks about none of it.
        asked = set()
    here = [
        (index, finding)
        for index, finding in enumerate(analysis.findings)
        if finding.span.start <= span.end and span.start <= finding.span.end
    ]

    # What says the most about the caret's place comes first.
    here.sort(key=lambda item: item[1].span.end - item[1].span.start)
    wanted = {index for index, _ in here if _name(analysis.diagnostics[index]) in asked}
    yield from _fixes(session, document, analysis, here, wanted)
    first: dict[str, int] = {}
    for index, finding in here:
        first.setdefault(finding.code, index)
    for code, index in first.items():
        title = message(f"Explain {code} ({analysis.findings[index].rule})")
        explain = words.command(title, EXPLAIN, code)
        about = [analysis.diagnostics[index]]
        yield words.action(title, types.CodeActionKind.QuickFix, about, command=explain)
    yield from _silencers(session, document, analysis, list(first.values()))


def _silencers(
    session: Session, document: Document, analysis: Analysis, here: Sequence[int]
) -> Iterator[types.CodeAction]:
    """Yield the ways to hear no more of findings: one entry where the client shows a choice."""
    ways: list[tuple[types.CodeAction, dict[str, Any]]] = []
    for index in here:
        finding, about = analysis.findings[index], [analysis.diagnostics[index]]
        name = f"{finding.code} ({finding.rule})"
        titles: dict[str, str] = {}
        if _ignoring(document, finding) is not None:
            titles["ignore"] = f"Ignore {name} here"
        if (file := _settings_name(session, document)) is not None:
            titles["off"] = f"Turn {name} off in {file}"
        for do, title in titles.items():
            action = words.action(message(title), types.CodeActionKind.QuickFix, about)
            ways.append((action, {"do": do, "index": index}))
    if not ways or not session.abilities.chooses:
        yield from (_with_edit(session, document, action, data) for action, data in ways)
        return
    known = {"uri": document.uri, "version": document.version}
    title = message(f"Silence {', '.join(analysis.findings[index].code for index in here)}...")
    choices = [words.choice(message(action.title), data | known) for action, data in ways]
    about = [analysis.diagnostics[index] for index in here]
    command = words.command(title, SILENCE, *choices)
    yield words.action(title, types.CodeActionKind.QuickFix, about, command=command)


def _fixes(
    session: Session,
    document: Document,
    analysis: Analysis,
    here: Sequence[tuple[int, Finding]],
    wanted: set[int],
) -> Iterator[types.CodeAction]:
    shown: dict[str, list[Fix]] = {}
    # Of a list an editor's *Auto Fix* takes the preferred entry; where there are two it asks which.
    best = True
    others = len({finding.code for _, finding in here}) + 1
    left = max(len(here), min(_MOST_FIXES, _MOST_ENTRIES - others))
    trial = Trial(document.area.project, document.area.settings)
    for index, number, fix in _in_turn(here, wanted):
        if not left:
            return
        if (index, number) not in analysis.kept:
            verdict = trial.verdict(fix)
            if verdict is None:
                # Asked for in a smaller range, it is tried.
                continue
            analysis.kept[index, number] = verdict
        if not analysis.kept[index, number]:
            continue
        # Only where two findings offer the same in the same words their edits tell them apart.
        alike = shown.setdefault(fix.title, [])
        if any(other.edits == fix.edits for other in alike):
            continue
        alike.append(fix)
        left -= 1
        asked_for = not wanted or index in wanted
        preferred = best and asked_for and fix.preferred and fix.safety is Safety.SAFE
        best = best and not preferred
        action = words.action(
            _title(fix),
            types.CodeActionKind.QuickFix,
            [analysis.diagnostics[index]],
            preferred=preferred,
        )
        data = {"do": "fix", "index": index, "fix": number}
        yield _with_edit(session, document, action, data)


def _in_turn(
    here: Sequence[tuple[int, Finding]], wanted: set[int]
) -> Iterator[tuple[int, int, Fix]]:
    """Yield the best fix of each finding, then the second one of each, and so on."""
    each = [
        [(index, *item) for item in sorted(enumerate(found.fixes), key=lambda item: _rank(item[1]))]
        for index, found in here
    ]
    for turn in range(_MOST_FIXES):
        offers = [fixes[turn] for fixes in each if turn < len(fixes)]
        yield from sorted(offers, key=lambda offer: (offer[0] not in wanted, _rank(offer[2])))


def _name(item: types.Diagnostic) -> tuple[object, ...]:
    """Return what tells one diagnostic of a document from another."""
    start, end = item.range.start, item.range.end
    return (item.code, start.line, start.character, end.line, end.character)


def _refactorings(
    session: Session, document: Document, analysis: Analysis, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    span = to_span(analysis.source, params.range, session.encoding)
    kind = types.CodeActionKind.RefactorRewrite
    # What every mount of a selection has to offer in the same words is offered once.
    offered: set[str] = set()
    for number, fix in enumerate(refactorings(document.area.project, document.path, span)):
        if fix.title not in offered:
            offered.add(fix.title)
            data = {"do": "refactor", "at": [span.start, span.end], "number": number}
            yield _with_edit(session, document, words.action(_title(fix), kind), data)
    copied = {item.title: item for item in _copies(document, span)}
    for item in copied.values() if session.abilities.chooses else ():
        title = message(item.title)
        yield words.action(title, kind, command=words.command(title, COPY, item.text))


def _copies(document: Document, span: Span) -> Iterator[Copy]:
    project = document.area.project
    model = project.documents.get(document.path)
    if isinstance(model, Dockerfile):
        yield from copies(project, model, span)
    elif isinstance(model, BuildFile):
        yield from workflow_copies(project, model, span)


def _title(fix: Fix) -> Message:
    """Say what a fix does, and in brackets what else it changes."""
    if fix.safety is Safety.SAFE or not fix.reason:
        return message(fix.title)
    return message(f"{fix.title} ({fix.reason})")


def _rank(fix: Fix) -> tuple[bool, int, bool]:
    safe = fix.safety is Safety.SAFE
    return (not (fix.preferred and safe), _SAFETY.index(fix.safety), not fix.preferred)


def _has_safe_fix(analysis: Analysis) -> bool:
    return any(fix.safety is Safety.SAFE for finding in analysis.findings for fix in finding.fixes)


def _with_edit(
    session: Session, document: Document, action: types.CodeAction, data: dict[str, Any]
) -> types.CodeAction:
    data |= {"uri": document.uri, "version": document.version}
    if session.abilities.resolve_edits and data["do"] in {"fix", "fixAll", "refactor"}:
        action.data = data
    else:
        # Whether there is an edit at all decides whether these are offered.
        action.edit = edit_for(session, document, data)
    return action


# -- edits -----------------------------------------------------------------------------------------


def edit_for(
    session: Session, document: Document, data: Mapping[str, Any]
) -> types.WorkspaceEdit | None:
    """Make the edit that the data of an action names; None when there is none after all."""
    if data["do"] == "fixAll":
        return _fix_all(session, document)
    if data["do"] == "refactor":
        found = refactorings(document.area.project, document.path, Span(*data["at"]))
        fix = next(islice(found, data["number"], None), None)
        return _written(session, document, fix) if fix is not None else None
    analysis = session.analyse(document)
    index = data.get("index")
    if not isinstance(index, int) or not 0 <= index < len(analysis.findings):
        raise JsonRpcContentModified("the finding is gone")
    finding = analysis.findings[index]
    if data["do"] == "ignore":
        return _ignore(session, document, finding)
    if data["do"] == "off":
        change = turning_off(session, document, finding.code)
        return change.edit(session) if change is not None else None
    if data["do"] == "complete":
        return _complete(session, document, finding)
    return _written(session, document, finding.fixes[data["fix"]])


def _written(session: Session, document: Document, fix: Fix) -> types.WorkspaceEdit | None:
    choose = CHOOSE if fix.choose else ""
    return workspace_edit(session, document.area, fix.edits, choose=choose) if fix.edits else None


def _fix_all(session: Session, document: Document) -> types.WorkspaceEdit | None:
    """Apply the safe fixes of one document; what would change others is left to the light bulb."""
    analysis, area, path = session.analyse(document), document.area, document.path
    settings = area.settings(path)

    def recheck(texts: Mapping[str, str]) -> Sequence[Finding]:
        for changed, text in texts.items():
            area.project.add(changed, text, document.kind)
        return engine.check(area.project, path, settings)

    try:
        texts, index = {path: document.text}, area.project.index
        outcome = fixing.apply_fixes(texts, analysis.findings, Safety.SAFE, recheck, lambda: index)
    finally:
        # The project tried the fixes out; the document itself has not changed yet.
        area.project.add(path, document.text, document.kind)
    if path not in outcome.texts:
        return None
    edits = difference(document.text, outcome.texts[path])
    return workspace_edit(session, area, [FileEdit(path, edit) for edit in edits])


def _complete(session: Session, document: Document, finding: Finding) -> types.WorkspaceEdit | None:
    """Apply the preferred fix of a finding, and of what it brings up: one click leaves no finding."""
    area, path = document.area, document.path
    settings, text = area.settings(path), document.text
    before = Counter(item.code for item in session.analyse(document).findings)
    waiting: Finding | None = finding
    try:
        for _ in range(_MOST_ROUNDS):
            fix = waiting.fixes[0] if waiting is not None and waiting.fixes else None
            if fix is None or any(item.path != path for item in fix.edits):
                break
            text = apply_edits(text, [item.edit for item in fix.edits])
            area.project.add(path, text, document.kind)
            found = engine.check(area.project, path, settings)
            now = Counter(item.code for item in found)
            waiting = next((item for item in found if now[item.code] > before[item.code]), None)
    finally:
        # The project tried the fixes out; the document itself has not changed yet.
        area.project.add(path, document.text, document.kind)
    edits = difference(document.text, text)
    return workspace_edit(session, area, [FileEdit(path, edit) for edit in edits])


def _ignoring(document: Document, finding: Finding) -> Edit | None:
    """Return the comment that silences a finding; None where none can stand, as in a workflow's step."""
    model = document.area.project.documents.get(document.path)
    return comments.ignore_here(model, finding) if model is not None else None


def _ignore(session: Session, document: Document, finding: Finding) -> types.WorkspaceEdit | None:
    edit = _ignoring(document, finding)
    if edit is None:
        return None
    return workspace_edit(session, document.area, [FileEdit(document.path, edit)])


def _settings_name(session: Session, document: Document) -> str | None:
    """Name the settings file in which a rule could be turned off; None where it cannot be."""
    change = turning_off(session, document, "CK000")
    return change.name if change is not None else None
