"""Says everything about lsprotocol's types and pygls' converter, to compare two ways to import them.

``python -m tests.support.lsptypes plain`` (or ``quick``) writes it as JSON, text by class.
"""

from __future__ import annotations

import enum
import inspect
import json
import re
import sys
import typing
from collections.abc import Mapping, Sequence
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import attrs
import cattrs

DEEPEST = 3
"""Samples leave optional fields out from here on: some types hold themselves."""


def describe(way: str) -> dict[str, list[str]]:
    if way == "quick":
        from cachekey.lsp import types_loader

        assert types_loader.load()
        converter = types_loader.converter()
    else:
        from pygls.protocol import default_converter

        converter = default_converter()
    from lsprotocol import types

    told = {
        name: _alias_or_class(kind, converter) for name, kind in tuple(types.ALL_TYPES_MAP.items())
    }
    told["the module"] = [*sorted(vars(types).keys() - {"__builtins__"}), *types.ALL_TYPES_MAP]
    told["the messages"] = [plain(item) for item in types.METHOD_TO_TYPES.items()]
    return told


def plain(value: object) -> str:
    return re.sub(r" at 0x\w+", "", repr(value))


def _alias_or_class(kind: Any, converter: cattrs.Converter) -> list[str]:
    if not isinstance(kind, type) or kind.__module__ != "lsprotocol.types":
        return [plain(kind)]
    if issubclass(kind, enum.Enum):
        return _enumeration(kind)
    if not attrs.has(kind):
        return [plain(kind), plain(kind.__doc__), *sorted(vars(kind))]
    return [*_class(kind), *_behaviour(kind, converter)]


def _enumeration(kind: type[enum.Enum]) -> list[str]:
    return [plain(kind), plain(kind.__doc__), *(plain(member) for member in kind)]


def _class(kind: type) -> list[str]:
    return [
        f"{kind.__module__}.{kind.__qualname__} {kind.__mro__}",
        plain(kind.__doc__),
        plain(kind.__annotations__),
        plain(kind.__match_args__),
        str(inspect.signature(kind)),
        f"hash: {kind.__hash__}, setattr: {kind.__setattr__ is object.__setattr__}",
        *(plain(field) for field in attrs.fields(kind)),
        *(f"{field.name} is set by {field.on_setattr}" for field in attrs.fields(kind)),
    ]


def _behaviour(kind: type, converter: cattrs.Converter) -> list[str]:
    said = [_attempt(lambda: converter.structure({}, kind))]
    for full, pick in ((False, 0), (True, 0), (True, 1)):
        said += _round_trip(_Samples(full=full, pick=pick), kind, converter)
    return said


def _round_trip(samples: _Samples, kind: type, converter: cattrs.Converter) -> list[str]:
    sample = samples.of(kind)
    written = json.dumps(converter.unstructure(sample))
    said = [plain(sample), written]
    said.append(_attempt(lambda: converter.structure(json.loads(written), kind)))
    twin = samples.of(kind)
    said.append(f"{sample == twin} {sample != twin} {sample == written}")
    for field in attrs.fields(kind):
        said.append(_attempt(lambda field=field: setattr(twin, field.name, object)))
        said.append(f"without its {field.name}: {sample == twin}")
    return said


def _attempt(what: typing.Callable[[], object]) -> str:
    try:
        return plain(what())
    except cattrs.BaseValidationError as error:
        return plain(cattrs.transform_error(error))
    except Exception as error:
        return plain(error)


def _needed(field: attrs.Attribute[Any]) -> bool:
    """Tell whether a field has no place for the ``None`` that is its default."""
    return field.type is not type(None) and type(None) not in get_args(field.type)


class _Samples:
    """Makes objects: the least that a class takes, or with all of its fields."""

    def __init__(self, *, full: bool, pick: int) -> None:
        self._full = full
        self._pick = pick

    def of(self, kind: Any, depth: int = 0) -> Any:
        from lsprotocol import types

        if isinstance(kind, str | ForwardRef):
            kind = types.ALL_TYPES_MAP[getattr(kind, "__forward_arg__", kind)]
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return list(kind)[self._pick % len(kind)]
        if isinstance(kind, type) and attrs.has(kind):
            return self._object(kind, depth)
        return self._value(kind, depth)

    def _object(self, kind: type, depth: int) -> Any:
        wanted = {
            field.name: self.of(field.type, depth + 1)
            for field in attrs.fields(kind)
            if field.default is attrs.NOTHING
            or (field.default is None and ((self._full and depth < DEEPEST) or _needed(field)))
        }
        return kind(**wanted)

    def _value(self, kind: Any, depth: int) -> Any:
        arguments = get_args(kind)
        origin = get_origin(kind)
        if origin is Union:
            some = [one for one in arguments if one is not type(None)]
            return self.of(some[self._pick % len(some)], depth) if depth <= DEEPEST else None
        if origin is Literal:
            return arguments[0]
        if origin is tuple:
            return [self.of(one, depth) for one in arguments]
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {self.of(arguments[0], depth): self.of(arguments[1], depth)}
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return [self.of(arguments[0], depth)]
        return {str: "text", int: 1, float: 0.5, bool: True, type(None): None}.get(kind, "any")


if __name__ == "__main__":
    json.dump(describe(sys.argv[1]), sys.stdout)
