"""What BuildKit refuses, and what its frontend makes of random flags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from . import ask, builders, cases, flags, session
from .builders import Request, UnavailableError
from .cases import Refusal
from .oracle import Oracle, oracle
from .setup import BUILDKIT

REFUSED = [pytest.param(each, id=each.name) for each in cases.refusals()]
EXAMPLES = 2000


@pytest.fixture(scope="module")
def judge() -> Iterator[Oracle]:
    found = session.tally("frontend")
    found.version = BUILDKIT.removeprefix("v")
    try:
        yield oracle()
    except UnavailableError as error:
        found.reason = str(error)
        pytest.skip(str(error))


@pytest.mark.parametrize("case", REFUSED)
def test_cachekey_refuses_in_the_same_words(case: Refusal) -> None:
    assert case.says in ask.refusals(case.dockerfile)


@pytest.mark.parametrize("case", REFUSED)
def test_frontend_says_so(case: Refusal, judge: Oracle) -> None:
    said = judge.ask(case.dockerfile).error
    session.tally("frontend").count(case.name, said == case.says)
    assert said == case.says


@pytest.mark.parametrize("case", REFUSED)
def test_builder_says_so(case: Refusal) -> None:
    try:
        running = builders.builder("buildkit")
        built = running.build(Request(case.dockerfile))
    except UnavailableError as error:
        pytest.skip(str(error))
    agreed = not built.ok and built.error == case.says.strip()
    session.tally("buildkit").version = running.version
    session.tally("buildkit").count(f"refused-{case.name}", agreed)
    assert agreed, built.log


def partition(keys: list[object]) -> list[int]:
    """For every item the place of the first one that is equal to it."""
    return [keys.index(key) for key in keys]


def compare(dockerfile: str, judge: Oracle) -> str:
    """How Cachekey and the frontend differ on a file; empty when they agree."""
    verdict = judge.ask(dockerfile)
    mounts = ask.keys(dockerfile)
    refused = [mount["error"] for mount in mounts if mount["error"]]
    if verdict.error.startswith("unknown instruction"):
        return ""
    if refused and all(error.endswith("it is the root directory") for error in refused):
        # The frontend lets `/.` through, and the container does not start: the cases prove that.
        return ""
    if bool(verdict.error) != bool(refused):
        return f"frontend: {verdict.error or 'accepts'}; Cachekey: {refused or 'accepts'}"
    if verdict.error:
        return "" if verdict.error in refused else f"{verdict.error} is none of {refused}"
    ours = [mount for mount in mounts if mount["key"] is not None]
    theirs = verdict.caches
    if len(ours) != len(theirs):
        return f"{len(theirs)} cache mounts, Cachekey sees {len(ours)}"
    for one, other in zip(ours, theirs, strict=True):
        if one["unresolved"]:
            return f"unresolved in a file that tells everything: {one['unresolved']}"
        if f"{one['namespace']}/{one['name']}" != other.id:
            return f"id {other.id!r}, Cachekey {one['namespace']}/{one['name']!r}"
        if (one["sharing"], one["readonly"]) != (other.sharing, other.readonly):
            return f"{other.sharing} {other.readonly}, Cachekey {one['sharing']} {one['readonly']}"
        if bool(one["base"]) != bool(other.base):
            return f"base {other.base!r}, Cachekey {one['base']}"
    if partition([one["key"] for one in ours]) != partition([other.key for other in theirs]):
        return f"other groups: {[o.key for o in theirs]}, Cachekey {[o['key'] for o in ours]}"
    return ""


def test_random_flags(judge: Oracle) -> None:
    """Accepted or refused in the same words, and the same ids, modes and groups of equal keys."""
    seen: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(flags.dockerfiles())
    def agree(dockerfile: str) -> None:
        seen[dockerfile] += 1
        assert compare(dockerfile, judge) == "", dockerfile

    found = session.tally("frontend")
    try:
        agree()
    finally:
        found.proven |= {f"random-{number}" for number in range(len(seen))}
    assert seen.total() >= EXAMPLES
