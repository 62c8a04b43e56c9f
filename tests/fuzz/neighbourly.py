"""Constructs of the files beside a Dockerfile that can stand there any number of times."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.fuzz import neighbours as paths

Make = Callable[[int], str]

_YAML: Mapping[str, Make] = {
    "comments": lambda n: "# c\n" * n,
    "nested flow": lambda n: "a: " + "[" * n,
    "nested maps": lambda n: "".join(f"{'  ' * (i % 30)}a{i}:\n" for i in range(n)),
    "anchors": lambda n: "".join(f"a{i}: &x{i} {{b: 1}}\n" for i in range(n)),
    "aliases": lambda n: "a: &x {b: 1}\nc:\n" + "  - *x\n" * n,
    "merges": lambda n: "a: &x {b: 1}\nc:\n  <<: [" + "*x, " * n + "]\n",
    "bombs": lambda n: (
        "a0: &x0 [1]\n" + "".join(f"a{i}: &x{i} [*x{i - 1}, *x{i - 1}]\n" for i in range(1, n))
    ),
    "documents": lambda n: "---\na: b\n" * n,
    "long text": lambda n: "a: |\n" + "  docker build .\n" * n,
    "folded": lambda n: "a: >\n" + "  docker build .\n" * n,
    "escapes": lambda n: 'a: "' + "\\u0041" * n + '"\n',
    "blanks": lambda n: "a:" + " " * n + "b\n",
    "quotes": lambda n: "a: '" + "''" * n + "'\n",
    "tags": lambda n: "".join(f"a{i}: !reset x\n" for i in range(n)),
    "keys": lambda n: "".join(f"a{i}: 1\n" for i in range(n)),
    "same keys": lambda n: "a: 1\n" * n,
}
_SHELL: Mapping[str, Make] = {
    "builds": lambda n: "docker build .\n" * n,
    "builds elsewhere": lambda n: "".join(
        f"docker build -f d{i}/Dockerfile d{i}\n" for i in range(n)
    ),
    "arguments": lambda n: "docker build " + "--build-arg A=$B " * n + ".\n",
    "sets": lambda n: "docker buildx bake " + "--set app.args.A=b " * n + "\n",
    "bakes": lambda n: "docker buildx bake app\n" * n,
    "composes": lambda n: "docker compose build app\n" * n,
    "variables": lambda n: (
        "".join(f"A{i}=$A{i - 1}$A{i - 1}\n" for i in range(1, n)) + "docker build .\n"
    ),
    "continued": lambda n: "docker build \\\n" + "  --foo \\\n" * n + "  .\n",
    "blanks": lambda n: "docker build" + " " * n + ".\n",
    "heredocs": lambda n: "sh <<E\ndocker build .\nE\n" * n,
    "quotes": lambda n: "docker build " + "'a'\"b\"" * n + "\n",
    "substitutions": lambda n: "docker build " + "$(" * n + "\n",
}


def _steps(lines: Make) -> Make:
    return lambda n: "jobs:\n  a:\n    runs-on: x\n    steps:\n" + lines(n)


def _in_workflow(make: Make) -> Make:
    return _steps(lambda n: "      - run: |\n" + _indented(make(n), " " * 10))


def _in_gitlab(make: Make) -> Make:
    return lambda n: "a:\n  script:\n    - |\n" + _indented(make(n), " " * 6)


def _in_make(make: Make) -> Make:
    return lambda n: "build:\n" + _indented(make(n), "\t")


def _in_just(make: Make) -> Make:
    return lambda n: "build:\n" + _indented(make(n), "    ")


def _indented(text: str, indent: str) -> str:
    return "".join(f"{indent}{line}\n" for line in text.splitlines())


_COMPOSE: Mapping[str, Make] = {
    "services": lambda n: "services:\n" + "".join(f"  s{i}: {{build: .}}\n" for i in range(n)),
    "volumes": lambda n: (
        "services:\n  app:\n    volumes:\n"
        + "".join(f"      - v{i}:/root/.cache/{i}\n" for i in range(n))
    ),
    "same volumes": lambda n: "services:\n  app:\n    volumes:\n" + "      - npm:/root/.npm\n" * n,
    "long volumes": lambda n: (
        "services:\n  app:\n    volumes:\n" + "      - {type: cache, target: /root/.npm}\n" * n
    ),
    "declared": lambda n: (
        "services: {app: {image: x}}\nvolumes:\n" + "".join(f"  v{i}:\n" for i in range(n))
    ),
    "args": lambda n: (
        "services:\n  app:\n    build:\n      args:\n"
        + "".join(f"        A{i}: $B\n" for i in range(n))
    ),
    "variables": lambda n: "services:\n  app:\n    build:\n      context: " + "${A:-b}" * n + "\n",
    "open variables": lambda n: (
        "services:\n  app:\n    build:\n      context: " + "${A:-" * n + "\n"
    ),
    "extends": lambda n: (
        "services:\n  app: {extends: s0}\n"
        + "".join(f"  s{i}: {{extends: s{i + 1}, build: .}}\n" for i in range(n))
    ),
    "includes": lambda n: (
        "include:\n"
        + "".join(f"  - c{i}.yaml\n" for i in range(n))
        + "services: {app: {build: .}}\n"
    ),
    "environment": lambda n: (
        "services:\n  app:\n    environment:\n" + "".join(f"      - A{i}=$B\n" for i in range(n))
    ),
    "ignores": lambda n: "services:\n  app:\n" + "    # cachekey: ignore[CK701]\n" * n,
}
_DANCE = "      - uses: reproducible-containers/buildkit-cache-dance@v3\n"
_WORKFLOW: Mapping[str, Make] = {
    "jobs": lambda n: (
        "jobs:\n" + "".join(f"  j{i}:\n    steps:\n      - run: docker build .\n" for i in range(n))
    ),
    "calls": lambda n: (
        "jobs:\n" + "".join(f"  j{i}: {{uses: ./.github/workflows/build.yml}}\n" for i in range(n))
    ),
    "steps": _steps(
        lambda n: "      - uses: docker/build-push-action@v6\n        with: {context: .}\n" * n
    ),
    "actions": _steps(lambda n: "      - uses: ./\n" * n),
    "expressions": _steps(lambda n: "      - run: docker build " + "${{ env.A }}" * n + "\n"),
    "open expressions": _steps(lambda n: "      - run: docker build " + "${{ env.A " * n + "\n"),
    "build-args": _steps(
        lambda n: (
            "      - uses: docker/build-push-action@v6\n        with:\n          build-args: |\n"
            + "            A=${{ env.B }}\n" * n
        )
    ),
    "cache maps": _steps(
        lambda n: (
            _DANCE
            + "        with:\n          cache-map: |\n            {"
            + ",".join(f'"c{i}": "/root/.npm{i}"' for i in range(n))
            + "}\n"
        )
    ),
    "dances": _steps(
        lambda n: f'{_DANCE}        with: {{cache-map: \'{{"c": "/root/.npm"}}\'}}\n' * n
    ),
    "matrix": lambda n: (
        "jobs:\n  a:\n    runs-on: ${{ matrix.a }}\n    strategy:\n      matrix:\n        a: ["
        + "x, " * n
        + "]\n    steps:\n      - run: docker build .\n"
    ),
    "inputs": lambda n: (
        "on:\n  workflow_call:\n    inputs:\n"
        + "".join(f"      i{i}: {{default: ${{{{ inputs.i{i - 1} }}}}}}\n" for i in range(n))
    ),
    "env": lambda n: (
        "env:\n"
        + "".join(f"  A{i}: ${{{{ env.A{i - 1} }}}}\n" for i in range(n))
        + "jobs: {a: {steps: [{run: docker build .}]}}\n"
    ),
}
_GITLAB: Mapping[str, Make] = {
    "jobs": lambda n: "".join(f"j{i}:\n  script: docker build .\n" for i in range(n)),
    "lines": lambda n: "a:\n  script:\n" + "    - docker build .\n" * n,
    "services": lambda n: "a:\n  script: docker build .\n  services:\n" + "    - x\n" * n,
    "variables": lambda n: (
        "variables:\n" + "".join(f"  A{i}: b\n" for i in range(n)) + "a: {script: docker build .}\n"
    ),
}
_BAKE: Mapping[str, Make] = {
    "targets": lambda n: "".join(f'target "t{i}" {{\n  context = "."\n}}\n' for i in range(n)),
    "same targets": lambda n: 'target "app" {\n  context = "."\n}\n' * n,
    "groups": lambda n: (
        "".join(f'group "g{i}" {{ targets = ["g{i + 1}", "app"] }}\n' for i in range(n))
        + 'target "app" {}\n'
    ),
    "inherits": lambda n: 'target "app" {\n  inherits = [' + '"app", ' * n + "]\n}\n",
    "chain": lambda n: "".join(
        f'target "t{i}" {{\n  inherits = ["t{i + 1}"]\n}}\n' for i in range(n)
    ),
    "diamonds": lambda n: "".join(
        f'target "t{i}" {{\n  inherits = ["t{i + 1}", "t{i + 2}"]\n}}\n' for i in range(n)
    ),
    "variables": lambda n: (
        "".join(f'variable "A{i}" {{ default = "${{A{i + 1}}}${{A{i + 1}}}" }}\n' for i in range(n))
        + 'target "app" { args = { A = A0 } }\n'
    ),
    "attributes": lambda n: "".join(f'a{i} = "b"\n' for i in range(n)) + 'target "app" {}\n',
    "args": lambda n: (
        'target "app" {\n  args = {\n' + "".join(f"    A{i} = B\n" for i in range(n)) + "  }\n}\n"
    ),
    "matrix": lambda n: (
        'target "app" {\n  matrix = { a = [' + '"x", ' * n + ']}\n  name = "app-${a}"\n}\n'
    ),
    "nested lists": lambda n: 'target "app" {\n  args = ' + "[" * n + "\n}\n",
    "nested templates": lambda n: 'target "app" {\n  context = "' + '${"' * n + "\n}\n",
    "nested conditions": lambda n: 'target "app" {\n  context = ' + "a ? b : " * n + '"c"\n}\n',
    "negations": lambda n: 'target "app" {\n  context = ' + "!" * n + "a\n}\n",
    "sums": lambda n: 'target "app" {\n  context = ' + "1 + " * n + "a\n}\n",
    "templates": lambda n: 'target "app" {\n  context = "' + "${A}" * n + '"\n}\n',
    "heredocs": lambda n: 'target "app" {\n  dockerfile-inline = <<E\n' + "FROM x\n" * n + "E\n}\n",
    "open heredocs": lambda n: 'target "app" {\n' + "  a = <<E\n" * n,
    "open blocks": lambda n: 'target "a" {\n' * n,
    "open comments": lambda n: "/* " * n,
    "brackets": lambda n: "target " + "}" * n,
    "calls": lambda n: 'target "app" {\n  context = ' + "f(" * n + "\n}\n",
    "functions": lambda n: (
        "".join(f'function "f{i}" {{ params = [x]\n result = x }}\n' for i in range(n))
        + 'target "app" {}\n'
    ),
}
_BAKE_JSON: Mapping[str, Make] = {
    "targets": lambda n: (
        '{"target": {' + ",".join(f'"t{i}": {{"context": "."}}' for i in range(n)) + "}}"
    ),
    "templates": lambda n: '{"target": {"app": {"context": "' + "${A}" * n + '"}}}',
    "nested": lambda n: '{"target": {"app": {"args": ' + '{"a": ' * n,
}
_MAKE: Mapping[str, Make] = {
    "assignments": lambda n: (
        "".join(f"A{i} = $(A{i - 1})$(A{i - 1})\n" for i in range(n))
        + "b:\n\tdocker build $(A5) .\n"
    ),
    "appended": lambda n: "A += $(A)\n" * n + "b:\n\tdocker build $(A) .\n",
    "rules": lambda n: "".join(f"r{i}:\n\tdocker build .\n" for i in range(n)),
    "blanks in a rule": lambda n: "docker build a" + " " * n + "b\n",
    "words": lambda n: "docker build" + " a" * n + "\n",
    "open variables": lambda n: "b:\n\tdocker build " + "$(" * n + "\n",
    "open calls": lambda n: "b:\n\tdocker build " + "$(call f " * n + "\n",
    "backslashes": lambda n: "b:\n\tdocker build " + "\\" * n + "\n",
    "defines": lambda n: "define D\n\tdocker build .\n" * n,
}
_JUST: Mapping[str, Make] = {
    "assignments": lambda n: (
        "".join(f"a{i} := 'b'\n" for i in range(n)) + "b:\n    docker build {{a1}} .\n"
    ),
    "recipes": lambda n: "".join(f"r{i}:\n    docker build .\n" for i in range(n)),
    "open braces": lambda n: "b:\n    docker build " + "{{" * n + "\n",
    "blanks in braces": lambda n: "b:\n    docker build " + ("{{" + " " * n) + "\n",
    "many blanks in braces": lambda n: (
        "b:\n    docker build " + ("{{" + " " * 200) * (n // 100 + 1) + "\n"
    ),
    "words of a head": lambda n: "a " + "b " * n + "\n    docker build .\n",
}
_PACKAGE: Mapping[str, Make] = {
    "scripts": lambda n: (
        '{"scripts": {"build": "npm ci", ' + ",".join(f'"s{i}": "npm ci"' for i in range(n)) + "}}"
    ),
    "commands": lambda n: '{"scripts": {"build": "' + "npm ci && " * n + 'true"}}',
    "chain": lambda n: (
        '{"scripts": {"build": "npm run s0", '
        + ",".join(f'"s{i}": "npm run s{i + 1}"' for i in range(n))
        + "}}"
    ),
    "doubling": lambda n: (
        '{"scripts": {"build": "npm run s0", '
        + ",".join(f'"s{i}": "npm run s{i + 1} && npm run s{i + 1}"' for i in range(n))
        + "}}"
    ),
    "itself": lambda n: '{"scripts": {"build": "' + "npm run build && " * n + 'true"}}',
    "nested": lambda n: '{"scripts": ' + '{"a": ' * n,
}


def _named(kind: str, wrap: Callable[[Make], Make]) -> Mapping[str, Make]:
    return {f"{kind} {name}": wrap(make) for name, make in _SHELL.items()}


_KINDS: tuple[tuple[str, str, Mapping[str, Make]], ...] = (
    ("compose", paths.COMPOSE, {**_YAML, **_COMPOSE}),
    ("workflow", paths.WORKFLOW, {**_YAML, **_WORKFLOW, **_named("run", _in_workflow)}),
    ("gitlab", paths.GITLAB, {**_YAML, **_GITLAB, **_named("script", _in_gitlab)}),
    ("bake", paths.BAKE, _BAKE),
    ("bake json", paths.BAKE_JSON, _BAKE_JSON),
    ("make", paths.MAKEFILE, {**_MAKE, **_named("recipe", _in_make)}),
    ("just", paths.JUSTFILE, {**_JUST, **_named("recipe", _in_just)}),
    ("script", paths.SCRIPT, _SHELL),
    ("package", paths.PACKAGE, _PACKAGE),
)

CONSTRUCTS: dict[str, tuple[str, Make]] = {
    f"{kind} {name}": (path, make) for kind, path, makers in _KINDS for name, make in makers.items()
}
