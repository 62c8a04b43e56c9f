"""Files of variables that a service names."""

from __future__ import annotations

import pytest
from cachekey.devcontainer.compose import compose
from cachekey.devcontainer.envfile import set_by_project

FILES = {
    "a/compose.yml": """
services:
  one: { image: x, env_file: one.env, environment: { B: over } }
  some: { image: x, env_file: [one.env, { path: ../two.env, required: false }] }
  absent: { image: x, env_file: [one.env, { path: none.env, required: false }] }
  outside: { image: x, env_file: ../../up.env }
  host: { image: x, env_file: "${HOME}/x.env" }
  wrong: { image: x, env_file: { a: 1 } }
  none: { image: x }
""",
    "a/one.env": "# a comment\nA=/cache # more\nexport B = 'b $x'\nC=\"x\" \nD=${A}/d\nnonsense\n=\n",
    "two.env": "A=two\r\nE=\r\n",
    "up.env": "A=1",
}


@pytest.mark.parametrize(
    ("name", "values", "open_"),
    [
        ("one", {"A": "/cache", "B": "over", "C": "x", "D": None}, False),
        ("some", {"A": "two", "B": "b $x", "C": "x", "D": None, "E": ""}, False),
        ("absent", {"A": "/cache", "B": "b $x", "C": "x", "D": None}, True),
        ("outside", {}, True),
        ("host", {}, True),
        ("wrong", {}, True),
        ("none", {}, False),
    ],
)
def test_what_they_set(name: str, values: dict[str, str | None], open_: bool) -> None:
    asked: list[str] = []

    def read(path: str) -> str | None:
        asked.append(path)
        return FILES.get(path)

    service = compose(["a/compose.yml"], read).service(name)
    assert service is not None
    assert {key: item.text for key, item in service.environment.items()} == values
    assert service.has_env_file is open_
    assert not any(path.startswith("..") for path in asked)


def test_a_file_of_variables_sets_one_or_shows_how() -> None:
    def sets(text: str) -> bool:
        return set_by_project("CACHE", "", {".env": text}.get)

    assert all(map(sets, ("CACHE=/x", "A=1\n export CACHE =/x", "#CACHE=", "# export CACHE=/x")))
    assert not any(map(sets, ("", "CACHE", "MY_CACHE=/x", "A=CACHE=/x", "# set CACHE=/x")))
    # A pattern that goes back and forth over blank lines never came to an end here.
    assert not sets("\n" * 100_000 + "x")
