"""Promise: whatever built before a fix builds after it, and what was refused is mended by its fix.

Every automatic fix of every rule's cases is applied. BuildKit's frontend judges all fixed files;
a real BuildKit then builds those of the rules' own cases, all stages of them, and each file with
all of its fixes together.
"""

from __future__ import annotations

import pytest

from . import repairs, session
from .kinds import UnavailableError
from .oracle import Verdict, oracle
from .repairs import REFUSED, Repair


def judge(text: str) -> Verdict:
    """What BuildKit's frontend makes of the file and of all its stages."""
    return oracle().ask(repairs.whole(text))


def explained(repair: Repair, complaint: str) -> bool:
    """Whether Cachekey still says of the fixed file what the builder says."""
    words = complaint.partition(" (did you mean")[0]
    return any(words in left for left in repair.left)


def test_the_frontend_takes_every_fixed_file() -> None:
    found = session.tally("oracle")
    wrong = []
    for repair in repairs.repairs():
        try:
            before, after = judge(repair.before).error, judge(repair.after).error
        except UnavailableError as error:
            pytest.skip(str(error))
        agreed = not after or after == before or (bool(before) and explained(repair, after))
        found.count(f"fix {repair.name}", agreed)
        if not agreed:
            wrong.append(f"{repair.name}: {after}, before: {before or 'fine'}")
    assert wrong == []


def test_what_is_refused_is_mended() -> None:
    """A fix that promises a file which builds: the very complaint is gone."""
    mended = set()
    for repair in repairs.repairs():
        if repair.code not in REFUSED:
            continue
        try:
            before, after = judge(repair.before).error, judge(repair.after).error
        except UnavailableError as error:
            pytest.skip(str(error))
        if before and not after:
            mended.add(repair.code)
        # Of several refused mounts the builder names the first; each fix is for one of them.
        assert not after or repair.left, repair.name
    assert {"CK601", "CK303"} <= mended


def test_every_fixed_file_builds() -> None:
    found = session.tally("buildkit")
    own = [repair for repair in repairs.repairs() if repair.own and not repair.left]
    try:
        built = repairs.build_all(repair.after for repair in own)
    except UnavailableError as error:
        found.reason = str(error)
        pytest.skip(str(error))
    wrong, unjudged = [], []
    for repair in own:
        done = built[repair.after]
        if not done.ok and not repairs.build_all([repair.before])[repair.before].ok:
            # A case about a mistake that breaks the build, or about what the stand-in does not have.
            unjudged.append(repair.name)
            continue
        found.count(f"fix {repair.name}", done.ok)
        if not done.ok:
            wrong.append(f"{repair.name}: {done.error}\n{repair.after}")
    assert not wrong, "\n".join(wrong)
    assert len(own) > 100
    assert len(unjudged) < len(own) / 20, "\n".join(unjudged)
