"""GitLab pipelines: what the scripts of their jobs build, and what recipes that they call build.

Source: GitLab's *CI/CD YAML syntax reference*: ``extends``, ``default``, ``parallel:matrix``,
``!reference``. The lines of a job run in one shell, at the repository's root.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from cachekey.builds.errands import Follower, may_start
from cachekey.builds.invocation import BuildFile, Invocation, Runner, unique
from cachekey.builds.places import Looker
from cachekey.builds.starts import Caller, builds_of
from cachekey.record import record, replace
from cachekey.syntax.yaml import YamlNode, parse
from cachekey.text import Mapped, Source

_DEEPEST = 10
"""Jobs that extend each other, and references that lead to references: GitLab allows ten."""
_MOST_ROWS = 32
_MOST_NODES = 2000
"""Of the scripts of one job."""
_MOST_BASES = 20
_WORDS = frozenset(("default", "include", "stages", "variables", "workflow", "spec", "services"))
"""What stands beside the jobs."""


def read_gitlab(path: str, source: Source, looker: Looker) -> BuildFile:
    """Read a pipeline; whatever it holds, this never fails."""
    documents = parse(source)
    root = documents[-1] if documents else None
    builds: list[Invocation] = []
    if root is not None and root.kind == "mapping":
        follower = Follower(looker)
        for job in _jobs(root):
            builds += _builds(job, path, source, looker, follower)
    found = dict.fromkeys(builds)
    return BuildFile(path, source, unique(iter(found)), (), looker.asked, looker.looked_for)


@record(frozen=True, eq=False)
class _Job:
    """One job with what it extends; one that only others extend is none."""

    name: str
    root: YamlNode
    layers: tuple[YamlNode, ...]
    """Itself, what it extends, the defaults: the first that says something counts."""

    def get(self, name: str) -> YamlNode | None:
        return next((node for one in self.layers if (node := one.get(name)) is not None), None)

    @property
    def variables(self) -> dict[str, str | None]:
        """Return the variables that the file sets; None for a value with others in it."""
        found = _variables(self.root.get("variables"))
        for one in self.layers[::-1]:
            found |= _variables(one.get("variables"))
        return found

    @property
    def rows(self) -> list[dict[str, str | None]]:
        """Return the variables of each job that comes of ``parallel: matrix``."""
        parallel = self.get("parallel")
        matrix = parallel.get("matrix") if parallel is not None else None
        found: list[dict[str, str | None]] = []
        for entry in matrix.elements if matrix is not None else ():
            axes = [
                [(name, node.text.text if node.text is not None else None) for node in _each(value)]
                for name, (_, value) in entry.entries.items()
            ]
            found += map(dict, itertools.islice(itertools.product(*axes), _MOST_ROWS))
        return found[:_MOST_ROWS] or [{}]


def _jobs(root: YamlNode) -> Iterator[_Job]:
    default = root.get("default")
    common = (root,) if default is None else (default, root)
    for name, (_, node) in root.entries.items():
        if node.kind == "mapping" and not name.startswith(".") and name not in _WORDS:
            yield _Job(name, root, (*_extended(root, node, 0), *common))


def _extended(root: YamlNode, node: YamlNode, depth: int) -> Iterator[YamlNode]:
    """Yield a job and those that it extends, the strongest first."""
    yield node
    names = node.get("extends")
    bases = _each(names)[:_MOST_BASES] if names is not None and depth < _DEEPEST else ()
    for item in reversed(bases):
        base = root.get(item.text.text) if item.text is not None else None
        if base is not None and base.kind == "mapping":
            yield from itertools.islice(_extended(root, base, depth + 1), _MOST_BASES)


def _each(node: YamlNode) -> tuple[YamlNode, ...]:
    return node.elements if node.kind == "sequence" else (node,)


def _builds(
    job: _Job, path: str, source: Source, looker: Looker, follower: Follower
) -> Iterator[Invocation]:
    reader = _Lines(job.root)
    lines = [line for name in ("before_script", "script") for line in reader.of(job.get(name))]
    if not lines or not may_start("".join(line.text for line in lines)):
        return
    text = Mapped.join(lines, lines[0].offset(0))
    runner, runs_on = _runner(job)
    caller = Caller(
        path, source, "command", job.name, ("",), runner=runner, runs_on=runs_on, job=job.name
    )
    for row in job.rows:
        values = {**job.variables, **row}
        for item, recipe, span in follower.calls(text, values.get, base=""):
            if recipe is None:
                yield from builds_of(item, caller, looker)
                continue
            for made in builds_of(item, replace(caller, **recipe.place), looker):
                # It is started here, whatever stands where.
                adopted = caller.adopt(made, span)
                yield replace(adopted, runner=made.runner, runs_on=made.runs_on)


class _Lines:
    """Reads the lines of a job's scripts, those of other jobs that they refer to in their place."""

    def __init__(self, root: YamlNode) -> None:
        self._root = root
        self._left = _MOST_NODES

    def of(self, node: YamlNode | None, depth: int = 0) -> Iterator[Mapped]:
        """Yield the lines of a script, each with its end."""
        self._left -= 1
        if node is None or depth > _DEEPEST or self._left < 0:
            return
        if node.tag == "!reference":
            target: YamlNode | None = self._root
            for part in node.elements:
                below = target.get(part.text.text) if target is not None and part.text else None
                target = below
            yield from self.of(target, depth + 1)
        elif node.kind == "sequence":
            for item in node.elements:
                yield from self.of(item, depth + 1)
        elif node.text is not None:
            yield node.text
            yield node.text.standing("\n", len(node.text.text), len(node.text.text))


def _variables(node: YamlNode | None) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, (_, value) in node.entries.items() if node is not None else ():
        text = value.text or value.string("value")
        if text is not None:
            found[name] = None if "$" in text.text else text.text
    return found


def _runner(job: _Job) -> tuple[Runner, str]:
    """A job with Docker as a service begins with an empty daemon; of others nobody knows."""
    services = job.get("services")
    for item in services.elements if services is not None else ():
        text = item.text or item.string("name")
        if text is not None and "dind" in text.text:
            return "fresh", text.text
    return "unknown", "a GitLab runner"
