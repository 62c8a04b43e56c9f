"""The three kinds of builders: how each is started, asked to build, and stopped.

Every one has its own socket and data folder. What was started is stopped by its own process id;
what a killed run left behind is found by its folder and cleared before the next start.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import setup

NAMES = ("buildkit", "docker", "buildah")
PREFIX = "cachekey-builder-"
"""How the data folders are named, in one of these places (sockets want short paths)."""
PLACES = (Path("/dev/shm"), Path(tempfile.gettempdir()))
"""In memory first: at each step a builder waits for its disk, which is half of a small build's time."""
ROOM = 6 << 30
"""Bytes that must be free in memory, by far more than a run takes."""

RECORDED_BASE = (
    "FROM scratch AS base\n"
    "COPY busybox /bin/busybox\n"
    'RUN ["/bin/busybox","--install","-s","/bin"]\n'
)
"""The stage the recorded cases build on: no image can be pulled."""

APPLETS = (
    "sh [ adduser addgroup cat chmod chown cp date echo env false find head id ln ls mkdir mktemp "
    "mv printf pwd rm sed seq sleep sort stat tail tar test touch tr true wc xargs"
)
BASE = (
    "FROM scratch AS base\n"
    "COPY busybox /bin/busybox\n"
    'RUN ["/bin/busybox","sh","-c","for a in '
    f'{APPLETS}; do /bin/busybox ln -s busybox /bin/$a; done"]\n'
)
"""The same with few links instead of four hundred: every layer is a copy here, so it counts."""

NOWHERE = "http://127.0.0.1:9"
ENVIRONMENT = {
    "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin",
    "HOME": "/root",
    # Some cases name images that do not exist: nobody outside is asked for them.
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE),
}
SECONDS = 180
"""How long one build may take before it counts as failed."""
_GAVE_UP = "flightcontrol: exceeded retry timeout"
"""What BuildKit says when many steps begin at once and none gets its turn."""

LABEL = re.compile(r"^(?:#\d+ \d+\.\d+ )?RES (\S+) (.*?)\s*$", re.MULTILINE)


class UnavailableError(Exception):
    """This builder cannot run here; the text says why."""


@dataclass(frozen=True)
class Request:
    """One build: the file and what its command line says."""

    dockerfile: str
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    platform: str = ""
    no_cache: bool = False
    layers: bool = False
    """Keep a layer cache; only Buildah needs to be told."""
    jobs: int = 1
    context: Path | None = None


@dataclass(frozen=True)
class Built:
    """What a build came to."""

    ok: bool
    log: str

    @property
    def labels(self) -> dict[str, str]:
        """The values that RUN commands echoed as ``RES label value``."""
        return dict(LABEL.findall(self.log))

    @property
    def error(self) -> str:
        """The builder's own words for a failure, without what it puts before each of them."""
        return "" if self.ok else complaint(self.log)


INTRODUCTIONS = re.compile(
    r"^(?:[Ee]rror: )?(?:failed to solve(?: with frontend \S+)?: |failed to create LLB definition: "
    # Which of these two buildctl says is a race of its own.
    r"|failed to run Build function: "
    r"|dockerfile parse error (?:on )?line \d+: |(?:building|Build error)(?: at STEP \".*?\")?: "
    r"|resolving mountpoints for container \"\w+\": )+",
    re.DOTALL,
)


def complaint(log: str) -> str:
    """The last error of a build log, its introductions cut off."""
    lines = [line for line in log.splitlines() if re.match(r"(?i)error[:\s]|failed to ", line)]
    text = lines[-1] if lines else (log.strip().splitlines() or [""])[-1]
    return INTRODUCTIONS.sub("", text.strip())


def alive(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def stop(pid: int, seconds: float = 15) -> None:
    """Asks one process to end, and makes it after a while."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        until = time.monotonic() + seconds
        while alive(pid) and time.monotonic() < until:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            time.sleep(0.02)
        if not alive(pid):
            return


def mentions(pid: int, text: str) -> bool:
    """Whether a process was started with this text on its command line: ids are used again."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return text.encode() in line


def unmount(folder: Path) -> None:
    """Detaches every mount below a folder, innermost first."""
    try:
        table = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    below = [line.split()[1] for line in table.splitlines() if f" {folder}/" in line]
    for place in sorted(below, reverse=True):
        subprocess.run(["umount", "-l", place], check=False, capture_output=True)


def remove(folder: Path) -> None:
    """Deletes a builder's folder with everything that is mounted or was left running in it."""
    for pidfile in (*folder.glob("*.pid"), *folder.glob("exec/containerd/*.pid")):
        with contextlib.suppress(OSError, ValueError):
            pid = int(pidfile.read_text(encoding="utf-8"))
            if alive(pid) and mentions(pid, str(folder)):
                stop(pid)
    unmount(folder)
    shutil.rmtree(folder, ignore_errors=True)


def place() -> Path:
    """Where a builder's folder goes."""
    for found in PLACES:
        with contextlib.suppress(OSError):
            if shutil.disk_usage(found).free > ROOM and available() > ROOM:
                return found
    return PLACES[-1]


def available() -> int:
    """Bytes of memory that nobody uses; 0 where that is not told."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        told = Path("/proc/meminfo").read_text(encoding="utf-8")
        return int(told.split("MemAvailable:")[1].split()[0]) << 10
    return 0


def clear_leftovers() -> None:
    """Removes the folders of runs whose own process is gone."""
    for folder in (one for place in PLACES for one in place.glob(f"{PREFIX}*")):
        owner = folder.name[len(PREFIX) :].split("-")[0]
        if owner.isdigit() and not alive(int(owner)):
            remove(folder)


class Builder(ABC):
    """One real builder. ``build`` may be called from several threads."""

    name: str
    cases_key: str
    """The name of this builder in the recorded cases."""

    def __init__(self) -> None:
        clear_leftovers()
        prefix = f"{PREFIX}{os.getpid()}-{self.name}-"
        self.folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place()))
        self.context = self.folder / "context"
        self.context.mkdir()
        shutil.copyfile("/bin/busybox", self.context / "busybox")
        (self.context / "busybox").chmod(0o755)
        self.numbers = itertools.count()
        self.daemon: subprocess.Popen[bytes] | None = None
        self.version = self.start()

    @abstractmethod
    def start(self) -> str:
        """Starts what has to run and returns the version."""

    @abstractmethod
    def command(self, request: Request, file: Path, context: Path) -> list[str]:
        """The command line of one build."""

    def environment(self) -> dict[str, str]:
        """Environment of the client."""
        return {**ENVIRONMENT, "TMPDIR": str(self.folder)}

    def text(self, request: Request) -> str:
        """The Dockerfile as this builder gets it."""
        return with_base(request.dockerfile, BASE)

    def build(self, request: Request) -> Built:
        """Builds once; again where the builder itself failed on a busy machine.

        Docker 20.10's gives up, and Buildah loses what a RUN prints.
        """
        built = self._build(request)
        lost = built.ok and "echo RES" in request.dockerfile and not built.labels
        return self._build(request) if lost or _GAVE_UP in built.log else built

    def _build(self, request: Request) -> Built:
        place = self.folder / f"file-{next(self.numbers)}"
        place.mkdir()
        file = place / "Dockerfile"
        file.write_text(self.text(request), encoding="utf-8", newline="")
        try:
            done = subprocess.run(
                self.command(request, file, request.context or self.context),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            said = (error.stdout or b"").decode(errors="replace")
            return Built(False, f"{said}\nerror: no end after {SECONDS} s")
        finally:
            shutil.rmtree(place, ignore_errors=True)
        log = b"\n".join((done.stdout, done.stderr)).decode(errors="replace")
        return Built(done.returncode == 0, log)

    def serve(self, command: list[str], ready: list[str]) -> None:
        """Starts a daemon and waits until a client's question is answered."""
        log = self.folder / "daemon.log"
        with log.open("wb") as out:
            self.daemon = subprocess.Popen(
                command,
                env={**ENVIRONMENT, "TMPDIR": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        pidfile = self.folder / "daemon.pid"
        pidfile.write_text(str(self.daemon.pid), encoding="utf-8")
        for _ in range(600):
            if self.daemon.poll() is not None:
                break
            asked = subprocess.run(ready, env=self.environment(), capture_output=True, check=False)
            if asked.returncode == 0:
                return
            time.sleep(0.1)
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        self.close()
        raise UnavailableError(
            f"{Path(command[0]).name} does not start: {said[-1] if said else '?'}"
        )

    def close(self) -> None:
        """Stops what was started and removes its folder."""
        if self.daemon is not None:
            if self.daemon.poll() is None:
                stop(self.daemon.pid)
            self.daemon.wait()
            self.daemon = None
        remove(self.folder)


def with_base(dockerfile: str, base: str) -> str:
    """The file with other lines for its base stage, in the file's own line endings."""
    for written in (RECORDED_BASE, BASE):
        for ending in ("\n", "\r\n"):
            dockerfile = dockerfile.replace(
                written.replace("\n", ending), base.replace("\n", ending)
            )
    return dockerfile


def output(*command: str) -> str:
    """Standard output of a short command."""
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return done.stdout


def options(request: Request, flag: str) -> list[str]:
    """Build arguments as words of a command line."""
    return [word for k, v in request.build_args.items() for word in (flag, f"{k}={v}")]


class BuildKit(Builder):
    """The pinned buildkitd with the OCI worker; its layers are overlays where the system has them."""

    name = "buildkit"
    cases_key = "head"

    def start(self) -> str:
        """Starts buildkitd as root with Debian's runc."""
        self.address = f"unix://{self.folder}/s.sock"
        root = self.folder / "root"
        worker = ["--oci-worker=true", "--oci-worker-snapshotter=auto", "--oci-worker-gc=false"]
        daemon = [str(setup.BIN / "buildkitd"), "--root", str(root), "--addr", self.address]
        binary = shutil.which("runc", path=ENVIRONMENT["PATH"]) or "runc"
        network = ["--oci-worker-net=host", f"--oci-worker-binary={binary}"]
        self.client = [str(setup.BIN / "buildctl"), "--addr", self.address]
        self.serve(
            [*daemon, *worker, *network, "--containerd-worker=false"],
            [*self.client, "debug", "workers"],
        )
        return setup.BUILDKIT.removeprefix("v")

    def command(self, request: Request, file: Path, context: Path) -> list[str]:
        """Build without an output."""
        words = ["build", "--progress=plain", "--frontend=dockerfile.v0"]
        words += ["--local", f"context={context}", "--local", f"dockerfile={file.parent}"]
        for name, value in request.build_args.items():
            words += ["--opt", f"build-arg:{name}={value}"]
        if request.target:
            words += ["--opt", f"target={request.target}"]
        if request.platform:
            words += ["--opt", f"platform={request.platform}"]
        if request.no_cache:
            words.append("--no-cache")
        return [*self.client, *words]


class Docker(Builder):
    """Debian's dockerd with the BuildKit that is inside it, and its own client."""

    name = "docker"
    cases_key = "docker20"

    def start(self) -> str:
        """Starts dockerd without a network of its own."""
        place = self.folder
        self.client = ["/usr/bin/docker", "-H", f"unix://{place}/s.sock"]
        (place / "empty.json").write_text("{}", encoding="utf-8")
        daemon = [
            *("/usr/sbin/dockerd", "--storage-driver=vfs", "--iptables=false", "--bridge=none"),
            *("--ip-forward=false", "--ip-masq=false", f"--host=unix://{place}/s.sock"),
            *(f"--data-root={place}/root", f"--exec-root={place}/exec"),
            *(f"--pidfile={place}/dockerd.pid", f"--config-file={place}/empty.json"),
        ]
        self.serve(daemon, [*self.client, "version"])
        return output(*self.client, "version", "--format", "{{.Server.Version}}").split("+")[0]

    def environment(self) -> dict[str, str]:
        """No settings and no plugins of whoever runs the tests."""
        return {**super().environment(), "DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": str(self.folder)}

    def command(self, request: Request, file: Path, context: Path) -> list[str]:
        """Build into an image without a name."""
        words = ["build", "--network=host", "--progress=plain", "-f", str(file)]
        words += options(request, "--build-arg")
        words += ["--target", request.target] if request.target else []
        words += ["--platform", request.platform] if request.platform else []
        words += ["--no-cache"] if request.no_cache else []
        return [*self.client, *words, str(context)]


class Buildah(Builder):
    """Debian's Buildah; it has no daemon. The base stage is built once and used as an image."""

    name = "buildah"
    cases_key = "buildah"

    def start(self) -> str:
        """Builds the base image."""
        policy = '{"default":[{"type":"insecureAcceptAnything"}]}'
        (self.folder / "policy.json").write_text(policy, encoding="utf-8")
        place = self.folder
        self.client = ["/usr/bin/buildah", "--root", f"{place}/root", "--runroot", f"{place}/run"]
        self.client += ["--storage-driver=vfs"]
        file = self.folder / "Dockerfile.base"
        file.write_text(BASE, encoding="utf-8")
        request = Request(BASE)
        words = self.command(request, file, self.context)
        made = subprocess.run(
            [*words[:-1], "-t", "localhost/base", words[-1]],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            said = (made.stderr.strip() or made.stdout.strip()).splitlines()
            self.close()
            raise UnavailableError(f"buildah cannot build: {said[-1] if said else '?'}")
        return output("/usr/bin/buildah", "version").split("Version:")[1].split()[0]

    def text(self, request: Request) -> str:
        """With the prebuilt base in place of the three lines that make it."""
        return with_base(request.dockerfile, "FROM localhost/base AS base\n")

    def command(self, request: Request, file: Path, context: Path) -> list[str]:
        """Build in a chroot, without a layer cache unless the case is about it."""
        words = ["bud", "--isolation=chroot", "--pull-never", f"--jobs={request.jobs}"]
        words += [f"--layers={'true' if request.layers else 'false'}"]
        words += [f"--signature-policy={self.folder}/policy.json", "-f", str(file)]
        words += ["--target", request.target] if request.target else []
        words += ["--platform", request.platform] if request.platform else []
        words += ["--no-cache"] if request.no_cache else []
        return [*self.client, *words, *options(request, "--build-arg"), str(context)]


KINDS: dict[str, type[Builder]] = {"buildkit": BuildKit, "docker": Docker, "buildah": Buildah}
