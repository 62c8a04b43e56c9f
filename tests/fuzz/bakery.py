"""Grammars of Bake files: HCL and JSON."""

from __future__ import annotations

import json
from random import Random

from tests.fuzz.grammar import name
from tests.fuzz.yamls import some

_TEMPLATES = (
    '"a"',
    '"${A}"',
    '"x-${A}-y"',
    '"${"${A}"}"',
    '"%{if A}x%{endif}"',
    '"a\\nb"',
    '"$${A}"',
    "A",
    "null",
    "true",
    "1.5",
    'A == "a" ? "x" : "y"',
    'join("-", ["a", A])',
    "<<E\n${A}\nE\n",
    "[for x in [A] : x]",
    "{for k, v in {a = A} : k => v}",
    "target.app.args.A",
    "f(A)",
    "-1 + 2 * 3",
    "!true",
    "(((A)))",
)


def expression(r: Random, depth: int = 2) -> str:
    """Make an expression of HCL."""
    kind = r.randrange(8) if depth else 0
    if kind < 5:
        return r.choice(_TEMPLATES)
    if kind == 5:
        items = [expression(r, depth - 1) for _ in range(r.randrange(4))]
        comma = r.choice((", ", ",", ", \n"))
        return f"[{comma.join(items)}]"
    if kind == 6:
        pairs = [f"{name(r)} = {expression(r, depth - 1)}" for _ in range(r.randrange(3))]
        return "{\n" + "\n".join(pairs) + "\n}"
    return f"{expression(r, depth - 1)} == {expression(r, depth - 1)}"


def bake(r: Random) -> str:
    """Make a Bake file in HCL."""

    def block() -> str:
        kind = r.randrange(6)
        if kind == 0:
            return f'variable "{name(r)}" {{\n  default = {expression(r)}\n}}'
        if kind == 1:
            targets = ", ".join(f'"{r.choice(("app", "db", "all", "default"))}"' for _ in range(2))
            return f'group "{r.choice(("default", "all"))}" {{ targets = [{targets}] }}'
        if kind == 2:
            return f'function "f" {{\n  params = [x]\n  result = {expression(r)}\n}}'
        label = r.choice(("app", "db", "_base", "x y", ""))
        lines = "\n".join(f"  {key} = {item}" for key, item in _target(r).items())
        return f'target "{label}" {{\n{lines}\n}}'

    blocks = [block() for _ in range(r.randrange(1, 7))]
    head = r.choice(("", f"{name(r)} = {expression(r)}\n", "/* c */ "))
    return head + r.choice(("\n", "\n\n", "\n# c\n")).join(blocks) + r.choice(("", "\n"))


def _target(r: Random) -> dict[str, str]:
    attributes = (
        *("context", "dockerfile", "args", "target", "platforms", "inherits", "matrix", "name"),
        *("contexts", "cache-from", "dockerfile-inline", "tags", "foo"),
    )
    fitting = {
        "context": ('"."', '"api"', '"target:db"'),
        "dockerfile": ('"Dockerfile"', '"../Dockerfile"'),
        "inherits": ('["_base"]', '["app", "db"]', '["app"]'),
        "matrix": ('{ a = ["x", "y"], b = ["1"] }', "{ a = A }"),
        "name": ('"app-${a}"',),
        "args": ('{ A = "b" }', '{ A = A, B = "${A}" }', "{ A = a }"),
        "platforms": ('["linux/amd64", "linux/arm64"]',),
    }
    chosen = r.sample(attributes, r.randrange(1, 6))
    return {
        key: r.choice(fitting[key]) if key in fitting and r.random() < 0.6 else expression(r)
        for key in chosen
    }


def bake_json(r: Random) -> str:
    """Make a Bake file in JSON."""
    texts = ("a", "${A}", '${A == "a" ? 1 : 2}', "%{if A}", "Dockerfile", ".", "$${A}", "é", "${")
    targets = {
        r.choice(("app", "db", "_base")): some(
            r,
            {
                "context": r.choice((".", "api", *texts)),
                "dockerfile": r.choice(texts),
                "args": {name(r): r.choice((*texts, None, 1, True, []))},
                "inherits": ["_base", "app"],
                "platforms": ["linux/amd64", r.choice(texts)],
                "matrix": {"a": ["x", "y"]},
                "name": "x-${a}",
                "target": r.choice(("s0", "s1")),
            },
        )
        for _ in range(r.randrange(1, 4))
    }
    data = {
        "variable": {"A": {"default": r.choice(texts)}},
        "group": {"default": {"targets": ["app", "default"]}},
        "target": targets,
    }
    return json.dumps(data, indent=r.choice((None, 2)), ensure_ascii=r.random() < 0.5)
