"""Frozen records and their computed fields, made fast: a file's analysis makes thousands of them.

A frozen dataclass pays three times for every field that it is given, and ``cached_property`` takes
a lock below Python 3.12. What the type checker sees here are the originals, so that it still
refuses to change a record; at run time nothing watches.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

__all__ = ["cached_property", "record", "remembered", "replace"]

_Ask = TypeVar("_Ask", bound="Callable[..., Any]")


def remembered(ask: _Ask) -> _Ask:
    """Keep what a function answers about a record in the record itself: it dies with it.

    The first argument is the record, the others must be hashable.
    """
    name = f"{ask.__module__}.{ask.__qualname__}"

    @wraps(ask)
    def answer(about: Any, *rest: Any) -> Any:
        known = about.__dict__.setdefault(name, {})
        if rest not in known:
            known[rest] = ask(about, *rest)
        return known[rest]

    return cast("_Ask", answer)


if TYPE_CHECKING:
    from dataclasses import dataclass as record
    from dataclasses import replace
    from functools import cached_property
else:
    from dataclasses import dataclass

    def record(*, frozen, eq=True, **options):
        """Make a record that compares and hashes as ``dataclass(frozen=True)`` does."""
        assert frozen
        return dataclass(eq=eq, unsafe_hash=eq, **options)

    def replace(instance, **changes):
        """Make a record with other values; what was computed from the old ones stays behind."""
        kind = type(instance)
        fields = kind.__dataclass_fields__
        values = {**instance.__dict__, **changes}
        if len(values) != len(fields):
            values = {name: values[name] for name in fields}
        new = kind.__new__(kind)
        new.__dict__ = values
        return new

    class cached_property:  # noqa: N801 -- it stands in for functools'
        """Compute a field when it is first asked for, and keep it."""

        def __init__(self, func):
            self.func = func
            self.name = func.__name__
            self.__doc__ = func.__doc__

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            value = instance.__dict__[self.name] = self.func(instance)
            return value
