"""A recipe leaves a cache that its user may write to, or says what is missing for that."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from cachekey.assist.refactor import refactorings
from cachekey.finding import Fix, Safety
from cachekey.text import Span, apply_edits

from tests.checking.test_promise import look

CONFIG, BUILT = ".devcontainer/devcontainer.json", ".devcontainer/Dockerfile"
BASE = "mcr.microsoft.com/devcontainers/base:bookworm"
OWNED = "sudo chown -R $(id -u):$(id -g) /cache/uv && "


def offered(container: Mapping[str, object], title: str, dockerfile: str = "") -> Fix:
    """Return what is offered for a dev container under a title."""
    files = {CONFIG: json.dumps(container), **({BUILT: dockerfile} if dockerfile else {})}
    project, _ = look(files)
    (found,) = (
        fix
        for fix in refactorings(project, CONFIG, Span(0, len(files[CONFIG])))
        if fix.title.startswith(title)
    )
    return found


def written(container: Mapping[str, object], fix: Fix) -> dict[str, str]:
    """Return the devcontainer.json that a recipe leaves."""
    edits = [item.edit for item in fix.edits if item.path == CONFIG]
    found: dict[str, str] = json.loads(apply_edits(json.dumps(container), edits))
    return found


@pytest.mark.parametrize(
    "container",
    [
        {"image": BASE, "postCreateCommand": "uv sync && make setup"},
        {"image": BASE, "postCreateCommand": "uv sync", "postStartCommand": "./unseen.sh"},
        {
            "image": BASE,
            "postCreateCommand": "uv sync",
            "features": {"ghcr.io/example/features/x:1": {}},
        },
    ],
    ids=["make", "script", "feature"],
)
def test_what_is_not_read_owns_no_volume_that_it_has_never_heard_of(
    container: dict[str, object],
) -> None:
    fix = offered(container, "Share the uv cache by a volume")
    assert written(container, fix)["postCreateCommand"].startswith(OWNED)


def test_a_command_that_is_seen_to_own_all_around_is_enough() -> None:
    container: dict[str, object] = {
        "image": BASE,
        "onCreateCommand": "sudo chown -R vscode /cache",
        "postCreateCommand": "uv sync",
    }
    fix = offered(container, "Share the uv cache by a volume")
    assert written(container, fix)["postCreateCommand"] == "uv sync"


@pytest.mark.parametrize(
    ("more", "who"), [({}, "the user of the container"), ({"remoteUser": "dev"}, "dev")]
)
def test_what_an_unknown_image_allows_is_said_to_be_unknown(more: dict[str, str], who: str) -> None:
    container = {"image": "registry.example.org/dev:1", "postCreateCommand": "uv sync", **more}
    fix = offered(container, "Share the uv cache by a volume")
    assert fix.reason == f"nobody can tell whether {who} may write to /cache/uv"
    assert fix.safety is Safety.UNSAFE
    assert "sudo" not in json.dumps(written(container, fix))


def test_root_needs_nothing() -> None:
    container: dict[str, object] = {"image": "debian:12", "postCreateCommand": "uv sync"}
    fix = offered(container, "Share the uv cache by a volume")
    assert (fix.reason, fix.safety) == ("", Safety.SAFE)


CARGO = "Share the Cargo cache with the host: the crates index"


def test_what_docker_makes_around_a_bind_is_the_users_and_the_bind_stays_the_hosts() -> None:
    container: dict[str, object] = {"image": BASE, "postCreateCommand": "cargo fetch"}
    after = written(container, offered(container, CARGO))
    owned = "sudo chown $(id -u):$(id -g) /home/vscode/.cargo && cargo fetch"
    assert after["postCreateCommand"] == owned
    built = {"build": {"dockerfile": "Dockerfile"}, "postCreateCommand": "cargo fetch"}
    fix = offered(built, CARGO, "FROM debian:12\nRUN useradd -m app\nUSER app\n")
    assert written(built, fix)["postCreateCommand"] == "cargo fetch"
    (made,) = (item.edit.text for item in fix.edits if item.path == BUILT)
    assert made == "RUN mkdir -p /home/app/.cargo/registry && chown -R app /home/app/.cargo\n"


@pytest.mark.parametrize("user", ["root", "vscode"])
def test_where_root_writes_into_the_hosts_cache_it_is_said(user: str) -> None:
    container = {"image": BASE, "remoteUser": user, "postCreateCommand": "uv sync"}
    reason = offered(container, "Share the uv cache with the host").reason
    assert ("root writes there" in reason) == (user == "root")


@pytest.mark.parametrize(("command", "tool"), [("./gradlew build", "Gradle"), ("uv sync", "uv")])
def test_a_tool_that_cannot_share_with_a_second_one_is_named(command: str, tool: str) -> None:
    container: dict[str, object] = {"image": "debian:12", "postCreateCommand": command}
    shared = offered(container, f"Share the {tool} cache by a volume").reason
    bound = offered(container, f"Share the {tool} cache with the host").reason
    alone = tool == "Gradle"
    assert (shared == "Gradle must not use it in two containers at once") == alone
    assert ("Gradle must not use it on the host at the same time" in bound) == alone
