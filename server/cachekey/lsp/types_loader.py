"""Imports lsprotocol's types without making its classes: each is made when it is first used.

attrs writes and compiles the methods of 550 classes when ``lsprotocol.types`` is imported: two
thirds of a server's start and a third of its memory, and one session uses about 80 of them. Here a
class statement of that module yields an empty class and keeps the statement's body. The first call,
and the first look at its attrs fields, run the body and attrs' own decorator. Nothing is generated
beforehand, cached or written, and no fact about any of the types stands here.
"""

from __future__ import annotations

import builtins
import functools
import importlib.util
import logging
import sys
import threading
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import attrs
import lsprotocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from cattrs import Converter

logger = logging.getLogger(__name__)

MADE_FOR = {"lsprotocol": ("2025.0.0",), "attrs": ("25.4.0", "26.1.0")}
"""The versions this is tested with. With any other the plain import is what counts."""
_PYTHONS = ((3, 10), (3, 13))
"""The first and the last that this is tested with: 3.14 keeps annotations in another way."""

_TYPES = "lsprotocol.types"

_promised: dict[type, FunctionType] = {}
"""Classes that nobody has used so far, and the bodies of their statements."""
_making = threading.RLock()


def load() -> bool:
    """Import ``lsprotocol.types`` with its classes still to be made; tell whether that went well.

    If not, nothing has happened: whoever imports the module next imports it plainly.
    """
    if _TYPES in sys.modules or not _is_known(lsprotocol, attrs):
        return False
    try:
        _import_types()
        _resolve_late()
    except Exception:
        logger.debug("lsprotocol is imported plainly", exc_info=True)
        _promised.clear()
        for name in ("types", "_hooks"):
            sys.modules.pop(f"lsprotocol.{name}", None)
            vars(lsprotocol).pop(name, None)
        return False
    return True


def _is_known(*packages: ModuleType) -> bool:
    # By the folder that an installer puts beside a package; importlib.metadata takes 10 ms to load.
    return _PYTHONS[0] <= sys.version_info[:2] <= _PYTHONS[1] and all(
        any(
            Path(package.__path__[0]).with_name(f"{package.__name__}-{version}.dist-info").is_dir()
            for version in MADE_FOR[package.__name__]
        )
        for package in packages
    )


def _import_types() -> None:
    spec = importlib.util.find_spec(_TYPES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Only this module's own class statements see the other function.
    vars(module)["__builtins__"] = {**vars(builtins), "__build_class__": _class_statement}
    sys.modules[_TYPES] = module
    define = attrs.define
    vars(attrs)["define"] = lambda cls: cls if cls in _promised else define(cls)
    try:
        spec.loader.exec_module(module)
    finally:
        vars(attrs)["define"] = define
    vars(lsprotocol)["types"] = module


def _class_statement(body: FunctionType, name: str, *bases: type) -> Any:
    # Enumerations, which have bases, and the class that is none of attrs' are made at once; so are
    # classes with methods of their own: a decorator looks at those.
    names = body.__code__.co_names
    if bases or "attrs" not in names or "__eq__" in names:
        return builtins.__build_class__(body, name, *bases)

    def first_init(self: Any, *args: Any, **kwargs: Any) -> None:
        _make(cls)
        cls.__init__(self, *args, **kwargs)

    cls: Any = type(name, (), {"__module__": _TYPES, "__init__": first_init})
    cls.__attrs_attrs__ = _FirstLook(cls)
    _promised[cls] = body
    return cls


class _FirstLook:
    """Stands where attrs puts a class's fields."""

    def __init__(self, cls: Any) -> None:
        self._cls = cls

    def __get__(self, instance: object, owner: type) -> Any:
        _make(self._cls)
        return self._cls.__attrs_attrs__


def _make(cls: Any) -> None:
    """Turn a promised class into what its statement says, in its place: others refer to it."""
    with _making:
        if (body := _promised.get(cls)) is None:
            return
        written = builtins.__build_class__(body, cls.__name__)
        for name, value in vars(written).items():
            if not name.startswith("__"):
                setattr(cls, name, value)
        cls.__doc__ = written.__doc__
        cls.__annotations__ = written.__annotations__
        del cls.__attrs_attrs__
        # With slots it would be another class. ``init``: attrs leaves alone what it finds there.
        attrs.define(cls, slots=False, init=True, repr=False)
        cls.__repr__ = _repr
        _resolve(cls)
        del _promised[cls]


def _repr(self: Any) -> str:
    # The same for all: compiling one for each class is a quarter of what attrs takes.
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in attrs.fields(type(self)))
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _resolve(cls: Any) -> None:
    """Put types in the place of their names, as lsprotocol does before it makes a converter."""
    attrs.resolve_types(cls, sys.modules[_TYPES].ALL_TYPES_MAP, {})


def _resolve_late() -> None:
    """Keep lsprotocol from resolving all classes at once: that would make them."""
    from lsprotocol import _hooks

    if _hooks._resolved_forward_references is not False:
        raise ValueError("lsprotocol resolves the names of types in another way")
    for cls in tuple(sys.modules[_TYPES].ALL_TYPES_MAP.values()):
        if isinstance(cls, type) and cls not in _promised and attrs.has(cls):
            _resolve(cls)
    _hooks._resolved_forward_references = True


def converter() -> Converter:
    """Return pygls' converter; it compiles a class's writer when an object of it is written first.

    cattrs compiles it, and has the class made, together with the writer of whatever class may hold
    it: three times as many as the answer to ``initialize`` needs.
    """
    from pygls.protocol import default_converter

    made: Converter = default_converter()  # type: ignore[no-untyped-call]
    passed_on: set[type] = set()

    def is_ours(cls: Any) -> bool:
        # The next factory is lsprotocol's. It asks for the fields' classes, which are ours again.
        if cls in passed_on:
            passed_on.remove(cls)
            return False
        return cls in _promised or attrs.has(cls)

    @functools.cache
    def writer(cls: type) -> Callable[[Any], Any]:
        compiled: Callable[[Any], Any] | None = None

        def write(value: Any) -> Any:
            nonlocal compiled
            if compiled is None:
                passed_on.add(cls)
                compiled = made.get_unstructure_hook(cls, cache_result=False)
            return compiled(value)

        return write

    made.register_unstructure_hook_factory(is_ours, writer)
    return made
