"""What the papers at the top say is so: paths, commands, and what the package tells of itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from cachekey import __version__
from cachekey.report.rules import catalog
from cachekey.workspace.settings_reader import from_toml

from tests.support import generate

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PAPERS = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
MAKEFILES = ("Makefile", "tests/builders.mk", "tests/editors.mk")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("paper", PAPERS)
def test_links_lead_somewhere(paper: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", read(paper))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_places_that_contributing_names_are_there() -> None:
    places = re.findall(r"`((?:server|tests|client-vscode)/[^` ]*)`", read("CONTRIBUTING.md"))
    assert len(places) > 10
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_the_tests_that_are_named_are_there() -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", read("tests/README.md"))
    assert len(named) > 40
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / "tests" / path).exists() or f"def {name}(" not in read(f"tests/{path}")
    ]
    assert missing == []


@pytest.mark.parametrize("paper", PAPERS)
def test_make_knows_what_the_papers_call(paper: str) -> None:
    targets = {
        name
        for makefile in MAKEFILES
        for line in re.findall(r"^([a-z-]+(?: [a-z-]+)*):", read(makefile), re.MULTILINE)
        for name in line.split()
    }
    called = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", read(paper)))
    assert called <= targets


def test_the_package_names_the_python_versions_that_it_runs_on() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    named = re.findall(
        r"Programming Language :: Python :: 3\.(\d+)", "\n".join(project["classifiers"])
    )
    minors = [int(minor) for minor in named]
    assert project["requires-python"] == f">=3.{minors[0]}"
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_the_package_s_classifiers_are_sorted_and_told_once() -> None:
    classifiers = tomllib.loads(read("pyproject.toml"))["project"]["classifiers"]
    assert classifiers == sorted(set(classifiers))


def test_settings_in_the_readme_are_read_without_a_word() -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", read("README.md"), re.DOTALL | re.MULTILINE)
    ours = [block for block in blocks if "[language-server" not in block]
    assert len(ours) == 2
    assert [from_toml(block, catalog())[1] for block in ours] == [[], []]


def test_snippets_name_one_repository_and_the_present_version() -> None:
    text = read("README.md")
    named = re.findall(r"([\w-]+/cachekey)(?:@|\n +rev: )(v[\w.]+)", text)
    assert len(named) == 4
    assert set(named) == {(generate.home(), f"v{__version__}")}
    # Another home or version is one change away.
    other = text.replace(generate.home(), "somebody/cachekey").replace(__version__, "9.9.9")
    assert generate.readme(other) == text
