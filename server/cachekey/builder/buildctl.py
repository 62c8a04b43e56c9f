"""Asks a buildkitd through its own client.

Source: BuildKit ``cmd/buildctl/diskusage.go``, ``cmd/buildctl/debug/workers.go``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cachekey.builder.build import NAMESPACE, BuildRequest, buildctl_words
from cachekey.builder.history import PastBuild, latest, read_build, seconds_of
from cachekey.builder.programs import answer, decoded, rows, run
from cachekey.builder.progress import Progress
from cachekey.builder.records import Builder, Policy, Usage, UsageRecord, names_caches, when
from cachekey.builder.source import Source

PROGRAM = "buildctl"
_SECOND = 1e9


class Buildctl(Source):
    """A buildkitd at an address."""

    def __init__(self, address: str, found: str) -> None:
        self.address = address
        self.client = (PROGRAM, "--addr", address)
        workers = answer((*self.client, *_WORKERS), self.whom) or []
        versions = [str((w.get("buildkitVersion") or {}).get("version", "")) for w in workers]
        version = next((text.removeprefix("v") for text in versions if text), "")
        self.builder = Builder(address, "buildkitd", version, found)
        self._policies = policies(workers)

    @property
    def whom(self) -> str:
        """Name it for a message."""
        return f"buildkitd at {self.address}"

    def usage(self) -> Usage:
        """Ask for disk usage."""
        told = answer((*self.client, "du", "--format", "{{json .}}"), self.whom)
        names = names_caches(self.builder.version)
        return Usage(self.builder, rows(told, usage_record, self.whom), self._policies, names)

    def prune(self, record: str) -> Sequence[str]:
        """Return the command that removes one record."""
        return (*self.client, "prune", "--filter", f"id=={record}")

    def building(self, request: BuildRequest) -> Sequence[str]:
        """Return the command line of a build."""
        return (*self.client, *buildctl_words(request))

    def remove(self, records: Sequence[str]) -> None:
        """Remove records with one command."""
        filters = [word for item in records for word in ("--filter", f"id=={item}")]
        run((*self.client, "prune", *filters), self.whom)

    def history(self, most: int) -> list[PastBuild]:
        """Return the latest builds: of each the provenance and the log."""
        # Builds that are going on have no provenance yet.
        finished = [item for item in self._histories() if item.get("CompletedAt")]
        finished.sort(key=_began, reverse=True)
        return latest(map(self._past, finished), most)

    def builds_in(self, namespace: str) -> list[datetime | None]:
        """Return when each build in a cache namespace ended: its arguments tell which they are."""
        return [
            seconds_of(item.get("CompletedAt"))
            for item in self._histories()
            if (item.get("FrontendAttrs") or {}).get(f"build-arg:{NAMESPACE}") == namespace
        ]

    def _histories(self) -> list[Mapping[str, Any]]:
        text = run((*self.client, "debug", "histories", "--format", "{{json .}}"), self.whom)
        told = [decoded(line, self.whom).get("record") for line in text.splitlines() if line]
        return [item for item in told if item]

    def _past(self, told: Mapping[str, Any]) -> PastBuild | None:
        results = [told.get("Result") or {}, *(told.get("Results") or {}).values()]
        digests = [
            attestation["digest"]
            for result in results
            for attestation in result.get("Attestations") or ()
            if "provenance" in str(attestation.get("annotations"))
        ]
        created = seconds_of(told.get("CreatedAt"))
        if not digests or created is None:
            return None
        provenance = answer((*self.client, "debug", "get", str(digests[0])), self.whom)
        log = run((*self.client, "debug", "logs", "--progress=rawjson", told["Ref"]), self.whom)
        progress = Progress()
        for line in log.splitlines():
            progress.feed(line)
        completed = seconds_of(told.get("CompletedAt"))
        return read_build(str(told["Ref"]), created, completed, provenance, progress)


_WORKERS = ("debug", "workers", "--format", "{{json .}}")


def _began(told: Mapping[str, Any]) -> tuple[int, int]:
    moment = told.get("CreatedAt") or {}
    return int(moment.get("seconds") or 0), int(moment.get("nanos") or 0)


def usage_record(row: Mapping[str, Any]) -> UsageRecord:
    """Read a ``client.UsageInfo`` as JSON."""
    return UsageRecord(
        id=str(row.get("id", "")),
        type=str(row.get("recordType", "")),
        description=str(row.get("description") or ""),
        size=int(row.get("size") or 0),
        created=when(row.get("createdAt")),
        last_used=when(row.get("lastUsedAt")),
        use_count=int(row.get("usageCount") or 0),
        in_use=bool(row.get("inUse")),
        shared=bool(row.get("shared")),
        mutable=bool(row.get("mutable")),
        parents=tuple(map(str, row.get("parents") or ())),
    )


def policies(workers: Sequence[Mapping[str, Any]]) -> tuple[Policy, ...]:
    """Read the collector's rules of the first worker that has any."""
    rules: list[Mapping[str, Any]] = next((w["gcPolicy"] for w in workers if w.get("gcPolicy")), [])
    return tuple(
        Policy(
            filters=tuple(map(str, rule.get("filter") or ())),
            everything=bool(rule.get("all")),
            keep_seconds=float(rule.get("keepDuration") or 0) / _SECOND,
            reserved=int(rule.get("reservedSpace") or 0),
            most=int(rule.get("maxUsedSpace") or 0),
            least_free=int(rule.get("minFreeSpace") or 0),
        )
        for rule in rules
    )
