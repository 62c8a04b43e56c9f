"""The documentation's site: its links lead somewhere, its examples are true, and it needs no network."""

from __future__ import annotations

import importlib.util
import os
import posixpath
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from cachekey.report.rules import catalog

from tests.support.checking import check
from tests.support.judges import library

ROOT = Path(__file__).parents[2]
LIMIT_S = 300


@pytest.fixture(scope="module")
def site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs" / "pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_rule_and_every_entry_of_the_menu_has_a_page(site: ModuleType) -> None:
    pages = dict(site.pages())
    assert set(site.NAV.values()) | {f"rules/{entry.code}.md" for entry in catalog()} == set(pages)
    assert all(text.startswith("# ") for text in pages.values())


def test_links_lead_to_pages(site: ModuleType) -> None:
    pages, wrong, count = dict(site.pages()), [], 0
    for path, text in pages.items():
        outside_code = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)]+)\)", outside_code):
            if re.match(r"https?:", target):
                continue
            place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            count += 1
            image = place.startswith("images/") and (ROOT / "client-vscode" / place).is_file()
            if place not in pages and not image:
                wrong.append((path, target))
    assert wrong == []
    assert count > 150


def test_the_examples_of_dev_containers_are_what_they_are_said_to_be() -> None:
    text = (ROOT / "docs" / "dev-containers.md").read_text(encoding="utf-8")
    wrong, right = re.findall(r"^```json\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    found = [item.code for item in check({".devcontainer/devcontainer.json": wrong})]
    assert found == ["CK701"]
    assert check({".devcontainer/devcontainer.json": right}) == []


def test_the_site_is_built_and_shown_without_a_network(site: ModuleType, tmp_path: Path) -> None:
    mkdocs = library("mkdocs-1.6.1")
    assert site.main(str(tmp_path / "pages"), str(tmp_path / "site")) == 0
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q", "-f", str(tmp_path / "mkdocs.yml")],
        env={**os.environ, "PYTHONPATH": str(mkdocs)},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    built = tmp_path / "site"
    taken = r"""<(?:script|img|iframe)[^>]*\ssrc=["']?(?:https?:)?//|<link[^>]*\shref=["']?(?:https?:)?//"""
    asking = re.compile(taken + r"|@import|url\([\"']?(?:https?:)?//")
    loud = [
        path.name
        for path in built.rglob("*")
        if path.suffix in {".html", ".css"} and asking.search(path.read_text(encoding="utf-8"))
    ]
    assert loud == []
    page = (built / "rules" / "CK201.html").read_text(encoding="utf-8")
    assert "cache-not-writable" in page
    assert '<span class="k">FROM</span>' in page
