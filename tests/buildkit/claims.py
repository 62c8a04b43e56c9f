"""From a case's files and Cachekey's keys to a claim that a builder can confirm or not."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Any

from . import ask, cases
from .cases import Case

WRITES = re.compile(r"touch\s+(/\S+m)\b")
LOOKS = re.compile(r"if \[ -e (/\S+m) \]; then echo RES (\w+) shared; else echo RES \w+ fresh; fi")
JSON_WRITES = re.compile(r'"/bin/touch",\s*"(/\S+m)"')
CAT_WRITES = re.compile(r"> (/k\d+/t/k\d+m)$", re.MULTILINE)
STARTS = re.compile(r"(?i)^[ \t\ufeff]*(?:FROM|RUN|USER|ENV|ARG|WORKDIR|COPY|ONBUILD|SHELL)\s")
RUN = re.compile(r"(?i)^[ \t]*(?:ONBUILD[ \t]+)?RUN\b")


@dataclass(frozen=True)
class Place:
    """A marker that a RUN writes or looks for, and the key of the mount that it lies in."""

    file: str
    key: str
    label: str = ""


def runs(dockerfile: str) -> list[tuple[int, int, str]]:
    """First line, line behind the last one, and text of every RUN, lines from 0."""
    lines = re.split(r"\r?\n", dockerfile)
    starts = [number for number, line in enumerate(lines) if STARTS.match(line)]
    found = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        if RUN.match(lines[start]):
            found.append((start, end, "\n".join(lines[start:end])))
    return found


def owner(mounts: list[dict[str, Any]], file: str, engine: str) -> dict[str, Any] | None:
    """The mount that a file lies in: the deepest, and of two at one place the one that is seen."""
    best: tuple[int, dict[str, Any]] | None = None
    for mount in mounts if engine == "buildkit" else reversed(mounts):
        target = posixpath.normpath(mount["target"] or ".")
        folder = "/" + target.lstrip("/")
        if target in (".", "/.") or (len(mounts) == 1 and not target.startswith("/")):
            depth = 0
        elif file.startswith(f"{folder}/"):
            depth = folder.count("/")
        else:
            continue
        if best is None or depth >= best[0]:
            best = (depth, mount)
    return best[1] if best else None


@dataclass(frozen=True)
class Claim:
    """What Cachekey's keys say of a case: by label whether the marker is seen, or a refusal."""

    shared: dict[str, bool]
    refused: tuple[str, ...]
    open: frozenset[str] = frozenset()
    """Variables that decide a key and that the file does not tell."""


def claim(case: Case, engine: str = "buildkit") -> Claim:
    """Asks Cachekey about every file of a case."""
    written: list[Place] = []
    shared: dict[str, bool] = {}
    refused: list[str] = []
    unresolved: list[str] = []
    for step in case.steps:
        namespace = step.build_args.get(cases.NAMESPACE, "")
        args = dict(step.build_args)
        if step.platform:
            system, _, machine = step.platform.partition("/")
            args |= {"TARGETPLATFORM": step.platform, "TARGETOS": system, "TARGETARCH": machine}
            args |= {"TARGETVARIANT": ""}
        mounts = ask.keys(step.dockerfile, args, namespace, engine)
        refused += [mount["error"] for mount in mounts if mount["error"]]
        unresolved += [name for mount in mounts for name in mount["unresolved"]]
        for start, end, text in runs(step.dockerfile):
            here = [m for m in mounts if start <= m["range"]["start"]["line"] < end]
            for pattern in (WRITES, JSON_WRITES, CAT_WRITES):
                for path in pattern.findall(text):
                    found = owner(here, path, engine)
                    if found and found["key"] is not None and not found["readonly"]:
                        written.append(Place(posixpath.basename(path), found["key"]))
            for path, label in LOOKS.findall(text):
                found = owner(here, path, engine)
                if found and found["key"] is not None:
                    looked = Place(posixpath.basename(path), found["key"])
                    shared[label] = looked in written
    return Claim(shared, tuple(refused), frozenset(unresolved))
