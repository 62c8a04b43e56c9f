"""Text leaves through `cachekey.markup`: what the type checker cannot see of that is held here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.test_layers import inner, room_of

TYPES = {"Html", "Markdown", "Message", "Output", "Plain", "Terminal"}
TEMPLATES = {"rich", "line", "filled", "lines", "joined"}
"""Functions whose first argument is a template or a separator; all of those of `lines` are."""
WORDY = {
    "ChangeAnnotation",
    "CodeAction",
    "Command",
    "CompletionItem",
    "Diagnostic",
    "DiagnosticRelatedInformation",
    "InlayHint",
    "LogMessageParams",
    "MarkupContent",
    "MessageActionItem",
    "ResponseError",
    "ShowMessageParams",
    "ShowMessageRequestParams",
    "WorkDoneProgressBegin",
    "WorkDoneProgressReport",
}
"""Protocol types that hold words which an editor shows."""


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            yield (node.func.id if isinstance(node.func, ast.Name) else name), node


def names_from(tree: ast.Module, room: str) -> set[str]:
    """Return the names that a module takes from a room."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"cachekey.{room}.")
        for alias in node.names
    }


def test_only_the_exits_make_their_types() -> None:
    wrong = [
        f"{module}:{call.lineno} makes {name}"
        for module, tree in inner()
        if room_of(module) != "markup"
        for made in [TYPES & names_from(tree, "markup")]
        for name, call in calls(tree)
        if name in made and not _is_empty(call)
    ]
    assert wrong == []


def _is_empty(call: ast.Call) -> bool:
    """An empty text has nothing in it that could be wrong."""
    return all(isinstance(arg, ast.Constant) and not arg.value for arg in call.args)


def test_templates_are_literals() -> None:
    wrong = [
        f"{module}:{call.lineno} {name}"
        for module, tree in inner()
        if room_of(module) != "markup"
        for taken in [TEMPLATES & names_from(tree, "markup")]
        for name, call in calls(tree)
        if name in taken
        for argument in (call.args if name == "lines" else call.args[:1])
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str))
    ]
    assert wrong == []


def test_the_protocol_s_words_are_made_in_one_place() -> None:
    wrong = [
        f"{module}:{call.lineno} makes {name}"
        for module, tree in inner()
        if room_of(module) == "lsp" and module != "cachekey.lsp.words"
        for name, call in calls(tree)
        if name in WORDY
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ["print", "input"])
def test_nobody_prints(name: str) -> None:
    allowed = {"cachekey.lsp.transport"}  # says on which port it listens
    users = {
        module for module, tree in inner() for called, _ in calls(tree) if called == name
    } - allowed
    assert users == set()


def test_streams_are_written_to_by_the_terminal_alone() -> None:
    """What goes to stdout and stderr has the type of an exit, or is a file's own bytes."""
    # The second asks git by a pipe of its own.
    allowed = {"cachekey.cli.terminal", "cachekey.cli.revision"}
    wrong = [
        f"{module}:{call.lineno}"
        for module, tree in inner()
        if room_of(module) == "cli" and module not in allowed
        for name, call in calls(tree)
        if name == "write" and isinstance(call.func, ast.Attribute)
    ]
    assert wrong == []


def test_casts_do_not_undo_the_types() -> None:
    wrong = [
        f"{module}:{call.lineno} casts to {words}"
        for module, tree in inner()
        for name, call in calls(tree)
        if name == "cast" and (words := set(re.findall(r"\w+", ast.unparse(call.args[0]))) & TYPES)
    ]
    assert wrong == []
