"""lsprotocol's types are the same, however they are imported, and cheap when the server does it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from cachekey.lsp import types_loader

ROOT = Path(__file__).parents[2]
PLAIN = """
import lsprotocol.types as types
from pygls.protocol import default_converter
hover = types.Hover(contents="x")
assert default_converter().unstructure(hover) == {"contents": "x"}
assert types.Hover.__slots__
"""


def python(code: str) -> str:
    """Run code in a new interpreter, which has imported nothing, and return what it prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_types_and_the_converter_are_those_of_the_plain_import() -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.support.lsptypes"]
    running = [
        subprocess.Popen([*command, way], stdout=subprocess.PIPE) for way in ("plain", "quick")
    ]
    plain, quick = (json.loads(process.communicate()[0]) for process in running)
    assert plain.keys() == quick.keys()
    assert len(plain) > 600
    for name, said in plain.items():
        assert quick[name] == said, name


def test_the_server_makes_few_of_the_classes() -> None:
    left = python("""
from cachekey.lsp import types_loader
assert types_loader.load()
from cachekey.lsp import features
features.build()
print(len(types_loader._promised))
""")
    assert int(left) > 480


def test_the_installed_versions_are_those_it_is_made_for() -> None:
    # Here to be told when one is renewed: run the comparison above, then name the new version.
    bundled = (ROOT / "client-vscode" / "python" / "requirements.txt").read_text().split()
    for package, versions in types_loader.MADE_FOR.items():
        assert version(package) in versions
        assert any(f"{package}=={known}" in bundled for known in versions)


@pytest.mark.parametrize(
    "change",
    [
        "loader.MADE_FOR['lsprotocol'] = ('2024.0.0',)",
        "loader.MADE_FOR['attrs'] = ()",
        "loader._PYTHONS = ((3, 99), (3, 99))",
        "loader._class_statement = None",
        "loader._resolve = None",
        "import attrs; attrs.define = None",
        "import lsprotocol._hooks",
    ],
)
def test_without_what_it_is_made_for_the_plain_import_counts(change: str) -> None:
    python(f"""
import sys, attrs
from cachekey.lsp import types_loader as loader
define = attrs.define
{change}
assert not loader.load()
assert not loader._promised
attrs.define = define
{PLAIN}""")


def test_a_failure_leaves_attrs_as_it_was() -> None:
    python("""
import attrs
from cachekey.lsp import types_loader as loader
define = attrs.define
loader._class_statement = None
assert not loader.load()
assert attrs.define is define
""")


def test_one_class_is_made_once_by_many_threads() -> None:
    python("""
import sys, threading
from cachekey.lsp import types_loader
assert types_loader.load()
from lsprotocol import types
sys.setswitchinterval(1e-6)
start = threading.Barrier(8)
made = []
def use():
    start.wait()
    made.append((
        types.Hover(contents="x"), types.Command("title", "name"), types.CompletionItem("x"),
        types.WorkspaceEdit(), types.CodeAction("title"), types.TextEdit(None, "x"),
    ))
threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(made) == 8 and all(each == made[0] for each in made)
""")


def test_classes_that_hold_themselves_are_written() -> None:
    python("""
from cachekey.lsp import types_loader
assert types_loader.load()
from lsprotocol import types
place = types.Range(types.Position(0, 0), types.Position(0, 1))
inner = types.SelectionRange(range=place)
written = types_loader.converter().unstructure(types.SelectionRange(range=place, parent=inner))
assert written["parent"]["range"] == written["range"], written
""")


def test_asyncio_is_imported_without_tls_and_leaves_no_trace() -> None:
    python("""
import sys
from cachekey.lsp.server import _import_asyncio
_import_asyncio()
assert "ssl" not in sys.modules
import asyncio, ssl
assert ssl.create_default_context()
assert asyncio.run(asyncio.sleep(0, "done")) == "done"
""")
