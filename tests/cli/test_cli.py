"""The command line: exit statuses, streams, and what it does to files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cachekey.cli import main

from tests.support.interrupts import heard

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

CLEAN = "FROM debian:13\nRUN true\n"
# CK601: an error with or without any other rule.
BROKEN = "FROM debian:13\nRUN --mount=type=cache,target=/x,sharing=lokced true\n"
# CK001: information, and its fix is safe.
IDLE = "FROM debian:13\n# cachekey: ignore[CK201]\nRUN true\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CACHEKEY_DEBUG"):
        monkeypatch.delenv(name, raising=False)


def put(name: str, text: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def run(
    *arguments: str, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "cachekey", *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


def lines(data: bytes) -> list[str]:
    return data.decode("utf-8").splitlines()


def checked(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """Check in this process and return the exit status and the JSON report."""
    status = main(["check", "--format", "json", *arguments])
    return status, json.loads(capfd.readouterr().out)


def codes(document: Any) -> list[tuple[str, str]]:
    return [(item["path"], item["code"]) for item in document["findings"]]


# -- usage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (),
            "a command is missing: check, keys, map, ci, diff, explain, rule, settings, builder",
        ),
        (("chekc",), "there is no command 'chekc'; did you mean 'check'?"),
        (("--versoin",), "there is no option '--versoin'; did you mean '--version'?"),
        (("check", "--fromat", "json"), "there is no option '--fromat'; did you mean '--format'?"),
        (("check", "--unsafe-fix"), "no option '--unsafe-fix'; did you mean '--unsafe-fixes'?"),
        (("check", "--format", "xml"), "argument --format: invalid choice: 'xml'"),
        (("check", "--format"), "argument --format: expected one argument"),
        (("check", "--select", "CK101,CK10l"), "--select: no rule is called 'CK10l'"),
        (("check", "--ignore", "split_cache"), "did you mean 'split-cache'?"),
        (("check", "--build-arg", "=x"), "--build-arg takes NAME=VALUE, not '=x'"),
        (("check", "--config", "no.toml"), "--config: no.toml: no such file"),
        (("explain",), "arguments are required: FILE:LINE[:COL]"),
        (("explain", "Dockerfile"), "explain takes FILE:LINE or FILE:LINE:COL, not 'Dockerfile'"),
        (("explain", "no:1"), "no: no such file"),
        (("rule", "CK999"), "no rule is called 'CK999'"),
        (("rule", "CK001", "CK002"), "there is one argument too many: 'CK002'"),
        (("lsp", "--tcp", "here"), "--tcp takes HOST:PORT, not 'here'"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: tuple[str, ...], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(list(arguments)) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("cachekey: ")
    assert err.count("\n") == 1
    assert message in err


def test_wrong_usage_in_a_real_process() -> None:
    done = run("check", "--formt", "a\nb")
    assert (done.returncode, done.stdout) == (2, b"")
    assert lines(done.stderr) == [
        (
            "cachekey: there is no option '--formt'; did you mean '--format'?"
            " (see cachekey check --help)"
        )
    ]


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["check", "--help"]])
def test_help(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    out, err = capfd.readouterr()
    assert "cachekey" in out
    assert err == ""


# -- check -----------------------------------------------------------------------------------------


def test_exit_statuses_in_real_processes() -> None:
    put("clean/Dockerfile", CLEAN)
    put("bad/Dockerfile", BROKEN)
    clean, bad = run("check", "clean"), run("check", "bad")
    assert (clean.returncode, clean.stderr) == (0, b"")
    assert clean.stdout == b"No problems in 1 file.\n"
    assert (bad.returncode, bad.stderr) == (1, b"")
    assert lines(bad.stdout)[0].startswith("bad/Dockerfile:2:")
    assert " CK601 [error] " in lines(bad.stdout)[0]
    both = run("check", "clean", "nowhere", "bad")
    assert both.returncode == 2
    assert lines(both.stderr) == ["cachekey: nowhere: no such file or folder"]
    assert "CK601" in both.stdout.decode()


@pytest.mark.parametrize(
    ("level", "broken", "idle"),
    [
        ("error", 1, 0),
        ("warning", 1, 0),
        ("info", 1, 1),
        ("information", 1, 1),
        ("hint", 1, 1),
        ("never", 0, 0),
    ],
)
def test_fail_on(level: str, broken: int, idle: int, capfd: pytest.CaptureFixture[str]) -> None:
    put("b/Dockerfile", BROKEN)
    put("i/Dockerfile", IDLE)
    assert main(["check", "--fail-on", level, "b"]) == broken
    assert main(["check", "--fail-on", level, "--select", "CK0", "--select", "CK2", "i"]) == idle
    capfd.readouterr()


def test_json_paths_are_relative_to_the_working_directory_and_sorted(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b/Dockerfile", "a/x.dockerfile", "a/Dockerfile", "c/Dockerfile"):
        put(name, BROKEN)
    put("c/Dockerfile", CLEAN)
    status, document = checked(capfd)
    assert (status, document["version"], document["files"]) == (1, 1, 4)
    assert [path for path, code in codes(document) if code == "CK601"] == [
        "a/Dockerfile",
        "a/x.dockerfile",
        "b/Dockerfile",
    ]
    monkeypatch.chdir("a")
    _, document = checked(capfd, "../b", "x.dockerfile", str(Path("../b/Dockerfile").absolute()))
    found = [path for path, code in codes(document) if code == "CK601"]
    assert (found, document["files"]) == (["../b/Dockerfile", "x.dockerfile"], 2)


def test_a_named_file_is_checked_whatever_its_name_and_gitignore(
    capfd: pytest.CaptureFixture[str],
) -> None:
    put(".gitignore", "odd.txt\n")
    put("odd.txt", BROKEN)
    put("odd.json", '{"mounts": [')
    assert checked(capfd)[1]["files"] == 0
    status, document = checked(capfd, "odd.txt", "odd.json")
    assert (status, document["files"]) == (1, 2)
    assert ("odd.txt", "CK601") in codes(document)


def test_options_stand_anywhere_and_repeat(capfd: pytest.CaptureFixture[str]) -> None:
    put("a/Dockerfile", BROKEN)
    put("b/Dockerfile", BROKEN)
    arguments = ("a", "--select", "CK6,CK0", "b", "--ignore=invalid-mount", "--select", "CK2")
    assert codes(checked(capfd, *arguments)[1]) == []
    assert len(codes(checked(capfd, "a", "--select", "CK6", "b")[1])) == 2


def test_standard_input(capfd: pytest.CaptureFixture[str]) -> None:
    done = run("check", "--format", "json", "-", stdin=BROKEN.encode())
    assert done.returncode == 1
    assert ("-", "CK601") in codes(json.loads(done.stdout))
    put("sub/cachekey.toml", 'ignore = ["CK6"]\n')
    done = run("check", "--stdin-filename", "sub/Dockerfile", stdin=BROKEN.encode())
    assert (done.returncode, done.stdout) == (0, b"No problems in 1 file.\n")
    done = run("check", "-", stdin=b"// c\n{}\n")
    assert done.returncode == 0
    done = run("check", "--fix", "-", stdin=IDLE.replace("\n", "\r\n").encode())
    assert done.stdout == b"FROM debian:13\r\nRUN true\r\n"
    assert lines(done.stderr) == ["Fixed 1. No problems in 1 file."]


def test_bad_input_is_told_and_the_rest_is_checked() -> None:
    put("a/Dockerfile", b"\x7fELF\0\0\0")
    put("b/Dockerfile", b"# caf\xe9\n" + BROKEN.encode())
    put("c/Dockerfile", ("\ufeff" + BROKEN).encode("utf-16-le"))
    put("d/Dockerfile/Dockerfile", BROKEN)
    put("e/Dockerfile", b"")
    put("f/devcontainer.json", b'{"mounts": ["')
    if hasattr(os, "mkfifo"):
        os.mkfifo("Dockerfile.fifo")
    done = run("check", "--format", "json", LC_ALL="C", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (1, b"")
    document = json.loads(done.stdout)
    found = codes(document)
    assert document["files"] == 6
    assert ("a/Dockerfile", "CK002") in found
    assert ("b/Dockerfile", "CK002") in found
    for name in ("b/Dockerfile", "c/Dockerfile", "d/Dockerfile/Dockerfile"):
        assert (name, "CK601") in found
    done = run("check", "--ignore", "CK002", "a")
    assert done.returncode == 0


@posix
def test_what_is_no_file_is_refused() -> None:
    os.mkfifo("Dockerfile")
    put("ok/Dockerfile", BROKEN)
    done = run("check", "Dockerfile", "/dev/zero", "ok")
    assert done.returncode == 2
    assert lines(done.stderr) == [
        f"cachekey: {name}: not a regular file; use - to read standard input"
        for name in ("Dockerfile", "/dev/zero")
    ]
    assert "CK601" in done.stdout.decode()


# -- settings --------------------------------------------------------------------------------------


def test_wrong_settings_are_told_where_they_stand_and_the_rest_counts() -> None:
    put("pyproject.toml", '[tool.cachekey]\nignroe = []\nignore = ["CK601"]\n')
    put("Dockerfile", BROKEN)
    done = run("check")
    assert done.returncode == 2
    assert lines(done.stderr) == [
        "cachekey: pyproject.toml:2:1: there is no setting 'ignroe'; did you mean 'ignore'?"
    ]
    assert "CK601" not in done.stdout.decode()


def test_a_settings_file_by_option_and_the_command_line_over_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    put("Dockerfile", BROKEN)
    put("cachekey.toml", 'ignore = ["CK6"]\n')
    put("other.toml", 'severity = {CK601 = "hint"}\n')
    assert codes(checked(capfd)[1]) == []
    status, document = checked(capfd, "--config", "other.toml")
    assert status == 0
    assert [item["severity"] for item in document["findings"]] == ["hint"]
    assert checked(capfd, "--select", "CK601")[0] == 1


def test_each_folder_has_its_own_settings(capfd: pytest.CaptureFixture[str]) -> None:
    put("cachekey.toml", 'exclude = ["vendor"]\n')
    put("a/cachekey.toml", 'ignore = ["CK601"]\n')
    for name in ("a/Dockerfile", "b/Dockerfile", "vendor/Dockerfile"):
        put(name, BROKEN)
    _, document = checked(capfd)
    assert (codes(document), document["files"]) == ([("b/Dockerfile", "CK601")], 2)


# -- fixing ----------------------------------------------------------------------------------------


@posix
def test_fix_writes_files_as_they_were_but_for_the_fix() -> None:
    crlf = put("a/Dockerfile", IDLE.replace("\n", "\r\n"))
    crlf.chmod(0o750)
    wide = put("b/Dockerfile", ("\ufeff" + IDLE).encode("utf-16-be"))
    latin = put("c/Dockerfile", b"# caf\xe9\n" + IDLE.encode())
    other = put("d/Dockerfile", CLEAN)
    stamp = other.stat().st_mtime_ns
    done = run("check", "--fix", "--select", "CK001,CK201")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"Fixed 3. No problems in 4 files.\n"
    assert crlf.read_bytes() == b"FROM debian:13\r\nRUN true\r\n"
    assert crlf.stat().st_mode & 0o777 == 0o750
    assert wide.read_bytes() == ("\ufeff" + CLEAN).encode("utf-16-be")
    assert latin.read_bytes() == b"# caf\xe9\n" + CLEAN.encode()
    assert other.stat().st_mtime_ns == stamp
    again = run("check", "--fix", "--select", "CK001,CK201")
    assert again.stdout == b"No problems in 4 files.\n"


def test_diff_shows_and_does_not_write() -> None:
    path = put("Dockerfile", IDLE)
    done = run("check", "--diff", "--fix")
    assert done.returncode == 0
    assert lines(done.stdout) == [
        "--- a/Dockerfile",
        "+++ b/Dockerfile",
        "@@ -1,3 +1,2 @@",
        " FROM debian:13",
        "-# cachekey: ignore[CK201]",
        " RUN true",
    ]
    assert lines(done.stderr) == ["Would fix 1 in 1 file."]
    assert path.read_text() == IDLE


def test_unsafe_fixes_are_applied_only_when_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    path = put("Dockerfile", IDLE.replace("CK201", "CK101"))
    checked(capfd, "--fix")
    assert "CK101" in path.read_text()
    checked(capfd, "--unsafe-fixes")
    assert "CK101" in path.read_text()
    checked(capfd, "--fix", "--unsafe-fixes")
    assert path.read_text() == CLEAN


def test_a_file_that_cannot_be_written_is_told(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cachekey.disk import writing

    put("Dockerfile", IDLE)
    monkeypatch.setattr(writing, "write", lambda *arguments: "no space left on device")
    assert main(["check", "--fix"]) == 2
    out, err = capfd.readouterr()
    assert err == "cachekey: Dockerfile: cannot be written: no space left on device\n"
    assert "Fixed" not in out


# -- keys, explain, rule ---------------------------------------------------------------------------

MOUNTS = (
    "FROM debian:13\n"
    "RUN --mount=type=cache,id=one,target=/a true\n"
    "RUN --mount=type=cache,id=one,target=/b true\n"
)


def test_keys(capfd: pytest.CaptureFixture[str]) -> None:
    put("sub/Dockerfile", MOUNTS)
    assert main(["keys", "--format", "json", "sub"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert [mount["path"] for mount in document["mounts"]] == ["sub/Dockerfile"] * 2
    assert [cache["mounts"] for cache in document["caches"]] == [[0, 1]]
    assert main(["keys", "--namespace", "team", "--format", "json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert {mount["namespace"] for mount in document["mounts"]} == {"team"}
    assert main(["keys"]) == 0
    assert "sub/Dockerfile:2:" in capfd.readouterr().out


def test_explain(capfd: pytest.CaptureFixture[str]) -> None:
    put("sub/Dockerfile", f"{MOUNTS}CMD true\n")
    put("other/Dockerfile", MOUNTS)
    for place in ("sub/Dockerfile:2", "sub/Dockerfile:2:10"):
        assert main(["explain", place]) == 0
        assert "one" in capfd.readouterr().out
    assert main(["explain", "sub/Dockerfile:4:1"]) == 1
    assert capfd.readouterr().err == "cachekey: sub/Dockerfile:4:1: nothing to explain here\n"
    assert main(["explain", "sub/Dockerfile:99"]) == 2
    assert "sub/Dockerfile has 5 lines" in capfd.readouterr().err


def test_explain_a_line_tells_of_what_begins_there(capfd: pytest.CaptureFixture[str]) -> None:
    put(
        ".devcontainer/devcontainer.json",
        '{\n  "image": "debian:13",\n  "mounts": [\n    "type=volume,source=pip,target=/p",\n'
        '    { "type": "tmpfs", "target": "/x" }\n  ]\n}\n',
    )
    place = ".devcontainer/devcontainer.json"
    heads = {
        2: "The container",
        3: "The container",
        4: "Volume `pip`",
        5: "Memory",
        6: "The container",
    }
    for line, head in heads.items():
        assert main(["explain", f"{place}:{line}"]) == 0
        assert head in capfd.readouterr().out.splitlines()[0].replace("**", "")
    assert main(["explain", f"{place}:4:7"]) == 0
    assert "what is mounted" in capfd.readouterr().out.splitlines()[0]


def test_explain_for_programs(capfd: pytest.CaptureFixture[str]) -> None:
    put("sub/Dockerfile", f"{MOUNTS}RUN pip install x\nCMD true\n")

    def explained(place: str) -> Any:
        assert main(["explain", "--format", "json", place]) == 0
        return json.loads(capfd.readouterr().out)

    assert main(["keys", "--format", "json"]) == 0
    mounts = json.loads(capfd.readouterr().out)["mounts"]
    whole = explained("sub/Dockerfile:3")
    assert (whole["version"], whole["path"]) == (1, "sub/Dockerfile")
    assert whole["mount"] == mounts[1]
    assert whole["range"] == mounts[1]["range"]
    assert main(["explain", "sub/Dockerfile:3"]) == 0
    text = capfd.readouterr().out.replace("**", "").replace("`", "")
    assert all(line.replace("`", "") in text for line in whole["lines"])
    # An option lies in its mount; a command is none.
    option = explained("sub/Dockerfile:2:14")
    assert option["mount"] == mounts[0]
    assert option["range"] != mounts[0]["range"]
    command = explained("sub/Dockerfile:4:5")
    assert (command["mount"], "pip" in command["lines"][0]) == (None, True)
    assert main(["explain", "--format", "json", "sub/Dockerfile:5:1"]) == 1
    assert capfd.readouterr().out == ""


def test_explain_names_nothing_above_the_working_directory(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(".git/HEAD", "ref: refs/heads/main\n")
    put("shop/Dockerfile", MOUNTS)
    put("beside/Dockerfile", MOUNTS)
    assert main(["explain", "shop/Dockerfile:2:10"]) == 0
    assert "beside/Dockerfile" in capfd.readouterr().out
    monkeypatch.chdir("shop")
    assert main(["explain", "Dockerfile:2:10"]) == 0
    assert "beside" not in capfd.readouterr().out


def test_a_wrong_code_is_not_guessed_wildly(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "CK999"]) == 2
    assert "did you mean" not in capfd.readouterr().err
    assert main(["rule", "CK1O1"]) == 2
    assert "CK101" in capfd.readouterr().err


def test_rule(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["rule"]) == 0
    assert capfd.readouterr().out.startswith("CK001  unused-ignore ")
    assert main(["rule", "unused-ignore"]) == 0
    assert capfd.readouterr().out.startswith("CK001 unused-ignore (information, ")
    assert main(["rule", "ck002", "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["name"] == "unreadable-file"
    assert main(["rule", "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)[0]["code"] == "CK001"


def test_pages_are_painted_on_a_terminal_and_markdown_elsewhere(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["rule", "CK101"]) == 0
    assert "## Bad\n```dockerfile\nFROM debian:13" in capfd.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["rule", "CK101"]) == 0
    painted = capfd.readouterr().out
    assert "\x1b[1mBad\x1b[0m\n\x1b[36m    FROM debian:13 AS build\x1b[0m\n" in painted
    assert "Without \x1b[36mid\x1b[0m the key" in painted
    assert "`" not in painted
    assert main(["rule", "keys"]) == 0
    title, *rest = capfd.readouterr().out.splitlines()
    assert title == "\x1b[1;4mHow the key of a cache mount works\x1b[0m"
    assert any(line.startswith("• the ") for line in rest)


def test_explain_is_painted_on_a_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("Dockerfile", MOUNTS)
    assert main(["explain", "Dockerfile:2"]) == 0
    assert capfd.readouterr().out.startswith("**Cache `")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["explain", "Dockerfile:2"]) == 0
    head, _, item, *_ = capfd.readouterr().out.splitlines()
    assert head.startswith("\x1b[1mCache \x1b[0m\x1b[1;36m")
    assert item.startswith("• ")
    assert "`" not in head + item


# -- robustness ------------------------------------------------------------------------------------


def test_checking_does_not_import_the_language_server() -> None:
    put("Dockerfile", BROKEN)
    code = (
        "import sys; from cachekey.cli import main; status = main(['check']);"
        "print({'pygls', 'lsprotocol', 'attrs'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert lines(done.stdout)[-1:] == ["set()"], done.stderr


def test_help_imports_next_to_nothing() -> None:
    code = (
        "import sys; from cachekey.cli import main; main(['--help']);"
        "print([name for name in ('json', 'dataclasses', 'cachekey.dockerfile', 'tomllib')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert lines(done.stdout)[-1:] == ["[]"], done.stderr


@posix
def test_a_closed_pipe_is_no_accident() -> None:
    put("Dockerfile", BROKEN * 2000)
    process = subprocess.Popen(
        [sys.executable, "-m", "cachekey", "check"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) in {0, 1}
    assert errors == b""


@posix
def test_closed_streams_are_no_accident() -> None:
    put("Dockerfile", BROKEN)
    command = 'exec "$0" -m cachekey check >&- 2>&-'
    done = subprocess.run(["sh", "-c", command, sys.executable], check=False)
    assert done.returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_one_line() -> None:
    put("Dockerfile", BROKEN)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cachekey", "check"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert lines(done.stderr) == ["cachekey: output: No space left on device"]


@posix
def test_an_interrupt_is_one_line() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cachekey", "check", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        preexec_fn=heard,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    # The last import in front of the wait for standard input is done when this is told.
    for line in process.stderr:
        if b"cachekey.cli.commands" in line:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert errors.endswith(b"cachekey: interrupted\n")


def test_a_rule_that_fails_costs_one_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cachekey.cli import checker

    def failing(*arguments: object) -> list[object]:
        raise RecursionError("too deep")

    put("Dockerfile", CLEAN)
    monkeypatch.setattr(checker, "examine", failing)
    assert main(["check"]) == 2
    err = capfd.readouterr().err
    assert err.startswith("cachekey: Dockerfile: internal error: RecursionError: too deep (")
    assert err.count("\n") == 1


def test_output_is_utf8_in_every_locale() -> None:
    put("Dockerfile", "FROM debian:13\nRUN --mount=type=cache,target=/ä,sharing=漢 true\n")
    done = run("check", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1
    assert "target=/ä,sharing=漢" in done.stdout.decode("utf-8")


def test_colour_only_when_forced_or_on_a_terminal() -> None:
    put("Dockerfile", BROKEN)
    assert b"\x1b[" not in run("check").stdout
    assert b"\x1b[" in run("check", FORCE_COLOR="1").stdout
