"""A baseline: the findings that a project has accepted, so that only new ones are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cachekey.finding import Finding
from cachekey.markup.data import dump
from cachekey.markup.message import message
from cachekey.markup.terminal import Output
from cachekey.report.fingerprint import fingerprints
from cachekey.text import Source

VERSION = 1


class BaselineError(Exception):
    """A text is no baseline of this version; the text says why, for the user."""


def render(
    findings: Iterable[Finding], sources: Mapping[str, Source], name: Callable[[str], str]
) -> Output:
    """Return the text of a baseline, sorted so that a review shows what has changed."""
    found = list(findings)
    rows = [
        {
            "path": name(finding.path),
            "code": finding.code,
            "fingerprint": fingerprint,
            "message": message(finding.message),
        }
        for finding, fingerprint in zip(found, fingerprints(found, sources, name), strict=True)
    ]
    rows.sort(key=lambda row: (row["path"], row["code"], row["fingerprint"]))
    return dump({"version": VERSION, "findings": rows})


def read(text: str) -> frozenset[str]:
    """Return the fingerprints of a baseline; raises :class:`BaselineError`."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise BaselineError("this is no JSON") from None
    if not isinstance(data, dict) or "version" not in data:
        raise BaselineError("this is no baseline: it has no version")
    if data["version"] != VERSION:
        raise BaselineError(
            f"it has version {json.dumps(data['version'])[:20]}, and this Cachekey reads version "
            f"{VERSION}: write it anew with --write-baseline"
        )
    rows = data.get("findings")
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("fingerprint"), str) for row in rows
    ):
        raise BaselineError("its findings are not what --write-baseline writes")
    return frozenset(row["fingerprint"] for row in rows)


def fresh(
    findings: Iterable[Finding],
    known: frozenset[str],
    sources: Mapping[str, Source],
    name: Callable[[str], str],
) -> list[Finding]:
    """Return the findings that a baseline does not hold."""
    found = list(findings)
    names = fingerprints(found, sources, name)
    return [item for item, this in zip(found, names, strict=True) if this not in known]
