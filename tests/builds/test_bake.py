"""Bake files: what we make of them is what ``buildx bake --print`` says, or nothing."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from cachekey.builds.bake import bake_builds
from cachekey.builds.invocation import Invocation
from cachekey.builds.places import Looker
from cachekey.text import Source

from tests.buildkit.setup import BIN, unready

judged = pytest.mark.skipif(unready("buildx") is not None, reason=str(unready("buildx")))


def builds(files: Mapping[str, str], path: str = "docker-bake.hcl") -> dict[str, Invocation]:
    found = bake_builds(path, Source(files[path]), Looker({**files, "Dockerfile": "x"}.get))
    return {item.name: item for item in found}


def ask(folder: Path, files: Mapping[str, str], names: list[str]) -> dict[str, dict[str, object]]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    arguments = [part for name in files for part in ("-f", name)]
    done = subprocess.run(
        [BIN / "buildx", "bake", "--print", *arguments, *names],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    # What is printed can be read again, so that it is escaped once more.
    plain = done.stdout.replace("$${", "${").replace("%%{", "%{")
    return dict(json.loads(plain).get("target", {}))


def agree(ours: Invocation, theirs: Mapping[str, object]) -> None:
    """Hold each value that we claim to know against what Bake says."""
    args = dict(theirs.get("args") or {})  # type: ignore[call-overload]
    if "args" not in ours.open:
        assert {name for name, _ in ours.args} == set(args)
    for name, said in ours.args:
        assert said.text in (None, args[name])
    if "platforms" not in ours.open and all(said.text for said in ours.platforms):
        # Bake leaves a list of one empty text as none.
        assert [said.text for said in ours.platforms] == (theirs.get("platforms") or [])
    target = None if ours.target is None else ours.target.text
    assert "target" in ours.open or target == theirs.get("target")
    if ours.dockerfile is not None and "dockerfile-inline" not in theirs:
        folder, file = str(theirs.get("context", ".")), str(theirs.get("dockerfile", "Dockerfile"))
        assert ours.dockerfile == os.path.normpath(os.path.join(folder, file))


CASES = {
    "inherits and groups": """
variable "V" { default = "slim" }
group "default" { targets = ["app", "tools"] }
target "_base" {
  args = { V = V, W = "x" }
  platforms = ["linux/amd64", "linux/arm64"]
  cache-from = ["type=gha"]
}
target "app" {
  inherits = ["_base"]
  args = { W = "${V}-w" }
  target = "final"
  cache-from = ["type=registry,ref=x/y"]
}
target "tools" {
  inherits = ["_base"]
  platforms = []
  dockerfile = "Dockerfile"
  contexts = { src = "." }
}
""",
    "conditions": """
variable "MULTI" { default = null }
variable "PUSH" { default = false }
variable "UNSET" {}
target "default" {
  platforms = MULTI != null ? ["linux/arm64"] : []
  args = { A = PUSH ? "yes" : "no", B = UNSET == "" ? "empty" : "full", N = MULTI, I = 3 }
}
""",
    "matrix": """
target "m" {
  name = "m-${v}-${item.os}"
  matrix = { v = ["1", "2"], item = [{ os = "a", p = "linux/amd64" }, { os = "b", p = "linux/arm64" }] }
  args = { V = v, OS = item.os }
  platforms = [item.p]
}
group "default" { targets = ["m"] }
""",
    "functions": """
variable "P" { default = "linux/amd64,linux/arm64" }
function "twice" {
  params = [x]
  result = "${x}${x}"
}
target "default" {
  platforms = split(",", P)
  args = { T = twice("a"), S = "b", U = upper("c") }
}
""",
    "texts": r"""
target "default" {
  args = {
    A = "a\tb \"q\" $${X} %%{y}"
    "B.c" = "1"
    C = <<EOT
two
lines
EOT
    D = <<-EOT
      less
        indented
      EOT
  }
  // a comment
  target = /* here */ "x" # there
}
""",
}


@judged
@pytest.mark.parametrize("name", CASES)
def test_as_bake_prints_it(name: str, tmp_path: Path) -> None:
    files = {"docker-bake.hcl": CASES[name]}
    theirs = ask(tmp_path, files, ["default"])
    ours = builds(files)
    assert theirs
    for target, said in theirs.items():
        agree(ours[target], said)


@judged
def test_an_override_lies_over_the_base(tmp_path: Path) -> None:
    files = {
        "docker-bake.hcl": 'target "default" {\n args = { A = "1", B = "2" }\n target = "x"\n}\n',
        "docker-bake.override.hcl": 'target "default" {\n args = { B = "3" }\n'
        ' platforms = ["linux/arm64"]\n}\n',
    }
    agree(builds(files)["default"], ask(tmp_path, files, ["default"])["default"])
    assert builds(files)["default"].arguments == {"A": "1", "B": "3"}


@judged
def test_json(tmp_path: Path) -> None:
    text = {
        "variable": {"V": {"default": "slim"}},
        "group": {"default": {"targets": ["app"]}},
        "target": {
            "base": {"args": {"V": "${V}-1"}, "platforms": ["linux/arm64"]},
            "app": {"inherits": ["base"], "dockerfile": "Dockerfile"},
        },
    }
    files = {"docker-bake.json": json.dumps(text)}
    ours = builds(files, "docker-bake.json")
    assert set(ours) == {"app"}
    agree(ours["app"], ask(tmp_path, files, ["default"])["app"])


def generated(seed: int) -> str:
    """Make a Bake file that is right, and computes in every way that we know."""
    rnd = random.Random(seed)
    names = [f"t{number}" for number in range(rnd.randint(1, 5))]
    variables = [f"V{number}" for number in range(3)]
    values = ['"a"', '""', "null", "true", "7", '"linux/arm64"']
    lines = [f'variable "{name}" {{\n  default = {rnd.choice(values)}\n}}' for name in variables]

    def text() -> str:
        one, other = rnd.choice(variables), rnd.choice(variables)
        return rnd.choice(
            (
                '"plain"',
                f'"x-${{{one} == null ? "none" : "some"}}"',
                f'{one} == {other} ? "same" : "other"',
                f'{one} != null && {other} == null ? "p" : "q"',
                f'!({one} == "a") ? "not a" : "a"',
                f'upper("{one}")',
                one,
            )
        )

    for number, name in enumerate(names):
        parents = rnd.sample(names[:number], k=min(number, rnd.randint(0, 2)))
        body = [f"  inherits = [{', '.join(map(json.dumps, parents))}]"] if parents else []
        args = ", ".join(f"A{rnd.randint(0, 3)} = {text()}" for _ in range(rnd.randint(0, 3)))
        body.append(f"  args = {{ {args} }}")
        if rnd.random() < 0.5:
            body.append(f'  platforms = {rnd.choice(variables)} == null ? ["linux/arm64"] : []')
        if rnd.random() < 0.4:
            body.append(f"  target = {text()}")
        inner = "\n".join(body)
        lines.append(f'target "{name}" {{\n{inner}\n}}')
    lines.append(f'group "default" {{\n  targets = {json.dumps(names)}\n}}')
    return "\n".join(lines) + "\n"


@judged
@pytest.mark.parametrize("seed", range(12))
def test_generated(seed: int, tmp_path: Path) -> None:
    files = {"docker-bake.hcl": generated(seed)}
    theirs = ask(tmp_path, files, ["default"])
    ours = builds(files)
    for target, said in theirs.items():
        agree(ours[target], said)


def test_values_stand_where_the_file_says_them() -> None:
    text = CASES["inherits and groups"]
    app = builds({"docker-bake.hcl": text})["app"]
    said = {name: text[value.span.start : value.span.end] for name, value in app.args}
    assert said == {"V": "V", "W": '"${V}-w"'}
    assert [text[one.span.start : one.span.end] for one in app.platforms] == [
        '"linux/amd64"',
        '"linux/arm64"',
    ]
    assert dict(app.args)["W"].open == {"V"}


def test_what_is_only_inherited_from_is_no_build() -> None:
    assert set(builds({"docker-bake.hcl": CASES["inherits and groups"]})) == {"app", "tools"}


def test_a_base_of_another_file_leaves_everything_open() -> None:
    found = builds({"docker-bake.hcl": 'target "a" {\n inherits = ["elsewhere"]\n}\n'})["a"]
    assert found.open == {"args", "platforms", "target", "file"}


HOSTILE = {
    "open braces": "{" * 50_000,
    "open targets": 'target "a" {' * 3_000,
    "templates": '"${' * 20_000,
    "a long sum": 'target "a" { args = { x = ' + "1 + " * 5_000 + "1 } }",
    "a long way": 'target "a" { args = { x = a' + ".b" * 5_000 + " } }",
    "indices": 'target "a" { args = { x = a' + "[0]" * 5_000 + " } }",
    "sums in sums": 'target "a" { args = { x = '
    + "(" * 50
    + ("1" + " + 1" * 50 + ")") * 50
    + " } }",
    "quotes": 'target "a" { args = { x = "' * 2_000,
    "heredocs": "a = <<A\n" * 5_000,
    "operators": "a = " + "1 + " * 20_000,
    "nots": "a = " + "!" * 50_000 + "x",
    "lists": "a = " + "[" * 50_000,
    "calls": "a = " + "f(" * 20_000,
    "circle": "".join(f'variable "v{n}" {{ default = v{(n + 1) % 500} }}\n' for n in range(500)),
    "doubling": "".join(
        f'variable "v{n}" {{\n default = "${{v{n + 1}}}${{v{n + 1}}}"\n}}\n' for n in range(200)
    )
    + 'variable "v200" { default = "x" }\ntarget "a" { args = { x = v0 } }\n',
    "matrix": 'target "a" {\n name = "a"\n matrix = {'
    + ", ".join(f"m{n} = [1, 2, 3, 4]" for n in range(30))
    + "}\n}\n",
    "inherits in a circle": "".join(
        f'target "t{n}" {{\n inherits = ["t{(n + 1) % 300}", "t{(n + 2) % 300}"]\n}}\n'
        for n in range(300)
    ),
    "nul": "\x00target\ufeff \u2028\x85",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_hangs_or_fails(name: str) -> None:
    for path in ("docker-bake.hcl", "docker-bake.json"):
        builds({path: 'target "x" {}\n' + HOSTILE[name]}, path)
