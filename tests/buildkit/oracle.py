"""The pinned BuildKit's own Dockerfile frontend as a judge that answers in a millisecond.

``oracle/main.go`` is compiled against that BuildKit. It needs no daemon and no root: it tells what
the frontend refuses, in which words, and which cache id, sharing mode and base every mount gets.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import setup
from .kinds import INTRODUCTIONS, UnavailableError


@dataclass(frozen=True)
class OracleMount:
    """One mount as BuildKit's solver would get it. Line is that of the RUN, from 1."""

    line: int
    order: int
    type: str
    id: str
    sharing: str
    dest: str
    selector: str
    readonly: bool
    base: str
    command: str

    @property
    def key(self) -> tuple[str, str]:
        """By what two mounts are one volume: the id with its namespace, and the base below it."""
        return (self.id, self.base)


@dataclass(frozen=True)
class Instruction:
    """One instruction as BuildKit's parser splits it; two of another line can be equal."""

    line: int = field(compare=False)
    word: str
    flags: tuple[str, ...]
    rest: tuple[str, ...]
    heredocs: tuple[str, ...]

    @property
    def kept(self) -> tuple[str, ...]:
        """The flags that are no mounts, in their order."""
        return tuple(flag for flag in self.flags if not flag.startswith("--mount="))


@dataclass(frozen=True)
class Parse:
    """How the parser splits a file. ``error`` is empty when it can."""

    error: str
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True)
class Verdict:
    """What the frontend makes of a file. ``error`` is empty when it accepts it."""

    error: str
    mounts: tuple[OracleMount, ...]
    warnings: tuple[str, ...]

    @property
    def caches(self) -> tuple[OracleMount, ...]:
        """The cache mounts in the order of the file."""
        found = [mount for mount in self.mounts if mount.type == "cache"]
        return tuple(sorted(found, key=lambda mount: (mount.line, mount.order)))


class Oracle:
    """One running process; questions from several threads wait for each other."""

    def __init__(self) -> None:
        reason = setup.unready("oracle")
        if reason:
            raise UnavailableError(f"oracle: {reason}")
        self.lock = threading.Lock()
        self.process = subprocess.Popen(
            [str(setup.BIN / "oracle")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        atexit.register(self.close)

    def ask(
        self,
        dockerfile: str,
        build_args: Mapping[str, str] | None = None,
        namespace: str = "",
        platform: str = "",
        target: str = "",
    ) -> Verdict:
        """What BuildKit makes of this file."""
        question = {
            "dockerfile": dockerfile,
            "build_args": dict(build_args or {}),
            "namespace": namespace,
            "platform": platform,
            "target": target,
        }
        answer = self._ask(question)
        mounts = tuple(OracleMount(**mount) for mount in answer["mounts"])
        return Verdict(INTRODUCTIONS.sub("", answer["error"]), mounts, tuple(answer["warnings"]))

    def parse(self, dockerfile: str) -> Parse:
        """How BuildKit's parser splits this file."""
        answer = self._ask({"dockerfile": dockerfile, "parse": True})
        found = []
        for item in answer["instructions"]:
            lists = {name: tuple(item[name]) for name in ("flags", "rest", "heredocs")}
            found.append(Instruction(item["line"], item["word"], **lists))
        return Parse(INTRODUCTIONS.sub("", answer["error"]), tuple(found))

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        with self.lock:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        if not line:
            raise UnavailableError("the oracle ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Ends the process."""
        if self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.wait(timeout=10)


_oracle: Oracle | None = None
_starting = threading.Lock()


def oracle() -> Oracle:
    """The running oracle. Raises UnavailableError."""
    global _oracle
    with _starting:
        if _oracle is None:
            _oracle = Oracle()
        return _oracle
