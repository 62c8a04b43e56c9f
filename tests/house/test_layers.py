"""The house has one direction: who may import whom, and what stays out of the core."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cachekey
import pytest

ROOT = Path(cachekey.__file__).parent
GROUND = {
    "budget",
    "failure",
    "finding",
    "kinds",
    "markup",
    "nesting",
    "record",
    "selectors",
    "suggest",
    "text",
    "wildcard",
}
# From the ground up: each room may import itself and the rooms above it in this list.
ROOMS = [
    GROUND,
    {"knowledge"},
    {"syntax"},
    {"buildkit"},
    {"commands"},
    {"tools"},
    {"dockerfile"},
    {"devcontainer"},
    {"builds"},
    {"workspace"},
    {"disk"},
    {"edits"},
    {"rules"},
    {"assist"},
    {"checking"},
    {"report"},
    {"lsp"},
    {"builder"},
    {"cli"},
    {"__main__"},
]
LEVEL = {name: number for number, names in enumerate(ROOMS) for name in names}
FACES = {"builder", "disk", "cli", "lsp", "__main__", "report"}
OUTSIDE = {
    "os",
    "time",
    "datetime",
    "socket",
    "subprocess",
    "tempfile",
    "random",
    "urllib",
    "shutil",
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, ast.Module]:
    return {
        name_of(path): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
    }


def room_of(module: str) -> str:
    return module.split(".")[1]


def inner() -> Iterator[tuple[str, ast.Module]]:
    return ((name, tree) for name, tree in modules().items() if name != "cachekey")


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the full names of imported modules, those for the type checker included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in modules() else node.module


def test_imports_point_one_way() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in inner()
        for name in imports(tree)
        if name.startswith("cachekey.") and LEVEL[room_of(name)] > LEVEL[room_of(module)]
    ]
    assert wrong == []


def test_every_module_has_a_room() -> None:
    assert {room_of(name) for name, _ in inner()} == set(LEVEL)


def test_no_circle_of_imports() -> None:
    graph = {name: set(imports(tree)) & set(modules()) for name, tree in inner()}
    # Whoever imports nothing that is left can be taken away; what remains goes in circles.
    while free := {name for name, uses in graph.items() if not uses & set(graph) - {name}}:
        graph = {name: uses for name, uses in graph.items() if name not in free}
    assert graph == {}


def test_pygls_stays_in_lsp() -> None:
    users = {
        module
        for module, tree in inner()
        for name in imports(tree)
        if name.split(".")[0] in ("pygls", "lsprotocol") and room_of(module) != "lsp"
    }
    assert users == set()


def test_the_core_has_no_clock_no_environment_and_no_files() -> None:
    users = {
        f"{module}: {name}"
        for module, tree in inner()
        for name in imports(tree)
        # urllib.parse is about the spelling of addresses: it opens nothing.
        if name != "urllib.parse" and name.split(".")[0] in OUTSIDE and room_of(module) not in FACES
    }
    assert users == set()


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.py")), ids=lambda path: path.stem)
def test_rules_hold_no_tool_facts(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {ast.get_docstring(tree, clean=False)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value not in docstrings:
                assert not node.value.startswith(("/root/", "/var/", "/home/")), node.value
