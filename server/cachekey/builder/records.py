"""What a builder tells of itself: plain records, the same for every kind of builder."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from cachekey.record import record

BuilderKind = Literal["docker", "buildx", "buildkitd", "buildah"]

CACHE = "exec.cachemount"
"""The type of a cache mount's record (BuildKit ``client.UsageRecordTypeCacheMount``)."""


class BuilderError(Exception):
    """A builder cannot be asked, or does not answer; the text is one sentence for the user."""


@record(frozen=True)
class Builder:
    """Who is asked."""

    name: str
    """What people call it: the name of a builder or context, an address, a folder."""
    kind: BuilderKind
    version: str
    found: str
    """How it was found, for the output: ``--builder``, ``DOCKER_HOST``..."""


@record(frozen=True)
class UsageRecord:
    """One record of a builder's disk usage."""

    id: str
    """What it is pruned by; of Buildah the folder's name."""
    type: str
    description: str
    size: int
    """Bytes."""
    created: datetime | None = None
    last_used: datetime | None = None
    use_count: int = 0
    in_use: bool = False
    shared: bool = False
    mutable: bool = False
    parents: tuple[str, ...] = ()


@record(frozen=True)
class Policy:
    """One rule of the garbage collector (BuildKit ``client.PruneInfo``)."""

    filters: tuple[str, ...] = ()
    """One of them must match; none: all records."""
    everything: bool = False
    """Internal and shared records as well."""
    keep_seconds: float = 0
    """What was used within this time stays."""
    reserved: int = 0
    """Bytes below which nothing is taken; 0: no such limit, as with the other two."""
    most: int = 0
    """Bytes above which something is taken."""
    least_free: int = 0
    """Bytes of the disk that are to be free."""


@record(frozen=True)
class Usage:
    """A builder's answer."""

    builder: Builder
    records: tuple[UsageRecord, ...]
    policies: tuple[Policy, ...] | None
    """None when the builder does not tell."""
    names: bool = True
    """The records tell by which key each cache is found."""
    rough: bool = False
    """Sizes are rounded, and times are ages."""


def names_caches(version: str) -> bool:
    """Tell whether a BuildKit names the caches of its records: since 0.12."""
    parts = version.split(".")
    if len(parts) < 2 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        # A build from somewhere between: today's, as far as anybody can tell.
        return True
    return (int(parts[0]), int(parts[1])) >= (0, 12)


def when(text: object) -> datetime | None:
    """Read a time as Go writes it (RFC 3339, up to nanoseconds); None for anything else."""
    if not isinstance(text, str) or len(text) < 20 or text.startswith("0001-"):
        return None
    head, rest = text[:19], text[19:]
    digits = ""
    if rest.startswith("."):
        digits = rest[1 : len(rest) - len(rest[1:].lstrip("0123456789"))]
        rest = rest[1 + len(digits) :]
    zone = "+00:00" if rest == "Z" else rest
    try:
        return datetime.fromisoformat(f"{head}.{digits[:6].ljust(6, '0')}{zone}")
    except ValueError:
        return None
