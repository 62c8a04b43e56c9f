"""What the papers at the top say is so: paths, commands, and what the package tells of itself."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cachekey import __version__
from cachekey.cli import main
from cachekey.report.rules import catalog
from cachekey.workspace.settings_reader import from_toml

from tests.support import generate, papers
from tests.support.checking import check, make_project
from tests.support.together import mounts

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PAPERS = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
MAKEFILES = ("Makefile", "tests/builders.mk", "tests/editors.mk", "tests/pieces.mk")


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
    assert len(named) == 5
    assert set(named) == {(generate.home(), f"v{__version__}")}
    # Another home or version is one change away.
    for paper, make in (("README.md", generate.readme), ("docs/editors.md", generate.published)):
        text = read(paper)
        other = text.replace(generate.home(), "somebody/cachekey").replace(__version__, "9.9.9")
        assert other != text
        assert make(other) == text


def test_the_commands_and_settings_of_the_extension_are_all_told_and_there() -> None:
    given = json.loads(read("client-vscode/package.json"))["contributes"]
    titles = {command["title"] for command in given["commands"]}
    own = read("client-vscode/README.md")
    table = own.partition("\n## Commands\n")[2].partition("\n## ")[0]
    # What the walkthrough's button shows is no command of the palette.
    told = set(re.findall(r"\*\*([^*]+)\*\*(?=[^|]*\|[^|]*\|$)", table, re.MULTILINE))
    assert told == titles - {"Show the Fixes of the Example"}
    named = re.findall(r"\*Cachekey: ([^*]+)\*", read("README.md") + own)
    assert named
    assert set(named) <= titles
    for setting in given["configuration"]["properties"]:
        assert f"`{setting}`" in own


# -- what stands in the papers, and what runs it ----------------------------------------------------


def test_every_block_of_the_papers_is_run_by_a_test_that_is_named() -> None:
    there = [
        f"{paper} {block.name}: {block.language}"
        for paper in (
            *PAPERS,
            "docs/editors.md",
            "docs/dev-containers.md",
            "client-vscode/README.md",
        )
        for block in papers.blocks(paper)
    ]
    part = (
        read("tests/README.md").partition("\n## What stands in the papers")[2].partition("\n## ")[0]
    )
    rows = re.findall(
        r"^\| (\S+\.md) ([^|]+), (\w+)(?: ×(\d))? \| `[\w/]+\.py::\w+`", part, re.MULTILINE
    )
    told = [f"{row[0]} {row[1]}: {row[2]}" for row in rows for _ in range(int(row[3] or 1))]
    assert sorted(told) == sorted(there)


def commands() -> list[str]:
    """Return every command line of the README that calls Cachekey."""
    text = read("README.md")
    shown = re.findall(r"^\$ (cachekey .*?)(?:\s+#.*)?$", text, re.MULTILINE)
    named = re.findall(r"`(cachekey [^`]*)`|\$\((cachekey [^)]*)\)", text)
    table = text.partition("\n## Command line")[2].partition("\n## ")[0]
    given = re.findall(r"^\|[^|]*\| .*?`(--[^`]*)`", table, re.MULTILINE)
    lines = [
        *shown,
        *(one or two for one, two in named),
        *(f"cachekey check {one}" for one in given),
    ]
    # What a shell does with the output is the shell's affair, and a server ends with its client.
    plain = {re.split(r" [>|]", " ".join(line.split()))[0] for line in lines}
    named_only = {"cachekey lsp", "cachekey mcp", "cachekey diff", "cachekey prove"}
    return sorted(plain - named_only)


def test_there_are_commands_in_the_readme() -> None:
    assert len(commands()) > 25


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project as a repository, which the README's commands are run in."""
    place = tmp_path_factory.mktemp("readme") / "shop"
    shutil.copytree(ROOT / "tests" / "examples" / "shop", place)
    (place / "Dockerfile").write_text(
        "FROM python:3.13\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask\n"
    )
    git = ("git", "-c", "user.name=test", "-c", "user.email=test@localhost")
    for words in (("init", "-qb", "main"), ("add", "-A"), ("commit", "-qm", "The shop")):
        subprocess.run([*git, *words], cwd=place, check=True)
    baseline = str(place / "cachekey-baseline.json")
    assert main(["check", str(place), "--write-baseline", baseline]) == 0
    return place


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("line", commands())
def test_the_commands_of_the_readme_run(
    line: str, project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    words = shlex.split(line)[1:]
    if "--watch" in words:
        # It checks until it is interrupted, which is here before it waits.
        monkeypatch.setattr("cachekey.cli.watch.time.sleep", interrupt)
    asks = words[0] in {"builder", "prove"} and "--help" not in words
    if asks:
        monkeypatch.setenv("PATH", "/nowhere")
        monkeypatch.setenv("BUILDKIT_HOST", "unix:///nowhere.sock")
    status = main(words)
    out, err = capfd.readouterr()
    if asks:
        # Everything was understood, and only the builder is missing.
        assert (status, out) == (2, "")
        assert "buildctl is not installed" in err
    else:
        assert status in ((130,) if "--watch" in words else (0, 1)), err


def interrupt(_: float) -> None:
    raise KeyboardInterrupt


def test_the_demo_shows_what_it_promises() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "examples" / "demo.py"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert all(f"$ cachekey {name} shop" in done.stdout for name in ("check", "keys", "explain"))


def test_the_mounts_of_the_readme_are_what_they_are_said_to_be() -> None:
    (mount,) = papers.snippets("Why", "dockerfile")
    text = "FROM python:3.13\nRUN pip install uv\nCOPY uv.lock pyproject.toml ./\n" + mount
    (found,) = mounts(make_project({"Dockerfile": text})).values()
    assert found.key.name == "/root/.cache/uv"
    (ignore,) = papers.snippets("Rules", "dockerfile")
    split = "FROM python:3.13\nRUN --mount=type=cache,target=/root/.cache/pip pip install a\n"
    other = split.replace("FROM", "# more\n\nFROM").replace("type=cache", "type=cache,id=other")
    assert [item.code for item in check({"Dockerfile": split + other})].count("CK101") > 0
    quiet = (split + other).replace("RUN", ignore + "RUN")
    assert "CK101" not in [item.code for item in check({"Dockerfile": quiet})]
