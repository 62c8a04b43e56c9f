"""Files: what is found, what is read, and what is never opened."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from cachekey.disk import discovery, files
from cachekey.disk.discovery import find
from cachekey.disk.files import absolute, decode, read
from cachekey.disk.settings import SettingsFinder
from cachekey.kinds import kind_in, kind_of
from cachekey.text import Span
from cachekey.workspace.settings import Settings

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")


def tree(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("FROM scratch\n", "utf-8")


def listed(root: Path, **options: object) -> list[str]:
    found = find(absolute(str(root)), **options)  # type: ignore[arg-type]
    return [os.path.relpath(path, root).replace(os.sep, "/") for path in found.files]


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile",
        "dockerfile",
        "Dockerfile.dev",
        "Dockerfile.ubuntu-22.04",
        "Dockerfile.go",
        "Dockerfile-dev",
        "api.dockerfile",
        "api.Dockerfile",
        "Containerfile",
        "Containerfile.prod",
        "Containerfile-prod",
        "Containerfile_prod",
        "a/b/Dockerfile",
    ],
)
def test_names_of_dockerfiles(name: str) -> None:
    assert kind_of(name) == "dockerfile"


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile.md",
        "dockerfile-0.3.3.wasm",
        "Dockerfile.tar.gz",
        "Dockerfile.dev.md",
        "Dockerfile.j2",
        "Dockerfile.dockerignore",
        "Dockerfile.orig",
        "Dockerfile.TXT",
        "Dockerfile.dev~",
        "Dockerfiles",
        "MyDockerfile",
        "dockerfile.go",
        "dockerfile-rails.gemspec",
        "dockerfile.py",
        "Dockerfile.",
        "Devcontainer.json",
        "package.json",
        ".dockerignore",
    ],
)
def test_names_of_other_files(name: str) -> None:
    assert kind_of(name) is None


def test_a_name_that_leaves_it_to_the_text() -> None:
    text = "ARG A=1\nFROM golang:1.25\n"
    for name in ("Dockerfile.diff", "cannon/Dockerfile.diff", "Dockerfile.j2", "Dockerfile_intel"):
        assert kind_in(name, text) == "dockerfile"
    assert kind_in("Dockerfile.orig", text) is None
    diff = "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1 +1 @@\n-FROM a\n+FROM b\n"
    mail = f"From {'1a' * 20} Mon Sep 17 00:00:00 2001\nFrom: a\n"
    for text in (diff, mail):
        assert kind_in("Dockerfile.diff", text) is None
        assert kind_in("Dockerfile.patch", text) is None
    # Blank lines in front are gone over once.
    assert kind_in("Dockerfile.j2", "\n" * 1000 + "FROM a\n") == "dockerfile"
    assert kind_in("Dockerfile.j2", "\n" * 1000 + "a\n") is None


@pytest.mark.parametrize(
    "name",
    [".devcontainer/devcontainer.json", ".devcontainer.json", "src/x/devcontainer-feature.json"],
)
def test_names_of_dev_containers(name: str) -> None:
    assert kind_of(name) == "devcontainer"


# -- finding ---------------------------------------------------------------------------------------


def test_hidden_folders_are_searched_and_foreign_ones_are_not(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "z/Dockerfile",
        "Dockerfile.b",
        ".devcontainer/devcontainer.json",
        ".git/Dockerfile",
        "a/node_modules/x/Dockerfile",
        "readme.md",
    )
    assert listed(tmp_path) == [".devcontainer/devcontainer.json", "Dockerfile.b", "z/Dockerfile"]


def test_gitignore_files_work_together(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "build/Dockerfile",
        "keep/build/Dockerfile",
        "a/Dockerfile.tmp1",
        "a/Dockerfile.keep",
        "b/Dockerfile.tmp1",
        "secret/Dockerfile",
        "odd [x]/Dockerfile",
    )
    (tmp_path / ".git/info").mkdir(parents=True)
    (tmp_path / ".git/info/exclude").write_text("/secret\n")
    (tmp_path / ".gitignore").write_text(
        "# c\nbuild/\n!keep/build/\nDockerfile.tmp*\n!\nodd \\[x]\n"
    )
    (tmp_path / "a/.gitignore").write_text("!Dockerfile.tmp1\n*.keep\n")
    assert listed(tmp_path) == ["a/Dockerfile.tmp1", "keep/build/Dockerfile"]
    assert "build/Dockerfile" in listed(tmp_path, ignore_files=False)


def test_ignore_files_above_the_folder_count_up_to_the_repository(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    tree(repo, "api/gen/Dockerfile", "api/Dockerfile", "api/x/Dockerfile")
    (repo / ".git").mkdir()
    (repo / ".gitignore").write_text("gen/\n")
    (tmp_path / ".gitignore").write_text("x/\n")
    assert listed(repo / "api") == ["Dockerfile", "x/Dockerfile"]


def test_a_folder_that_is_ignored_itself_was_named_on_purpose(tmp_path: Path) -> None:
    tree(tmp_path, "build/Dockerfile")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("build/\n")
    assert listed(tmp_path) == []
    assert listed(tmp_path / "build") == ["Dockerfile"]


def test_excluded_files_and_folders(tmp_path: Path) -> None:
    tree(tmp_path, "a/Dockerfile", "b/Dockerfile", "b/c/Dockerfile")
    asked: list[str] = []

    def excluded(path: str) -> bool:
        asked.append(path)
        return path.endswith("/b/")

    assert listed(tmp_path, excluded=excluded) == ["a/Dockerfile"]
    assert not any("/b/" in path and not path.endswith("/b/") for path in asked)


@posix
def test_compose_files_that_a_devcontainer_json_names(tmp_path: Path) -> None:
    names = ("base.yml", "more.yaml", "other.yml", "gone/out.yml", "deep.json")
    tree(tmp_path / "a", *names, "node_modules/m.yml")
    tree(tmp_path, "outside.yml")
    (tmp_path / "a/.devcontainer").mkdir()
    (tmp_path / "a/.devcontainer/devcontainer.json").write_text(
        """{ "dockerComposeFile": ["../base.yml", "../../outside.yml", "../gone/out.yml", "${x}.yml",
        "../deep.json", "../node_modules/m.yml", "../absent.yml", "/etc/passwd", 3] }""",
        "utf-8",
    )
    (tmp_path / "a/base.yml").write_text(
        "services: { a: { extends: { file: more.yaml, service: a } } }\ninclude: [../outside.yml]\n"
    )
    (tmp_path / "a/more.yaml").write_text("include: [base.yml, more.yaml]\n")
    (tmp_path / "a/.gitignore").write_text("gone\n")
    assert listed(tmp_path / "a") == [".devcontainer/devcontainer.json", "base.yml", "more.yaml"]
    found = find(absolute(str(tmp_path / "a")))
    assert [path.rpartition("/")[2] for path in found.named] == ["base.yml", "more.yaml"]
    (tmp_path / "a/.devcontainer/devcontainer.json").write_text('{ "dockerComposeFile": [[]] }')
    assert listed(tmp_path / "a") == [".devcontainer/devcontainer.json"]


def test_links_stay_inside_and_count_once(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    tree(root, "real/Dockerfile", "other.txt")
    tree(outside, "Dockerfile", "sub/Dockerfile")
    (root / "Dockerfile").symlink_to("real/Dockerfile")
    (root / "Dockerfile.other").symlink_to("other.txt")
    (root / "Dockerfile.out").symlink_to(outside / "Dockerfile")
    (root / "Dockerfile.gone").symlink_to("nowhere")
    (root / "Dockerfile.loop").symlink_to("Dockerfile.loop")
    (root / "folder").symlink_to(outside / "sub")
    (root / "again").symlink_to(".")
    assert listed(root) == ["Dockerfile.other", "real/Dockerfile"]


@posix
def test_only_regular_files_are_found(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Dockerfile")
    (tmp_path / "Dockerfile.d").mkdir()
    tree(tmp_path, "Dockerfile.d/Dockerfile")
    assert listed(tmp_path) == ["Dockerfile.d/Dockerfile"]


def test_a_folder_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, "a/Dockerfile", "b/Dockerfile")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if path.endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(discovery.os, "scandir", refusing)
    found = find(absolute(str(tmp_path)))
    assert [path.rsplit("/", 2)[-2] for path in found.files] == ["b"]
    assert found.problems == ((absolute(str(tmp_path / "a")), "permission denied"),)


# -- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"FROM a\r\n", "FROM a\r\n", "utf-8"),
        (b"\xef\xbb\xbfFROM a", "\ufeffFROM a", "utf-8"),
        ("\ufeffFROM ä\U0001f40b".encode("utf-16-le"), "\ufeffFROM ä\U0001f40b", "utf-16-le"),
        ("\ufeffFROM ä".encode("utf-16-be"), "\ufeffFROM ä", "utf-16-be"),
        (b"", "", "utf-8"),
    ],
)
def test_decoding_and_back(data: bytes, text: str, encoding: str) -> None:
    file = decode("x", data)
    assert (file.text, file.encoding, file.problems) == (text, encoding, ())
    assert file.data == data


def test_bytes_that_are_no_utf8_are_told_and_kept() -> None:
    data = "# é ".encode() + b"caf\xe9\nFROM a\n"
    file = decode("x", data)
    assert file.text is not None
    assert [problem.message for problem in file.problems] == ["the file is not UTF-8: byte 0xE9"]
    assert file.problems[0].span == Span(7, 8)
    assert file.text.endswith("\nFROM a\n")
    assert file.data == data


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\x7fELF\0\0", "binary"),
        (b"\xff\xfeF\0R", "UTF-16"),
        (b"\xff\xfe\x00\xd8", "UTF-16"),
        (b"\xff\xfe\0\0F\0\0\0", "binary"),
        (bytes(range(256)), "binary"),
    ],
)
def test_binary_files_have_no_text(data: bytes, word: str) -> None:
    file = decode("x", data)
    assert file.text is None
    assert len(file.problems) == 1
    assert word in file.problems[0].message


def test_a_large_file_is_read_and_a_huge_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(b"# comment\n" * 500_000)
    assert len(read(str(path)).text or "") == 5_000_000
    monkeypatch.setattr(files, "LARGEST", 4_000_000)
    file = read(str(path))
    assert (file.text, file.failed) == (None, False)
    assert "larger than 4 MB" in file.problems[0].message


@posix
def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Dockerfile")
    for path, why in ((tmp_path / "Dockerfile", "regular"), (tmp_path, "folder")):
        file = read(str(path))
        assert file.text is None
        assert why in file.problems[0].message
    assert "regular" in read("/dev/zero").problems[0].message


def test_a_missing_file_is_an_io_error(tmp_path: Path) -> None:
    file = read(str(tmp_path / "no"))
    assert (file.text, file.failed) == (None, True)
    assert "no such file" in file.problems[0].message
    assert read(str(tmp_path / "a\0b")).text is None


@posix
def test_reading_stays_inside_of_the_root(tmp_path: Path) -> None:
    tree(tmp_path, "root/a", "secret")
    (tmp_path / "root/link").symlink_to("../secret")
    root = str(tmp_path / "root")
    assert read(f"{root}/a", root).text == "FROM scratch\n"
    assert read(f"{root}/link", root).text is None
    assert read(f"{root}/../secret", root).text is None


# -- settings --------------------------------------------------------------------------------------


def place(path: Path) -> str:
    return absolute(str(path))


def test_the_nearest_settings_file_counts(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "c").mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.cachekey]\nnamespace = "top"\n')
    (tmp_path / "a/pyproject.toml").write_text("[project]\n")
    (tmp_path / "a/b/cachekey.toml").write_text('namespace = "deep"\n')
    (tmp_path / "a/b/pyproject.toml").write_text('[tool.cachekey]\nnamespace = "no"\n')
    finder = SettingsFinder()
    assert finder.of(place(tmp_path / "a/b")).settings.namespace == "deep"
    assert finder.of(place(tmp_path / "a")).settings.namespace == "top"
    assert finder.of(place(tmp_path / "c")).path == place(tmp_path / "pyproject.toml")


def test_the_search_ends_at_the_repository(tmp_path: Path) -> None:
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/x").mkdir()
    (tmp_path / "cachekey.toml").write_text('namespace = "outside"\n')
    assert SettingsFinder().of(place(tmp_path / "repo/x")).settings == Settings()


def test_a_broken_settings_file_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "cachekey.toml").write_bytes(b"a = \xff\n")
    found = SettingsFinder().of(place(tmp_path))
    assert found.broken
    assert len(found.problems) == 1
    (tmp_path / "cachekey.toml").unlink()
    (tmp_path / "pyproject.toml").write_text("[tool.cachekey]\nx = = 1\n")
    found = SettingsFinder().of(place(tmp_path))
    assert found.broken
    assert found.problems[0].span is not None
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nname = 'cachekey'\nx = = 1\n")
    assert SettingsFinder().of(place(tmp_path)).problems == ()


def test_exclude_is_relative_to_its_settings_file(tmp_path: Path) -> None:
    tree(
        tmp_path, "vendor/Dockerfile", "api/vendor/Dockerfile", "api/Dockerfile", "api/x/Dockerfile"
    )
    (tmp_path / "cachekey.toml").write_text('exclude = ["/vendor", "api/x"]\n')
    finder = SettingsFinder()
    assert listed(tmp_path, excluded=finder.excluded) == ["api/Dockerfile", "api/vendor/Dockerfile"]
    (tmp_path / "api/cachekey.toml").write_text('exclude = ["vendor"]\n')
    finder = SettingsFinder()
    assert listed(tmp_path, excluded=finder.excluded) == ["api/Dockerfile", "api/x/Dockerfile"]
