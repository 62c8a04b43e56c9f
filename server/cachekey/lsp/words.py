"""Everything the protocol shows to people, made in one place: no words leave that were not escaped.

Nothing else in this package makes these types; the types of the arguments say what was done to them.
"""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from cachekey.markup.markdown import Markdown, Plain
from cachekey.markup.message import Message


def diagnostic(
    where: types.Range,
    severity: types.DiagnosticSeverity,
    code: str,
    text: Message,
    *,
    page: str = "",
    tags: Sequence[types.DiagnosticTag] | None = None,
    related: Sequence[types.DiagnosticRelatedInformation] | None = None,
    data: dict[str, object] | None = None,
) -> types.Diagnostic:
    """Make a diagnostic; ``page`` is the URI of what its code stands for."""
    return types.Diagnostic(
        range=where,
        severity=severity,
        code=code,
        code_description=types.CodeDescription(href=page) if page else None,
        source="cachekey",
        message=text,
        tags=tags,
        related_information=related,
        data=data,
    )


def related(location: types.Location, text: Message) -> types.DiagnosticRelatedInformation:
    """Make a place that explains a diagnostic."""
    return types.DiagnosticRelatedInformation(location=location, message=text)


def pop_up(kind: types.MessageType, text: Message) -> types.ShowMessageParams:
    """Make a message that the editor shows by itself."""
    return types.ShowMessageParams(type=kind, message=text)


def refusal(code: int, text: Message) -> types.ResponseError:
    """Make the answer to a request that cannot be answered."""
    return types.ResponseError(code=code, message=text)


def bar(title: Message, *, cancellable: bool) -> types.WorkDoneProgressBegin:
    """Make the beginning of a progress bar."""
    return types.WorkDoneProgressBegin(title=title, percentage=0, cancellable=cancellable)


def bar_at(percentage: int, text: Message) -> types.WorkDoneProgressReport:
    """Make what a progress bar says on its way."""
    return types.WorkDoneProgressReport(message=text, percentage=percentage)


def action(
    title: Message,
    kind: str,
    diagnostics: Sequence[types.Diagnostic] | None = None,
    *,
    preferred: bool = False,
    edit: types.WorkspaceEdit | None = None,
    command: types.Command | None = None,
) -> types.CodeAction:
    """Make an entry of the light bulb."""
    return types.CodeAction(
        title=title,
        kind=kind,
        diagnostics=diagnostics,
        is_preferred=True if preferred else None,
        edit=edit,
        command=command,
    )


def command(title: Message, name: str, *arguments: object) -> types.Command:
    """Make a command that the client may send back."""
    return types.Command(title=title, command=name, arguments=list(arguments))


def choice(label: Message, data: dict[str, object]) -> dict[str, object]:
    """Make one of the things that the user may choose from; ``data`` comes back."""
    return {"label": label, "data": data}


def question(
    kind: types.MessageType, text: Message, *answers: Message
) -> types.ShowMessageRequestParams:
    """Make a message with buttons."""
    buttons = [types.MessageActionItem(title=answer) for answer in answers]
    return types.ShowMessageRequestParams(type=kind, message=text, actions=buttons)


def annotation(label: Message) -> types.ChangeAnnotation:
    """Make the note of an edit that waits for a yes."""
    return types.ChangeAnnotation(label=label, needs_confirmation=True)


def contents(text: Markdown | Plain, *, markdown: bool) -> types.MarkupContent:
    """Make the contents of a hover or of a documentation."""
    kind = types.MarkupKind.Markdown if markdown else types.MarkupKind.PlainText
    return types.MarkupContent(kind=kind, value=text)


def proposal(
    label: Message,
    kind: types.CompletionItemKind,
    edit: types.TextEdit,
    order: str,
    *,
    detail: Message | None = None,
    documentation: types.MarkupContent | Plain | None = None,
    written: str | None = None,
    follow_up: types.Command | None = None,
) -> types.CompletionItem:
    """Make a completion; ``written`` is what is typed already, and no word for anybody."""
    return types.CompletionItem(
        label=label,
        kind=kind,
        detail=detail,
        documentation=documentation,
        sort_text=order,
        filter_text=written,
        text_edit=edit,
        command=follow_up,
    )


def hint(place: types.Position, label: Message) -> types.InlayHint:
    """Make what an editor shows between the characters of a line."""
    return types.InlayHint(position=place, label=label, kind=types.InlayHintKind.Parameter)


def symbol(
    name: Message,
    kind: types.SymbolKind,
    where: types.Range,
    name_range: types.Range,
    *,
    detail: Message,
    children: Sequence[types.DocumentSymbol] = (),
) -> types.DocumentSymbol:
    """Make an entry of a document's outline."""
    return types.DocumentSymbol(
        name=name,
        kind=kind,
        range=where,
        selection_range=name_range,
        detail=detail,
        children=list(children) or None,
    )


def workspace_symbol(
    name: Message, kind: types.SymbolKind, where: types.Location, container: Message
) -> types.WorkspaceSymbol:
    """Make what is found by its name in the workspace."""
    return types.WorkspaceSymbol(name=name, kind=kind, location=where, container_name=container)
