"""HCL syntax: what python-hcl2 reads of a file, our scanner reads, too; computed values apart.

Any other file is held against it by ``python -m tests.builds.test_hcl_judged FILE…``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import hcl2
import pytest
from cachekey.syntax.hcl.parse import Block, Expr, parse
from cachekey.text import Source

from tests.builds.test_bake import CASES, generated

COMPUTED = "\0computed"
"""Stands for what is no literal."""


def differences(text: str) -> list[str]:
    """Return where the two readings of a file differ."""
    theirs = hcl2.loads(text)
    return list(_compare(parse(Source(text)), theirs, ""))


def _compare(ours: Block, theirs: Mapping[str, Any], place: str) -> Iterator[str]:
    inner: dict[str, list[Any]] = {}
    attributes: dict[str, Any] = {}
    for name, value in theirs.items():
        if name.startswith("__"):
            continue
        blocks = value if isinstance(value, list) else ()
        if blocks and all(isinstance(one, dict) and _is_block(one) for one in blocks):
            inner[name] = list(blocks)
        else:
            attributes[name] = value
    if set(attributes) != set(ours.attributes):
        yield f"{place}: attributes {sorted(attributes)}, ours {sorted(ours.attributes)}"
    for name, value in attributes.items():
        if name in ours.attributes:
            yield from _agree(_ours(ours.attributes[name].value), _plain(value), f"{place}.{name}")
    for name, group in inner.items():
        mine = [block for block in ours.blocks if block.type == name]
        if len(mine) != len(group):
            yield f"{place}: {len(group)} blocks {name}, ours {len(mine)}"
        for block, other in zip(mine, group, strict=False):
            labels: list[str] = []
            while not other.get("__is_block__") and len(other) == 1:
                ((label, other),) = other.items()
                labels.append(label.strip('"'))
            if labels != [label for label, _ in block.labels]:
                yield f"{place}: {name} {labels}, ours {block.labels}"
            yield from _compare(block, other, f"{place}/{name} {' '.join(labels)}")


def _is_block(value: Mapping[str, Any]) -> bool:
    while not value.get("__is_block__"):
        inner = list(value.values())
        if len(inner) != 1 or not isinstance(inner[0], dict):
            return False
        value = inner[0]
    return True


def _ours(expr: Expr) -> Any:
    if expr.kind == "literal":
        return expr.value
    if expr.kind == "list":
        return [_ours(item) for item in expr.items]
    if expr.kind == "object":
        pairs = zip(expr.items[::2], expr.items[1::2], strict=True)
        return {_name(key): _ours(value) for key, value in pairs}
    return COMPUTED


def _name(key: Expr) -> str:
    return str(key.value) if key.kind in ("literal", "name") else COMPUTED


def _plain(value: Any) -> Any:
    """Return python-hcl2's value as ours: strings come in quotes, expressions as ``${…}``."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key.strip('"'): _plain(item) for key, item in value.items() if key[:2] != "__"}
    if not isinstance(value, str):
        return value
    if value in ("null", "true", "false"):
        return {"null": None, "true": True, "false": False}[value]
    quoted = value[:1] == '"' and value[-1:] == '"' and len(value) > 1
    if not quoted or "${" in value or "%{" in value or "\\" in value:
        return COMPUTED
    return value[1:-1]


def _agree(ours: Any, theirs: Any, place: str) -> Iterator[str]:
    """Compare values; what one of the two calls computed is left to ``buildx bake --print``."""
    if COMPUTED in (type(ours) is str and ours, type(theirs) is str and theirs):
        return
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _agree(one, other, f"{place}[{number}]")
    elif isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        for key in ours:
            yield from _agree(ours[key], theirs[key], f"{place}.{key}")
    elif ours != theirs:
        yield f"{place}: {theirs!r}, ours {ours!r}"


REFUSED = {"texts"}
"""The judge takes no comment between `=` and a value; `buildx` alone judges these."""


@pytest.mark.parametrize("name", sorted(CASES.keys() - REFUSED))
def test_cases(name: str) -> None:
    assert differences(CASES[name]) == []


@pytest.mark.parametrize("seed", range(12))
def test_generated(seed: int) -> None:
    assert differences(generated(seed)) == []


def test_the_judge_sees_what_is_wrong() -> None:
    text = 'target "a" {\n  args = { B = "c" }\n}\n'
    ours, theirs = parse(Source(text)), hcl2.loads(text.replace('"c"', '"d"'))
    assert list(_compare(ours, theirs, "")) == ["/target a.args.B: 'd', ours 'c'"]
    assert list(_compare(ours, hcl2.loads(text.replace("args", "labels")), "")) != []


def main(paths: Sequence[str]) -> int:
    """Print how files are read otherwise."""
    found = 0
    for path in paths:
        try:
            items = differences(Path(path).read_text(encoding="utf-8"))
        except Exception as error:
            print(f"{path}: the judge refuses it: {str(error).splitlines()[0]}")
            continue
        found += len(items)
        print("\n".join(f"{path}{item}" for item in items) or f"{path}: alike")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
