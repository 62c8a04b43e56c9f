"""Asks Docker over its API: a local socket directly, everything else as the docker client connects.

``docker system dial-stdio`` carries the API over standard streams by the client's own rules for
contexts, TLS and ssh. Source: Docker Engine API ``/version`` and ``/system/df``.
"""

from __future__ import annotations

import http.client
import io
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from typing import Any

from cachekey.builder.build import BuildRequest, buildx_words
from cachekey.builder.buildx import last_build_in, past_builds
from cachekey.builder.history import PastBuild
from cachekey.builder.programs import PATIENCE, complaint, decoded, rows, started
from cachekey.builder.records import Builder, BuilderError, Usage, UsageRecord, when
from cachekey.builder.source import Source

_NAMING = 25
"""The first Docker whose records name their caches: it holds BuildKit 0.12."""
_NAMING_API = (1, 44)
"""Its API, by which a daemon is known that was built without a version of its own."""


class Docker(Source):
    """The builder inside a Docker daemon."""

    def __init__(self, host: str, name: str, found: str, context: str | None = None) -> None:
        self.host, self.context = host, context
        self.name = name
        told = self._get("/version")
        self.builder = Builder(name, "docker", str(told.get("Version", "")), found)
        self._names = _names(self.builder.version, str(told.get("ApiVersion", "")))

    def _get(self, path: str) -> Mapping[str, Any]:
        whom = self._whom
        with ExitStack() as stack:
            connection = _Connection(self.host, self.client, whom, stack)
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                text = response.read()
            except FileNotFoundError:
                raise BuilderError(f"no builder answers at {whom}: is it running?") from None
            except PermissionError:
                raise BuilderError(complaint("error: permission denied", whom)) from None
            except ConnectionRefusedError:
                raise BuilderError(f"no builder answers at {whom}: is it running?") from None
            except TimeoutError:
                raise BuilderError(f"{whom} does not answer within {PATIENCE} s") from None
            except (OSError, http.client.HTTPException):
                raise BuilderError(connection.why_gone()) from None
        told = decoded(text, whom)
        if response.status != 200:
            said = told.get("message") if isinstance(told, dict) else None
            raise BuilderError(f"{whom} refuses: {said or response.reason}")
        return told if isinstance(told, dict) else {}

    @property
    def client(self) -> tuple[str, ...]:
        """Return the beginning of a docker command line for this daemon."""
        if self.context:
            return ("docker", "--context", self.context)
        return ("docker",) if self.host == "" else ("docker", "-H", self.host)

    def usage(self) -> Usage:
        """Ask for disk usage."""
        told = self._get("/system/df?type=build-cache").get("BuildCache")
        return Usage(self.builder, rows(told, _record, self._whom), None, self._names)

    @property
    def _whom(self) -> str:
        return f"Docker at {self.name}"

    def prune(self, record: str) -> Sequence[str]:
        """Return the command that removes one record."""
        return (*self.client, "builder", "prune", "-f", "--filter", f"id={record}")

    def history(self, most: int) -> list[PastBuild] | None:
        """Return the latest builds, which buildx asks for; None without it, or with an old one."""
        try:
            client = (*self.client, "buildx")
            return past_builds(client, self.context or "default", self._whom, most)
        except BuilderError:
            return None

    def builds_in(self, namespace: str) -> list[datetime | None] | None:
        """Return when the latest build in a cache namespace ended, which buildx tells."""
        client = (*self.client, "buildx")
        return last_build_in(namespace, client, self.context or "default", self._whom)

    def building(self, request: BuildRequest) -> Sequence[str]:
        """Return the command line of a build, which needs buildx and records with names."""
        if not self._names:
            raise BuilderError(
                f"Docker {self.builder.version} does not name its caches, so that prove could not "
                f"take its own away again; it needs Docker {_NAMING} or newer"
            )
        words = buildx_words(request)
        return (
            *self.client,
            "buildx",
            words[0],
            "--builder",
            self.context or "default",
            *words[1:],
        )


def _names(version: str, api: str) -> bool:
    """Tell whether a daemon's records name their caches."""
    major = version.partition(".")[0]
    if major.isdecimal():
        return int(major) >= _NAMING
    parts = api.split(".")
    known = len(parts) == 2 and all(part.isdecimal() for part in parts)
    return known and (int(parts[0]), int(parts[1])) >= _NAMING_API


def _record(row: Mapping[str, Any]) -> UsageRecord:
    # Parent until API 1.41; since then it is Parents, which the daemon writes with a blank in front.
    parents = row.get(" Parents") or row.get("Parents") or [row.get("Parent")]
    return UsageRecord(
        id=str(row.get("ID", "")),
        type=str(row.get("Type", "")),
        description=str(row.get("Description") or ""),
        size=int(row.get("Size") or 0),
        created=when(row.get("CreatedAt")),
        last_used=when(row.get("LastUsedAt")),
        use_count=int(row.get("UsageCount") or 0),
        in_use=bool(row.get("InUse")),
        shared=bool(row.get("Shared")),
        parents=tuple(str(parent) for parent in parents if parent),
    )


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket, or over the streams of the docker client."""

    def __init__(self, host: str, client: Sequence[str], whom: str, stack: ExitStack) -> None:
        super().__init__("docker", timeout=PATIENCE)
        self._host, self._client, self._whom, self._stack = host, client, whom, stack
        self._process: subprocess.Popen[bytes] | None = None

    def connect(self) -> None:
        """Open the way to the daemon."""
        if self._host.startswith("unix://"):
            family = getattr(socket, "AF_UNIX", None)
            if family is None:
                raise BuilderError("this system has no Unix sockets")
            plug = socket.socket(family, socket.SOCK_STREAM)
            self._stack.callback(plug.close)
            plug.settimeout(PATIENCE)
            plug.connect(self._host.removeprefix("unix://"))
            self.sock = plug
            return
        command = (*self._client, "system", "dial-stdio")
        self._process = self._stack.enter_context(started(command, self._whom, pipe=True))
        self.sock = _Streams(self._process)

    def why_gone(self) -> str:
        """Say why the conversation ended early."""
        errors = ""
        if self._process is not None and self._process.stderr is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
                errors = self._process.stderr.read().decode("utf-8", "replace")
        return complaint(errors or "error: connection reset", self._whom)


class _Streams(socket.socket):
    """A process's standard streams where ``http.client`` expects a socket."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__()
        super().close()
        self._process = process

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send bytes."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def makefile(self, *args: Any, **options: Any) -> Any:
        """Return the stream of answers."""
        assert self._process.stdout is not None
        return io.BufferedReader(_Unclosed(self._process.stdout))


class _Unclosed(io.RawIOBase):
    """Reads a stream that somebody else closes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there."""
        data = self._stream.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)
