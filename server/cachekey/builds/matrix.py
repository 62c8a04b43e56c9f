"""The matrix of a job: which values its keys take, and which of them come together.

Source: GitHub's *Workflow syntax*, ``jobs.<job_id>.strategy.matrix``, ``include`` and ``exclude``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import product

from cachekey.syntax.yaml import YamlNode

_MOST_ROWS = 256
"""Jobs of one matrix: GitHub makes no more."""
NAMES = re.compile(r"\bmatrix\.([\w-]+(?:\.[\w-]+)*)")

Row = Mapping[str, YamlNode]
"""The values of one job by key."""


def matrix_values(job: YamlNode, text: str) -> list[str] | None:
    """Return all that ``${{ matrix.x }}`` comes to in a job; None for other texts, and computed ones."""
    match = re.match(r"\s*\$\{\{\s*matrix\.([\w.-]+)\s*\}\}\s*\Z", text)
    return _matrix(job, match.group(1).split(".")) if match is not None else None


def _matrix(node: YamlNode, path: list[str]) -> list[str] | None:
    """Return all values that a key of the matrix takes; None when some are computed."""
    strategy = node.get("strategy")
    matrix = strategy.get("matrix") if strategy is not None else None
    if matrix is None or matrix.kind != "mapping":
        return None
    found: list[str] = []
    axis = matrix.get(path[0])
    include = matrix.get("include")
    rows = [row.get(path[0]) for row in include.elements] if include is not None else []
    if (axis is not None and axis.kind != "sequence") or (
        include is not None and include.kind != "sequence"
    ):
        return None
    for value in (*(axis.elements if axis is not None else ()), *rows):
        current = value
        for name in path[1:]:
            current = current.get(name) if current is not None else None
        if current is None:
            continue
        if current.text is None or "${{" in current.text.text:
            return None
        found.append(current.text.text)
    return found


def matrix_rows(job: YamlNode, names: Collection[str]) -> list[dict[str, str]] | None:
    """Return the values that these keys take together, each combination once.

    A key that a job has not is left out of its row. None when the matrix, or one of the values, is
    computed when the workflow runs.
    """
    strategy = job.get("strategy")
    matrix = strategy.get("matrix") if strategy is not None else None
    rows = _rows(matrix) if matrix is not None and matrix.kind == "mapping" else None
    found: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for row in rows if rows is not None else ():
        values: dict[str, str] = {}
        for name in names:
            node = _at(row, name)
            if node is not None and (node.text is None or "${{" in node.text.text):
                return None
            if node is not None and node.text is not None:
                values[name] = node.text.text
        found.setdefault(tuple(values.items()), values)
    return list(found.values()) or None


def _at(row: Row, name: str) -> YamlNode | None:
    first, *more = name.split(".")
    node = row.get(first)
    for key in more:
        node = node.get(key) if node is not None else None
    return node


def _rows(matrix: YamlNode) -> list[Row] | None:
    """Return the jobs of a matrix: every combination, less those excluded, and what is included."""
    axes: dict[str, tuple[YamlNode, ...]] = {}
    listed: dict[str, list[Row]] = {"include": [], "exclude": []}
    total = 1
    for name, (_, node) in matrix.entries.items():
        if node.kind != "sequence":
            return None
        if name in listed:
            if any(item.kind != "mapping" for item in node.elements):
                return None
            listed[name] = [
                {key: v for key, (_, v) in item.entries.items()} for item in node.elements
            ]
            continue
        axes[name] = tuple(node.elements)
        total *= max(1, len(axes[name]))
        if total > _MOST_ROWS:
            return None
    rows = (
        [dict(zip(axes, values, strict=True)) for values in product(*axes.values())] if axes else []
    )
    rows = [row for row in rows if not any(_agrees(row, out, axes) for out in listed["exclude"])]
    made: list[dict[str, YamlNode]] = []
    for extra in listed["include"][:_MOST_ROWS]:
        shared = [name for name in extra if name in axes]
        meant = [row for row in rows if _agrees(row, extra, shared)]
        for row in meant:
            row.update(extra)
        if not meant:
            made.append(dict(extra))
    return [*rows, *made]


def _agrees(row: Row, other: Row, names: Collection[str]) -> bool:
    """Tell whether a job has the values that another row gives to these keys."""
    said = [name for name in other if name in names]
    return all(_same(row.get(name), other[name]) for name in said)


def _same(one: YamlNode | None, other: YamlNode) -> bool:
    if one is None or one.text is None or other.text is None:
        return one is other
    return one.text.text == other.text.text


def names_in(texts: Collection[str]) -> Iterator[str]:
    """Yield the keys of the matrix that texts speak of, each once."""
    yield from dict.fromkeys(name for text in texts for name in NAMES.findall(text))
