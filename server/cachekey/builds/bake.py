"""Bake files, HCL and JSON: their targets after inheritance and matrix, as builds.

Source: buildx ``bake/bake.go`` (``mergeConfig``, ``ResolveTarget``, ``Target.Merge``) and
``bake/hclparser``. Files of the default names in one folder are read together, as Bake does it.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from cachekey.builds.invocation import Invocation, Said
from cachekey.builds.places import Looker, Place, bases, place, settle
from cachekey.builds.values import UNKNOWN, Evaluator, Outcome
from cachekey.record import record
from cachekey.syntax.hcl.parse import Attribute, Block, Expr, parse
from cachekey.syntax.hcl.tokens import tokens
from cachekey.syntax.jsonc.parse import Node
from cachekey.syntax.jsonc.parse import parse as parse_json
from cachekey.text import Source, Span, where_of

DEFAULT_NAMES = (
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
)
"""In the order in which Bake reads them. Source: buildx ``bake/bake.go``, ``defaultFilenames``."""
_LARGEST = 60_000
_MOST_MATRIX = 64
_DEEPEST_INHERITS = 16
_MERGED = ("args", "contexts", "labels")
"""Maps that an heir adds to; other attributes it replaces, and ``cache-from`` it adds to."""
_BUILDS = re.compile(r"\btarget\b")
_ANYTHING = frozenset(("args", "platforms", "target", "file"))


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
    named = {name: tuple(_texts(evaluator.of(expr))) for name, expr in groups.items()}
    return BakeSet(tuple(declared), named, evaluator)


def _body(path: str, source: Source) -> Block:
    empty = Block("", (), Span(0, 0), {}, ())
    if len(source.text) > _LARGEST or not _BUILDS.search(source.text):
        return empty
    if not path.lower().endswith(".json"):
        return parse(source)
    root = parse_json(source).root
    return empty if root is None else _json_body(root)


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
    if depth > _DEEPEST_INHERITS:
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


# -- targets ---------------------------------------------------------------------------------------

Attributes = dict[str, Outcome]


class Baker:
    """Works out the targets of a set."""

    def __init__(self, made: BakeSet) -> None:
        self.set = made
        self._evaluator = made.evaluator
        self._by_name: dict[str, list[Declared]] = {}
        for item in made.declared:
            self._by_name.setdefault(item.name, []).append(item)
        self._resolved: dict[tuple[str, str], tuple[Attributes, frozenset[str]]] = {}
        self._parents = {
            name: tuple(self._inherits(items)) for name, items in self._by_name.items()
        }

    def _inherits(self, items: Sequence[Declared]) -> Iterator[str]:
        for item in items[::-1]:
            if (expr := item.attributes.get("inherits")) is not None:
                yield from _texts(self._evaluator.of(expr))
                return

    @property
    def names(self) -> tuple[str, ...]:
        """Return the targets that somebody builds: not those that are there to be inherited from."""
        heirs = {parent for parents in self._parents.values() for parent in parents}
        grouped = {name for names in self.set.groups.values() for name in names}
        return tuple(
            name
            for name in self._by_name
            if name in grouped or name == "default" or not (name in heirs or name.startswith("_"))
        )

    def expand(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the targets behind names of targets and groups, each once."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        waiting = list(names)[::-1]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self.set.groups:
                waiting += self.set.groups[name][::-1]
            else:
                found[name] = None
        return tuple(name for name in found if name in self._by_name)

    def first(self, name: str) -> Declared:
        """Return where a target is declared first."""
        return self._by_name[name][0]

    def resolve(self, name: str) -> Iterator[tuple[str, Attributes, frozenset[str]]]:
        """Yield name, attributes and what is not known of each target that a declaration makes."""
        last = {k: v for item in self._by_name[name] for k, v in item.attributes.items()}
        for local in self._matrix(last.get("matrix")):
            made = name
            if "matrix" in last:
                text = self._evaluator.of(last["name"], local).text if "name" in last else None
                made = text or f"{name} (a matrix)"
            attributes, opened = self._whole(name, name, local)
            yield made, attributes, opened

    def _whole(
        self, name: str, heir: str, local: Mapping[str, Outcome], depth: int = 0
    ) -> tuple[Attributes, frozenset[str]]:
        """Return all attributes of a target for a heir, and what may be other than they say."""
        if name not in self._by_name or depth > _DEEPEST_INHERITS:
            # A base of another file may say anything.
            return {}, _ANYTHING
        key = (name, self.first(heir).path)
        if depth and key in self._resolved:
            return self._resolved[key]
        # Whoever inherits from himself finds this.
        self._resolved[key] = ({}, _ANYTHING)
        into: Attributes = {}
        opened: frozenset[str] = frozenset()
        for parent in self._parents[name]:
            theirs, more = self._whole(parent, heir, {}, depth + 1)
            opened |= more
            for attribute, value in theirs.items():
                _lay(into, attribute, value)
        for item in self._by_name[name]:
            here = item.path == self.first(heir).path
            for attribute, expr in item.attributes.items():
                value = self._evaluator.of(expr, local)
                _lay(into, attribute, value if here else value.elsewhere())
        self._resolved[key] = (into, opened)
        return into, opened

    def _matrix(self, expr: Expr | None) -> Iterator[dict[str, Outcome]]:
        """Yield the values of a matrix; nothing but symbols when they are not all known."""
        axes = self._evaluator.of(expr).value if expr is not None else {}
        lists = (
            {k: v.value for k, v in axes.items()}
            if isinstance(axes, dict) and all(isinstance(v.value, list) for v in axes.values())
            else None
        )
        count = 1
        for values in (lists or {}).values():
            count *= len(values)
        if lists is None or count > _MOST_MATRIX:
            yield {}
            return
        for choice in itertools.product(*lists.values()):
            yield dict(zip(lists, choice, strict=True))


def _lay(into: Attributes, key: str, value: Outcome) -> None:
    """Lay an attribute over what is there, as ``Target.Merge`` does it."""
    if value.value is None:
        return
    before = into.get(key)
    if key in _MERGED and before is not None:
        if isinstance(before.value, dict) and isinstance(value.value, dict):
            both = before.value | value.value
            into[key] = Outcome(both, before.open | value.open)
            return
    if key == "cache-from" and before is not None:
        if isinstance(before.value, list) and isinstance(value.value, list):
            into[key] = Outcome([*before.value, *value.value], before.open | value.open)
            return
    into[key] = value


def _texts(outcome: Outcome) -> Iterator[str]:
    for item in outcome.value if isinstance(outcome.value, list) else ():
        if item.text is not None:
            yield item.text


# -- as builds ---------------------------------------------------------------------------------------


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


def bake_builds(path: str, source: Source, looker: Looker) -> Iterator[Invocation]:
    """Yield the builds whose targets a file is the first to declare."""
    baker = Baker(bake_set(path, source, looker))
    for name in baker.names:
        if baker.first(name).path == path:
            yield from target_builds(baker, name, looker)


def target_builds(
    baker: Baker,
    name: str,
    looker: Looker,
    candidates: Sequence[str] = (),
    sets: Sequence[Said] = (),
) -> Iterator[Invocation]:
    """Yield the builds of one declaration: several for a matrix.

    ``candidates`` are the folders that Bake may be run from, by default that of the file and those
    above; ``sets`` is what ``--set`` says.
    """
    declared = baker.first(name)
    # Found without being named, it is run in its folder.
    own = posixpath.basename(declared.path) in DEFAULT_NAMES or len(candidates) == 1
    candidates = candidates or tuple(bases(declared.path))
    where = where_of(declared.source, declared.span)
    for made, attributes, opened in baker.resolve(name):
        _override(made, attributes, sets)
        context, file = attributes.get("context"), attributes.get("dockerfile")
        folder = context.text if context is not None else "."
        written = file.text if file is not None else "Dockerfile"
        found = settle(looker, candidates, own, partial(_place, folder, written or ""))
        inline = "dockerfile-inline" in attributes
        yield Invocation(
            path=declared.path,
            kind="bake",
            name=made,
            span=declared.span.fixed,
            where=where,
            folder=found.folder,
            dockerfile=None if inline or written is None else found.dockerfile,
            file=_said(file, declared.span) if file is not None else None,
            open=opened | _untold(attributes),
            **_values(attributes, declared.span),
        )


def _place(context: str | None, file: str, base: str) -> Place:
    return place(base, context, file, beside=True)


def _override(name: str, attributes: Attributes, sets: Sequence[Said]) -> None:
    """Lay ``target.key=value`` of ``--set`` over a target. Source: ``bake.go``, ``newOverrides``."""
    fresh: set[str] = set()
    for said in sets:
        pattern, dot, rest = (said.text or "").partition(".")
        key, equals, value = rest.partition("=")
        if not (dot and equals) or not fnmatchcase(name, pattern):
            continue
        key, _, inner = key.partition(".")
        outcome = Outcome(value, said.open)
        if inner and key in ("args", "contexts"):
            _lay(attributes, key, Outcome({inner: outcome}))
        elif key in _LISTS:
            before = attributes.get(_LISTS[key]) if key in fresh else None
            items = before.value if before is not None and isinstance(before.value, list) else []
            attributes[_LISTS[key]] = Outcome([*items, *_parts(outcome, key)])
            fresh.add(key)
        elif key in ("target", "context", "dockerfile"):
            attributes[key] = outcome


_LISTS = {"platform": "platforms", "platforms": "platforms"}
_LISTS |= {"cache-from": "cache-from", "cache-to": "cache-to"}


def _parts(outcome: Outcome, key: str) -> list[Outcome]:
    if not key.startswith("platform") or outcome.text is None:
        return [outcome]
    return [Outcome(part.strip(), outcome.open) for part in outcome.text.split(",")]


def _untold(attributes: Attributes) -> frozenset[str]:
    names = {"args": "args", "platforms": "platforms", "target": "target", "dockerfile": "file"}
    names["context"] = "file"
    return frozenset(
        name for key, name in names.items() if key in attributes and not attributes[key].known
    )


def _values(attributes: Attributes, span: Span) -> dict[str, Any]:
    target = attributes.get("target")
    return {
        "args": _pairs(attributes.get("args"), span),
        "contexts": _pairs(attributes.get("contexts"), span),
        "target": _said(target, span) if target is not None else None,
        "platforms": _list(attributes.get("platforms"), span),
        "cache_from": _list(attributes.get("cache-from"), span),
        "cache_to": _list(attributes.get("cache-to"), span),
    }


def _said(outcome: Outcome, span: Span) -> Said:
    return Said(outcome.text, (outcome.span or span).fixed, outcome.open)


def _pairs(outcome: Outcome | None, span: Span) -> tuple[tuple[str, Said], ...]:
    if outcome is None or not isinstance(outcome.value, dict):
        return ()
    pairs = outcome.value.items()
    return tuple(
        (name, _said(value.with_open(outcome.open), span))
        for name, value in pairs
        if value.value is not None
    )


def _list(outcome: Outcome | None, span: Span) -> tuple[Said, ...]:
    if outcome is None or outcome.value is UNKNOWN or not isinstance(outcome.value, list):
        return ()
    return tuple(_said(item.with_open(outcome.open), span) for item in outcome.value)
