"""What Windows lacks or does otherwise, played here: its calls, its links, its names, its console."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from cachekey.cli import terminal
from cachekey.disk import discovery, exchange, journal, writing
from cachekey.disk.files import absolute
from cachekey.lsp import uris

OLD, NEW = b"FROM a\r\nRUN b\r\n", b"FROM a\r\nRUN longer\r\n"


@pytest.fixture
def without_posix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away what Windows does not have, and open files that nobody may rename there."""
    for name in ("geteuid", "getegid", "getgroups", "chown", "getuid"):
        monkeypatch.delattr(os, name)
    monkeypatch.setattr(writing, "LOCKS", False)
    monkeypatch.setattr(writing, "exchange", lambda one, other: False)
    monkeypatch.setattr(exchange.sys, "platform", "win32")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.usefixtures("without_posix")
def test_a_file_is_replaced_without_calls_of_posix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(OLD)
    replace, opened = os.replace, set[int]()
    make, close = writing.tempfile.mkstemp, os.close

    def mkstemp(*arguments: str) -> tuple[int, str]:
        descriptor, name = make(*arguments)
        opened.add(descriptor)
        return descriptor, name

    def closing(descriptor: int) -> None:
        opened.discard(descriptor)
        close(descriptor)

    def renaming(one: str, other: str) -> None:
        assert not opened, "Windows renames no file that is open"
        replace(one, other)

    monkeypatch.setattr(writing.tempfile, "mkstemp", mkstemp)
    monkeypatch.setattr(os, "close", closing)
    monkeypatch.setattr(os, "replace", renaming)
    assert writing.write(str(file), OLD, NEW) is None
    assert file.read_bytes() == NEW
    assert [path.name for path in tmp_path.iterdir() if path.name != "state"] == ["Dockerfile"]


@pytest.mark.usefixtures("without_posix")
def test_a_file_that_an_editor_holds_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(OLD)

    def held(one: str, other: str) -> None:
        raise PermissionError(13, "the file is used by another process", other)

    monkeypatch.setattr(os, "replace", held)
    assert writing.write(str(file), OLD, NEW) is None
    assert file.read_bytes() == NEW
    assert list(tmp_path.glob(".cachekey-*")) == []
    assert journal.restore() == []


def test_a_junction_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "round"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text("FROM a\n")
    real = os.scandir

    class Entry:
        """An entry as Windows tells of it."""

        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.entry, self.name = entry, entry.name

        def __getattr__(self, name: str) -> object:
            return getattr(self.entry, name)

        def stat(self, *, follow_symlinks: bool = True) -> object:
            return SimpleNamespace(st_reparse_tag=0xA0000003 if self.name == "round" else 0)

    class Scan:
        def __init__(self, folder: str) -> None:
            with real(folder) as entries:
                self.entries = [Entry(entry) for entry in entries]

        def __enter__(self) -> list[Entry]:
            return self.entries

        def __exit__(self, *error: object) -> None:
            pass

    monkeypatch.setattr(discovery, "_WINDOWS", True)
    monkeypatch.setattr(discovery.os, "scandir", Scan)
    found = discovery.find(absolute(str(tmp_path)))
    assert [path.rsplit("/", 2)[-2] for path in found.files] == ["a"]


@pytest.mark.parametrize(
    "uri", ["file:///c%3A/caf%E9/Dockerfile", "file:///c%3A/%ED%A0%80/x", "file:///c%3A/%FF%00/x"]
)
def test_names_that_are_no_utf16_are_names(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsdecode", lambda data: data.decode("utf-8", "surrogatepass"))
    monkeypatch.setattr(os, "fsencode", lambda path: path.encode("utf-8", "surrogatepass"))
    monkeypatch.setattr(os, "sep", "\\")
    path = uris.to_path(uri)
    assert path is not None
    assert uris.from_path(path) == uri.replace("%00", "")


def test_a_path_with_backslashes_is_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sep", "\\")
    assert uris.normal("C:\\app\\..\\Dockerfile") == "c:/Dockerfile"
    assert uris.from_path(uris.normal("C:\\app\\Dockerfile")) == "file:///c%3A/app/Dockerfile"


@pytest.mark.parametrize("understands", [True, False])
def test_a_bar_is_drawn_where_the_console_understands_escapes(
    understands: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(terminal.os, "name", "nt")
    monkeypatch.setattr(terminal, "_teach_console", lambda number: understands)
    progress = terminal.Progress(stream, patience=0)
    progress("Checking", 1, 2)
    assert bool(stream.getvalue()) is understands


def test_line_ends_leave_as_they_are() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "cp1252", newline="\r\n")
    terminal.write_bytes(stream, "RUN é…\n".encode())
    assert raw.getvalue() == "RUN é…\n".encode()
