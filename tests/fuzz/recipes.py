"""Grammars of command lines that build, and of the scripts, Makefiles and the like that hold them."""

from __future__ import annotations

import json
from random import Random

from tests.fuzz.grammar import name, shell, value

_ENGINES = ("docker", "docker", "docker buildx", "podman", "buildah", "nerdctl", "$DOCKER", "depot")
CONTEXTS = (".", "./api", "api", "..", "-", "$A", "https://x/y.git", "", '"a b"')
_OPTIONS = (
    "--build-arg A=b",
    "--build-arg B",
    "--build-arg=B=$A",
    "--build-arg 'A=x y'",
    "-f Dockerfile",
    "-f api/Dockerfile",
    "--file=$A",
    "--target s1",
    "--platform linux/amd64,linux/arm64",
    "--platform=$A",
    "-t x:y",
    "--builder b",
    "--cache-to type=gha,mode=max",
    "--push",
    "--load",
    "--foo",
    "--set *.args.A=c",
    "--set 'app.platform=linux/arm64'",
    "$OPTIONS",
)


def building(r: Random) -> str:
    """Make a command line that builds, or nearly."""
    kind = r.randrange(6)
    options = " ".join(r.choice(_OPTIONS) for _ in range(r.choice((0, 1, 1, 2, 4))))
    if kind == 0:
        return f"docker buildx bake {options} {r.choice(('', 'app', 'all', '-f docker-bake.hcl'))}"
    if kind == 1:
        return f"docker compose {r.choice(('', '-f compose.yaml '))}build {options} app"
    verb = r.choice(("build", "build", "build", "bud", "buildx build"))
    return f"{r.choice(_ENGINES)} {verb} {options} {r.choice(CONTEXTS)}"


def script(r: Random, depth: int = 1) -> str:
    """Make a script with builds in it."""
    lines = [building(r)]
    for _ in range(r.randrange(3)):
        lines.insert(r.randrange(len(lines) + 1), r.choice((building, _other))(r))
    glue = r.choice(("\n", "\n", " && ", "; ", " \\\n  && "))
    text = glue.join(lines)
    shapes = (
        text,
        text,
        f"cd api && {text}",
        f"for A in a b; do {text}; done",
        f"if true; then\n{text}\nfi",
        f"f() {{ {text}; }}; f",
        f"sh <<'E'\n{text}\nE\n",
        f"sh -c '{text}'",
    )
    return r.choice(shapes) if depth else text


def _other(r: Random) -> str:
    return r.choice((f"{name(r)}={value(r)}", f"export {name(r)}={value(r)}", shell(r, 1)))


def shell_script(r: Random) -> str:
    """Make a file of shell."""
    return r.choice(("#!/bin/sh\n", "", "set -e\n")) + script(r) + r.choice(("", "\n"))


_ASSIGNS = (":=", "=", "?=", "+=", "!=")
_MAKE_SHOWN = ("$(A)", "${A}", "$A", "$$A", "$(shell x)", "$(call f,$(A))", "$@", "$(", "b")


def makefile(r: Random) -> str:
    """Make a Makefile."""

    def line() -> str:
        kind = r.randrange(9)
        shown = r.choice(_MAKE_SHOWN)
        if kind == 0:
            return f"{r.choice(('', 'export '))}{name(r)} {r.choice(_ASSIGNS)} {shown}"
        if kind == 1:
            return f"define D\n\tdocker build {shown} .\nendef"
        if kind == 2:
            return f"ifeq ($(A),b)\n{name(r)} = {shown}\nendif"
        if kind == 3:
            rule = r.choice(("build", ".PHONY", "%.o", "a b"))
            return f"{rule}:{r.choice((' a', '', ': b', ' ; docker build .'))}"
        recipe = f"{building(r)} {shown}" if r.random() < 0.7 else script(r, 0)
        continued = recipe.replace("\n", r.choice((" \\\n\t", "\n\t")))
        return f"build: a\n\t{r.choice(('', '@', '-', '+'))}{continued}"

    return "\n".join(line() for _ in range(r.randrange(1, 7))) + r.choice(("\n", "", " \\"))


_JUST_SHOWN = ("{{A}}", "{{ A }}", "{{ A + 'x' }}", "{{", "{{{{", "$A", "`x`", "{{ env('A') }}")
_JUST_VALUES = ('"b"', "'b'", 'A / "x"', "`docker build .`", '"\\""')


def justfile(r: Random) -> str:
    """Make a justfile."""

    def line() -> str:
        kind = r.randrange(6)
        if kind == 0:
            return f"{name(r)} := {r.choice(_JUST_VALUES)}"
        if kind == 1:
            return r.choice(("set shell := ['bash', '-c']", "import 'x'", "alias b := build"))
        recipe = f"{building(r)} {r.choice(_JUST_SHOWN)}".replace("\n", "\n    ")
        head = r.choice(("build:", "@build A='x': a", "build *ARGS:", "[private]\nbuild:"))
        mark = r.choice(("", "@", "-", "#!/bin/sh\n    "))
        return f"{head}\n    {mark}{recipe}"

    return "\n".join(line() for _ in range(r.randrange(1, 7))) + r.choice(("\n", ""))


def package(r: Random) -> str:
    """Make a package.json."""
    names = ("build", "prebuild", "postbuild", "test", "a")

    def one() -> object:
        chosen = r.choice(
            ("npm run build", "npm run a", "npm test", "yarn a", shell(r, 1), building(r))
        )
        return r.choice((chosen, chosen, chosen, chosen, 1, None, ["a"], {}))

    scripts = {r.choice(names): one() for _ in range(r.randrange(5))}
    data: dict[str, object] = {"name": "x", "scripts": r.choice((scripts, scripts, scripts, [], 1))}
    text = json.dumps(data, indent=r.choice((None, 2)), ensure_ascii=r.random() < 0.5)
    return text.replace(*r.choice((("", ""), ("", ""), (",", ",,"), ("{", "{ // c\n"))))
