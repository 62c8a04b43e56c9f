"""Builds behind a name: what a workflow's ``make x``, ``just x``, ``npm run x`` and scripts come to."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from cachekey.builds.errands import may_start
from cachekey.builds.invocation import BuildFile
from cachekey.builds.read import read_build_file
from cachekey.text import Source

WORKFLOW = ".github/workflows/ci.yml"
MAKEFILE = """\
TAG ?= dev
VARIANT := full
include make/more.mk

.PHONY: all image
all: lint image ## Everything
lint:
\tgolangci-lint run
image: prepare | other
\t@docker build \\
\t  --build-arg VARIANT=$(VARIANT) --build-arg TAG=$(TAG) -f $(FILE) .
prepare:
\t-$(MAKE) -C api image
other: ; true
never:
\tdocker build -f Never .
"""
FILES = {
    "Makefile": MAKEFILE,
    "make/more.mk": "FILE = Dockerfile\nslim:\n\tdocker build --target slim .\n",
    "Dockerfile": "FROM a",
    "api/Makefile": "image:\n\tdocker build .\n",
    "api/Dockerfile": "FROM a",
    "justfile": """\
variant := "full"
default: image
image tag="x": prepare
    docker build --build-arg V={{variant}} --build-arg T={{tag}} .
prepare:
    ./scripts/image.sh
""",
    "scripts/image.sh": "#!/bin/sh\nset -e\ncd api\ndocker build --build-arg V=${V} .\n",
    "tools/image": "#!/usr/bin/env bash\ndocker build .\n",
    "package.json": """\
{"scripts": {"image": "docker build -t x . && npm run api", "api": "docker build api",
"preimage": "make slim", "test": "vitest"}}
""",
    "docker-bake.hcl": 'target "default" { dockerfile = "api/Dockerfile" }\n',
    "Taskless.mk": "bake:\n\tdocker buildx bake\n",
}


def read(run: str, files: Mapping[str, str] = FILES, head: str = "") -> BuildFile:
    lines = "\n".join(f"          {line}" for line in run.splitlines())
    text = (
        "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n      - name: Image\n"
        f"{head}        run: |\n{lines}\n"
    )
    return read_build_file(WORKFLOW, Source(text), files.get)


def found(run: str, head: str = "") -> list[tuple[str, str | None, dict[str, str | None]]]:
    builds = read(run, head=head).invocations
    assert all(build.runner == "fresh" and build.kind == "workflow" for build in builds)
    assert all(build.path == WORKFLOW for build in builds)
    args = [{name: said.text for name, said in build.args} for build in builds]
    names = [build.name.removeprefix("image/Image").strip() for build in builds]
    return list(zip(names, [build.dockerfile for build in builds], args, strict=True))


@pytest.mark.parametrize(
    ("run", "builds"),
    [
        ("make -C api image", [("image", "api/Dockerfile", {})]),
        ("cd api && make", [("image", "api/Dockerfile", {})]),
        ("make slim", [("slim", "Dockerfile", {})]),
        ("make lint", []),
        ("make nothing", []),
        ("make $TARGET", []),
        # What counts as made is not made, nor what it needs; other flags make nothing at all.
        ("make -o image all", []),
        (
            "make --old-file=prepare image",
            [("image", "Dockerfile", {"VARIANT": "full", "TAG": "dev"})],
        ),
        ("make -n slim", []),
        ("make --dry-run slim", []),
        ("just --list", []),
        ("make -C elsewhere image", []),
        ("make -f Taskless.mk", [("bake default", "api/Dockerfile", {})]),
        ("./scripts/image.sh", [("", "api/Dockerfile", {"V": None})]),
        ("V=slim bash -e scripts/image.sh", [("", "api/Dockerfile", {"V": "slim"})]),
        ("./tools/image x", [("", "Dockerfile", {})]),
        ("cd tools; source ./image", [("", "tools/Dockerfile", {})]),
        ("npm test", []),
        ("npm run api", [("api", "api/Dockerfile", {})]),
        ("npm --workspace x run image", []),
    ],
)
def test_one_recipe(run: str, builds: list[tuple[str, str | None, dict[str, str | None]]]) -> None:
    assert found(run) == builds


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("docker build .", True),
        ("sudo /usr/bin/docker buildx build .", True),
        ("docker compose -f x.yaml up --build", True),
        ("${{ env.ENGINE }} build .", True),
        ("$(CONTAINER_ENGINE) build .", True),
        ("podman-compose build", True),
        ("{{ oci }} build .", True),
        ("make x", True),
        ("$(MAKE) image", True),
        ("cd a; . ./x", True),
        ("bash image", True),
        ("tools/image x", True),
        ("if x; then tools/image x; fi", True),
        ("A=1 tools/image x", True),
        ("go build -o /tmp/x", False),
        ("echo build the associated container engine", False),
        ("uses: docker/login-action@v3", False),
        ("curl https://example.com/a/b -o x", False),
    ],
)
def test_a_quick_look_at_a_script(text: str, may: bool) -> None:
    assert may_start(text) == may


def test_make_follows_what_a_rule_needs_and_takes_variables_of_the_call() -> None:
    assert sorted(found("make VARIANT=slim")) == [
        ("image", "Dockerfile", {"VARIANT": "slim", "TAG": "dev"}),
        ("image", "api/Dockerfile", {}),
    ]
    # A default gives way to the environment, a plain assignment does not.
    head = "        env: {TAG: ci, VARIANT: slim}\n"
    (first, *_) = found("make image", head)
    assert first == ("image", "Dockerfile", {"VARIANT": "full", "TAG": "ci"})
    (first, *_) = found("make image VARIANT=$(date)", head)
    assert first[2]["VARIANT"] is None


def test_just_and_npm_follow_what_a_recipe_needs() -> None:
    assert sorted(found("just")) == [
        ("", "api/Dockerfile", {"V": None}),
        ("image", "Dockerfile", {"V": "full", "T": "x"}),
    ]
    assert sorted(found("npm run image")) == [
        ("api", "api/Dockerfile", {}),
        ("image", "Dockerfile", {}),
        ("slim", "Dockerfile", {}),
    ]


@pytest.mark.parametrize(
    ("call", "want"),
    [
        ("just build v1", [("api", "v1")]),
        ("just build v1 all", [("all", "v1")]),
        ("just build v1 all --pull --quiet", [("all", "v1")]),
        ("just test v2", [("api", "v2")]),
        ("just both", [("api", "a"), ("all", "b")]),
        ("just lint build v3", [("api", "v3")]),
        ("just build ${VERSION}", [("api", None)]),
        ("just build v1 $(services)", [(None, "v1")]),
        ("just unknown build v1", []),
    ],
)
def test_what_just_gives_to_a_recipe(call: str, want: list[tuple[str | None, str | None]]) -> None:
    files = {
        "justfile": """\
lint:
    true
build version target="api" *args="": lint
    @docker build {{args}} --build-arg V={{ version }} --target {{target}} .
test version $log='tests: -v': (build version)
    true
both: (build "a") (build 'b' "all")
""",
        "Dockerfile": "FROM a AS api\nFROM a AS all",
    }
    told = [
        (item.target.text if item.target else None, dict(item.args)["V"].text)
        for item in read(call, files).invocations
    ]
    assert told == want


@pytest.mark.parametrize(
    ("call", "want"),
    [
        ("just docker/build prod", ["docker/Dockerfile"]),
        ("just ./docker/build prod", ["docker/Dockerfile"]),
        ("just docker/", ["docker/Dockerfile"]),
        ("just docker/check", []),
        ("just api/build prod", []),
        ("just check", []),
    ],
)
def test_just_in_another_folder(call: str, want: list[str]) -> None:
    files = {
        "justfile": "check:\n    true\n",
        "docker/justfile": 'build env="dev":\n    docker build --build-arg E={{ env }} .\ncheck:\n    true\n',
        "docker/Dockerfile": "FROM a",
    }
    assert [item.dockerfile for item in read(call, files).invocations] == want


def test_where_the_call_stands_and_where_the_values_are() -> None:
    (build, *_) = read("true\nmake image").invocations
    assert (build.where.line, build.values_in) == (8, "Makefile")


def test_what_a_recipe_says_is_looked_at_again() -> None:
    """A workflow that calls a recipe rests on it, also when it does not build yet."""
    files = {**FILES, "Makefile": "image:\n\techo\n", "package.json": "{}"}
    silent = read("make image", {"Makefile": files["Makefile"]})
    assert silent.invocations == ()
    assert {"Makefile", "package.json"} <= set(silent.reads)
    assert {"Makefile", "make/more.mk", "api/Makefile"} <= set(read("make").reads)


def test_recipes_that_call_each_other_come_to_an_end() -> None:
    files = {
        "Makefile": "a: b\n\t$(MAKE) b\n\tmake a; make a; make a; make a\n\tdocker build .\nb: a\n\tmake a\n",
        "Dockerfile": "FROM a",
    }
    assert len(read("make a\n" * 50, files).invocations) <= 200


PIPELINE = """\
default:
  services: [docker:28-dind]
variables: {VARIANT: slim}
.image:
  before_script: [cd api]
  script: [make image]
  variables: {FILE: Dockerfile}
"""


@pytest.mark.parametrize(
    ("job", "wanted"),
    [
        ("{script: make slim}", ["Dockerfile"]),
        ("{script: [cd api, make]}", ["api/Dockerfile"]),
        ("{extends: .image}", ["api/Dockerfile"]),
        (
            "{extends: [.image, .nobody], before_script: [], script: ./scripts/image.sh}",
            ["api/Dockerfile"],
        ),
        ("{extends: .image, before_script: [], script: make slim}", ["Dockerfile"]),
        ("{before_script: [cd api], script: [!reference [.image, script]]}", ["api/Dockerfile"]),
        ("{parallel: {matrix: [{WHAT: [slim, lint]}]}, script: make $WHAT}", ["Dockerfile"]),
        (
            "{parallel: {matrix: [{AT: [., api]}]}, script: docker build $AT}",
            ["Dockerfile", "api/Dockerfile"],
        ),
        ("{script: docker buildx bake}", ["api/Dockerfile"]),
        ("{script: make lint}", []),
        ("{script: make $NOBODY}", []),
        ("{extends: job}", []),
    ],
)
def test_a_pipeline_sends_for_recipes(job: str, wanted: list[str]) -> None:
    file = read_build_file(".gitlab-ci.yml", Source(f"{PIPELINE}job: {job}\n"), FILES.get)
    assert [build.dockerfile for build in file.invocations] == wanted
    for build in file.invocations:
        assert (build.job, build.runner, build.path) == ("job", "fresh", ".gitlab-ci.yml")


def test_a_pipeline_that_refers_to_itself_ends() -> None:
    many = ", ".join(["!reference [a, script]"] * 200)
    text = f"a: {{script: [{many}, make slim]}}\n"
    assert read_build_file(".gitlab-ci.yml", Source(text), FILES.get).invocations == ()
    many = ", ".join(["b"] * 500)
    text = f"b: {{extends: [{many}], script: make slim}}\n" * 10
    read_build_file(".gitlab-ci.yml", Source(text), FILES.get)
