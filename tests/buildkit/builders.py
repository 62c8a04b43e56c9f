"""Real builders, each started when first asked for and stopped when Python ends.

``builder(name)`` gives a running one or raises UnavailableError with the reason;
``builds(text)`` is the short question that other tests ask.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from . import setup, standin
from .kinds import KINDS, NAMES, Builder, Built, Request, UnavailableError

__all__ = [
    "NAMES",
    "Builder",
    "Built",
    "Request",
    "UnavailableError",
    "builder",
    "builds",
    "builds_all",
    "close_all",
]


@dataclass
class _Place:
    """Where a running builder, or the reason for its absence, is kept."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    running: Builder | None = None
    reason: str | None = None


_places = {name: _Place() for name in NAMES}


def builder(name: str) -> Builder:
    """The running builder of this name; UnavailableError with the reason when there is none."""
    place = _places[name]
    with place.lock:
        if place.running is None and place.reason is None:
            place.reason = setup.unready(name) or ("needs root" if os.geteuid() else None)
            if place.reason is None:
                try:
                    place.running = KINDS[name]()
                except (UnavailableError, OSError) as error:
                    place.reason = str(error)
        if place.running is None:
            raise UnavailableError(f"{name}: {place.reason}")
        return place.running


def close_all() -> None:
    """Stops every builder that was started."""
    for place in _places.values():
        with place.lock:
            if place.running is not None:
                place.running.close()
                place.running = None


atexit.register(close_all)


def builds(
    dockerfile: str, name: str = "buildkit", build_args: Mapping[str, str] | None = None
) -> Built:
    """Builds a file of any kind on a real builder; ``ok`` and ``error`` tell how that went.

    Outside images become a busybox with the usual users, the commands of package managers become
    ones that do nothing, and files that it copies from the context are there, empty. May raise
    UnavailableError.
    """
    on = builder(name)
    context = standin.context(dockerfile, on.context, on.folder)
    return on.build(Request(standin.dockerfile(dockerfile), build_args or {}, context=context))


def builds_all(dockerfiles: Iterable[str], name: str = "buildkit") -> list[Built]:
    """The same for many files, two at a time, in their order."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda text: builds(text, name), dockerfiles))
