"""Code actions: fixes, *fix all*, *Ignore here*, *Turn this rule off* and *Why?*.

An action names what it would do (``data``); the edit is computed when the client resolves it, or at
once for clients that cannot. Nothing of an edit rides in a diagnostic, so nothing goes stale.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified

from cachekey.assist.refactor import refactorings
from cachekey.checking import engine, fixing, suppress
from cachekey.checking.keeping import Trial
from cachekey.edits import settings as settings_edit
from cachekey.finding import FileEdit, Finding, Fix, Safety
from cachekey.lsp import uris, words
from cachekey.lsp.convert import difference, to_span
from cachekey.lsp.edits import Caution, file_edit, new_file, workspace_edit
from cachekey.lsp.names import EXPLAIN, FIX_ALL
from cachekey.markup.message import message
from cachekey.text import Source
from cachekey.workspace.settings import TABLE

if TYPE_CHECKING:
    from cachekey.lsp.session import Analysis, Document, Session

_SAFETY = (Safety.SAFE, Safety.UNSAFE, Safety.MANUAL)
_SUFFIX = {Safety.SAFE: "", Safety.UNSAFE: " (unsafe)", Safety.MANUAL: " (to be completed)"}


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
    action.edit = _edit(session, document, data)
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
    here = [
        (index, finding)
        for index, finding in enumerate(analysis.findings)
        if finding.span.start <= span.end and span.start <= finding.span.end
    ]
    yield from _fixes(session, document, analysis, here)
    seen: set[str] = set()
    for index, finding in here:
        if finding.code in seen:
            continue
        seen.add(finding.code)
        about = [analysis.diagnostics[index]]
        for title, do in (
            (f"Ignore {finding.code} ({finding.rule}) here", "ignore"),
            (f"Turn {finding.code} ({finding.rule}) off", "off"),
        ):
            action = words.action(message(title), types.CodeActionKind.QuickFix, about)
            yield _with_edit(session, document, action, {"do": do, "index": index})
        title = message(f"Why? ({finding.code} {finding.rule})")
        why = words.command(message("Why?"), EXPLAIN, finding.code)
        yield words.action(title, types.CodeActionKind.QuickFix, about, command=why)


def _fixes(
    session: Session,
    document: Document,
    analysis: Analysis,
    here: Sequence[tuple[int, Finding]],
) -> Iterator[types.CodeAction]:
    offers = [
        (index, number, fix) for index, finding in here for number, fix in enumerate(finding.fixes)
    ]
    offers.sort(key=lambda offer: _rank(offer[2]))
    shown: dict[str, list[Fix]] = {}
    trial = Trial(document.area.project, document.area.settings)
    for index, number, fix in offers:
        if (index, number) not in analysis.kept:
            analysis.kept[index, number] = trial.keeps(fix)
        if not analysis.kept[index, number]:
            continue
        # Only where two findings offer the same in the same words their edits tell them apart.
        alike = shown.setdefault(fix.title, [])
        if any(other.edits == fix.edits for other in alike):
            continue
        alike.append(fix)
        action = words.action(
            message(fix.title + _SUFFIX[fix.safety]),
            types.CodeActionKind.QuickFix,
            [analysis.diagnostics[index]],
            preferred=fix.preferred and fix.safety is Safety.SAFE,
        )
        data = {"do": "fix", "index": index, "fix": number}
        yield _with_edit(session, document, action, data)


def _refactorings(
    session: Session, document: Document, analysis: Analysis, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    span = to_span(analysis.source, params.range, session.encoding)
    for fix in refactorings(document.area.project, document.path, span):
        caution = None if fix.safety is Safety.SAFE else Caution(fix.title, fix.reason)
        yield words.action(
            message(fix.title + _SUFFIX[fix.safety]),
            types.CodeActionKind.RefactorRewrite,
            edit=workspace_edit(session, document.area, fix.edits, caution),
        )


def _rank(fix: Fix) -> tuple[bool, int, bool]:
    safe = fix.safety is Safety.SAFE
    return (not (fix.preferred and safe), _SAFETY.index(fix.safety), not fix.preferred)


def _has_safe_fix(analysis: Analysis) -> bool:
    return any(fix.safety is Safety.SAFE for finding in analysis.findings for fix in finding.fixes)


def _with_edit(
    session: Session, document: Document, action: types.CodeAction, data: dict[str, Any]
) -> types.CodeAction:
    data |= {"uri": document.uri, "version": document.version}
    if session.abilities.resolve_edits and data["do"] in {"fix", "fixAll"}:
        action.data = data
    else:
        # Whether there is an edit at all decides whether these are offered.
        action.edit = _edit(session, document, data)
    return action


# -- edits -----------------------------------------------------------------------------------------


def _edit(
    session: Session, document: Document, data: Mapping[str, Any]
) -> types.WorkspaceEdit | None:
    if data["do"] == "fixAll":
        return _fix_all(session, document)
    analysis = session.analyse(document)
    index = data.get("index")
    if not isinstance(index, int) or not 0 <= index < len(analysis.findings):
        raise JsonRpcContentModified("the finding is gone")
    finding = analysis.findings[index]
    if data["do"] == "ignore":
        return _ignore(session, document, finding)
    if data["do"] == "off":
        return _turn_off(session, document, finding)
    fix = finding.fixes[data["fix"]]
    caution = None if fix.safety is Safety.SAFE else Caution(fix.title, fix.reason)
    return workspace_edit(session, document.area, fix.edits, caution)


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


def _ignore(session: Session, document: Document, finding: Finding) -> types.WorkspaceEdit | None:
    model = document.area.project.documents.get(document.path)
    edit = suppress.ignore_here(model, finding) if model is not None else None
    if edit is None:
        return None
    return workspace_edit(session, document.area, [FileEdit(document.path, edit)])


def _turn_off(session: Session, document: Document, finding: Finding) -> types.WorkspaceEdit | None:
    area = document.area
    file = area.settings_file(document.path)
    if file is not None and not file.broken:
        table = TABLE if posixpath.basename(file.path) == "pyproject.toml" else ()
        edit = settings_edit.turn_off(file.source, finding.code, table=table)
        if edit is not None:
            return file_edit(session, uris.from_path(file.path), file.source, edit)
    elif file is None and area.root and session.abilities.create_files:
        edit = settings_edit.turn_off(Source(""), finding.code)
        if edit is not None:
            return new_file(uris.from_path(area.full(settings_edit.NEW_FILE)), edit.text)
    return None
