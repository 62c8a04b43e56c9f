"""What is offered fits this very RUN: its tools, its variables, its ids."""

from __future__ import annotations

import pytest
from cachekey.assist.completion import complete
from cachekey.workspace.project import Project

NAMED = (
    "FROM python:3.13 AS a\nARG NS=x\n"
    "RUN --mount=type=cache,id=${NS}-pip,target=/root/.cache/pip pip install x\n"
)
ID = "RUN --mount=type=cache,id=|,target=/root/.cache/pip pip install y\n"


def offered(text: str, **others: str) -> list[str]:
    project = Project()
    for folder, other in others.items():
        project.add(f"{folder}/Dockerfile", other)
    at = text.index("|")
    project.add("Dockerfile", text.replace("|", "", 1))
    return [item.label for item in complete(project, "Dockerfile", at)]


@pytest.mark.parametrize(
    ("said", "first"),
    [("", "pip"), ("ENV UV_CACHE_DIR=/cache/uv\n", "uv"), ("ARG POETRY_CACHE_DIR=/p\n", "Poetry")],
)
def test_a_tool_that_the_file_tells_where_to_cache_comes_first(said: str, first: str) -> None:
    assert offered(f"FROM python:3.13\n{said}RUN |\n")[0] == f"--mount=type=cache for {first}"


@pytest.mark.parametrize(
    ("between", "there"),
    [("", True), ("FROM a\n", True), ("FROM python:3.13\n", False), ("ARG NS=y\n", False)],
)
def test_an_id_is_offered_as_it_can_be_written_here(between: str, there: bool) -> None:
    found = offered(f"{NAMED}{between}{ID}")
    assert ("${NS}-pip" in found) == there
    assert "x-pip" not in found


def test_of_other_files_ids_without_variables_are_offered() -> None:
    plain = NAMED.replace("${NS}-pip", "own")
    found = offered(f"FROM python:3.13\n{ID}", one=NAMED, two=plain)
    assert "own" in found
    assert not [label for label in found if "x-pip" in label or "$" in label]
