"""Asks a named builder through ``docker buildx``.

Its answers are made for people: sizes of four digits, ages instead of times.
Source: buildx ``commands/diskusage.go`` and ``commands/inspect.go``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from cachekey.builder.build import BuildRequest, buildx_words
from cachekey.builder.history import MOST, PastBuild, latest, read_build
from cachekey.builder.programs import answer, decoded, rows, run
from cachekey.builder.programs import told as said
from cachekey.builder.progress import Progress
from cachekey.builder.records import (
    Builder,
    BuilderError,
    Policy,
    Usage,
    UsageRecord,
    names_caches,
    when,
)
from cachekey.builder.source import Source

CLIENT = ("docker", "buildx")
_UNITS = {"B": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_SIZE = re.compile(r"([\d.]+)\s*([kKMGTP]?)(i?)B?")
_AGE = re.compile(r"(?:About )?(an?|\d+) (second|minute|hour|day|week|month|year)s?(?: ago)?")
_SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 604800,
    "month": 2592000,
    "year": 31536000,
}
_GO_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d) \w+")
_GO_DURATION = re.compile(r"([\d.]+)(h|ms|m|s)")


def inspected(name: str | None = None) -> dict[str, str]:
    """Return what ``docker buildx inspect`` says of a builder (the current one), text by label."""
    whom = f"builder {name}" if name else "the current buildx builder"
    text = run((*CLIENT, "inspect", *([name] if name else [])), whom)
    found: dict[str, str] = {}
    for line in text.splitlines():
        label, colon, value = line.partition(":")
        if colon and not line.startswith((" ", "\t")):
            found.setdefault(label.strip(), value.strip())
    found["text"] = text
    return found


class Buildx(Source):
    """A builder that buildx knows by name."""

    def __init__(self, told: Mapping[str, str], found: str) -> None:
        self.name = told.get("Name", "")
        if error := told.get("Error"):
            raise BuilderError(f"builder {self.name} does not answer: {error}")
        if told.get("Status") not in (None, "running"):
            raise BuilderError(
                f"builder {self.name} is {told['Status']}; docker buildx inspect --bootstrap "
                f"{self.name} starts it"
            )
        version = told.get("BuildKit version", "").removeprefix("v")
        self.builder = Builder(self.name, "buildx", version, found)
        self._policies = tuple(_policies(told["text"]))

    def usage(self) -> Usage:
        """Ask for disk usage."""
        whom = f"builder {self.name}"
        text = run((*CLIENT, "du", "--builder", self.name, "--format", "json"), whom)
        now = datetime.now(timezone.utc)
        try:
            told = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        except ValueError:
            raise BuilderError(f"{whom} answers with something that is not JSON") from None
        records = rows(told, lambda row: _record(row, now), whom)
        names = names_caches(self.builder.version)
        return Usage(self.builder, records, self._policies, names, rough=True)

    def prune(self, record: str) -> Sequence[str]:
        """Return the command that removes one record."""
        return (*CLIENT, "prune", "--builder", self.name, "-f", "--filter", f"id={record}")

    def building(self, request: BuildRequest) -> Sequence[str]:
        """Return the command line of a build."""
        words = buildx_words(request)
        return (*CLIENT, words[0], "--builder", self.name, *words[1:])

    def history(self, most: int) -> list[PastBuild]:
        """Return the latest builds: of each the provenance and the log."""
        return past_builds(CLIENT, self.name, f"builder {self.name}", most)

    def builds_in(self, namespace: str) -> list[datetime | None] | None:
        """Return when the latest build in a cache namespace ended."""
        return last_build_in(namespace, CLIENT, self.name, f"builder {self.name}")


def last_build_in(
    namespace: str, client: Sequence[str], name: str, whom: str
) -> list[datetime | None] | None:
    """Return when the latest build in a cache namespace ended; None from a buildx without history."""
    try:
        told = _histories(client, name, whom)
        for item in told[:MOST]:
            words = ("inspect", "--builder", name, "--format", "json", _ref(item))
            config = answer((*client, "history", *words), whom).get("Config") or {}
            if config.get("CacheMountNS") == namespace:
                return [when(item.get("completed_at"))]
    except BuilderError:
        return None
    return []


def past_builds(client: Sequence[str], name: str, whom: str, most: int) -> list[PastBuild]:
    """Return the latest builds that buildx knows of a builder: of each the provenance and the log."""
    names = ("--builder", name)
    told = _histories(client, name, whom)
    finished = [item for item in told if item.get("status") == "Completed"]
    return latest((_past(client, names, whom, item) for item in finished), most)


def _histories(client: Sequence[str], name: str, whom: str) -> list[Mapping[str, Any]]:
    """Return what buildx knows of each build, newest first."""
    words = ("history", "ls", "--builder", name, "--no-trunc", "--format", "json")
    text = run((*client, *words), whom)
    told = [decoded(line, whom) for line in text.splitlines() if line.startswith("{")]
    return sorted(told, key=lambda item: str(item.get("created_at")), reverse=True)


def _ref(told: Mapping[str, Any]) -> str:
    return str(told.get("ref", "")).rpartition("/")[2]


def _past(
    client: Sequence[str], names: Sequence[str], whom: str, told: Mapping[str, Any]
) -> PastBuild | None:
    created = when(told.get("created_at"))
    ref = _ref(told)
    wanted = ("attachment", *names, "--type", _PROVENANCE, ref)
    try:
        provenance = answer((*client, "history", "inspect", *wanted), whom)
    except BuilderError:
        # A build without provenance, as the build command may ask for.
        return None
    log = said((*client, "history", "logs", *names, *_RAW, ref), whom)
    progress = Progress()
    for line in log.splitlines():
        progress.feed(line)
    if created is None:
        return None
    completed = when(told.get("completed_at"))
    return read_build(ref, created, completed, provenance or {}, progress)


_PROVENANCE = "https://slsa.dev/provenance/v1"
_RAW = ("--progress", "rawjson")


def _record(row: Mapping[str, Any], now: datetime) -> UsageRecord:
    return UsageRecord(
        id=str(row.get("ID", "")).rstrip("*"),
        type=str(row.get("Type", "")),
        description=str(row.get("Description") or ""),
        size=size_of(str(row.get("Size", ""))),
        created=_time(str(row.get("CreatedAt", ""))),
        last_used=_ago(str(row.get("LastUsedAt", "")), now),
        use_count=int(row.get("UsageCount") or 0),
        in_use=not row.get("Reclaimable", True),
        shared=bool(row.get("Shared")),
        mutable=bool(row.get("Mutable")),
        parents=tuple(map(str, row.get("Parents") or ())),
    )


def size_of(text: str) -> int:
    """Read a size as go-units writes it, decimal or binary; 0 for anything else."""
    match = _SIZE.match(text)
    if match is None:
        return 0
    number, unit, binary = match.groups()
    factor: int = (1024 if binary else 1000) ** _UNITS[unit.upper() or "B"]
    return round(float(number) * factor)


def _time(text: str) -> datetime | None:
    match = _GO_TIME.match(text)
    return when("{}T{}{}:{}".format(*match.groups())) if match else None


def _ago(text: str, now: datetime) -> datetime | None:
    if text.startswith("Less than a second"):
        return now
    match = _AGE.match(text)
    if match is None:
        return None
    count = int(match[1]) if match[1].isdecimal() else 1
    return now - timedelta(seconds=count * _SECONDS[match[2]])


def _policies(text: str) -> Iterator[Policy]:
    rules = re.split(r"(?m)^GC Policy rule#\d+:\s*$", text)[1:]
    for rule in rules:
        told = {}
        for line in rule.splitlines():
            if line.strip() and not line.startswith((" ", "\t")):
                break
            label, colon, value = line.partition(":")
            if colon:
                told[label.strip()] = value.strip()
        yield Policy(
            filters=tuple(told.get("Filters", "").split()),
            everything=told.get("All") == "true",
            keep_seconds=_duration(told.get("Keep Duration", "")),
            reserved=size_of(told.get("Reserved Space", "")),
            most=size_of(told.get("Max Used Space", told.get("Keep Bytes", ""))),
            least_free=size_of(told.get("Min Free Space", "")),
        )


def _duration(text: str) -> float:
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return sum(float(number) * units[unit] for number, unit in _GO_DURATION.findall(text))
