"""What docs/editors.md tells users of editors that no test can run, held against what those editors read.

The facts are those of the editors' own documentation and sources; Neovim and Emacs run for real in
tests/editors/test_snippets.py.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from cachekey import __version__
from cachekey.kinds import kind_of
from lsprotocol import types

from tests.support import papers
from tests.support.client import connect
from tests.support.generate import home

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = "docs/editors.md"
COMMAND = ["cachekey", "lsp"]
HELIX_LANGUAGES = {
    "dockerfile": "dockerfile",
    "docker-compose": "dockercompose",
    "docker-bake": "dockerbake",
    "json": "json",
    "jsonc": "jsonc",
}
"""Languages that Helix has, and under which name it tells a server of them."""
TEMPLATE = {"id", "name", "programArgs", "languageMappings", "fileTypeMappings"}
"""What LSP4IJ reads in a template, and this one has."""
FILES = {
    "Dockerfile": "FROM debian:13\nRUN --mount=type=cache,target=/x,sharing=lokced true\n",
    ".devcontainer/devcontainer.json": (
        '{"image": "debian:13", "mounts": ["type=cache,target=/root/.cache/uv"]}\n'
    ),
    "compose.yaml": "services:\n  app:\n    image: debian:13\n    volumes:\n      - a:/x\n",
}
CODES = {"Dockerfile": "CK601", ".devcontainer/devcontainer.json": "CK701"}


def told(name: str) -> Any:
    """Return the first JSON below an editor's name."""
    return json.loads(papers.snippets(name, "json", PAGE)[0])


def test_helix_is_told_of_languages_that_it_has() -> None:
    (text,) = papers.snippets("Helix", "toml", PAGE)
    settings = tomllib.loads(text)
    server = settings["language-server"]["cachekey"]
    assert [server.pop("command"), *server.pop("args")] == COMMAND
    assert server == {}
    for language in settings["language"]:
        assert set(language) == {"name", "language-servers"}
        assert language["language-servers"][-1] == "cachekey"
    assert {language["name"] for language in settings["language"]} == set(HELIX_LANGUAGES)


def template() -> dict[str, Any]:
    found = told("JetBrains")
    assert set(found) == TEMPLATE
    assert shlex.split(found["programArgs"]["default"]) == COMMAND
    return found


@pytest.mark.parametrize(
    "name",
    [
        *("Dockerfile", "Dockerfile.dev", "Dockerfile-dev", "api.Dockerfile", "web.dockerfile"),
        *("Containerfile", "Containerfile_ci", "api.Containerfile", "devcontainer.json"),
        *(".devcontainer.json", "devcontainer-feature.json", "compose.yaml", "compose.dev.yml"),
        *("docker-compose.yml", "docker-compose.dev.yaml", "docker-bake.hcl"),
        *("README.md", "package.json", "decompose.yaml", "NotADockerfile", "main.tf"),
    ],
)
def test_lsp4ij_asks_for_the_files_that_cachekey_reads(name: str) -> None:
    found = [
        mapping["languageId"]
        for mapping in template()["fileTypeMappings"]
        for pattern in mapping["fileType"]["patterns"]
        if fnmatchcase(name, pattern)
    ]
    assert bool(found) is (kind_of(name) is not None)
    assert len(set(found)) < 2


def test_sublime_text_is_told_what_it_asks_for() -> None:
    server = told("Sublime Text")["cachekey"]
    assert server.pop("command") == COMMAND
    assert server.pop("enabled") is True
    assert set(server) == {"selector"}


def test_zed_is_told_which_program_a_server_of_its_extension_is() -> None:
    # As the extension "Dockerfile" names it.
    binary = told("Zed")["lsp"]["dockerfile-language-server"]["binary"]
    assert [binary["path"], *binary["arguments"]] == COMMAND
    (task,) = json.loads(papers.snippets("Zed", "json", PAGE)[1])
    assert shlex.split(task["command"]) == ["cachekey", "check"]


def test_mason_s_description_has_what_its_schema_asks_for() -> None:
    (text,) = papers.snippets("Neovim", "yaml", PAGE)
    package = yaml.safe_load(text)
    asked = {"name", "description", "homepage", "licenses", "languages", "categories", "source"}
    assert set(package) == asked | {"bin", "neovim"}
    assert package["homepage"] == f"https://github.com/{home()}"
    assert set(package["categories"]) <= {
        "Compiler",
        "DAP",
        "Formatter",
        "LSP",
        "Linter",
        "Runtime",
    }
    assert package["source"] == {"id": f"pkg:pypi/cachekey@{__version__}"}
    project = tomllib.loads((papers.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert package["bin"] == {name: f"pypi:{name}" for name in project["scripts"]}
    assert package["licenses"] == [project["license"]]
    # The file of the same name in lsp/ is what Neovim starts.
    assert package["neovim"] == {"lspconfig": "cachekey"}


async def test_the_command_answers_under_every_name_that_editors_give_a_language(
    tmp_path: Path,
) -> None:
    installed = Path(sys.executable).with_name("cachekey")
    program = [shutil.which("cachekey", path=str(installed.parent)) or "", *COMMAND[1:]]
    assert os.access(program[0], os.X_OK), "the command that the snippets call"
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    mapped = [*template()["languageMappings"], *template()["fileTypeMappings"]]
    ids = {item["languageId"] for item in mapped} | set(HELIX_LANGUAGES.values())
    async with connect(tmp_path, "emacs", program=program) as client:
        # By its name a server tells what a file is; the language is the editor's affair.
        for version, language in enumerate(sorted(ids | {"yaml.docker-compose", "yaml"}), 1):
            for name, text in FILES.items():
                uri = (tmp_path / name).as_uri()
                document = types.TextDocumentItem(uri, language, version, text)
                client.text_document_did_open(types.DidOpenTextDocumentParams(document))
                found = {item.code for item in await client.until(uri, version)}
                assert found >= {code for at, code in CODES.items() if at == name}, (name, language)
                closed = types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
                client.text_document_did_close(closed)
