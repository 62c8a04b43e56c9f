"""The matrix of a workflow's job: the values that its keys have together, in each job that comes of it.

Source: GitHub's *Workflow syntax*, ``jobs.<job_id>.strategy.matrix``: ``exclude`` takes combinations away,
then an entry of ``include`` adds to each combination whose own values it leaves as they are, or makes
one of its own.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping

from cachekey.builds.invocation import Said
from cachekey.syntax.yaml import YamlNode

_USED = re.compile(r"\bmatrix\.([\w-]+)")
_NAMED = re.compile(r"\bmatrix\.([\w-]+(?:\.[\w-]+)*)")
_MOST_COMBINATIONS = 256
_MOST_JOBS = 32
"""Of one job, those that differ in what counts; of a larger matrix the values are not known."""

_Values = dict[str, str | None]
"""By the names that expressions have for them below ``matrix``; None for a value that is computed."""


def keys_in(texts: Iterable[str]) -> list[str]:
    """Return the keys of the matrix that expressions of texts name, each once."""
    return list(dict.fromkeys(key for text in texts for key in _NAMED.findall(text)))


def rows(job: YamlNode, texts: Iterable[str]) -> list[dict[str, Said]]:
    """Return the values of ``matrix.x`` in each job that comes of one, as expressions name them.

    Only those that ``texts`` speak of count, and equal jobs count once. One job without any values
    stands for a matrix that is computed, that is too large, or that is not there.
    """
    used = {name for text in texts for name in _USED.findall(text)}
    strategy = job.get("strategy") if used else None
    matrix = strategy.get("matrix") if strategy is not None else None
    combinations = _combinations(matrix) if matrix is not None else None
    if matrix is None or combinations is None:
        return [{}]
    computed = {name for name, axis in _axes(matrix) if axis.kind != "sequence"}
    # A key of which one value is computed tells nothing, but its neighbours in an object do.
    computed |= {path for one in combinations for path, text in one.items() if text is None}
    found: dict[frozenset[tuple[str, str | None]], dict[str, Said]] = {}
    for made in combinations:
        known = {path.partition(".")[0] for path in made}
        values = {
            path: text
            for path, text in made.items()
            if path.partition(".")[0] in used and computed.isdisjoint(_upwards(path))
        }
        # What no combination has a value for is empty.
        values |= dict.fromkeys(used - known - computed, "")
        span = matrix.span.fixed
        said = {f"matrix.{path}": Said(text, span) for path, text in values.items()}
        found.setdefault(frozenset(values.items()), said)
    return list(found.values()) if 0 < len(found) <= _MOST_JOBS else [{}]


def _upwards(path: str) -> Iterator[str]:
    """Yield a name with dots, and the names of the objects it lies in."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def _axes(matrix: YamlNode) -> Iterator[tuple[str, YamlNode]]:
    for name, (_, value) in matrix.entries.items():
        if name not in ("include", "exclude"):
            yield name, value


def _combinations(matrix: YamlNode) -> list[_Values] | None:
    """Return all combinations; None when some are computed."""
    extra = {name: matrix.get(name) for name in ("include", "exclude")}
    if matrix.kind != "mapping" or any(
        node is not None and node.kind != "sequence" for node in extra.values()
    ):
        return None
    axes = [
        [_flat(name, value) for value in axis.elements]
        for name, axis in _axes(matrix)
        if axis.kind == "sequence"
    ]
    count = 1
    for axis in axes:
        count *= len(axis)
    if count > _MOST_COMBINATIONS:
        return None
    made = [_merged(choice) for choice in itertools.product(*axes)] if axes else []
    left_out = list(_entries(extra["exclude"]))
    made = [one for one in made if not any(_within(gone, one) for gone in left_out)]
    return _included(made, list(_entries(extra["include"])))


def _included(made: list[_Values], entries: list[_Values]) -> list[_Values]:
    wholes = [dict(one) for one in made]
    own: list[_Values] = []
    for entry in entries[:_MOST_COMBINATIONS]:
        fitting = [
            at
            for at, one in enumerate(made)
            if all(one[path] == text for path, text in entry.items() if path in one)
        ]
        for at in fitting:
            wholes[at] |= entry
        if not fitting:
            own.append(entry)
    return [*wholes, *own]


def _entries(node: YamlNode | None) -> Iterator[_Values]:
    for item in node.elements if node is not None else ():
        yield _merged(_flat(name, value) for name, (_, value) in item.entries.items())


def _merged(parts: Iterable[Mapping[str, str | None]]) -> _Values:
    found: _Values = {}
    for part in parts:
        found |= part
    return found


def _within(part: _Values, whole: _Values) -> bool:
    return all(path in whole and whole[path] == text for path, text in part.items())


def _flat(path: str, node: YamlNode, depth: int = 0) -> _Values:
    """Return the values of a key and of those below it."""
    if node.kind == "mapping" and depth < 4:
        below = (
            _flat(f"{path}.{name}", value, depth + 1) for name, (_, value) in node.entries.items()
        )
        return _merged(below)
    if node.kind != "scalar":
        return {path: None}
    text = node.text.text if node.text is not None else ""
    return {path: None if "${{" in text else text}
