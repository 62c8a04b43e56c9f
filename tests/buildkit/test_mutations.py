"""A wrong key rule has to fail: each of these is one, made on purpose.

To try one by hand instead, change the rule in server/cachekey/buildkit/ and run
``pytest tests/buildkit/test_keys.py``: it takes seconds and needs no builder.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from . import agree, ask
from .session import ALL

Row = dict[str, Any]


def plain(row: Row) -> str:
    return f"{row['namespace']}/{row['name']}"


def without(pattern: str) -> Callable[[Row], str]:
    return lambda row: re.sub(pattern, "", row["key"])


MUTATIONS: dict[str, Callable[[Row], str]] = {
    "the owner is left out": without(r"[:,]uid=\d+,gid=\d+,mode=\d+$"),
    "uid is left out": without(r"\buid=\d+,(?=gid=)"),
    "gid is left out": without(r"\bgid=\d+,(?=mode=)"),
    "mode is left out": without(r",mode=\d+$"),
    "from is left out": without(r"(?<=:)from=[^,]*"),
    "the namespace is left out": lambda row: f"{row['name']}:{row['base']}",
    "sharing joins": lambda row: f"{row['key']}:{row['sharing']}",
    "readonly joins": lambda row: f"{row['key']}:{row['readonly']}",
    "the user joins": lambda row: f"{row['key']}:{row['user']}",
    "the stage joins": lambda row: f"{row['key']}:{row['stage']}",
    "the target joins": lambda row: f"{row['key']}:{row['target']}",
    "the id is ignored": lambda row: f"{row['namespace']}/{row['target']}:{row['base']}",
    "ids know no case": lambda row: row["key"].lower(),
    "ids are cleaned": lambda row: row["key"].replace("//", "/").replace("/../", "/").rstrip("/"),
    "blanks are trimmed": lambda row: f"{row['namespace']}/{row['name'].strip()}:{row['base']}",
    "everything is one": lambda row: "",
}


def noticed() -> set[str]:
    """The cases by which Cachekey's answers are found to be wrong."""
    return {
        case.name
        for case in ALL
        if "buildkit" in case.expect
        and not case.open
        and agree.disagreements(case, case.expect["buildkit"], "buildkit")
    }


@pytest.fixture(scope="module")
def before() -> set[str]:
    return noticed()


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_wrong_rule_is_noticed(
    mutation: str, before: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = ask.keys

    def wrong(*args: Any, **more: Any) -> list[Row]:
        rows = right(*args, **more)
        return [r | {"key": MUTATIONS[mutation](r)} if r["key"] is not None else r for r in rows]

    monkeypatch.setattr(ask, "keys", wrong)
    assert noticed() - before


def test_a_missed_refusal_is_noticed(before: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    right = ask.keys

    def blind(*args: Any, **more: Any) -> list[Row]:
        return [row for row in right(*args, **more) if not row["error"]]

    monkeypatch.setattr(ask, "keys", blind)
    assert noticed() - before
