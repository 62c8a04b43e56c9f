"""What is remembered is bounded: a server that runs for weeks meets names without end."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import cachekey


def remembering() -> Iterator[tuple[str, Any]]:
    """Yield every function of the package that remembers its answers."""
    for module in pkgutil.walk_packages(cachekey.__path__, "cachekey."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for kept in (value, *(vars(value).values() if inspect.isclass(value) else ())):
                if hasattr(kept, "cache_parameters"):
                    yield f"{module.name}.{name}", kept


def test_every_cache_of_names_is_bounded() -> None:
    found = dict(remembering())
    assert len(found) > 10
    endless = [
        name
        for name, kept in found.items()
        if kept.cache_parameters()["maxsize"] is None
        and inspect.signature(kept.__wrapped__).parameters
    ]
    assert endless == []
