"""The jobs that come of a workflow's matrix, and the builds that they start."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from cachekey.builds.invocation import Invocation
from cachekey.builds.matrix import rows
from cachekey.builds.read import read_build_file
from cachekey.syntax.yaml import parse
from cachekey.text import Source

WORKFLOW = ".github/workflows/ci.yml"
FILES = {
    "Makefile": "api:\n\tdocker build api\nweb:\n\tdocker build web\nlint:\n\tgolangci-lint run\n",
    "api/Dockerfile": "FROM a",
    "web/Dockerfile": "FROM a",
    "Dockerfile.alpine": "FROM a",
    "Dockerfile.debian": "FROM a",
    ".github/workflows/image.yml": """\
on: {workflow_call: {inputs: {end: {type: string}}}}
jobs:
  image:
    runs-on: ubuntu-24.04${{ inputs.end }}
    steps: [{run: docker build api}]
""",
}


def found(matrix: str, *uses: str) -> list[str]:
    (job,) = parse(Source(f"strategy: {{matrix: {matrix}}}\n"))
    texts = [f"${{{{ matrix.{name} }}}}" for name in uses]
    made = rows(job, texts)
    return [" ".join(f"{k[7:]}={said.text}" for k, said in one.items()) for one in made]


@pytest.mark.parametrize(
    ("matrix", "uses", "made"),
    [
        ("{a: [1, 2], b: [x]}", "ab", ["a=1 b=x", "a=2 b=x"]),
        ("{a: [1, 2], b: [x, y]}", "b", ["b=x", "b=y"]),
        (
            "{a: [1, 2], b: [x, y], exclude: [{a: 1, b: y}]}",
            "ab",
            ["a=1 b=x", "a=2 b=x", "a=2 b=y"],
        ),
        ("{a: [1, 2], exclude: [{a: 1}, {a: 2}]}", "a", [""]),
        # An entry adds to each combination whose own values it leaves alone.
        ("{a: [1, 2], include: [{a: 1, b: x}]}", "ab", ["a=1 b=x", "a=2 b="]),
        ("{a: [1, 2], include: [{b: x}]}", "ab", ["a=1 b=x", "a=2 b=x"]),
        ("{a: [1], include: [{a: 3, b: x}]}", "ab", ["a=1 b=", "a=3 b=x"]),
        ("{include: [{a: 1}, {a: 2, b: y}]}", "ab", ["a=1 b=", "a=2 b=y"]),
        ("{a: [{os: linux, cpu: arm}, {os: mac}]}", "a", ["a.os=linux a.cpu=arm", "a.os=mac"]),
        ("{a: ['${{ github.sha }}']}", "a", [""]),
        # What is computed beside it in an object is another value, the whole object is not.
        ("{a: [{os: linux, tag: '${{ x }}'}, {os: mac}]}", "a", ["a.os=linux", "a.os=mac"]),
        ("{a: [{os: linux}, '${{ fromJson(x) }}']}", "a", [""]),
        ("{a: '${{ fromJson(x) }}', b: [1, 2]}", "ab", ["b=1", "b=2"]),
        ("{a: [1], include: '${{ fromJson(x) }}'}", "a", [""]),
        ("'${{ fromJson(x) }}'", "a", [""]),
        ("{a: [1, 2]}", "", [""]),
    ],
)
def test_what_comes_of_a_matrix(matrix: str, uses: str, made: list[str]) -> None:
    assert found(matrix, *uses) == made


def test_a_large_matrix_is_not_known() -> None:
    numbers = ", ".join(map(str, range(20)))
    assert found(f"{{a: [{numbers}], b: [{numbers}]}}", "a") == [""]
    assert found(f"{{a: [{numbers}], b: [1, 2]}}", "a", "b") == [""]


def builds(text: str, files: Mapping[str, str] = FILES) -> list[Invocation]:
    return list(read_build_file(WORKFLOW, Source(text), files.get).invocations)


def job(matrix: str, step: str, runs_on: str = "ubuntu-latest") -> str:
    return (
        f"on: push\njobs:\n  b:\n    runs-on: {runs_on}\n    strategy: {{matrix: {matrix}}}\n"
        f"    steps:\n      - {step}\n"
    )


@pytest.mark.parametrize(
    ("step", "files"),
    [
        ("run: make ${{ matrix.x }}", ["api/Dockerfile", "web/Dockerfile"]),
        ("run: docker build ${{ matrix.x }}", ["api/Dockerfile", "web/Dockerfile"]),
        (
            "{run: docker build ., working-directory: './${{ matrix.x }}'}",
            ["api/Dockerfile", "web/Dockerfile"],
        ),
        (
            "{uses: docker/build-push-action@v6, with: {context: '${{ matrix.x }}'}}",
            ["api/Dockerfile", "web/Dockerfile"],
        ),
        (
            "{run: docker build $WHAT, env: {WHAT: '${{ matrix.x }}'}}",
            ["api/Dockerfile", "web/Dockerfile"],
        ),
        (
            "run: docker build -f Dockerfile.${{ matrix.os }} .",
            ["Dockerfile.alpine", "Dockerfile.debian"],
        ),
        (
            "{uses: docker/build-push-action@v6, with: {file: './Dockerfile.${{ matrix.os }}'}}",
            ["Dockerfile.alpine", "Dockerfile.debian"],
        ),
    ],
)
def test_each_value_is_a_build(step: str, files: list[str]) -> None:
    matrix = "{x: [api, web, lint], os: [alpine, debian]}"
    assert [one.dockerfile for one in builds(job(matrix, step))][:2] == files


def test_jobs_that_differ_in_nothing_are_one_build() -> None:
    step = "run: docker build --build-arg A=1 api"
    (one,) = builds(job("{os: [ubuntu-24.04, ubuntu-22.04], go: [1, 2]}", step, "${{ matrix.os }}"))
    assert (one.runner, one.runs_on, one.native) == (
        "fresh",
        "ubuntu-24.04, ubuntu-22.04",
        "linux/amd64",
    )
    two = builds(job("{os: [ubuntu-24.04, ubuntu-24.04-arm]}", step, "${{ matrix.os }}"))
    assert [one.native for one in two] == ["linux/amd64", "linux/arm64"]
    kept = builds(job("{os: [ubuntu-24.04, self-hosted]}", step, "${{ matrix.os }}"))
    assert [one.runner for one in kept] == ["fresh", "kept"]


def test_a_label_that_is_chosen_is_one_of_two() -> None:
    label = "${{ matrix.a == 'x' && 'ubuntu-24.04-arm' || 'ubuntu-24.04' }}"
    (one,) = builds(job("{a: '${{ x }}'}", "run: docker build api", label))
    assert (one.runner, one.native) == ("fresh", "")
    label = "${{ github.event_name == 'push' && 'self-hosted' || 'ubuntu-24.04' }}"
    (one,) = builds(job("{a: [1]}", "run: docker build api", label))
    assert one.runner == "unknown"


def test_a_called_workflow_runs_for_each_job_of_the_matrix() -> None:
    text = """\
on: push
jobs:
  images:
    strategy: {matrix: {end: ['', -arm]}}
    uses: ./.github/workflows/image.yml
    with: {end: '${{ matrix.end }}'}
"""
    assert [one.runs_on for one in builds(text)] == ["ubuntu-24.04", "ubuntu-24.04-arm"]


def test_the_tree_of_another_repository_is_not_ours() -> None:
    def of(*steps: str) -> list[str | None]:
        body = "".join(f"      - {step}\n" for step in steps)
        text = f"on: push\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n{body}"
        return [one.dockerfile for one in builds(text)]

    other = "{uses: actions/checkout@v4, with: {repository: docker/docs}}"
    assert of(other, "run: make api") == []
    assert of(other, "run: docker build api") == [None]
    own = "{uses: actions/checkout@v4, with: {repository: '${{ github.repository }}'}}"
    assert of(own, "run: make api") == ["api/Dockerfile"]
    beside = "{uses: actions/checkout@v4, with: {repository: docker/docs, path: docs}}"
    assert of(beside, "run: make api") == ["api/Dockerfile"]
    # It fetches this repository by itself, whatever lies in the folder.
    assert of(other, "{uses: docker/build-push-action@v6, with: {file: api/Dockerfile}}") == [
        "api/Dockerfile"
    ]
    bake = "{{uses: docker/bake-action@v6, with: {{source: '{}', targets: api}}}}"
    files = {**FILES, "docker-bake.hcl": 'target "api" { context = "api" }\n'}
    for source, wanted in (
        (
            "${{ github.server_url }}/${{ github.repository }}.git#${{ github.ref }}",
            ["api/Dockerfile"],
        ),
        ("https://example.com/other.git", []),
        ("${{ inputs.source }}", [None]),
        (".", [None]),
    ):
        text = (
            "on: push\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n"
            f"      - {other}\n      - {bake.format(source)}\n"
        )
        assert [one.dockerfile for one in builds(text, files)] == wanted, source


def test_a_workflow_of_docker_s_own_builds_each_platform_on_a_fresh_runner() -> None:
    def of(what: str, given: str) -> list[tuple[str | None, str | None, list[str | None]]]:
        uses = f"docker/github-builder/.github/workflows/{what}.yml@v1"
        text = f"on: push\njobs:\n  image: {{uses: {uses}, with: {{{given}}}}}\n"
        bake = 'group "default" { targets = ["api"] }\nvariable "P" { default = "linux/s390x" }\n'
        bake += 'target "api" {\n  context = "api"\n  platforms = ["linux/amd64", P]\n}\n'
        found = builds(text, {**FILES, "docker-bake.hcl": bake})
        assert all((one.runner, one.job) == ("fresh", "image") for one in found)
        return [
            (one.dockerfile, one.target and one.target.text, [p.text for p in one.platforms])
            for one in found
        ]

    given = "file: api/Dockerfile, platforms: 'linux/amd64,linux/arm64', target: x"
    amd, arm = of("build", given)
    assert amd == ("api/Dockerfile", "x", ["linux/amd64"])
    assert arm == ("api/Dockerfile", "x", ["linux/arm64"])
    assert len(of("build", f"{given}, distribute: false")) == 1
    assert of("build", "context: ./api") == [("api/Dockerfile", None, [])]
    assert [p for _, _, (p,) in of("bake", "output: image")] == ["linux/amd64", "linux/s390x"]
    assert [p for _, _, (p,) in of("bake", "target: api, vars: 'P=linux/arm64'")] == [
        "linux/amd64",
        "linux/arm64",
    ]
    (unknown,) = of("bake", "target: '${{ inputs.x }}'")
    assert unknown[0] is None
