"""What the garbage collector takes, and in which order.

Follows BuildKit ``cache/manager.go`` (``prune``, ``calculateKeepBytes``, ``sortDeleteRecords``).
How much of the disk is free is not told: rules that depend on it are taken as satisfied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from cachekey.builder.records import Policy, UsageRecord
from cachekey.record import record

_INTERNAL = ("internal", "frontend")
_COMPARED = re.compile(r"(?P<field>\w+)(?P<how>==|!=|~=)(?P<value>.*)", re.DOTALL)
_MOST_SORTED = 2000
"""Records that are taken one by one; whoever takes more takes nearly everything."""


@record(frozen=True)
class Taken:
    """One record that the next collection takes."""

    id: str
    rule: int
    """Index of the policy."""


@record(frozen=True)
class Threat:
    """When a record is first at risk."""

    rule: int
    since: datetime | None
    """From when on, unless it is used; None: now."""


def collected(
    records: Sequence[UsageRecord], policies: Iterable[Policy], now: datetime
) -> list[Taken]:
    """Return what a collection takes now, in its order."""
    left = {item.id: item for item in records}
    taken: list[Taken] = []
    for number, policy in enumerate(policies):
        total = sum(item.size for item in left.values() if not item.shared)
        keep = _kept_bytes(policy, total)
        children = _children(left.values())
        order = _candidates(left.values(), children, policy, now)
        while order and (keep == 0 or total >= keep) and len(taken) < _MOST_SORTED:
            for item in order[:1] if keep else order:
                del left[item.id]
                total -= item.size
                taken.append(Taken(item.id, number))
                for parent in item.parents:
                    children[parent] = children.get(parent, 1) - 1
            order = _candidates(left.values(), children, policy, now)
    return taken


def threats(
    records: Sequence[UsageRecord], policies: Iterable[Policy], now: datetime
) -> Mapping[str, Threat]:
    """Tell by which rule each record can be taken first, and from when on."""
    found: dict[str, Threat] = {}
    for number, policy in enumerate(policies):
        for item in records:
            if item.id in found or not _matches(item, policy):
                continue
            since = None
            if policy.keep_seconds and item.last_used:
                end = item.last_used + timedelta(seconds=policy.keep_seconds)
                since = end if end > now else None
            found[item.id] = Threat(number, since)
    return found


def _kept_bytes(policy: Policy, total: int) -> int:
    if not (policy.most or policy.reserved or policy.least_free):
        return 0
    keep = policy.most or (total + 1 if policy.least_free else 0)
    return max(keep, policy.reserved)


def _children(records: Iterable[UsageRecord]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in records:
        for parent in item.parents:
            counts[parent] = counts.get(parent, 0) + 1
    return counts


def _candidates(
    records: Iterable[UsageRecord], children: Mapping[str, int], policy: Policy, now: datetime
) -> list[UsageRecord]:
    cut = now - timedelta(seconds=policy.keep_seconds)
    fit = [
        item
        for item in records
        if not item.in_use
        and not children.get(item.id)
        and _matches(item, policy)
        and not (policy.keep_seconds and item.last_used and item.last_used > cut)
    ]
    return _sorted(fit)


def _matches(item: UsageRecord, policy: Policy) -> bool:
    if not policy.everything and (item.type in _INTERNAL or item.shared):
        return False
    return not policy.filters or any(_filter(item, text) for text in policy.filters)


def _filter(item: UsageRecord, text: str) -> bool:
    return all(_condition(item, part.strip()) for part in text.split(","))


def _condition(item: UsageRecord, text: str) -> bool:
    flags = {
        "inuse": item.in_use,
        "mutable": item.mutable,
        "immutable": not item.mutable,
        "shared": item.shared,
        "private": not item.shared,
    }
    match = _COMPARED.fullmatch(text)
    if match is None:
        return flags.get(text, False)
    fields = {"id": item.id, "type": item.type, "description": item.description}
    value, wanted = fields.get(match["field"], ""), match["value"].strip("\"'")
    if match["how"] == "~=":
        # A policy's pattern is Go's; plain words are all that people write here.
        return wanted in value
    return (value == wanted) is (match["how"] == "==")


def _sorted(records: list[UsageRecord]) -> list[UsageRecord]:
    """Order by how long ago and how seldom: each as a rank, added up."""
    oldest = datetime.min.replace(tzinfo=None)
    by_time = sorted(records, key=lambda item: _naive(item.last_used) or oldest)
    times: dict[str, float] = {}
    rank, last = 1.0, oldest
    for item in by_time:
        moment = _naive(item.last_used)
        if moment is not None and moment > last:
            last, rank = moment, rank + 1
        times[item.id] = rank
    most_time, uses = rank, {}
    rank, count = 1.0, 0
    for item in sorted(by_time, key=lambda item: item.use_count):
        if item.use_count != count:
            count, rank = item.use_count, rank + 1
        uses[item.id] = rank
    return sorted(by_time, key=lambda i: times[i.id] / most_time + uses[i.id] / rank)


def _naive(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=None) if moment is not None else None
