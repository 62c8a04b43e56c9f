"""A mount has one key for each build of the workspace; the index is kept up to date with them."""

from __future__ import annotations

import pytest
from cachekey.dockerfile.reach import reached
from cachekey.dockerfile.records import Dockerfile
from cachekey.workspace.keyed import platform_args
from cachekey.workspace.project import Project

DOCKERFILE = """\
ARG VARIANT=full
FROM python:3.13 AS base
ARG VARIANT
ARG TARGETARCH
RUN --mount=type=cache,id=pip-$VARIANT,target=/root/.cache/pip pip install x
RUN --mount=type=cache,id=apt-$TARGETARCH,target=/var/cache/apt apt-get install -y x
FROM alpine AS other
RUN --mount=type=cache,target=/etc/apk/cache apk add x
FROM base AS final
COPY --from=other /x /x
"""
COMPOSE = "services: {api: {build: {context: ., args: {VARIANT: slim}, target: base}}}\n"


def keys(project: Project, path: str = "Dockerfile") -> list[tuple[str, list[str]]]:
    document = project.documents[path]
    assert isinstance(document, Dockerfile)
    return [
        (item.build.name, [one.key.label for found in item.keys.values() for one in found])
        for item in project.built(document)
    ]


def test_each_build_has_its_keys() -> None:
    project = Project()
    project.add("Dockerfile", DOCKERFILE)
    project.add("compose.yaml", COMPOSE)
    project.add(
        "Makefile",
        "all:\n\tdocker buildx build --platform linux/amd64,linux/arm/v7 --build-arg VARIANT=$$X "
        "--build-arg BUILDKIT_CACHE_MOUNT_NS=team .\n",
    )
    assert keys(project) == [
        ("all", ["team/pip-${VARIANT}", "team/apt-amd64", "team/apt-arm", "team//etc/apk/cache"]),
        ("api", ["pip-slim", "apt-${TARGETARCH}"]),
    ]


def test_the_index_knows_the_keys_of_builds() -> None:
    project = Project(read={"Dockerfile": DOCKERFILE}.get)
    project.survey("Dockerfile", DOCKERFILE)
    project.survey("compose.yaml", COMPOSE)
    summary = project.index.get("Dockerfile")
    assert summary is not None
    # Whoever passes it passes this: it is the key that findings speak of, too.
    assert summary.mounts[0].key.label == "pip-slim"
    project.survey("compose.yaml", COMPOSE + "# a comment\n")
    assert project.index.get("Dockerfile") is summary
    project.survey("compose.yaml", COMPOSE.replace("slim", "$V"))
    summary = project.index.get("Dockerfile")
    assert summary is not None
    assert [key.label for key in summary.mounts[0].also] == ["pip-${VARIANT}"]
    identity = summary.mounts[0].also[0].identity
    assert [mount.path for mount in project.index.sharing_in_builds(identity)] == ["Dockerfile"]
    project.remove("compose.yaml")
    summary = project.index.get("Dockerfile")
    assert summary is not None
    assert (summary.mounts[0].key.label, summary.mounts[0].also) == ("pip-full", ())


def test_an_edit_of_a_dockerfile_reads_no_build_again() -> None:
    asked: list[str] = []
    texts = {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE}

    def read(path: str) -> str | None:
        asked.append(path)
        return texts.get(path)

    project = Project(read=read)
    project.add("compose.yaml", COMPOSE)
    project.add("Makefile", "all:\n\tdocker build .\n")
    project.add("Dockerfile", DOCKERFILE)
    before = project.index.get("Makefile")
    asked.clear()
    project.add("Dockerfile", DOCKERFILE + "RUN true\n")
    assert asked == []
    assert project.index.get("Makefile") is before
    assert [item.name for item in project.index.builds("Dockerfile")] == ["all", "api"]


def test_a_dockerfile_that_comes_or_goes_decides_what_a_script_means() -> None:
    texts = {"Dockerfile": DOCKERFILE, "scripts/b.sh": "docker build .\n"}
    project = Project(read=texts.get)
    for path, text in texts.items():
        project.survey(path, text)
    assert len(list(project.index.builds("Dockerfile"))) == 1
    texts["scripts/Dockerfile"] = DOCKERFILE
    project.survey("scripts/Dockerfile", DOCKERFILE)
    assert list(project.index.builds("Dockerfile")) == []
    del texts["scripts/Dockerfile"]
    project.remove("scripts/Dockerfile")
    assert len(list(project.index.builds("Dockerfile"))) == 1


def test_a_file_that_others_rest_on_wakes_them() -> None:
    texts = {
        "Dockerfile": DOCKERFILE,
        "compose.yaml": "services: {a: {extends: {file: base.yaml, service: b}}}\n",
    }
    project = Project(read=texts.get)
    project.survey("compose.yaml", texts["compose.yaml"])
    assert list(project.index.builds("Dockerfile")) == []
    texts["base.yaml"] = "services: {b: {build: .}}\n"
    project.survey("base.yaml", texts["base.yaml"], "compose")
    assert [item.name for item in project.index.builds("Dockerfile")] == ["b", "a"]


@pytest.mark.parametrize(
    ("target", "replaced", "names"),
    [
        (None, (), {"base", "other", "final"}),
        ("other", (), {"other"}),
        ("FINAL", ("other",), {"base", "final"}),
        ("0", (), {"base"}),
        ("nothing", (), None),
    ],
)
def test_stages(target: str | None, replaced: tuple[str, ...], names: set[str] | None) -> None:
    project = Project()
    document = project.add("Dockerfile", DOCKERFILE)
    assert isinstance(document, Dockerfile)
    found = reached(document, target, replaced)
    assert names == (None if found is None else {document.stages[one].label for one in found})


def test_a_base_that_a_variable_names_leaves_it_open() -> None:
    document = Project().add("Dockerfile", "ARG X\nFROM a AS b\nRUN true\nFROM $X\n")
    assert isinstance(document, Dockerfile)
    assert reached(document, None) is None


@pytest.mark.parametrize(
    ("platform", "architecture", "variant", "full"),
    [
        ("linux/amd64", "amd64", "", "linux/amd64"),
        ("linux/arm64/v8", "arm64", "", "linux/arm64"),
        ("linux/arm", "arm", "v7", "linux/arm/v7"),
        ("linux/aarch64", "arm64", "", "linux/arm64"),
    ],
)
def test_platforms(platform: str, architecture: str, variant: str, full: str) -> None:
    found = platform_args(platform)
    assert (found["TARGETARCH"], found["TARGETVARIANT"]) == (architecture, variant)
    assert found["TARGETPLATFORM"] == full


CHAIN = """\
ARG D
ARG D=${D:+sccache}
ARG D=deps-${D:-base}
FROM debian:13 AS deps-base
ARG TARGETARCH
FROM %s
RUN --mount=type=cache,id=u_${TARGETARCH},target=/root/.npm npm ci
"""


@pytest.mark.parametrize(
    ("base", "label"), [("${D}", "u_${TARGETARCH}"), ("node:${D}", "u_"), ("node:22", "u_")]
)
def test_a_base_that_may_be_a_stage_may_declare_the_platform(base: str, label: str) -> None:
    project = Project()
    document = project.add("Dockerfile", CHAIN % base)
    assert isinstance(document, Dockerfile)
    assert [mount.key and mount.key.label for _, mount in document.caches] == [label]


@pytest.mark.parametrize(
    "mount",
    [
        "id={{ name }},target=/x",
        "id={{name}}-a,target=/x",
        "target={{ dir }}",
        "id=a,target=/x,{% if b %}ro{% endif %}",
        "id={{ a | default('b,c') }},target=/x",
    ],
)
def test_what_a_template_fills_in_has_no_key(mount: str) -> None:
    project = Project()
    document = project.add(
        "Dockerfile", f"FROM debian:13\nRUN --mount=type=cache,{mount} --mount=target=/y true\n"
    )
    assert isinstance(document, Dockerfile)
    (run,) = document.runs
    assert [(item.key, item.error, item.type) for item in run.mounts] == [
        (None, None, "cache"),
        (None, None, "bind"),
    ]


def test_braces_that_nothing_closes_are_letters() -> None:
    project = Project()
    document = project.add("Dockerfile", "FROM debian:13\nRUN --mount=type=cache,target=/{{ true\n")
    assert isinstance(document, Dockerfile)
    assert [mount.target.text for _, mount in document.caches] == ["/{{"]
