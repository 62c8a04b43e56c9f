"""One build: what the user asks for, and how each client is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from threading import Thread

from cachekey.builder.programs import complaint, started
from cachekey.builder.progress import Progress, Step
from cachekey.builder.records import BuilderError
from cachekey.record import record

NAMESPACE = "BUILDKIT_CACHE_MOUNT_NS"


@record(frozen=True)
class BuildRequest:
    """What a build is made of."""

    context: str
    folder: str
    """Where the Dockerfile lies, under the name ``Dockerfile``."""
    args: Mapping[str, str]
    target: str | None = None
    platform: str | None = None
    secrets: tuple[str, ...] = ()
    """``id=…,src=…``, as all clients take them."""
    agents: tuple[str, ...] = ()
    """SSH agents, as all clients take them."""
    network: str | None = None
    """``none`` or ``host``; None and ``default`` leave it to the builder."""
    contexts: Mapping[str, str] | None = None
    """Named contexts: folders or addresses."""


def buildctl_words(request: BuildRequest) -> list[str]:
    """Return the options of ``buildctl build``."""
    words = ["build", "--progress=rawjson", "--frontend=dockerfile.v0"]
    words += ["--local", f"context={request.context}", "--local", f"dockerfile={request.folder}"]
    for name, value in request.args.items():
        words += ["--opt", f"build-arg:{name}={value}"]
    if request.target:
        words += ["--opt", f"target={request.target}"]
    if request.platform:
        words += ["--opt", f"platform={request.platform}"]
    for secret in request.secrets:
        words += ["--secret", secret]
    for agent in request.agents:
        words += ["--ssh", agent]
    if request.network in ("none", "host"):
        words += ["--opt", f"force-network-mode={request.network}"]
        words += ["--allow", "network.host"] if request.network == "host" else []
    for number, (name, value) in enumerate((request.contexts or {}).items()):
        if os.path.isdir(value):
            local = f"named{number}"
            words += ["--local", f"{local}={value}", "--opt", f"context:{name}=local:{local}"]
        else:
            words += ["--opt", f"context:{name}={value}"]
    return words


def buildx_words(request: BuildRequest) -> list[str]:
    """Return the options of ``docker buildx build``; nothing is exported."""
    words = ["build", "--progress=rawjson", "--output=type=cacheonly", "--provenance=false"]
    words += ["-f", os.path.join(request.folder, "Dockerfile")]
    for name, value in request.args.items():
        words += ["--build-arg", f"{name}={value}"]
    words += ["--target", request.target] if request.target else []
    words += ["--platform", request.platform] if request.platform else []
    for secret in request.secrets:
        words += ["--secret", secret]
    for agent in request.agents:
        words += ["--ssh", agent]
    words += ["--network", request.network] if request.network else []
    for name, value in (request.contexts or {}).items():
        words += ["--build-context", f"{name}={value}"]
    return [*words, request.context]


def build(command: Sequence[str], whom: str, begun: Callable[[Step], None]) -> Progress:
    """Run a build and return what was told of it; raises :class:`BuilderError` when it fails.

    ``begun`` is told of each step as it begins. The build ends with this process, even a killed one.
    """
    progress = Progress()
    with started(command, whom, tied=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        drain = Thread(target=process.stdout.read, daemon=True)
        drain.start()
        for line in process.stderr:
            if step := progress.feed(line.decode("utf-8", "replace")):
                begun(step)
        status = process.wait()
        drain.join()
    if status:
        failed = any(step.error for step in progress.steps.values())
        said = "\n".join(progress.said)
        if not failed and ("ailed to dial" in said or "onnection" in said):
            raise BuilderError(complaint(said, whom))
        raise BuilderError(f"the build fails: {progress.failure}")
    return progress
