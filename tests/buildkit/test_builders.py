"""Every case on every builder that this machine can have."""

from __future__ import annotations

import pytest

from . import agree, builders, session
from .cases import Case

TAKING_PART = [
    pytest.param(name, case, id=f"{name}-{case.group}-{case.name}")
    for name in builders.NAMES
    for case in session.ALL
    if name in case.expect
]


@pytest.mark.parametrize(("name", "case"), TAKING_PART)
def test_builder_and_keys_agree(name: str, case: Case) -> None:
    """The builder does what is known of it, and Cachekey's keys say the same.

    The generation inside docker 20.10 is compared with Cachekey only where it does what the
    current one does: that is the one Cachekey speaks for.
    """
    done = session.outcome(name, case)
    known = case.expect[name]
    found = agree.surprises(known, done.ok, done.results, done.errors)
    current = case.expect.get("buildkit")
    alike = current is not None and (current.results, current.ok) == (known.results, known.ok)
    if name != "docker" or alike:
        engine = "buildah" if name == "buildah" else "buildkit"
        found += agree.disagreements(case, current if alike and current else known, engine)
    session.tally(name).count(case.name, not found)
    assert not found, f"{case.why}\n" + "\n".join(found) + "\n" + "\n".join(done.logs)[-3000:]
