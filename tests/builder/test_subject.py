"""What ``prove FILE|TARGET`` takes for its subject, and what it says when that is not clear."""

from __future__ import annotations

from pathlib import Path

import pytest
from cachekey.cli import main
from cachekey.cli.subject import Subject, subject_of
from cachekey.cli.terminal import Progress
from cachekey.cli.usage import parse

DOCKERFILE = "FROM a AS build\nARG V\nRUN --mount=type=cache,id=c$V,target=/c x\nFROM build\n"
COMPOSE = """\
services:
  api:
    build:
      context: ./api
      dockerfile: Dockerfile.dev
      args: {V: "1", W: "${W:-two}"}
      target: build
      platforms: [linux/arm64]
      additional_contexts:
        base: docker-image://alpine
        files: ./files
  plain:
    image: x
"""
BAKE = """\
target "web" {
  context = "web"
  args = { V = "3" }
}
target "api" {
  context = "web"
  target = "build"
}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    for name in ("api/Dockerfile.dev", "web/Dockerfile"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(DOCKERFILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("W", raising=False)
    return tmp_path


def subject(*words: str) -> Subject:
    _, options = parse(["prove", *words])
    with Progress() as progress:
        return subject_of(options, progress)


def said(capfd: pytest.CaptureFixture[str], *words: str) -> str:
    """The one sentence of a run that cannot begin."""
    assert main(["prove", *words]) == 2
    out, errors = capfd.readouterr()
    assert out == ""
    assert len(errors.splitlines()) == 1, errors
    return errors.removeprefix("cachekey: ").removesuffix(" (see cachekey prove --help)\n")


def test_a_file_its_folder_and_a_stage(place: Path) -> None:
    assert subject("web/Dockerfile") == Subject("web/Dockerfile", "web")
    assert subject("web") == subject("web/") == Subject("web/Dockerfile", "web")
    assert subject("web/Dockerfile:build") == Subject("web/Dockerfile", "web", target="build")
    (place / "Dockerfile").write_text(DOCKERFILE)
    assert subject("Dockerfile") == Subject("Dockerfile", ".")
    assert subject("BUILD") == Subject("Dockerfile", ".", target="BUILD")
    assert subject("1") == Subject("Dockerfile", ".", target="1")


@pytest.mark.parametrize("words", ["api", "compose.yaml:api", "compose.yaml"])
def test_a_service(words: str, place: Path) -> None:
    (place / "compose.yaml").write_text(COMPOSE)
    assert subject(words) == Subject(
        f"{place}/api/Dockerfile.dev",
        f"{place}/api",
        {"V": "1", "W": "two"},
        "build",
        "linux/arm64",
        {"base": "docker-image://alpine", "files": f"{place}/files"},
    )


def test_a_bake_target(place: Path) -> None:
    (place / "docker-bake.hcl").write_text(BAKE)
    assert subject("docker-bake.hcl:web") == Subject(
        f"{place}/web/Dockerfile", f"{place}/web", {"V": "3"}
    )
    assert subject("api").target == "build"


def test_options_stand_above_a_build(place: Path) -> None:
    text = COMPOSE.replace('"1"', '"${MUST}"').replace("target: build", "target: ${WHICH}")
    (place / "compose.yaml").write_text(text)
    options = ("--build-arg", "V=7", "--target", "build", "--platform", "linux/amd64")
    found = subject("api", *options, "--build-context", "base=alpine:3")
    # What the command line says is put over it where the build is made.
    assert (found.args, found.target, found.platform) == ({"W": "two"}, None, None)
    assert list(found.contexts) == ["files"]


def test_two_files_that_say_the_same_are_no_question(place: Path) -> None:
    for folder in ("", "other/"):
        (place / folder).mkdir(exist_ok=True)
        text = COMPOSE.replace("./api", "./api" if not folder else "../api")
        (place / folder / "compose.yaml").write_text(text.replace("files: ./files", "files: git@y"))
    assert subject("api").target == "build"


def test_names_that_mean_several_things(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (place / "compose.yaml").write_text(COMPOSE)
    (place / "docker-bake.hcl").write_text(BAKE)
    assert said(capfd, "web") == (
        "say which of these is to be proven: docker-bake.hcl:web, web/Dockerfile"
    )
    (place / "Dockerfile").write_text(DOCKERFILE.replace("AS build", "AS api"))
    assert said(capfd, "api") == (
        "say which of these is to be proven: compose.yaml:api, docker-bake.hcl:api, Dockerfile:api"
    )
    assert said(capfd, "docker-bake.hcl") == (
        "say which of these is to be proven: docker-bake.hcl:web, docker-bake.hcl:api"
    )


def test_names_that_mean_nothing(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (place / "compose.yaml").write_text(COMPOSE)
    assert said(capfd, "nothing") == (
        "nothing: no such file, stage of ./Dockerfile, Bake target or Compose service"
    )
    assert said(capfd, "plain") == (
        "plain: no such file, stage of ./Dockerfile, Bake target or Compose service"
    )
    assert said(capfd, "compose.yaml:plain") == (
        "compose.yaml has no Bake target or Compose service plain that builds an image"
    )
    (place / "Makefile").write_text("x:\n\tdocker build .\n")
    assert said(capfd, "Makefile") == (
        "Makefile has no Bake target or Compose service that builds an image"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '"1"',
            '"${MUST}"',
            "gives V a value that is only known when it builds: add --build-arg V=VALUE",
        ),
        (
            "target: build",
            "target: ${WHICH}",
            "gives its target a value that is only known when it builds: add --target STAGE",
        ),
        (
            "linux/arm64",
            "$ARCH",
            "gives its platform a value that is only known when it builds: add --platform PLATFORM",
        ),
        (
            "docker-image://alpine",
            "service:plain",
            "builds on service:plain: add --build-context base=IMAGE",
        ),
        (
            "./api",
            "https://example.org/x.git",
            "names no Dockerfile of this folder that could be proven",
        ),
        (
            "dockerfile: Dockerfile.dev",
            "dockerfile_inline: FROM x",
            "names no Dockerfile of this folder that could be proven",
        ),
    ],
)
def test_what_a_build_does_not_tell(
    old: str, new: str, expected: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (place / "compose.yaml").write_text(COMPOSE.replace(old, new))
    assert said(capfd, "api") == f"Compose service api in compose.yaml {expected}"


def test_a_value_that_this_place_changes(
    place: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "compose.yaml").write_text(COMPOSE)
    (place / ".env").write_text("# W\nexport W=three\n")
    expected = (
        "Compose service api in compose.yaml gives W a value that is only known when it builds: "
        "add --build-arg W=VALUE"
    )
    assert said(capfd, "api") == expected
    (place / ".env").unlink()
    assert subject("api").args["W"] == "two"
    monkeypatch.setenv("W", "three")
    assert said(capfd, "api") == expected
