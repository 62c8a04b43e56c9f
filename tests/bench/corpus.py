"""Generated Dockerfiles that look like those of real services: same number, same bytes.

They have what a checker of caches meets: one to eight stages of common ecosystems, cache, bind and secret
mounts, generic and project-specific names, users, here-documents, continuation lines, comments, and now
and then a usual mistake. Only ``Random.random`` is asked, whose sequence is the same in every Python.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SEED = "cachekey"
SHARED_ID = "bench-shared"
"""The name of a cache that few files have: who asks for its users must have read them all."""
SHARED = f"RUN --mount=type=cache,id={SHARED_ID},target=/var/cache/shared \\\n    make report\n"
SUBJECT_LINES = 93
"""Lines of the file that is edited: the median of the corpus is near it."""


@dataclass(frozen=True)
class Recipe:
    """How an ecosystem is built: image, what is copied first, its cache, install and build."""

    image: str
    manifests: str
    name: str
    target: str
    installs: tuple[str, ...]
    build: str


RECIPES = (
    Recipe(
        "python:3.13-slim",
        "requirements.txt",
        "pip",
        "~/.cache/pip",
        ("pip install -r requirements.txt", "pip install --no-cache-dir -r requirements.txt"),
        "python -m compileall -q src",
    ),
    Recipe(
        "python:3.12-bookworm",
        "pyproject.toml uv.lock",
        "uv",
        "~/.cache/uv",
        ("uv sync --frozen --no-install-project", "uv sync --locked --no-dev"),
        "uv build --wheel",
    ),
    Recipe(
        "python:3.11",
        "pyproject.toml poetry.lock",
        "poetry",
        "~/.cache/pypoetry",
        ("poetry install --no-root", "poetry install --only main"),
        "poetry build",
    ),
    Recipe(
        "node:22-slim",
        "package.json package-lock.json",
        "npm",
        "~/.npm",
        ("npm ci", "npm ci --omit=dev --no-audit", "npm install"),
        "npm run build",
    ),
    Recipe(
        "node:20-bookworm",
        "package.json pnpm-lock.yaml",
        "pnpm",
        "/pnpm/store",
        ("corepack enable && pnpm install --frozen-lockfile", "pnpm fetch"),
        "pnpm run build",
    ),
    Recipe(
        "golang:1.25",
        "go.mod go.sum",
        "gomod",
        "/go/pkg/mod",
        ("go mod download", "go mod download -x && go mod verify"),
        "CGO_ENABLED=0 go build -trimpath -o /out/app ./cmd/app",
    ),
    Recipe(
        "rust:1.90-slim",
        "Cargo.toml Cargo.lock",
        "cargo",
        "/usr/local/cargo/registry",
        ("cargo fetch --locked", "cargo build --release"),
        "cargo build --release && cp target/release/app /usr/local/bin/app",
    ),
    Recipe(
        "maven:3.9-eclipse-temurin-21",
        "pom.xml",
        "maven",
        "~/.m2/repository",
        ("mvn -B dependency:go-offline", "mvn -B -q dependency:resolve"),
        "mvn -B -o package -DskipTests",
    ),
)
PACKAGES = (
    "build-essential",
    "curl",
    "git",
    "jq",
    "libpq-dev",
    "libssl-dev",
    "pkg-config",
    "unzip",
)
WORDS = (
    "account",
    "billing",
    "catalog",
    "courier",
    "gateway",
    "invoice",
    "ledger",
    "mailer",
    "orders",
    "parcel",
    "pricing",
    "profile",
    "reports",
    "search",
    "session",
    "stock",
    "tracker",
    "vault",
    "warehouse",
    "webhook",
)


class Dice:
    """Chance that is the same every time."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def number(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        return items[self.number(0, len(items) - 1)]

    def words(self, low: int, high: int) -> str:
        return " ".join(self.pick(WORDS) for _ in range(self.number(low, high)))


def dockerfile(number: int, lines: int = 0, remarks: int = 0) -> str:
    """Return the text of one file.

    ``lines`` is its length, otherwise 20 to 150. Above each stage stands a comment; ``remarks`` many short
    ones take its place.
    """
    dice = Dice(f"{SEED}/{number}")
    wanted = lines or dice.number(20, 150)
    service = f"{dice.pick(WORDS)}-{number}"
    text = ["# syntax=docker/dockerfile:1", f"# {service}: {dice.words(2, 7)}", "ARG VERSION=1.0"]
    names: list[str] = []
    while True:
        name = f"{dice.pick(WORDS)}{len(names)}"
        remark = [f"# {dice.words(1, 1)}" for _ in range(remarks)] or [f"# {dice.words(3, 9)}"]
        stage = ["", *remark, *_stage(dice, name, service)]
        if names and len(text) + len(stage) + 10 > wanted:
            break
        text += stage
        names.append(name)
    text += ["", *_final(dice, names)]
    for filler in range(wanted - len(text)):
        text.append(
            f"# {dice.words(3, 9)}"
            if filler % 2
            else f"ENV {dice.pick(WORDS).upper()}_{filler}={dice.number(1, 9999)}"
        )
    return "\n".join(text) + "\n"


def subject() -> str:
    """Return the file that is edited: every corpus has it, and it uses the shared cache."""
    return dockerfile(1_000_003, SUBJECT_LINES - SHARED.count("\n")) + SHARED


def long_file(lines: int) -> str:
    """Return a file of many stages; 20,000 lines of it are below what the server reads while typing."""
    return dockerfile(lines, lines, remarks=6)


def write_tree(folder: Path, count: int, shared_every: int = 0) -> list[Path]:
    """Write ``count`` files, each in a folder of its own.

    With ``shared_every`` each so many-th file and the last one use the shared cache; they are returned.
    """
    shared = []
    for number in range(count):
        place = folder / f"service{number:05}"
        place.mkdir(parents=True)
        text = dockerfile(number)
        if shared_every and (number % shared_every == 0 or number == count - 1):
            text += SHARED
            shared.append(place / "Dockerfile")
        (place / "Dockerfile").write_text(text, encoding="utf-8", newline="\n")
    return shared


def fingerprint() -> str:
    """Return a hash of some of the files: figures of two runs compare only if it is the same."""
    texts = [dockerfile(number) for number in range(50)]
    return hashlib.sha256("\0".join([*texts, subject(), long_file(1000)]).encode()).hexdigest()


def _stage(dice: Dice, name: str, service: str) -> list[str]:
    recipe = dice.pick(RECIPES)
    lines = [f"FROM {recipe.image} AS {name}"]
    if dice.chance(0.5):
        lines += ["ARG TARGETARCH", "ENV LANG=C.UTF-8 \\", f"    STAGE={name}"]
    if dice.chance(0.4):
        lines += _system_packages(dice)
    home, owner = "/root", ""
    if dice.chance(0.3):
        lines += ["RUN useradd --create-home --uid 1000 app", "USER app"]
        home, owner = "/home/app", ",uid=1000,gid=1000" if dice.chance(0.6) else ""
    lines += [f"WORKDIR /srv/{name}", f"COPY {recipe.manifests} ./"]
    target = recipe.target.replace("~", "/root" if dice.chance(0.1) else home)
    mounts = [_mount(dice, recipe.name, target, service) + owner] if dice.chance(0.8) else []
    if dice.chance(0.2):
        mounts.append("--mount=type=secret,id=token,target=/run/secrets/token")
    lines += _run(dice, mounts, dice.pick(recipe.installs).split(" && "))
    lines += ["COPY . ."]
    if not dice.chance(0.5):
        mounts = []
    return lines + _run(dice, mounts, recipe.build.split(" && "))


def _system_packages(dice: Dice) -> list[str]:
    first = dice.number(0, len(PACKAGES) - 4)
    packages = PACKAGES[first : first + dice.number(2, 4)]
    locked = ",sharing=locked" if dice.chance(0.7) else ""
    mounts = [f"--mount=type=cache,target=/var/{x}/apt{locked}" for x in ("cache", "lib")]
    commands = [
        "apt-get update",
        "apt-get install -y --no-install-recommends " + " ".join(packages),
    ]
    if dice.chance(0.4):
        commands.append("rm -rf /var/lib/apt/lists/*")
    return _run(dice, mounts if dice.chance(0.7) else [], commands)


def _mount(dice: Dice, name: str, target: str, service: str) -> str:
    options = ["--mount=type=cache"]
    if dice.chance(0.5):
        options.append(f"id={service}-{name}" if dice.chance(0.5) else f"id={name}")
    options.append(f"target={target}")
    if dice.chance(0.25):
        options.append(f"sharing={dice.pick(('locked', 'shared', 'private'))}")
    return ",".join(options)


def _run(dice: Dice, mounts: Sequence[str], commands: Sequence[str]) -> list[str]:
    if mounts and dice.chance(0.12):
        return [f"RUN {' '.join(mounts)} <<EOF", "set -eux", *commands, "EOF"]
    parts = [*mounts, " && \\\n    ".join(commands)]
    return ("RUN " + " \\\n    ".join(parts)).split("\n")


def _final(dice: Dice, names: Sequence[str]) -> list[str]:
    image = dice.pick(("debian:13-slim", "alpine:3.22", "gcr.io/distroless/base-debian12"))
    lines = [f"FROM {image} AS runtime"]
    lines += [f"COPY --from={name} /srv/{name} /srv/{name}" for name in names[-3:]]
    lines += ["USER 1000:1000"] if dice.chance(0.6) else []
    return [*lines, f"EXPOSE {dice.number(1024, 9999)}", 'CMD ["/usr/local/bin/app", "serve"]']
