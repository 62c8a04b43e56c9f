"""The steps of GitHub workflows, those of local composite actions in their place, with what they are given.

Source: GitHub's *Workflow syntax* and *Metadata syntax*. An expression is filled in when it comes to inputs,
environment variables or a matrix that the files set; any other is computed when the workflow runs.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import field

from cachekey.builds.errands import may_start
from cachekey.builds.expressions import value_of
from cachekey.builds.invocation import Said
from cachekey.builds.matrix import rows
from cachekey.builds.places import Looker
from cachekey.builds.reusable import RUNS_ON, Call, call_of
from cachekey.record import cached_property, record
from cachekey.syntax.yaml import YamlNode, parse
from cachekey.text import Mapped, Source, Span

_EXPRESSION = re.compile(r"\$\{\{((?:[^}]|\}(?!\})){0,500})\}\}")
_EITHER = re.compile(r"[^&|]+&&\s*'([^']*)'\s*\|\|\s*'([^']*)'\s*\Z")
"""A choice between two texts."""
_COUNTS = re.compile(r"\./|buildx|cache|builder")
"""What a step is called that has to do with builds, without being one."""
_OUTPUT = re.compile(r"\s*steps\.([\w-]+)\.outputs\.name\s*\Z")
_DEEPEST_ACTIONS = 3
_DEEPEST_WORKFLOWS = 4
"""Workflows that call each other: GitHub allows no more."""
_MOST_STEPS = 1000
"""Of one file, those of its actions included."""
_MOST_JOBS = 300
"""Of one file, those of the workflows that it calls included: two that call each other would be endless."""

Scope = Mapping[str, Said]
"""Known values by the names that expressions have for them: ``inputs.x``, ``env.X``, ``matrix.x``."""


@record(frozen=True, eq=False)
class Step:
    """One step of a job."""

    index: int
    id: str
    name: str
    span: Span
    """Where it stands in the workflow: for one of an action the step that calls it."""
    uses: str
    """The action without its version, in lower case; empty for a script."""
    version: str
    """What stands behind ``@``, and a comment behind that."""
    inputs: Scope
    """What ``with`` gives."""
    run: Mapped | None
    shell: str
    folder: str | None
    """``working-directory``, from the workspace; None when it is computed."""
    env: Scope
    scope: Scope
    here: bool
    """It stands in the workflow itself."""
    raw: Mapping[str, Mapped] = field(default_factory=dict)
    """The texts of ``with`` as written."""
    node: YamlNode | None = None
    """The step as written; None for one of an action or of another workflow."""

    def text(self, name: str) -> str | None:
        """Return an input whose value is known."""
        said = self.inputs.get(name)
        return said.text if said is not None else None


@record(frozen=True, eq=False)
class Job:
    """One job with its steps; of a matrix one of the jobs that come of it."""

    name: str
    node: YamlNode
    steps: tuple[Step, ...]
    scope: Scope = field(default_factory=dict)
    hosted: str = ""
    """What makes it run on a fresh runner of GitHub's, where the file itself does not say."""
    apart: bool = False
    """Each platform that it builds for has a job of its own."""

    @cached_property
    def labels(self) -> tuple[str, ...] | None:
        """Return what ``runs-on`` may come to, each label of each; None when it is computed."""
        return _labels(self.node, self.scope)


def fill(text: str, span: Span, scope: Scope) -> Said:
    """Fill expressions of a text in."""
    if "${{" not in text:
        return Said(text, span.fixed)
    opened: set[str] = set()
    parts: list[str] = []
    at = 0
    for match in _EXPRESSION.finditer(text):
        said = value_of(match.group(1), scope, span)
        if said.text is None:
            return Said(None, span.fixed)
        opened |= said.open
        parts += (text[at : match.start()], said.text)
        at = match.end()
    whole = "".join((*parts, text[at:]))
    return Said(None if "${{" in whole else whole, span.fixed, frozenset(opened))


def lines_of(text: Mapped, between: str = "\n") -> Iterator[Mapped]:
    """Yield the lines of a text, or other parts, that are not blank, without the blanks around them."""
    at = 0
    for line in text.text.split(between):
        kept = line.strip()
        if kept:
            start = at + line.index(kept)
            yield text.slice(start, start + len(kept))
        at += len(line) + 1


class StepReader:
    """Reads the jobs of one workflow."""

    def __init__(self, source: Source, looker: Looker) -> None:
        self.source, self.looker = source, looker
        self._left, self._jobs_left = _MOST_STEPS, _MOST_JOBS
        self._documents: dict[str, tuple[YamlNode, ...]] = {}

    def jobs(self, root: YamlNode) -> Iterator[Job]:
        """Yield the jobs of a workflow; of one that it calls, those of the other one in its place."""
        yield from self._jobs(root, _inputs(root), None, "", 1)

    def _jobs(
        self, root: YamlNode, inputs: Scope, call: Span | None, prefix: str, depth: int
    ) -> Iterator[Job]:
        scope = {**inputs, **_env(root.get("env"), inputs)}
        jobs = root.get("jobs")
        for job, (_, node) in jobs.entries.items() if jobs is not None else ():
            name = f"{prefix}{job}"
            uses = node.string("uses")
            telling = _telling(node)
            if uses is None and not telling:
                continue
            for row in rows(node, (*_around(node), *telling)):
                self._jobs_left -= 1
                if self._jobs_left < 0:
                    return
                outer = {**scope, **row}
                own = {**outer, **_env(node.get("env"), outer)}
                if uses is not None:
                    yield from self._called(name, node, uses, own, call, depth)
                    continue
                folder = _folder(root, node, own)
                # Only steps see the name of their job.
                inner = {**own, "github.job": Said(job, node.span.fixed)}
                steps = tuple(self._numbered(node.get("steps"), inner, folder, call))
                yield Job(name, node, steps, own)

    def _called(
        self, name: str, node: YamlNode, uses: Mapped, scope: Scope, call: Span | None, depth: int
    ) -> Iterator[Job]:
        """Yield the jobs of a workflow that a job calls: one of this repository, or one that is known."""
        known = call_of(uses.text, node.get("with"), call or uses.span())
        if known is not None:
            step = _step_of(known, call or uses.span(), scope, call is None)
            yield Job(name, node, (step,), scope, RUNS_ON, known.apart)
            return
        path = posixpath.normpath(uses.text)
        if not uses.text.startswith("./") or path.startswith("..") or depth >= _DEEPEST_WORKFLOWS:
            return
        documents = self._parsed(path)
        if not documents or documents[0].kind != "mapping":
            return
        place = call or uses.span()
        given = node.get("with")
        inputs = dict(_inputs(documents[0]))
        for key, (_, value) in given.entries.items() if given is not None else ():
            text = value.text
            found = Said(None, place.fixed) if text is None else fill(text.text, place, scope)
            inputs[f"inputs.{key}"] = found
        yield from self._jobs(documents[0], inputs, place, f"{name}/", depth + 1)

    def _numbered(
        self, node: YamlNode | None, scope: Scope, folder: str | None, call: Span | None
    ) -> Iterator[Step]:
        for index, step in enumerate(self._steps(node, scope, folder, call, 0)):
            yield Step(**{**step.__dict__, "index": index})

    def _steps(
        self,
        node: YamlNode | None,
        scope: Scope,
        folder: str | None,
        span: Span | None,
        depth: int,
    ) -> Iterator[Step]:
        for item in node.elements if node is not None else ():
            self._left -= 1
            if self._left < 0 or item.kind != "mapping":
                return
            step = self._step(item, scope, folder, span)
            if step.uses.startswith("./") and depth < _DEEPEST_ACTIONS:
                yield from self._action(step, depth)
            else:
                yield step

    def _step(self, node: YamlNode, scope: Scope, folder: str | None, span: Span | None) -> Step:
        uses, run, named = (node.string(key) for key in ("uses", "run", "name"))
        action, _, version = (uses.text if uses is not None else "").partition("@")
        head = uses or run or named
        key = "uses" if uses is not None else "run" if run is not None else "name"
        place = span or (node.entries[key][0].span if head is not None else node.span)
        if span is None and uses is not None:
            place = uses.span()
            version += _comment_behind(self.source, place.end)
        env = _env(node.get("env"), scope)
        own = {**scope, **env}
        given = node.get("with")
        raw = {
            name: value.text
            for name, (_, value) in (given.entries if given is not None else {}).items()
            if value.text is not None
        }
        where = node.string("working-directory")
        at = fill(where.text, place, own).text if where is not None else folder
        ident = node.string("id")
        title = named.text if named is not None else ident.text if ident is not None else ""
        return Step(
            index=0,
            id=ident.text if ident is not None else "",
            name=title if "${{" not in title else "",
            span=place,
            uses=action.lower() if not action.startswith("./") else action,
            version=version,
            inputs={name: fill(text.text, span or text.span(), own) for name, text in raw.items()},
            run=run,
            shell=shell.text if (shell := node.string("shell")) is not None else "",
            folder=at,
            env=env,
            scope=own,
            here=span is None,
            raw=raw,
            node=node if span is None else None,
        )

    def _parsed(self, path: str) -> tuple[YamlNode, ...]:
        """Return the documents of another file, which many steps may name."""
        if path not in self._documents:
            self._documents[path] = parse(Source(self.looker.text(path) or ""))
        return self._documents[path]

    def _action(self, step: Step, depth: int) -> Iterator[Step]:
        """Read the steps of a local action."""
        folder = posixpath.normpath(step.uses)
        if folder.startswith(".."):
            return
        for name in ("action.yml", "action.yaml"):
            path = posixpath.join(folder, name)
            if self.looker.text(path) is None:
                continue
            documents = self._parsed(path)
            runs = documents[0].get("runs") if documents else None
            scope = {**_defaults(documents[0].get("inputs") if documents else None, step.span)}
            scope |= {f"inputs.{name}": said for name, said in step.inputs.items()}
            scope |= {name: said for name, said in step.scope.items() if name.startswith("env.")}
            steps = runs.get("steps") if runs is not None else None
            yield from self._steps(steps, scope, "", step.span, depth + 1)
            return


def _step_of(call: Call, place: Span, scope: Scope, here: bool) -> Step:
    """Return the step that builds in a workflow of another repository."""
    own = {**scope, **call.variables}
    filled = {
        name: fill(text.text, text.span() if here else place, own)
        for name, text in call.given.items()
    }
    return Step(
        index=0,
        id="",
        name="",
        span=place,
        uses=call.action,
        version="",
        inputs={**filled, **call.fixed},
        run=None,
        shell="",
        folder="",
        env={},
        scope=own,
        here=here,
        raw=call.given,
    )


def _telling(job: YamlNode) -> list[str]:
    """Return the texts of the steps that may have to do with builds."""
    steps = job.get("steps")
    texts = (item.source.slice(item.span) for item in (steps.elements if steps is not None else ()))
    return [text for text in texts if may_start(text) or _COUNTS.search(text)]


def _around(job: YamlNode) -> Iterator[str]:
    """Yield what a job says besides its steps and its matrix."""
    for name, (_, value) in job.entries.items():
        if name not in ("steps", "strategy"):
            yield value.source.slice(value.span)


def _folder(root: YamlNode, job: YamlNode, scope: Scope) -> str | None:
    """Return the folder that scripts of a job run in; None when it is computed."""
    for node in (job, root):
        defaults = node.get("defaults")
        run = defaults.get("run") if defaults is not None else None
        found = run.string("working-directory") if run is not None else None
        if found is not None:
            return fill(found.text, found.span(), scope).text
    return ""


def _inputs(root: YamlNode) -> dict[str, Said]:
    """Return the defaults of the inputs of a workflow; whoever starts it may give other values."""
    events = root.get("on") or root.get("true")
    found: dict[str, Said] = {}
    for event in ("workflow_dispatch", "workflow_call"):
        node = events.get(event) if events is not None else None
        found |= _defaults(node.get("inputs") if node is not None else None, Span(0, 0))
    return found


def _defaults(node: YamlNode | None, span: Span) -> dict[str, Said]:
    found: dict[str, Said] = {}
    for name, (_, value) in node.entries.items() if node is not None else ():
        default = value.string("default")
        if default is not None and "${{" not in default.text:
            key = f"inputs.{name}"
            found[key] = Said(default.text, span.fixed, frozenset((key,)))
    return found


def _env(node: YamlNode | None, scope: Scope) -> dict[str, Said]:
    found: dict[str, Said] = {}
    for name, (_, value) in node.entries.items() if node is not None else ():
        if value.text is not None:
            found[f"env.{name}"] = fill(value.text.text, value.span, scope)
    return found


def _comment_behind(source: Source, at: int) -> str:
    """Return the comment behind an action's version, where pinned commits have their name."""
    end = source.line_span(source.line_of(at)).end
    return source.text[at : min(end, at + 60)]


def _labels(node: YamlNode, scope: Scope) -> tuple[str, ...] | None:
    runs_on = node.get("runs-on")
    if runs_on is None:
        return None
    if runs_on.kind == "mapping":
        runs_on = runs_on.get("labels") or runs_on.get("group") or runs_on
    nodes = runs_on.elements if runs_on.kind == "sequence" else (runs_on,)
    found: list[str] = []
    for item in nodes:
        text = item.text.text if item.text is not None else None
        said = fill(text, item.span, scope) if text is not None else None
        if said is not None and said.sure and said.text is not None:
            found.append(said.text)
            continue
        either = _either(text or "")
        if not either or len(nodes) > 1 or "self-hosted" in either:
            return None
        found += either
    return tuple(found)


def _either(text: str) -> tuple[str, ...]:
    """Return the two texts that an expression chooses from; nothing for other expressions."""
    whole = _EXPRESSION.fullmatch(text.strip())
    match = _EITHER.match(whole.group(1)) if whole is not None else None
    return match.groups() if match is not None else ()


def output_of(text: str) -> str | None:
    """Return the step whose output ``name`` an expression is."""
    match = _EXPRESSION.fullmatch(text.strip())
    found = _OUTPUT.match(match.group(1)) if match is not None else None
    return found.group(1) if found is not None else None
