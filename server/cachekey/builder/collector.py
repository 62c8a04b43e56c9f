"""What the garbage collector takes, and in which order.

Follows BuildKit ``cache/manager.go`` (``prune``, ``calculateKeepBytes``, ``sortDeleteRecords``).
How much of the disk is free is not told: rules that depend on it are taken as satisfied.

The first question for disk usage after a build counts as a use of each cache whose size was not
known yet (``commit`` in ``cache/refs.go``), and a collection asks it, too. So what the collector
goes by is a second answer.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from cachekey.builder.records import CACHE, Policy, Usage, UsageRecord
from cachekey.builder.source import Source
from cachekey.record import record

_INTERNAL = ("internal", "frontend")
_COMPARED = re.compile(r"(?P<field>\w+)(?P<how>==|!=|~=)(?P<value>.*)", re.DOTALL)
_MOST = 2000
"""Records that are told; whoever takes more takes nearly everything."""
_STABLE = 12
"""Of so many records Go's sort keeps the order of equals (``slices``, ``maxInsertion``)."""
_ASKED = 3
_ROUNDED = 0.002
"""How far a total of rounded sizes may be from the truth."""


@record(frozen=True)
class Taken:
    """One record that the next collection takes."""

    id: str
    rule: int
    """Index of the policy."""


@record(frozen=True)
class Collection:
    """What a collection takes now, as far as that is sure."""

    taken: tuple[Taken, ...]
    """In its order."""
    decided: bool
    """False: more is taken, and what is first of it depends on what the builder does not tell."""


@record(frozen=True)
class Threat:
    """When a record is first at risk."""

    rule: int
    since: datetime | None
    """From when on, unless it is used; None: now."""


def settled(source: Source, usage: Usage) -> Usage:
    """Return the answer that the collector goes by, asked for after ``usage``.

    What was in use while the builder was asked has its first question still in front of it.
    """
    if not usage.policies:
        return usage
    for _ in range(_ASKED):
        before, usage = usage, source.usage()
        if not any(item.in_use for item in before.records if item.type == CACHE):
            break
    return usage


def collected(
    records: Sequence[UsageRecord], policies: Iterable[Policy], now: datetime, rough: bool = False
) -> Collection:
    """Return what a collection takes now; ``rough`` tells that sizes and limits are rounded."""
    left = {item.id: item for item in records}
    taken: list[Taken] = []
    for number, policy in enumerate(policies):
        total = sum(item.size for item in left.values() if not item.shared)
        keep = _kept_bytes(policy, total)
        near = keep * _ROUNDED if rough else 0
        queue = _Queue(left, policy, now)
        while queue and (keep == 0 or total >= keep - near):
            item = queue.first() if keep else queue.any()
            if item is None or (near and total < keep + near) or len(taken) == _MOST:
                return Collection(tuple(taken), False)
            queue.take(item)
            total -= item.size
            taken.append(Taken(item.id, number))
    return Collection(tuple(taken), True)


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
    # A limit on free space alone keeps what is there, and lets go of one record nevertheless.
    keep = policy.most or (total if policy.least_free else 0)
    return max(keep, policy.reserved)


def _children(records: Iterable[UsageRecord]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in records:
        for parent in item.parents:
            counts[parent] = counts.get(parent, 0) + 1
    return counts


class _Queue:
    """The records that a rule may take, in the collector's order.

    How long ago and how seldom a record was used are both made ranks, which are added up. So of each
    count of uses only those that were unused longest can be first.
    """

    def __init__(self, left: dict[str, UsageRecord], policy: Policy, now: datetime) -> None:
        self._left, self._policy = left, policy
        self._cut = _naive(now - timedelta(seconds=policy.keep_seconds))
        self._children = _children(left.values())
        self._by_use: dict[int, list[tuple[datetime, str]]] = {}
        self._times: list[datetime] = []
        """When the records were used last, in order; those that never were are not among them."""
        self._count = 0
        for item in left.values():
            self._offer(item)

    def __len__(self) -> int:
        return self._count

    def _offer(self, item: UsageRecord) -> None:
        if item.in_use or self._children.get(item.id) or not _matches(item, self._policy):
            return
        moment = _moment(item)
        if self._policy.keep_seconds and moment > self._cut:
            return
        insort(self._by_use.setdefault(item.use_count, []), (moment, item.id))
        if moment != _NEVER:
            insort(self._times, moment)
        self._count += 1

    def take(self, item: UsageRecord) -> None:
        """Remove a record; what it stood on may be next."""
        moment = _moment(item)
        same = self._by_use[item.use_count]
        del same[bisect_left(same, (moment, item.id))]
        if not same:
            del self._by_use[item.use_count]
        if moment != _NEVER:
            del self._times[bisect_left(self._times, moment)]
        self._count -= 1
        del self._left[item.id]
        for parent in item.parents:
            self._children[parent] = self._children.get(parent, 1) - 1
            if parent in self._left:
                self._offer(self._left[parent])

    def any(self) -> UsageRecord:
        """Return some record: without a limit all are taken."""
        return self._left[next(iter(self._by_use.values()))[0][1]]

    def first(self) -> UsageRecord | None:
        """Return the record that is taken first; None where that cannot be told.

        Of times that are told alike the order is not known: each rank lies between two bounds.
        """
        uses = sorted(self._by_use)
        start = 1 if uses[0] == 0 else 2
        shares = {use: rank / (start + len(uses) - 1) for rank, use in enumerate(uses, start)}
        heads = [(shares[use] + self._share(self._by_use[use][0][0], True), use) for use in uses]
        bound, winner = min(heads)
        rivals = [
            moment
            for use in uses
            for moment, _ in takewhile(
                lambda one: shares[use] + self._share(one[0], False) <= bound,  # noqa: B023
                self._by_use[use],
            )
        ]
        exact = all(self._share(x, True) == self._share(x, False) for x in rivals)
        # Go's sort keeps the order of equal sums among a few; of times alike nothing is known.
        ordered = exact and _NEVER not in rivals and self._count <= _STABLE
        return self._left[self._by_use[winner][0][1]] if ordered or len(rivals) == 1 else None

    def _share(self, moment: datetime, last: bool) -> float:
        """Return a time's last or first rank as a part of all ranks."""
        rank = 1
        if moment != _NEVER:
            place = (
                bisect_right(self._times, moment) - 1 if last else bisect_left(self._times, moment)
            )
            rank = place + 2
        return rank / (len(self._times) + 1)


_NEVER = datetime.min


def _moment(item: UsageRecord) -> datetime:
    return _NEVER if item.last_used is None else _naive(item.last_used)


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


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
