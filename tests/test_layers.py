"""The house has one direction: who may import whom, and what stays out of the core."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import cachekey
import pytest

ROOT = Path(cachekey.__file__).parent
# Each layer may import itself and what stands above it.
LAYERS = [
    ("text", "suggest", "kinds", "record"),
    ("finding", "selectors"),
    ("syntax",),
    ("knowledge", "settings", "settings_edit"),
    ("model",),
    ("rule",),
    ("mountedit", "devcontaineredit", "devcontainerrecipe"),
    ("purpose", "toolmount"),
    ("rules",),
    ("suppress",),
    ("engine",),
    ("fixing", "refactor", "explain_options", "explain_devcontainer", "completion"),
    ("explain", "complete", "complete_devcontainer"),
    ("files", "discovery", "report"),
    ("cli", "lsp", "__main__"),
]
LEVEL = {name: number for number, names in enumerate(LAYERS) for name in names}
FACES = {"files", "discovery", "cli", "lsp", "__main__", "report"}
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


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts != ("__init__",):
            yield parts[0], path, ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Yield imported modules, and whether the import is for the type checker only."""
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in typing_only
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) in typing_only


def test_imports_point_one_way() -> None:
    wrong = []
    for layer, path, tree in modules():
        for name, typing_only in imports(tree):
            if name.startswith("cachekey.") and not typing_only:
                other = name.split(".")[1]
                if other in LEVEL and LEVEL[other] > LEVEL[layer]:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_every_module_has_a_layer() -> None:
    assert {layer for layer, _, _ in modules()} <= set(LEVEL)


def test_pygls_stays_in_lsp() -> None:
    users = {
        str(path.relative_to(ROOT))
        for layer, path, tree in modules()
        for name, _ in imports(tree)
        if name.split(".")[0] in ("pygls", "lsprotocol") and layer != "lsp"
    }
    assert users == set()


def test_the_core_has_no_clock_no_environment_and_no_files() -> None:
    users = {
        f"{path.relative_to(ROOT)}: {name}"
        for layer, path, tree in modules()
        for name, _ in imports(tree)
        if name.split(".")[0] in OUTSIDE and layer not in FACES
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
