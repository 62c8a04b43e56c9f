"""File URIs and paths, in the spellings of several editors."""

from __future__ import annotations

import os

import pytest
from cachekey.lsp import uris
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///work/Dockerfile", "/work/Dockerfile"),
        ("file:///work%20space/a%23b%3Fc/Dockerfile", "/work space/a#b?c/Dockerfile"),
        ("file:///a;b=c/Docker%25file", "/a;b=c/Docker%file"),
        ("file:///caf%C3%A9/%F0%9F%90%B3/Dockerfile", "/café/🐳/Dockerfile"),
        ("file:///work/../work/./Dockerfile", "/work/Dockerfile"),
        ("file:///c%3A/app/Dockerfile", "c:/app/Dockerfile"),
        ("file:///C:/app/Dockerfile", "c:/app/Dockerfile"),
        ("file://localhost/app/Dockerfile", "/app/Dockerfile"),
        ("file://server/share/Dockerfile", "//server/share/Dockerfile"),
        ("file:///what?/Dockerfile#1", "/what?/Dockerfile#1"),
        ("untitled:Untitled-1", None),
        ("vscode-remote://host/app/Dockerfile", None),
        ("file://[broken/Dockerfile", None),
    ],
)
def test_path_of_a_uri(uri: str, path: str | None) -> None:
    assert uris.to_path(uri) == path


@pytest.mark.parametrize(
    "path",
    ["/a b/Dockerfile", "/a#b?c%d;e/Dockerfile", "/é🐳/x", "c:/app/Dockerfile", "//server/share/x"],
)
def test_there_and_back(path: str) -> None:
    assert uris.to_path(uris.from_path(path)) == path


def test_bytes_that_are_no_text_survive() -> None:
    path = os.fsdecode(b"/caf\xe9/Dockerfile")
    assert uris.from_path(path) == "file:///caf%E9/Dockerfile"
    assert uris.to_path("file:///caf%E9/Dockerfile") == path


@given(st.lists(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1)))
def test_every_name_survives(names: list[str]) -> None:
    path = "/" + "/".join(name for name in names if name not in {".", ".."})
    if path[2:3] == ":" or path.startswith("//"):
        return
    assert uris.to_path(uris.from_path(path)) == path


def test_one_document_has_one_name() -> None:
    spellings = ("file:///c%3A/a b/Dockerfile", "file:///C:/a%20b/Dockerfile")
    assert len({uris.same(uri) for uri in spellings}) == 1
    assert uris.same("untitled:a") != uris.same("untitled:b")


@pytest.mark.parametrize(
    ("path", "root", "relative"),
    [
        ("/work/a/Dockerfile", "/work", "a/Dockerfile"),
        ("/workshop/Dockerfile", "/work", None),
        ("/work", "/work", ""),
        ("/Dockerfile", "/", "Dockerfile"),
    ],
)
def test_inside_of_a_folder(path: str, root: str, relative: str | None) -> None:
    assert uris.inside(path, root) == relative
