"""Bake files, HCL and JSON: what they declare, as far as one file or the files of one folder say.

Source: buildx ``bake/bake.go`` and ``bake/hclparser``. Files of the default names in one folder are
read together, as Bake does it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from cachekey.builds.places import Looker
from cachekey.builds.values import Evaluator, Outcome
from cachekey.record import record
from cachekey.syntax.hcl.parse import Attribute, Block, Expr, parse
from cachekey.syntax.hcl.tokens import tokens
from cachekey.syntax.jsonc.parse import parse as parse_json
from cachekey.syntax.jsonc.tree import Node
from cachekey.text import Source, Span

DEFAULT_NAMES = (
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
)
"""In the order in which Bake reads them. Source: buildx ``bake/bake.go``, ``defaultFilenames``."""
_LARGEST = 60_000
_DEEPEST = 16
_BUILDS = re.compile(r"\btarget\b")


@record(frozen=True, eq=False)
class Declared:
    """A target as one file writes it."""

    path: str
    source: Source
    name: str
    span: Span
    attributes: Mapping[str, Expr]


@record(frozen=True, eq=False)
class BakeSet:
    """The Bake files that count together."""

    declared: tuple[Declared, ...]
    groups: Mapping[str, tuple[str, ...]]
    evaluator: Evaluator


def bake_set(path: str, source: Source, looker: Looker) -> BakeSet:
    """Read a Bake file together with those that Bake would read along with it."""
    folder, name = posixpath.split(path)
    names = DEFAULT_NAMES if name in DEFAULT_NAMES else (name,)
    others = (posixpath.join(folder, other) for other in names)
    return read_set(
        (other, source if other == path else Source(text))
        for other in others
        if (text := source.text if other == path else looker.text(other)) is not None
    )


def read_set(
    files: Iterable[tuple[str, Source]], given: Mapping[str, Outcome] | None = None
) -> BakeSet:
    """Read the declarations of files in their order; later ones lie over earlier ones.

    ``given`` are the variables that a caller sets.
    """
    declared: list[Declared] = []
    variables: dict[str, Expr | None] = {}
    attributes: dict[str, Expr] = {}
    groups: dict[str, Expr] = {}
    for path, source in files:
        body = _body(path, source)
        attributes |= {name: one.value for name, one in body.attributes.items()}
        for block in body.blocks:
            values = {name: one.value for name, one in block.attributes.items()}
            if block.type == "variable":
                variables[block.label] = values.get("default", variables.get(block.label))
            elif block.type == "group" and "targets" in values:
                groups[block.label] = values["targets"]
            elif block.type == "target" and block.labels:
                declared.append(Declared(path, source, block.label, block.labels[0][1], values))
    evaluator = Evaluator(variables, attributes, given)
    named = {name: tuple(texts(evaluator.of(expr))) for name, expr in groups.items()}
    return BakeSet(tuple(declared), named, evaluator)


def _body(path: str, source: Source) -> Block:
    empty = Block("", (), Span(0, 0), {}, ())
    if len(source.text) > _LARGEST or not _BUILDS.search(source.text):
        return empty
    if not path.lower().endswith(".json"):
        return parse(source)
    root = parse_json(source).root
    return empty if root is None else _json_body(root)


def texts(outcome: Outcome) -> Iterator[str]:
    """Yield the strings of a list, as far as they are known."""
    for item in outcome.value if isinstance(outcome.value, list) else ():
        if item.text is not None:
            yield item.text


# -- JSON ----------------------------------------------------------------------------------------


def _json_body(root: Node) -> Block:
    blocks: list[Block] = []
    attributes: dict[str, Attribute] = {}
    for member in root.effective():
        kind, value = member.key.text, member.value
        if value is None:
            continue
        if kind not in ("variable", "group", "target", "function"):
            attributes[kind] = Attribute(kind, member.key_span, _json(value, 0))
            continue
        for inner in value.effective():
            items = inner.value.effective() if inner.value is not None else ()
            own = {
                item.key.text: Attribute(item.key.text, item.key_span, _json(item.value, 0))
                for item in items
                if item.value is not None
            }
            label = (inner.key.text, inner.key_span)
            blocks.append(Block(kind, (label,), inner.key_span, own, ()))
    return Block("", (), root.span, attributes, tuple(blocks))


def _json(node: Node, depth: int) -> Expr:
    """Return a JSON value as the expression that HCL's JSON form takes it for."""
    if depth > _DEEPEST:
        return Expr("opaque", node.span)
    if node.text is not None:
        return _json_text(node, node.text.text)
    if node.kind == "array":
        return Expr(
            "list", node.span, None, tuple(_json(e.value, depth + 1) for e in node.elements)
        )
    if node.kind == "object":
        items: list[Expr] = []
        for member in node.effective():
            if member.value is not None:
                key = Expr("literal", member.key_span, member.key.text)
                items += (key, _json(member.value, depth + 1))
        return Expr("object", node.span, None, tuple(items))
    return Expr("literal", node.span, node.value)


def _json_text(node: Node, text: str) -> Expr:
    if "${" not in text and "%{" not in text:
        return Expr("literal", node.span, text)
    if "\n" in text or '"' in text.replace('\\"', ""):
        return Expr("opaque", node.span)
    (token, *_) = tokens(f'"{text}"')
    inner = parse(Source(f'x = "{text}"')).attributes.get("x")
    if token.kind != "template" or inner is None:
        return Expr("opaque", node.span)
    return _moved(inner.value, node.span)


def _moved(expr: Expr, span: Span) -> Expr:
    return Expr(expr.kind, span, expr.value, tuple(_moved(item, span) for item in expr.items))
