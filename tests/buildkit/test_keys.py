"""Cachekey's keys against what is known of the builders: needs none of them."""

from __future__ import annotations

import pytest

from . import agree, cases
from .cases import Case
from .claims import claim
from .session import ALL

ENGINES = ("buildkit", "buildah")
TAKING_PART = [
    pytest.param(case, engine, id=f"{engine}-{case.group}-{case.name}")
    for engine in ENGINES
    for case in ALL
    if engine in case.expect and case.about_keys
]


@pytest.mark.parametrize(("case", "engine"), TAKING_PART)
def test_keys_are_the_builders(case: Case, engine: str) -> None:
    assert agree.disagreements(case, case.expect[engine], engine) == []


def test_every_marker_is_judged() -> None:
    """A harness that finds no mount for a marker would agree with everything."""
    unjudged = {"mountpoint-existing-kept", "from-volume-is-copy", "type-omitted-is-bind"}
    silent = []
    for case in ALL:
        known = case.expect.get("buildkit")
        marks = known is not None and "r" in known.results and case.about_keys
        if marks and case.name not in unjudged and "r" not in claim(case).shared:
            silent.append(case.name)
    assert silent in ([], ["flag-after-command"])


def test_names_are_unique() -> None:
    assert len({case.name for case in ALL}) == len(ALL)
    assert len({case.prefix for case in ALL}) == len(ALL)


def test_a_difference_between_builders_is_explained() -> None:
    """Our own cases say why another builder does otherwise."""
    for case in cases.own():
        results = {str(case.expect[name]) for name in case.expect}
        assert bool(case.differs) == (len(results) > 1), case.name
