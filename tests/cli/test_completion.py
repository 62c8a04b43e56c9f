"""Completion in real shells, typed as a user types it."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from cachekey.cli import main
from cachekey.cli.completion import FOLDER, SHELLS
from cachekey.cli.usage import COMMANDS, PARSERS

from tests.cli.test_cli import posix

LIMIT_S = 60
START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], ""),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' insert-tab false; ",
    ),
}
"""How a shell is started, and what it is told first: zsh takes a tab in front of more input for a letter."""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_printed(shell: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    text = capfd.readouterr().out
    assert text == (FOLDER / f"cachekey.{shell}").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if name not in text] == []


def test_another_shell_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "invalid choice: 'tcsh' (choose from" in capfd.readouterr().err


def test_every_command_is_completed() -> None:
    assert list(PARSERS) == list(COMMANDS)


def typed(shell: str, folder: Path, line: str) -> str:
    """Type a line into a real shell, and return what the program would be called with."""
    command, start = START[shell]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ |= {"PS1": "> ", "TERM": "dumb", "HISTFILE": ""}
        os.execvp(command[0], command)
    try:
        # The words are put together by the shell, so that its echo of the line does not hold them.
        call = "cachekey() { printf '<%s' called; printf ' %s' \"$@\"; echo '>'; }"
        script = f"{start}{call}; eval \"$(<{FOLDER}/cachekey.{shell})\"; printf '<%s\\n' ready\n"
        os.write(terminal, script.encode())
        until(terminal, "<ready")
        os.write(terminal, line.encode())
        return until(terminal, ">", after="<called")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


def until(terminal: int, word: str, after: str = "") -> str:
    """Read until a word comes; return what stands between it and the one before."""
    said, deadline = "", time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 5)
        if ready:
            said += os.read(terminal, 65536).decode(errors="replace")
        _, found, rest = said.rpartition(after) if after else ("", " ", said)
        if found and word in rest:
            return rest.partition(word)[0].strip()
    raise AssertionError(said)


@posix
@pytest.mark.parametrize("shell", START)
@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("cachekey comp\tfi\t\n", "completion fish"),
        ("cachekey check --output-f\tx --format sar\tDockerf\t\n", None),
        ("cachekey check --select unlo\t\n", "check --select unlocked-cache"),
        ("cachekey rule CK60\t\n", "rule CK601"),
        ("cachekey keys --engine builda\tDockerf\t\n", "keys --engine buildah Dockerfile"),
    ],
)
def test_a_shell_completes(shell: str, line: str, meant: str | None, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed: `make judges` does it where it can")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    expected = meant or "check --output-file x --format sarif Dockerfile"
    assert " ".join(typed(shell, tmp_path, line).split()) == expected


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("cachekey comp", ["completion"]),
        ("cachekey completion ", ["bash", "fish", "zsh"]),
        ("cachekey check --output-f", ["--output-file"]),
        ("cachekey check --format sar", ["sarif"]),
        ("cachekey rule CK60", ["CK601"]),
        ("cachekey keys Docker", ["Dockerfile"]),
        ("cachekey prove --context ", ["Dockerfile"]),
    ],
)
def test_fish_completes(line: str, offered: list[str], tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {FOLDER}/cachekey.fish; complete -C '{line}'"],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_S,
    )
    found = sorted(line.partition("\t")[0] for line in done.stdout.splitlines())
    assert [item for item in found if not item.startswith("home")] == offered
