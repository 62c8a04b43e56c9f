"""What ``check`` writes where, what it leaves out, and how a project adopts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cachekey.cli import main
from cachekey.cli.workers import WORTH

from tests.cli.test_cli import BROKEN, CLEAN, _folder, checked, codes, posix, put, run
from tests.support.interrupts import heard

__all__ = ["_folder"]

HINTED = "FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"
DEFECTS = (
    "FROM python:3.13\n"
    "RUN --mount=type=cache,target=/root/.cache/pip,sharing=lokced pip install x\n"
    "RUN --mount=type=cache,target=/root/.cache/uv pip install x\n"
)


def test_a_file_that_is_not_there_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    put(".devcontainer/devcontainer.json", '{"build": {"dockerfile": "Dockerfile"}}\n')
    assert main(["check"]) == 1
    assert "CK710 [error] There is no file .devcontainer/Dockerfile" in capfd.readouterr().out
    put(".devcontainer/Dockerfile", "FROM debian:13\n")
    assert main(["check"]) == 0


def test_a_compose_file_that_a_devcontainer_json_names(capfd: pytest.CaptureFixture[str]) -> None:
    named = '{ "dockerComposeFile": "../base.yml", "service": "app", "workspaceFolder": "/w" }'
    put(".devcontainer/devcontainer.json", named)
    text = "services:\n  app:\n    image: debian:13\n    volumes: [history:/history]\n"
    put("base.yml", text)
    put("manifest.yml", text)
    assert codes(checked(capfd)[1]) == [("base.yml", "CK718")]
    # In several processes the file is the same.
    for number in range(WORTH):
        put(f"d{number}/Dockerfile", CLEAN)
    assert codes(checked(capfd, "--jobs", "2")[1]) == [("base.yml", "CK718")]
    assert main(["check", "--fix", "."]) == 0
    assert Path("base.yml").read_text("utf-8").endswith("volumes:\n  history:\n")
    assert Path("manifest.yml").read_text("utf-8") == text
    # Whoever names a file of YAML means a compose file, by whatever name.
    put("base.yml", text)
    capfd.readouterr()
    assert main(["check", "base.yml"]) == 0
    assert "Dockerfile" not in capfd.readouterr().out


def test_hints_are_counted_unless_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    put("Dockerfile", HINTED)
    assert main(["check"]) == 0
    out = capfd.readouterr().out
    assert out.startswith("No problems in 1 file. ")
    assert out.endswith(" not shown (--hints).\n")
    for asked in (["--hints"], ["--select", "CK503"]):
        assert main(["check", *asked]) == 0
        assert "CK503 [hint]" in capfd.readouterr().out
    assert main(["check", "--fail-on", "hint"]) == 1
    assert "CK503 [hint]" in capfd.readouterr().out
    main(["check", "--format", "github"])
    assert capfd.readouterr().out == ""
    assert ("Dockerfile", "CK503") in codes(checked(capfd)[1])


def test_a_severity_that_was_raised_is_no_hint(capfd: pytest.CaptureFixture[str]) -> None:
    put("Dockerfile", HINTED)
    put("cachekey.toml", '[severity]\nCK503 = "warning"\n')
    assert main(["check"]) == 1
    assert "CK503 [warning]" in capfd.readouterr().out


@pytest.mark.parametrize("kind", ["text", "json", "markdown", "junit", "gitlab", "sarif"])
def test_the_output_file_holds_the_report(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    put("Dockerfile", BROKEN)
    assert main(["check", "--format", kind]) == 1
    wanted = capfd.readouterr().out
    put("report", "something longer than nothing that was there before")
    for _ in range(2):
        assert main(["check", "--format", kind, "--output-file", "report"]) == 1
        assert (capfd.readouterr().out, Path("report").read_text("utf-8")) == ("", wanted)
        Path("report").unlink()
    assert sorted(os.listdir()) == [".git", "Dockerfile"]


@pytest.mark.parametrize("place", ["no/report", "folder"])
def test_an_output_file_that_cannot_be_written(
    place: str, capfd: pytest.CaptureFixture[str]
) -> None:
    put("Dockerfile", BROKEN)
    Path("folder").mkdir()
    assert main(["check", "--output-file", place]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"cachekey: --output-file: {place}: ")
    assert sorted(os.listdir()) == [".git", "Dockerfile", "folder"]


def test_statistics(capfd: pytest.CaptureFixture[str]) -> None:
    put("a/Dockerfile", BROKEN)
    put("b/Dockerfile", BROKEN)
    assert main(["check", "--statistics", "--select", "CK601"]) == 1
    assert capfd.readouterr().out.splitlines()[0] == "2  CK601 invalid-mount (error), 2 fixable"
    assert main(["check", "--statistics", "--format", "json"]) == 1
    assert json.loads(capfd.readouterr().out)["rules"][0]["count"] >= 2
    assert main(["check", "--statistics", "--format", "sarif"]) == 2
    assert "--statistics are text or json, not sarif" in capfd.readouterr().err


# -- adopting --------------------------------------------------------------------------------------


def test_a_baseline_hides_what_was_there_and_nothing_else(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a/Dockerfile", DEFECTS)
    assert main(["check", "--write-baseline", "base.json"]) == 0
    assert capfd.readouterr().err.endswith(" to base.json.\n")
    assert main(["check", "--baseline", "base.json"]) == 0
    assert "known from the baseline" in capfd.readouterr().out
    # Lines that move are the same, from whatever folder.
    put("a/Dockerfile", DEFECTS.replace("RUN", "# a comment\nRUN", 1))
    monkeypatch.chdir("a")
    assert main(["check", "--baseline", "../base.json"]) == 0
    put("Dockerfile", DEFECTS.replace("lokced", "lockde"))
    capfd.readouterr()
    assert main(["check", "--baseline", "../base.json"]) == 1
    out = capfd.readouterr().out
    assert " CK601 [error] " in out
    assert "CK301" not in out


def test_known_findings_are_not_fixed(capfd: pytest.CaptureFixture[str]) -> None:
    put("Dockerfile", DEFECTS)
    main(["check", "--write-baseline", "base.json"])
    more = "RUN --mount=type=cache,target=/x,sharing=shraed true\n"
    put("Dockerfile", DEFECTS + more)
    assert main(["check", "--fix", "--baseline", "base.json"]) == 0
    assert Path("Dockerfile").read_text() == DEFECTS + more.replace("shraed", "shared")
    capfd.readouterr()


@pytest.mark.parametrize(
    "text", [None, "", "[]", '{"version": 9, "findings": []}', '{"version": 1, "findings": 1}']
)
def test_a_wrong_baseline_hides_nothing(
    text: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    put("Dockerfile", BROKEN)
    if text is not None:
        put("base.json", text)
    assert main(["check", "--baseline", "base.json"]) == 2
    out, err = capfd.readouterr()
    assert "CK601" in out
    assert err.startswith("cachekey: --baseline: base.json: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["Dockerfile", ".devcontainer/devcontainer.json"])
def test_ignores_are_added_until_nothing_is_left(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = (
        DEFECTS if name == "Dockerfile" else '{"image": "a",\n "mounts": ["type=cache,target=/x"]}'
    )
    put(name, text)
    assert main(["check"]) == 1
    assert main(["check", "--add-ignores"]) == 0
    assert "Ignored " in capfd.readouterr().err
    assert main(["check"]) == 0
    changed = Path(name).read_text()
    kept = [line for line in changed.splitlines() if "cachekey: ignore[" not in line]
    assert "\n".join(kept).strip() == text.strip()
    assert main(["check", "--add-ignores"]) == 0
    assert Path(name).read_text() == changed
    assert capfd.readouterr().err == "Ignored 0 findings in 0 files.\n"


def test_options_that_contradict_each_other(capfd: pytest.CaptureFixture[str]) -> None:
    put("Dockerfile", BROKEN)
    assert main(["check", "--fix", "--add-ignores"]) == 2
    assert "--fix and --add-ignores do not go together" in capfd.readouterr().err
    assert main(["check", "--fix", "--watch"]) == 2
    assert "--watch only looks at files" in capfd.readouterr().err
    assert Path("Dockerfile").read_text() == BROKEN


# -- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["settings"], ["check", "--show-settings"]])
def test_settings_tell_who_set_them(command: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    put("a/Dockerfile", CLEAN)
    put("pyproject.toml", '[project]\nname = "x"\n[tool.cachekey]\nnamespace = "n"\n')
    put("a/cachekey.toml", 'ignore = ["CK503"]\n')
    assert main([*command, "--engine", "buildah", ".", "a/Dockerfile"]) == 0
    out = capfd.readouterr().out
    first, second = out.split("a/Dockerfile (a/cachekey.toml)")
    assert 'namespace  = "n"  # pyproject.toml:4' in first
    assert "ignore     = []  # default" in first
    assert 'engine     = "buildah"  # --engine' in first
    assert 'ignore     = ["CK503"]  # a/cachekey.toml:1' in second
    assert 'namespace  = ""  # default' in second


def test_settings_as_data(capfd: pytest.CaptureFixture[str]) -> None:
    put("cachekey.toml", '[severity]\nCK503 = "off"\nCK101 = "error"\n')
    assert main(["settings", "--format", "json"]) == 0
    (place,) = json.loads(capfd.readouterr().out)["places"]
    assert place["file"] == "cachekey.toml"
    assert place["settings"]["severity"] == {
        "value": {"CK503": "off", "CK101": "error"},
        "origins": [{"kind": "file", "path": "cachekey.toml", "line": 0}],
    }


def test_settings_tell_every_place_that_has_a_say(capfd: pytest.CaptureFixture[str]) -> None:
    put("shared/base.toml", 'engine = "buildah"\nignore = ["CK503"]\n[severity]\nCK1 = "hint"\n')
    put(
        "cachekey.toml",
        'extend = "shared/base.toml"\nengine = "buildkit"\nignore = ["CK501"]\n'
        '[[overrides]]\npaths = ["old/"]\nignore = ["CK6"]\nseverity = {CK2 = "error"}\n',
    )
    put("old/Dockerfile", BROKEN)
    assert main(["settings", ".", "old/Dockerfile"]) == 0
    first, second = capfd.readouterr().out.split("old/Dockerfile (cachekey.toml)")
    assert 'engine     = "buildkit"  # cachekey.toml:2' in first
    both = "# shared/base.toml:2 (extended), cachekey.toml:3"
    assert f'ignore     = ["CK501", "CK503"]  {both}\n' in first
    assert 'severity   = {"CK1": "hint"}  # shared/base.toml:3 (extended)\n' in first
    assert f'ignore     = ["CK6", "CK501", "CK503"]  {both}, cachekey.toml:6 (override)' in second
    assert 'severity   = {"CK1": "hint", "CK2": "error"}' in second
    # Whoever chooses rules lifts what the files leave out.
    assert main(["check", "--show-settings", "--select", "CK5", "--ignore", "CK502"]) == 0
    out = capfd.readouterr().out
    assert 'select     = ["CK5"]  # --select\n' in out
    assert 'ignore     = ["CK502"]  # --ignore\n' in out


def test_settings_tell_what_counts_in_vs_code_only(capfd: pytest.CaptureFixture[str]) -> None:
    put("cachekey.toml", 'ignore = ["CK503"]\n')
    put(
        ".vscode/settings.json",
        '{\n  // ours\n  "cachekey.ignore": ["CK501"],\n  "cachekey.engine": "buildah",\n'
        '  "cachekey.path": "x", "cachekey": 3, "other.select": 1,\n}\n',
    )
    assert main(["settings"]) == 0
    out = capfd.readouterr().out
    also = "in VS Code also .vscode/settings.json"
    assert f'ignore     = ["CK503"]  # cachekey.toml:1; {also}:3\n' in out
    assert f'engine     = "buildkit"  # default; {also}:4\n' in out
    assert out.count(also) == 2
    for odd in ("", "[", '"cachekey.ignore"', "\0"):
        put(".vscode/settings.json", odd)
        assert main(["settings"]) == 0
    assert main(["settings", "--format", "json"]) == 0
    assert "vscode" not in capfd.readouterr().out


def test_overrides_count_for_the_files_that_they_name(capfd: pytest.CaptureFixture[str]) -> None:
    put("shared/base.toml", '[[overrides]]\npaths = ["older/"]\nignore = ["CK601"]\n')
    put(
        "cachekey.toml",
        'extend = "shared/base.toml"\n[[overrides]]\npaths = ["*.dev", "!new.dev"]\n'
        'severity = {CK601 = "info"}\n',
    )
    for name in ("Dockerfile", "older/Dockerfile", "a/Dockerfile.dev"):
        put(name, BROKEN)
    assert main(["check", "--format", "json"]) == 1
    found = json.loads(capfd.readouterr().out)["findings"]
    assert [(item["path"], item["severity"]) for item in found] == [
        ("Dockerfile", "error"),
        ("a/Dockerfile.dev", "information"),
    ]


@pytest.mark.parametrize(
    ("extend", "why"),
    [
        ('"none.toml"', "cachekey.toml:1:10: extend names no file: 'none.toml'"),
        ('"folder"', "cachekey.toml:1:10: extend names a folder, not a file: 'folder'"),
        ('"../out.toml"', "cachekey.toml:1:10: extend leads out of the workspace: '../out.toml'"),
        ('"/etc/hostname"', "extend leads out of the workspace: '/etc/hostname'"),
        ('"link.toml"', "extend leads out of the workspace: 'link.toml'"),
        ('"round.toml"', "round.toml:1:10: extend goes round in a circle: 'cachekey.toml'"),
        ('"cachekey.toml"', "cachekey.toml:1:10: extend goes round in a circle"),
        ('"broken.toml"', "broken.toml:1:1: this is not TOML"),
        ('"pyproject.toml"', "'pyproject.toml' has no table [tool.cachekey]"),
        ('"long/0.toml"', "long/9.toml:1:10: more than 10 files extend each other"),
        ("3", "cachekey.toml:1:10: extend must be the path of a settings file, not a number"),
        ('["a.toml"]', "extend must be the path of a settings file, not a list"),
        ('"a\\u0000b"', "cachekey.toml:1:10: extend names no file"),
    ],
)
def test_what_cannot_be_extended_is_told_and_the_rest_counts(
    extend: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    put("Dockerfile", BROKEN)
    put("cachekey.toml", f'extend = {extend}\nseverity = {{CK601 = "info"}}\n')
    put("../out.toml", 'ignore = ["CK601"]\n')
    Path("folder").mkdir()
    Path("link.toml").symlink_to("/etc/hostname")
    put("round.toml", 'extend = "cachekey.toml"\n')
    put("broken.toml", "= 3\n")
    put("pyproject.toml", "[project]\n")
    for number in range(12):
        put(f"long/{number}.toml", f'extend = "{number + 1}.toml"\n')
    assert main(["check"]) == 2
    out, err = capfd.readouterr()
    assert " CK601 [information] " in out
    assert why in err
    assert err.count("\n") == 1


def test_wrong_settings_are_told(capfd: pytest.CaptureFixture[str]) -> None:
    put("cachekey.toml", "selct = []\n")
    assert main(["settings"]) == 2
    assert "there is no setting" in capfd.readouterr().err
    assert main(["settings", "nowhere"]) == 2
    assert "nowhere: no such file or folder" in capfd.readouterr().err
    Path("folder.toml").mkdir()
    assert main(["check", "--config", "folder.toml"]) == 2
    assert "--config: folder.toml is a folder" in capfd.readouterr().err


# -- streams ---------------------------------------------------------------------------------------


@posix
def test_whoever_stops_reading_has_seen_enough() -> None:
    for number in range(400):
        put(f"d{number}/Dockerfile", BROKEN)
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m cachekey check | head -1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    first, status = done.stdout.decode().splitlines()
    assert " CK601 [error] " in first
    assert (status, done.stderr) == ("0", b"")


@posix
def test_watching_checks_again_at_a_change() -> None:
    put("Dockerfile", CLEAN)
    with subprocess.Popen(
        [sys.executable, "-m", "cachekey", "check", "--watch"],
        preexec_fn=heard,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "No problems in 1 file.\n"
        assert process.stderr.readline().startswith("Watching")
        # A changed size is seen even where times are coarse.
        put("Dockerfile", BROKEN)
        assert " CK601 [error] " in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            process.stdout.read()
            time.sleep(0.05)
        assert process.returncode == 130


def test_a_run_in_a_process_reports_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    put("Dockerfile", BROKEN)
    main(["check", "--format", "gitlab"])
    here = capfd.readouterr().out
    assert run("check", "--format", "gitlab").stdout.decode() == here


def test_files_that_build_are_read_once_however_many_rounds_a_repair_takes(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from cachekey.workspace import project

    read: list[str] = []
    original = project.read_build_file

    def counted(path: str, *rest: Any) -> Any:
        read.append(path)
        return original(path, *rest)

    monkeypatch.setattr(project, "read_build_file", counted)
    put("Makefile", "build:\n\tdocker build s1\n")
    for number in range(WORTH):
        put(f"s{number}/Dockerfile", CLEAN)
    times = []
    for slips in (1, 4):
        wrong = "".join(f",id=a{number},=b" for number in range(slips))
        put("Dockerfile", f"FROM debian:13\nRUN --mount=type=cache,target=/x{wrong} true\n")
        read.clear()
        main(["check", "--diff", "--jobs", "1"])
        assert f"Would fix {slips}" in capfd.readouterr().err
        times.append(len(read))
    assert times[0] == times[1], times
