"""Did-you-mean: the nearest of a few names, as BuildKit and the command line suggest it."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(value: str, options: Iterable[str], limit: int = 3) -> str | None:
    """Return the option at the smallest edit distance below ``limit``, None when none is near.

    BuildKit (``util/suggest``) uses the same distance and limit, so that its suggestion and ours agree.
    """
    best, best_distance = None, limit
    for option in options:
        if option == value:
            return None
        distance = _distance(value, option, best_distance)
        if distance < best_distance:
            best, best_distance = option, distance
    return best


def _distance(left: str, right: str, limit: int) -> int:
    if abs(len(left) - len(right)) >= limit:
        return limit
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]
