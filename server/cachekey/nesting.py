"""How deep data is nested: what goes too deep is refused before anything walks it by recursion."""

from __future__ import annotations

from collections.abc import Mapping


def deeper_than(value: object, limit: int) -> bool:
    """Tell whether lists and tables are nested in each other more than ``limit`` times."""
    layer = [value]
    for _ in range(limit + 1):
        layer = [part for item in layer for part in _parts(item)]
        if not layer:
            return False
    return True


def _parts(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else []
