"""Who builds what, as compose files, workflows, pipelines, Makefiles, justfiles and scripts say it."""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping

import pytest
from cachekey.builds.expressions import value_of
from cachekey.builds.invocation import BuildFile, Invocation, Said
from cachekey.builds.read import read_build_file
from cachekey.text import Source, Span
from cachekey.workspace.project import Project

TREE = {"Dockerfile": "FROM a\n", "docker/Dockerfile": "FROM a\n", "api/Dockerfile": "FROM a\n"}
WORKFLOW = ".github/workflows/ci.yml"


def read(path: str, text: str, files: Mapping[str, str] = TREE) -> BuildFile:
    return read_build_file(path, Source(text), {**files, path: text}.get)


def compose(text: str, path: str = "compose.yaml", **files: str) -> tuple[Invocation, ...]:
    project = Project(read={**TREE, **files}.get)
    project.survey(path, text)
    summary = project.index.get(path)
    assert summary is not None
    return summary.builds


def shown(item: Invocation) -> tuple[object, ...]:
    target = item.target.text if item.target is not None else None
    args = {name: said.text for name, said in item.args}
    return (item.name, item.dockerfile, args, [one.text for one in item.platforms], target)


def steps(*lines: str, runs_on: str = "ubuntu-latest", head: str = "") -> str:
    body = "".join(f"      {line}\n" for text in lines for line in text.splitlines())
    return f"on: push\n{head}jobs:\n  b:\n    runs-on: {runs_on}\n    steps:\n{body}"


def test_compose() -> None:
    text = """
x-build: &build
  args: {PY: "3.13", REV: "${REV}", WITH: "${WITH:-x}"}
services:
  a: {build: api}
  b:
    platform: linux/arm64
    build:
      <<: *build
      context: .
      dockerfile: docker/Dockerfile
      target: final
  c:
    build: {context: ., args: [A=1, B], platforms: [linux/amd64, linux/arm64]}
  d: {image: nginx}
  e: {build: {context: "https://x.y/z.git"}}
  f: {build: {dockerfile_inline: FROM a}}
"""
    found = compose(text)
    assert [shown(item) for item in found] == [
        ("a", "api/Dockerfile", {}, [], None),
        (
            "b",
            "docker/Dockerfile",
            {"PY": "3.13", "REV": None, "WITH": "x"},
            ["linux/arm64"],
            "final",
        ),
        ("c", "Dockerfile", {"A": "1", "B": None}, ["linux/amd64", "linux/arm64"], None),
        ("e", None, {}, [], None),
        ("f", None, {}, [], None),
    ]
    said = dict(found[1].args)
    assert said["WITH"].open == {"WITH"}
    assert text[said["PY"].span.start : said["PY"].span.end] == '"3.13"'


def test_compose_override_and_extends() -> None:
    files = {
        "compose.override.yaml": "services: {a: {build: {args: {B: '2'}}}}\n",
        "base/common.yaml": "services: {base: {build: {context: ., args: {A: '1'}}}}\n",
    }
    text = "services: {a: {extends: {file: base/common.yaml, service: base}}}\n"
    (found,) = compose(text, **files)
    assert shown(found) == ("a", "base/Dockerfile", {"A": "1", "B": "2"}, [], None)


def test_build_push_action() -> None:
    text = steps(
        "- uses: docker/setup-buildx-action@v3",
        "- name: Image\n"
        "  uses: docker/build-push-action@v6\n"
        "  with:\n"
        "    context: ${{ github.workspace }}\n"
        "    file: docker/Dockerfile\n"
        "    platforms: ${{ env.PLATFORMS }}\n"
        "    target: ${{ matrix.target }}\n"
        "    build-args: |\n"
        "      # a comment\n"
        "      PY=3.13\n"
        "      REV=${{ github.sha }}\n"
        "    cache-to: type=gha,mode=max",
        head="env: {PLATFORMS: 'linux/amd64,linux/arm64'}\n",
    )
    (item,) = read(WORKFLOW, text).invocations
    args = {"PY": "3.13", "REV": None}
    assert shown(item) == (
        "b/Image", "docker/Dockerfile", args, ["linux/amd64", "linux/arm64"], None
    )  # fmt: skip
    assert item.target is not None
    assert (item.runner, item.builder) == ("fresh", "step 0")
    spans = [text[said.span.start : said.span.end] for _, said in item.args]
    assert spans == ["PY=3.13", "REV=${{ github.sha }}"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("", "Dockerfile"),
        ("context: api", "api/Dockerfile"),
        ("context: '{{defaultContext}}:api'", "api/Dockerfile"),
        ("context: ${{ inputs.context }}", None),
        ("context: ${{ inputs.context }}\nfile: api/Dockerfile", "api/Dockerfile"),
        ("context: ../outside", None),
        ("context: https://example.com/x.git", None),
        ("file: ''", "Dockerfile"),
    ],
)
def test_which_dockerfile(given: str, path: str | None) -> None:
    inner = "".join(f"    {line}\n" for line in given.splitlines())
    text = steps(f"- uses: docker/build-push-action@v6\n  with:\n{inner}    push: true")
    (item,) = read(WORKFLOW, text).invocations
    assert item.dockerfile == path


def test_a_checkout_in_a_folder() -> None:
    text = steps(
        "- uses: actions/checkout@v4\n  with: {path: src}",
        "- uses: docker/build-push-action@v6\n  with: {context: src, file: src/docker/Dockerfile}",
    )
    assert read(WORKFLOW, text).invocations[0].dockerfile == "docker/Dockerfile"


def test_two_revisions_side_by_side() -> None:
    text = steps(
        "- uses: actions/checkout@v4",
        "- uses: actions/checkout@v4\n  with: {path: old, ref: main}",
        "- uses: actions/checkout@v4\n  with: {path: lib, repository: docker/docs}",
        "- uses: docker/build-push-action@v6\n  with: {context: old, file: old/docker/Dockerfile}",
        "- uses: docker/build-push-action@v6\n  with: {context: ., file: docker/Dockerfile}",
        "- run: docker build .\n  working-directory: old/docker",
    )
    assert [item.dockerfile for item in read(WORKFLOW, text).invocations] == [
        "docker/Dockerfile",
        "docker/Dockerfile",
        "docker/Dockerfile",
    ]


@pytest.mark.parametrize(
    ("step", "want"),
    [
        ("- uses: actions/setup-node@v4", None),
        ("- run: tar -xzf ${{ needs.b.outputs.git-sha }}.tar.gz", None),
        ("- uses: actions/checkout@v4", "Dockerfile"),
        ("- uses: acme/clone@v1", "Dockerfile"),
        ("- run: git clone https://github.com/acme/app .", "Dockerfile"),
    ],
)
def test_what_another_job_left_is_not_the_repository(step: str, want: str | None) -> None:
    text = steps(
        "- uses: actions/download-artifact@v4",
        step,
        "- uses: docker/build-push-action@v6\n  with: {context: ., file: ./Dockerfile}",
    )
    assert read(WORKFLOW, text).invocations[0].dockerfile == want


@pytest.mark.parametrize(
    ("step", "want"),
    [
        ("- run: |\n    cat > Dockerfile <<EOF\n    FROM ${{ inputs.base }}\n    EOF", None),
        ("- run: echo FROM alpine > ../Dockerfile\n  working-directory: sub", None),
        ("- run: cat Dockerfile > log.txt", "Dockerfile"),
        ("- run: echo USER app >> Dockerfile", "Dockerfile"),
        ("- run: echo FROM alpine > sub/Dockerfile", "Dockerfile"),
    ],
)
def test_a_dockerfile_that_the_job_writes_is_not_the_repositorys(
    step: str, want: str | None
) -> None:
    text = steps(
        "- uses: actions/checkout@v4",
        step,
        "- uses: docker/build-push-action@v6\n  with: {context: ., file: ./Dockerfile}",
        "- run: docker build .",
    )
    assert [one.dockerfile for one in read(WORKFLOW, text).invocations] == [want, want]


def test_a_long_workflow_is_read() -> None:
    text = steps(
        *(f"- name: step {i}\n  run: |\n    {'echo all is well && ' * 40}true" for i in range(150)),
        "- uses: docker/build-push-action@v6\n  with: {file: docker/Dockerfile}",
    )
    assert len(text) > 120_000
    assert [item.dockerfile for item in read(WORKFLOW, text).invocations] == ["docker/Dockerfile"]


@pytest.mark.parametrize(
    ("runs_on", "setup", "runner"),
    [
        ("ubuntu-24.04-arm", "", "fresh"),
        ("self-hosted", "", "kept"),
        ("[self-hosted, linux]", "- uses: docker/setup-buildx-action@v3", "unknown"),
        (
            "self-hosted",
            "- uses: docker/setup-buildx-action@v3\n  with: {keep-state: true}",
            "kept",
        ),
        ("ubuntu-latest", "- uses: docker/setup-buildx-action@v3\n  with: {driver: cloud}", "kept"),
        ("ubuntu-latest", "- uses: useblacksmith/setup-docker-builder@v1", "kept"),
        ("${{ inputs.runner }}", "", "unknown"),
        ("our-own-label", "", "unknown"),
    ],
)
def test_runners(runs_on: str, setup: str, runner: str) -> None:
    text = steps(*filter(None, [setup]), "- uses: docker/build-push-action@v6", runs_on=runs_on)
    assert read(WORKFLOW, text).invocations[0].runner == runner


def test_depot_keeps_its_caches() -> None:
    text = steps("- uses: depot/build-push-action@v1", "- run: depot build .")
    assert [item.runner for item in read(WORKFLOW, text).invocations] == ["kept", "kept"]


def matrix(text: str, *lines: str) -> str:
    return steps(*lines).replace("    steps:", f"    strategy: {{matrix: {text}}}\n    steps:")


def made(text: str) -> list[tuple[object, ...]]:
    return [
        (item.name.partition("(")[2].rstrip(")"), item.folder, item.dockerfile, shown(item)[4])
        for item in read(WORKFLOW, text).invocations
    ]


def test_a_matrix_builds_once_for_each_combination_that_differs_in_what_is_built() -> None:
    push = "- {name: n, uses: docker/build-push-action@v6, with: {context: ., file: '%s', target: '%s'}}"
    plain = push % ("${{ matrix.in }}/Dockerfile", "${{ matrix.t }}-run")
    axes = "{in: [api, docker], t: [a, b], py: ['3.12', '3.13'], exclude: [{in: api, t: b}]}"
    assert made(matrix(axes, plain)) == [
        ("api, a", "", "api/Dockerfile", "a-run"),
        ("docker, a", "", "docker/Dockerfile", "a-run"),
        ("docker, b", "", "docker/Dockerfile", "b-run"),
    ]
    rows = "{include: [{in: api, t: x}, {in: docker, t: y}]}"
    assert made(matrix(rows, plain)) == [
        ("api, x", "", "api/Dockerfile", "x-run"),
        ("docker, y", "", "docker/Dockerfile", "y-run"),
    ]
    added = "{in: [api, docker], include: [{in: api, t: x}, {in: docker, t: y}, {in: new, t: z}]}"
    assert [item[0] for item in made(matrix(added, plain))] == ["api, x", "docker, y", "new, z"]
    inner = push % ("${{ matrix.of.file }}", "x")
    assert made(matrix("{of: [{file: api/Dockerfile}, {file: Dockerfile}]}", inner)) == [
        ("api/Dockerfile", "", "api/Dockerfile", "x"),
        ("Dockerfile", "", "Dockerfile", "x"),
    ]


def test_a_script_in_a_matrix() -> None:
    line = "- {name: n, run: 'docker build -f ${{ matrix.in }}/Dockerfile .'}"
    found = made(matrix("{in: [api, docker]}", line))
    assert [item[2] for item in found] == ["api/Dockerfile", "docker/Dockerfile"]
    line = "- {name: n, run: docker build ., working-directory: '${{ matrix.in }}'}"
    found = made(matrix("{in: [api, docker]}", line))
    assert [item[2] for item in found] == ["api/Dockerfile", "docker/Dockerfile"]


def test_a_matrix_that_nobody_knows() -> None:
    line = "- {name: n, uses: docker/build-push-action@v6, with: {context: ., target: '${{ matrix.t }}'}}"
    for text in (
        "'${{ fromJson(needs.a.outputs.m) }}'",
        "{t: '${{ fromJson(needs.a.outputs.t) }}'}",
        "{t: ['${{ inputs.x }}', b]}",
        "{t: [" + ", ".join(f"t{number}" for number in range(40)) + "]}",
        "{x: [a]}",
    ):
        assert [(name, target) for name, *_, target in made(matrix(text, line))] == [("", None)]


def test_an_expression_chooses_a_file() -> None:
    line = (
        "- {name: n, uses: docker/build-push-action@v6, with: {context: ., file: "
        "\"${{ (matrix.i == 'Web') && 'docker/Dockerfile' || matrix.i != 'b' && 'api/Dockerfile' "
        "|| 'Dockerfile' }}\"}}"
    )
    assert [item[2] for item in made(matrix("{i: [web, a, b]}", line))] == [
        "docker/Dockerfile",
        "api/Dockerfile",
        "Dockerfile",
    ]


def test_a_step_knows_the_name_of_its_job() -> None:
    line = (
        "- {name: n, uses: docker/build-push-action@v6, with: {context: ., file: "
        '"docker/${{ github.job }}/Dockerfile"}}'
    )
    found = made(matrix("{i: [a]}", line))
    assert [item[2] for item in found] == ["docker/b/Dockerfile"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inputs.x", "one"),
        ("env.Y || 'z'", "z"),
        ("inputs.x && 'z'", "z"),
        ("!inputs.x && 'z' || 'it''s'", "it's"),
        ("inputs.x == 'ONE' && 'z' || 'w'", "z"),
        ("inputs.flag && 'z' || 'w'", None),
        ("inputs.flag == true && 'z' || 'w'", None),
        ("github.ref == 'x' && 'z' || 'w'", None),
        ("contains(inputs.x, 'o') && 'z' || 'w'", None),
        ("inputs.x 'z'", None),
        ("'z' ||", None),
        ("(inputs.x", None),
        ("(" * 400 + "inputs.x", None),
        ("!" * 400 + "inputs.x", None),
    ],
)
def test_expressions(text: str, value: str | None) -> None:
    scope = {
        "inputs.x": Said("one", Span(0, 0)),
        "inputs.flag": Said("false", Span(0, 0)),
        "env.Y": Said("", Span(0, 0)),
    }
    assert value_of(text, scope, Span(0, 0)).text == value


def test_a_choice_by_a_default_is_open() -> None:
    scope = {"inputs.x": Said("one", Span(0, 0), frozenset({"inputs.x"}))}
    found = value_of("inputs.x == 'one' && 'a' || 'b'", scope, Span(0, 0))
    assert (found.text, found.open) == ("a", {"inputs.x"})


def test_a_matrix_of_hosted_runners_is_fresh() -> None:
    text = steps("- uses: docker/build-push-action@v6", runs_on="${{ matrix.os }}").replace(
        "    steps:", "    strategy: {matrix: {os: [ubuntu-latest, ubuntu-24.04-arm]}}\n    steps:"
    )
    assert read(WORKFLOW, text).invocations[0].runner == "fresh"
    assert (
        read(WORKFLOW, text.replace("ubuntu-latest,", "mine,")).invocations[0].runner == "unknown"
    )


def test_scripts_of_a_workflow() -> None:
    text = steps(
        "- run: |\n"
        "    cd api\n"
        "    docker buildx build --platform ${{ env.P }} --build-arg R=${{ github.sha }} .\n"
        "    docker build -f ../docker/Dockerfile ..",
        "- run: docker compose build b",
        "- run: docker buildx bake --set *.args.V=2",
        head="env: {P: linux/arm64}\n",
    )
    files = {
        **TREE,
        "compose.yaml": "services: {a: {build: .}, b: {build: api}}\n",
        "docker-bake.hcl": 'target "default" {\n args = { V = "1" }\n}\n',
    }
    assert [shown(item)[1:] for item in read(WORKFLOW, text, files).invocations] == [
        ("api/Dockerfile", {"R": None}, ["linux/arm64"], None),
        ("docker/Dockerfile", {}, [], None),
        ("api/Dockerfile", {}, [], None),
        ("Dockerfile", {"V": "2"}, [], None),
    ]


def test_buildah_build_action() -> None:
    def built(given: str) -> tuple[Invocation, ...]:
        text = steps(f"- name: x\n  uses: redhat-actions/buildah-build@v2\n  with: {{{given}}}")
        return read(WORKFLOW, text).invocations

    (item,) = built("containerfiles: api/Dockerfile, archs: 'amd64, arm64', build-args: V=3.13")
    platforms = ["linux/amd64", "linux/arm64"]
    assert shown(item) == ("b/x", "api/Dockerfile", {"V": "3.13"}, platforms, None)
    assert (item.runner, item.builder, item.open) == ("fresh", None, frozenset())
    (item,) = built("context: ./api, dockerfiles: ./Dockerfile")
    assert item.dockerfile == "Dockerfile"
    (item,) = built("containerfiles: Dockerfile, extra-args: --target x")
    assert "target" in item.open
    assert not built("image: app, base-image: scratch")


def test_bake_action() -> None:
    text = steps(
        "- uses: docker/bake-action@v6\n"
        "  with:\n"
        "    files: |\n"
        "      docker-bake.hcl\n"
        "      ${{ steps.meta.outputs.bake-file }}\n"
        "    targets: app\n"
        "    set: |\n"
        "      *.platform=linux/amd64,linux/arm64\n"
        "      other.target=x",
        head="env: {V: '3'}\n",
    )
    hcl = 'variable "V" { default = "1" }\ntarget "app" {\n args = { V = V }\n}\ntarget "x" {}\n'
    (item,) = read(WORKFLOW, text, {**TREE, "docker-bake.hcl": hcl}).invocations
    platforms = ["linux/amd64", "linux/arm64"]
    assert shown(item)[1:] == ("Dockerfile", {"V": "3"}, platforms, None)
    assert item.values_in == "docker-bake.hcl"


def test_bake_action_in_a_matrix_of_targets() -> None:
    text = steps("- {uses: docker/bake-action@v6, with: {targets: '${{ matrix.target }}'}}")
    hcl = 'target "a" { target = "x" }\ntarget "b" { target = "y" }\ntarget "c" {}\n'
    files = {**TREE, "docker-bake.hcl": hcl}
    (unknown,) = read(WORKFLOW, text, files).invocations
    assert "file" in unknown.open
    known = text.replace("    steps:", "    strategy: {matrix: {target: [a, b]}}\n    steps:")
    found = read(WORKFLOW, known, files).invocations
    assert [item.target.text for item in found if item.target] == ["x", "y"]
    assert not any(item.open for item in found)
    computed = known.replace("[a, b]", "'${{ fromJson(needs.x.outputs.y) }}'")
    (unknown,) = read(WORKFLOW, computed, files).invocations
    assert "file" in unknown.open


def test_bake_action_with_tags_that_nobody_knows() -> None:
    """An unknown tag or image cache decides nothing, an unknown argument or line may decide all."""

    def opened(line: str) -> frozenset[str]:
        text = steps(
            "- uses: docker/bake-action@v6\n  env: {ARCH: api}\n"
            f"  with: {{source: ., targets: app, files: b.hcl, set: '{line}'}}"
        )
        hcl = 'variable "ARCH" { default = "." }\ntarget "app" { dockerfile = "${ARCH}/Dockerfile" }\n'
        (item,) = read(WORKFLOW, text, {**TREE, "b.hcl": hcl}).invocations
        assert item.dockerfile == "api/Dockerfile"
        return item.open

    assert not opened("app.tags=${{ steps.m.outputs.tags }}")
    assert not opened("*.cache-from=type=registry,ref=${{ steps.m.outputs.name }}")
    assert opened("app.args.V=${{ steps.m.outputs.v }}")
    assert opened("${{ steps.m.outputs.all }}")


def test_a_local_action() -> None:
    action = """
inputs: {target: {default: final}, platforms: {}}
runs:
  using: composite
  steps:
    - uses: docker/build-push-action@v6
      with: {context: api, target: "${{ inputs.target }}", platforms: "${{ inputs.platforms }}"}
"""
    text = steps("- uses: ./.github/actions/image\n  with: {platforms: linux/arm64}")
    files = {**TREE, ".github/actions/image/action.yml": action}
    found = read(WORKFLOW, text, files)
    assert shown(found.invocations[0])[1:] == ("api/Dockerfile", {}, ["linux/arm64"], "final")
    assert ".github/actions/image/action.yml" in found.reads


def test_a_called_workflow() -> None:
    """Its jobs are the caller's, with what the caller gives; a circle ends."""
    called = """
on:
  workflow_call:
    inputs: {file: {type: string}, target: {type: string, default: final}}
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with: {file: "${{ inputs.file }}", target: "${{ inputs.target }}"}
  again:
    uses: ./.github/workflows/image.yml
    with: {file: "${{ inputs.file }}"}
"""
    text = (
        "on: push\njobs:\n  api:\n    uses: ./.github/workflows/image.yml\n"
        "    with: {file: api/Dockerfile}\n  out:\n    uses: ../elsewhere.yml\n"
        "  far:\n    uses: own/er/.github/workflows/image.yml@main\n"
    )
    files = {**TREE, ".github/workflows/image.yml": called}
    found = read(WORKFLOW, text, files)
    first, *others = found.invocations
    assert shown(first)[1:] == ("api/Dockerfile", {}, [], "final")
    assert (first.name, first.runner) == ("api/image/docker/build-push-action", "fresh")
    assert text[first.span.start : first.span.end] == "./.github/workflows/image.yml"
    assert len(others) < 4
    assert ".github/workflows/image.yml" in found.reads


def test_profiles_of_compose() -> None:
    """What has no profile is always built, the others by their profile or by their name."""
    services = "a: {build: .}, b: {build: api, profiles: [ci]}, c: {build: docker, profiles: [x]}"
    files = {**TREE, "compose.yaml": f"services: {{{services}}}\n"}

    def built(line: str, head: str = "") -> list[str | None]:
        text = steps(f"- run: docker compose {line}", head=head)
        return [item.dockerfile for item in read(WORKFLOW, text, files).invocations]

    a, b, c = "Dockerfile", "api/Dockerfile", "docker/Dockerfile"
    assert built("up --build -d") == [a]
    assert built("--profile ci up --build") == [a, b]
    assert built("--profile=ci --profile x build") == [a, b, c]
    assert built("build c") == [c]
    assert built("build", head="env: {COMPOSE_PROFILES: x}\n") == [a, c]
    assert built("--profile '*' build") == [a, b, c]
    assert built("--profile ${{ matrix.profile }} build") == [a, b, c]


def test_gitlab() -> None:
    text = """
variables: {V: slim}
build:
  services: [docker:28-dind]
  before_script: [cd api]
  script:
    - docker build --build-arg V=$V --build-arg R=$CI_COMMIT_SHA .
other: {script: ["podman build -f docker/Dockerfile ."]}
"""
    first, second = read(".gitlab-ci.yml", text).invocations
    assert shown(first) == ("build", "api/Dockerfile", {"V": "slim", "R": None}, [], None)
    assert first.runner == "fresh"
    assert (second.dockerfile, second.runner) == ("docker/Dockerfile", "unknown")


def test_makefile() -> None:
    text = (
        "ENGINE ?= docker\nPLATFORMS = linux/amd64,$(ARM)\nARM := linux/arm64\nGO = go\n"
        "bin:\n\t$(GO) build ./...\n"
        "image: bin ## the image\n"
        "\t@$(ENGINE) buildx build --platform $(PLATFORMS) \\\n"
        "\t\t--build-arg REV=$(shell git rev-parse HEAD) --build-arg H=$$HOME -f docker/Dockerfile .\n"
        "loose:\n\tdocker build $(FLAGS) api\n"
        "define later\n\tdocker build api\nendef\n"
    )
    first, second = read("Makefile", text).invocations
    platforms = ["linux/amd64", "linux/arm64"]
    assert shown(first) == ("image", "docker/Dockerfile", {"REV": None, "H": None}, platforms, None)
    assert (second.name, second.dockerfile) == ("loose", "api/Dockerfile")
    assert "platforms" in second.open


def test_justfile_and_scripts() -> None:
    just = 'tag := "1"\nimage target="x": dep\n'
    just += "    docker build --target {{target}} --build-arg T={{tag}} api\n"
    (item,) = read("justfile", just).invocations
    assert shown(item)[:3] == ("image", "api/Dockerfile", {"T": "1"})
    assert item.target is not None
    script = '#!/bin/bash\ncd "$(dirname "$0")/.."\nV=2\n'
    script += "docker build --build-arg V=$V -f docker/Dockerfile .\n"
    (item,) = read("scripts/image.sh", script).invocations
    assert shown(item)[1:3] == ("docker/Dockerfile", {"V": "2"})


def test_a_script_that_may_mean_two_files_means_none() -> None:
    files = {**TREE, "scripts/Dockerfile": "FROM a\n"}
    (item,) = read("scripts/image.sh", "docker build .\n", files).invocations
    assert item.dockerfile is None


def test_a_devcontainer_is_a_build_like_any_other() -> None:
    project = Project(read=TREE.get)
    project.survey(
        ".devcontainer/devcontainer.json",
        '{"build": {"dockerfile": "../Dockerfile", "args": {"V": "1", "W": "${localEnv:W}"}, '
        '"target": "dev"}}',
    )
    (item,) = project.index.builds("Dockerfile")
    assert shown(item) == ("", "Dockerfile", {"V": "1", "W": None}, [], "dev")


def test_builds_survive_the_way_to_another_process() -> None:
    text = steps("- uses: docker/build-push-action@v6")
    project = Project(read=TREE.get)
    project.survey(WORKFLOW, text)
    summary = project.index.get(WORKFLOW)
    assert pickle.loads(pickle.dumps(summary)) == summary


DEEP = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(f'*{chr(97 + n)}' for _ in range(8))}]\n"
    for n in range(20)
)
HOSTILE = {
    WORKFLOW: [
        DEEP + steps("- uses: docker/build-push-action@v6"),
        "jobs: &j {b: {steps: *j, runs-on: *j}}\n# docker build\n",
        steps("- run: |\n" + "    docker build .\n" * 2_000),
        steps("- run: docker build " + "${{ " * 10_000),
        steps("- run: docker build " + "--build-arg A${{ x }}=1 " * 2_000 + "."),
        "jobs: {b: {steps: [" + "{uses: ./x}, " * 3_000 + "]}} # docker build\n",
        "jobs: []\non: 1\n# docker build\n",
        # Four levels of workflows that call themselves from each of their jobs.
        "jobs:\n" + "".join(f"  j{n}: {{uses: ./{WORKFLOW}}}\n" for n in range(400)),
    ],
    ".gitlab-ci.yml": [
        "a: {script: {x: [docker build .]}}\n",
        DEEP + "b: {script: docker build .}\n",
    ],
    "Makefile": [
        "A = $(B)\nB = $(A)\nx:\n\tdocker build $(A) .\n",
        "".join(f"V{n} = $(V{n + 1})$(V{n + 1})\n" for n in range(60))
        + "V60=x\nx:\n\tdocker build $(V0) .\n",
        "x:\n" + "\tdocker build . \\\n" * 5_000,
        "x:\n\tdocker build " + "$(" * 20_000 + "\n",
        "define x\n" * 5_000 + "docker build",
        "docker build a" + " " * 90_000 + "b\n",
    ],
    "justfile": [
        "x:\n  docker build " + "{{" * 20_000,
        "x:\n  docker build {{" + " " * 90_000,
        'a := "' * 10_000 + "docker build",
    ],
    "a/b.sh": [
        "docker build " + "$(" * 20_000,
        "docker build . && " * 5_000,
        "docker build -f" * 5_000,
    ],
}


@pytest.mark.parametrize(
    ("path", "text"), [(path, text) for path, texts in HOSTILE.items() for text in texts]
)
def test_nothing_hangs_or_fails(path: str, text: str) -> None:
    start = time.process_time()
    read(
        path,
        text,
        {**TREE, "x/action.yml": "runs: {steps: [{uses: ./x}, {uses: ./x}]}\n"},
    )
    assert time.process_time() - start < 5
