"""A step of a workflow that can be edited: where it stands, its inputs, the builder that it names.

A step that stands in an action or in another workflow is not changed from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cachekey.builds.invocation import BuildFile
from cachekey.builds.places import Looker
from cachekey.builds.steps import Job, Step, StepReader
from cachekey.kinds import builder_of
from cachekey.record import record
from cachekey.syntax import yamledit
from cachekey.syntax.yaml import YamlNode, parse
from cachekey.text import Edit, Span
from cachekey.workspace.project import Project


@record(frozen=True, eq=False)
class Stand:
    """A step of a workflow that can be edited, with its job."""

    job: Job
    step: Step
    node: YamlNode
    """The step as written."""
    steps: YamlNode
    """The sequence that it stands in."""

    def place_of(self, step: Step) -> int | None:
        """Return which item of the sequence a step of the job is; None when it is elsewhere."""
        spans = [item.span.start for item in self.steps.elements]
        if step.node is None or step.node.span.start not in spans:
            return None
        return spans.index(step.node.span.start)

    def inputs(self, step: Step | None = None) -> YamlNode | None:
        """Return what is written behind ``with``; None without it, or when it stands elsewhere."""
        node = self.node if step is None else step.node
        found = yamledit.member(node, "with") if node is not None else None
        inside = found is not None and node is not None and node.span.covers(found[1].span)
        return found[1] if found is not None and inside and found[1].kind == "mapping" else None


def stand_of(project: Project, file: BuildFile, job: str, step: int) -> Stand | None:
    """Return a step to be edited; None when it does not stand in this workflow itself."""
    stands = _stands(project, file)
    return next((s for s in stands if s.job.name == job and s.step.index == step), None)


def stand_at(project: Project, file: BuildFile, span: Span) -> Stand | None:
    """Return the step of a workflow that a place lies in."""
    if builder_of(file.path) != "workflow":
        return None
    for stand in _stands(project, file):
        end = stand.node.span.start + len(file.source.slice(stand.node.span).rstrip())
        if stand.node.span.start <= span.end and span.start <= end:
            return stand
    return None


def _stands(project: Project, file: BuildFile) -> Iterator[Stand]:
    documents = parse(file.source)
    if not documents or documents[0].kind != "mapping":
        return
    for job in StepReader(file.source, Looker(project.read)).jobs(documents[0]):
        steps = job.node.get("steps")
        for step in job.steps if steps is not None and steps.source is file.source else ():
            if step.node is not None and steps is not None:
                yield Stand(job, step, step.node, steps)


def set_inputs(stand: Stand, values: Sequence[tuple[str, str]]) -> list[Edit]:
    """Give a step inputs; ``with`` is made where there is none."""
    inputs = stand.inputs()
    if inputs is not None and inputs.members:
        edits = [yamledit.set_text(inputs, name, text) for name, text in values]
        return [edit for edit in edits if edit is not None] if None not in edits else []
    if yamledit.member(stand.node, "with") is not None or "with" in stand.node.entries:
        return []
    uses = yamledit.member(stand.node, "uses")
    if uses is None:
        return []
    key, value = uses
    source = key.source
    if yamledit.in_flow(stand.node):
        pairs = ", ".join(f"{n}: {yamledit.written(t, source, 0, True)}" for n, t in values)
        return [Edit(Span(value.span.end, value.span.end), f", with: {{{pairs}}}")]
    at = source.line_span(source.line_of(value.span.end)).end
    blank = " " * (key.span.start - source.line_starts[source.line_of(key.span.start)])
    lines = [f"{blank}with:"]
    for name, text in values:
        shown = yamledit.written(text, source, key.span.start, False)
        # A block goes as deep again as its key.
        lines.append(f"{blank}  {name}: " + shown.replace(source.newline, source.newline + "  "))
    return [Edit(Span(at, at), "".join(f"{source.newline}{line}" for line in lines))]


def name_builder(stand: Stand, builder: str) -> list[Edit]:
    """Let a step use a builder, see :mod:`cachekey.builds.runner`."""
    named = builder_text(stand, builder)
    if named is None:
        return []
    text, edits = named
    made = set_inputs(stand, [("builder", text)])
    return [*edits, *made] if made else []


def builder_text(stand: Stand, builder: str) -> tuple[str, list[Edit]] | None:
    """Return what the input says for a builder, and what must be written for it elsewhere."""
    number = setup_number(builder)
    if number is None:
        return builder, []
    setup = next((step for step in stand.job.steps if step.index == number), None)
    if setup is None or setup.node is None:
        return None
    named = setup.raw.get("name")
    if named is not None and named.text and "${{" not in named.text:
        return named.text, []
    if setup.id:
        return _output(setup.id), []
    taken = {step.id for step in stand.job.steps}
    name = next(
        name for name in ("buildx", "setup-buildx", f"buildx-{number}") if name not in taken
    )
    made = yamledit.set_text(setup.node, "id", name)
    return (_output(name), [made]) if made is not None else None


def _output(step: str) -> str:
    return f"${{{{ steps.{step}.outputs.name }}}}"


def setup_number(builder: str | None) -> int | None:
    """Return which step of its job sets a builder up; None for one that has another name."""
    match = re.fullmatch(r"step (\d+)", builder or "")
    return int(match.group(1)) if match is not None else None
