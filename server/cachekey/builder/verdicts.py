"""From seconds and bytes to a verdict on a mount, and the finding that explains it.

Measured facts decide; a finding names the reason. Where both disagree, the verdict says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from cachekey.builder.places import Place
from cachekey.record import record

Verdict = Literal["works", "unused", "not-writable", "emptied", "split", "disabled", "unclear"]

REASONS: dict[str, Verdict] = {
    "CK201": "not-writable",
    "CK202": "not-writable",
    "CK301": "unused",
    "CK302": "unused",
    "CK307": "unused",
    "CK308": "unused",
    "CK304": "disabled",
    "CK305": "emptied",
    "CK101": "split",
    "CK102": "split",
}
"""What each finding says of a mount."""

_IDLE: tuple[Verdict, ...] = ("not-writable", "disabled", "emptied", "unused")
_DENIED = ("permission denied", "eacces", "operation not permitted", "not writable")
_BLOCK = 4096
_NOISE = 0.25
"""Seconds that two runs of the same step may differ by."""
_SHARE = 0.2
"""A step that saves less than this part of its time does not show that its cache helps."""
_PLAIN = 0.4
"""It takes as much, in each of the later builds, to say that a finding is wrong."""


@record(frozen=True)
class Measured:
    """One cache mount over all builds."""

    place: Place
    cold: float | None
    """Seconds of its step with an empty cache; None when the step did not run."""
    warm: float | None
    """The best of the later builds."""
    size: int | None
    """Bytes after the last build; None when the builder has no such cache."""
    log: str = ""
    """What the step said."""
    readonly: bool = False
    slowest: float | None = None
    """The slowest of the later builds; ``warm`` where there is one."""


@record(frozen=True)
class Judged:
    """What a mount is good for."""

    verdict: Verdict
    finding: str | None
    """Code of the finding that explains it."""
    words: str
    contradicts: str | None = None
    """A finding that the builder does not bear out."""


def judge(measured: Measured, codes: Sequence[str], others: Sequence[Measured]) -> Judged:
    """Judge a mount. ``codes`` are the findings on it, ``others`` the other mounts of the build."""
    reasons = {REASONS[code]: code for code in reversed(codes) if code in REASONS}
    if measured.cold is None or measured.warm is None:
        return Judged("unclear", None, "its step was not run by this build")
    if measured.readonly:
        return Judged("unclear", None, "it is read-only: another RUN fills it")
    saves = _saves(measured)
    if is_empty(measured):
        return _idle(measured, reasons)
    if "split" in reasons and _has_twin(measured, others):
        return Judged(
            "split", reasons["split"], "the same contents are stored again under another key"
        )
    idle = next((item for item in _IDLE if item in reasons), None)
    if idle is not None and not _saves_plainly(measured):
        much = "much faster each time" if saves else "faster"
        return Judged(idle, reasons[idle], f"something is stored, and the step is not {much}")
    if not saves:
        return Judged("unclear", None, _unhelped(measured, others))
    wrong = None if idle is None else reasons[idle]
    return Judged("works", None, f"saves {_percent(measured)} %{_beside(measured, others)}", wrong)


def _beside(measured: Measured, others: Iterable[Measured]) -> str:
    """Say who else may have saved it: seconds are those of the RUN."""
    same = (other for other in others if other.place.run_line == measured.place.run_line)
    keys = {other.place.key.identity for other in same if not is_empty(other)}
    count = len(keys - {measured.place.key.identity})
    if not count:
        return ""
    return f", together with the other {'cache' if count == 1 else f'{count} caches'} of its RUN"


def _unhelped(measured: Measured, others: Iterable[Measured]) -> str:
    """Say what is known of a step that a filled cache makes no faster."""
    place = measured.place
    before = [
        other.place.run_line
        for other in others
        if other.place.key.identity == place.key.identity
        and other.place.stage == place.stage
        and other.place.run_line < place.run_line
        and other.cold is not None
    ]
    if before:
        return (
            f"the RUN on line {min(before) + 1} comes first and fills it, so that this step is no "
            "slower in the cold build"
        )
    return "something is stored, and the step is not faster"


def _idle(measured: Measured, reasons: dict[Verdict, str]) -> Judged:
    words = "nothing is stored"
    for verdict in _IDLE:
        if verdict in reasons:
            return Judged(verdict, reasons[verdict], words)
    log = measured.log.lower()
    directory = measured.place.directory
    if any(text in log for text in _DENIED) and directory and directory in measured.log:
        return Judged("not-writable", None, words)
    return Judged("unused", None, words)


def _saves(measured: Measured) -> bool:
    assert measured.cold is not None
    assert measured.warm is not None
    saved = measured.cold - measured.warm
    return saved > _NOISE and saved > _SHARE * measured.cold


def _saves_plainly(measured: Measured) -> bool:
    """Tell it of the slowest later build: on a busy machine the first may just have had bad luck."""
    assert measured.cold is not None
    warm = measured.warm if measured.slowest is None else measured.slowest
    assert warm is not None
    return measured.cold - warm > max(_NOISE, _PLAIN * measured.cold)


def _percent(measured: Measured) -> int:
    assert measured.cold is not None
    assert measured.warm is not None
    return round(100 * (measured.cold - measured.warm) / measured.cold)


def is_empty(measured: Measured) -> bool:
    """Tell whether a cache holds no file: an empty folder takes a block, and so does its base."""
    least = _BLOCK if measured.place.base == "plain" else 2 * _BLOCK
    return (measured.size or 0) <= least


def _has_twin(measured: Measured, others: Iterable[Measured]) -> bool:
    size = measured.size or 0
    return any(
        other.place.key.identity != measured.place.key.identity
        and set(other.place.tools) & set(measured.place.tools)
        and not is_empty(other)
        and 2 * min(size, other.size or 0) >= max(size, other.size or 0)
        for other in others
    )
