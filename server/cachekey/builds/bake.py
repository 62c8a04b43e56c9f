"""The targets of Bake files after inheritance and matrix, as builds.

Source: buildx ``bake/bake.go`` (``mergeConfig``, ``ResolveTarget``, ``Target.Merge``).
"""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from cachekey.builds.bakefile import DEFAULT_NAMES, BakeSet, Declared, bake_set, texts
from cachekey.builds.invocation import Invocation, Said
from cachekey.builds.places import Looker, Place, bases, place, settle
from cachekey.builds.values import UNKNOWN, Outcome
from cachekey.syntax.hcl.parse import Expr
from cachekey.text import Source, Span, where_of

_MOST_MATRIX = 64
_DEEPEST_INHERITS = 16
_MERGED = ("args", "contexts", "labels")
"""Maps that an heir adds to; other attributes it replaces, and ``cache-from`` it adds to."""
_ANYTHING = frozenset(("args", "platforms", "target", "file"))


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
                yield from texts(self._evaluator.of(expr))
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


# -- as builds ---------------------------------------------------------------------------------------


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
