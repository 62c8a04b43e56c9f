"""Edits of a workflow's cache dances: entries of the map, the steps around them, and whole new ones.

The workflow is read again when an edit is asked for.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection, Iterator, Sequence

from cachekey.builds.invocation import BuildFile, Dance, Invocation
from cachekey.builds.steps import lines_of
from cachekey.edits.step import Stand, builder_text, set_inputs, setup_number, stand_of
from cachekey.record import record
from cachekey.syntax import yamledit
from cachekey.syntax.jsonc import edit as jsonedit
from cachekey.syntax.jsonc.parse import parse as parse_json
from cachekey.syntax.jsonc.tree import Node
from cachekey.syntax.yaml import YamlNode
from cachekey.text import Edit, Source, Span, apply_edits
from cachekey.workspace.carried import (
    FOLDER,
    Needed,
    cache_map,
    distinct,
    entry_of,
    folder_for,
    needed,
)
from cachekey.workspace.mapcheck import builds_beside, carried_beside, covers
from cachekey.workspace.project import Project

_MAP = "cache-map"
_OLD_INPUTS = ("cache-source", "cache-target", "cache-id", "cache-mode", "cache-sharing")
_REFERENCE = re.compile(r"@[^\s'\"},#]+(?P<comment>[ \t]+#[ \t]*v?\d[^\n]*)?")
_NEWEST = "@v3"
ACTION = "reproducible-containers/buildkit-cache-dance"


def wanted_by(project: Project, dance: Dance) -> list[Needed]:
    """Return the mounts that the builds of the dance's job come to."""
    found = (needed(project, build) for build in builds_beside(project, dance))
    return [item for items in found for item in items or ()]


# -- entries of a map -------------------------------------------------------------------------------


@record(frozen=True, eq=False)
class Written:
    """A map that stands in the workflow."""

    inputs: YamlNode
    source: Source
    root: Node

    @property
    def folders(self) -> list[str]:
        """Return the folders that have an entry."""
        return [member.key.text for member in self.root.effective()]

    def written(self, edits: Sequence[Edit]) -> Edit | None:
        """Put edits of the JSON into the workflow."""
        if not edits:
            return None
        return yamledit.set_text(self.inputs, _MAP, apply_edits(self.source.text, edits))


def _map_of(stand: Stand) -> Written | None:
    inputs = stand.inputs()
    found = yamledit.member(inputs, _MAP) if inputs is not None else None
    text = found[1].text if found is not None else None
    if inputs is None or text is None or "${{" in text.text:
        return None
    source = Source(text.text)
    root = parse_json(source).root
    closed = root is not None and root.kind == "object" and root.closed
    return Written(inputs, source, root) if closed and root is not None else None


def change_entry(stand: Stand, folder: str, item: Needed) -> list[Edit]:
    """Give the entry of a folder the options of a mount."""
    found = _map_of(stand)
    member = found.root.member(folder) if found is not None else None
    if found is None or member is None or member.value is None:
        return []
    return _one(found.written([jsonedit.replace(member.value, json.dumps(entry_of(item)))]))


def remove_entry(stand: Stand, folder: str) -> list[Edit]:
    """Take an entry out of a map that has others."""
    found = _map_of(stand)
    member = found.root.member(folder) if found is not None else None
    if found is None or member is None or len(found.root.members) < 2:
        return []
    return _one(found.written(jsonedit.remove(found.source, found.root, [member])))


def add_entry(stand: Stand, dance: Dance, item: Needed) -> list[Edit]:
    """Add an entry for a mount, in a folder that the job restores."""
    found = _map_of(stand)
    if found is None:
        return []
    root = _root(dance, found.folders)
    folder = folder_for(item.key, root, set(found.folders))
    text = f"{json.dumps(folder)}: {json.dumps(entry_of(item))}"
    made = found.written(jsonedit.insert(found.source, found.root, found.root, text))
    if made is None:
        return []
    return [made, *restore(stand, dance, folder)]


def _root(dance: Dance, folders: Sequence[str]) -> str:
    """Return the folder in which a new one is best made: one that is restored and no mount's own."""
    for _, paths in dance.restored:
        for path in paths:
            plain = posixpath.normpath(path)
            own = any(covers(folder, plain) for folder in folders)
            if not own and not re.search(r"[${*?~!]", path) and plain != ".":
                return plain
    return posixpath.dirname(folders[-1].rstrip("/")) if folders else FOLDER


def restore(stand: Stand, dance: Dance, folder: str) -> list[Edit]:
    """Let the job's cache step restore a folder, too; nothing where it does or there is none."""
    told = [(step, path) for step, paths in dance.restored for path in paths]
    if not told or any(covers(path, folder) for _, path in told):
        return []
    for step in stand.job.steps:
        inputs = stand.inputs(step)
        raw = step.raw.get("path")
        if step.index != told[0][0] or inputs is None or raw is None:
            continue
        lines = [line.text for line in lines_of(raw)]
        return _one(yamledit.set_text(inputs, "path", "\n".join([*lines, folder])))
    return []


def _one(edit: Edit | None) -> list[Edit]:
    return [edit] if edit is not None else []


# -- steps ------------------------------------------------------------------------------------------


def move_in_front(stand: Stand, dance: Dance, build: Invocation) -> list[Edit]:
    """Move a dance, and what restores its folders, in front of the job's first build."""
    setup = setup_number(dance.builder)
    first = next((step for step in stand.job.steps if step.index == build.step), None)
    before = stand.place_of(first) if first is not None else None
    if first is None or before is None or (setup is not None and setup > first.index):
        return []
    restoring = {step for step, _ in dance.restored}
    moved = [
        stand.place_of(step)
        for step in stand.job.steps
        if step.index > first.index and (step is stand.step or step.index in restoring)
    ]
    numbers = [number for number in moved if number is not None]
    if len(numbers) < len(moved):
        return []
    return yamledit.move(stand.steps, numbers, before) or []


def restore_first(stand: Stand, dance: Dance, folder: str) -> list[Edit]:
    """Move the step that restores a folder in front of the dance."""
    covering = [
        step for step, paths in dance.restored if any(covers(path, folder) for path in paths)
    ]
    late = next((step for step in stand.job.steps if step.index in covering), None)
    number = stand.place_of(late) if late is not None else None
    before = stand.place_of(stand.step)
    if number is None or before is None:
        return []
    return yamledit.move(stand.steps, [number], before) or []


# -- whole maps -------------------------------------------------------------------------------------


def map_text(items: Sequence[Needed], root: str = FOLDER, *, flat: bool = False) -> str:
    """Write the map of these mounts, one entry a line, or all on one."""
    found = cache_map(items, root)
    if flat:
        return json.dumps(found)
    entries = found.items()
    rows = [f"  {json.dumps(folder)}: {json.dumps(value)}" for folder, value in entries]
    return "{\n" + ",\n".join(rows) + "\n}"


def whole_map(project: Project, stand: Stand, dance: Dance) -> list[Edit]:
    """Give a dance the map of all mounts of its job; one of an old version becomes one of today."""
    beside = carried_beside(project, dance)
    items = [item for item in wanted_by(project, dance) if item.key.identity not in beside]
    builders = {build.builder for build in builds_beside(project, dance) if build.dockerfile}
    old = dance.version is not None and dance.version < (3, 0)
    asks = dance.version is None or old or dance.version >= (3, 2)
    builder = builders.pop() if len(builders) == 1 else None
    if not distinct(items) or (old and builder is None):
        return []
    root = _root(dance, [entry.folder for entry in dance.entries or ()]) or FOLDER
    inputs = stand.inputs()
    flat = yamledit.in_flow(inputs or stand.node)
    values = [(_MAP, map_text(items, root, flat=flat))]
    edits: list[Edit] = []
    if asks and builder not in (None, "default", None if old else dance.builder):
        named = builder_text(stand, str(builder))
        if named is None:
            return []
        values.insert(0, ("builder", named[0]))
        edits += named[1]
    there = inputs is not None and bool(inputs.members)
    made = [_anew(inputs, values)] if inputs is not None and there else set_inputs(stand, values)
    if not made:
        return []
    newest = list(_newest(stand)) if old else []
    return [*edits, *made, *restore(stand, dance, root), *newest]


def _anew(inputs: YamlNode, values: Sequence[tuple[str, str]]) -> Edit:
    """Write the inputs of a step anew, those of version 2 left out: they may be all that there are."""
    source, first, flow = inputs.source, inputs.members[0][0].span.start, yamledit.in_flow(inputs)
    new = {name for name, _ in values}
    rows: list[str] = []
    for key, value in inputs.members:
        name = key.text.text if key.text is not None else ""
        if name not in new and name not in _OLD_INPUTS:
            rows.append(source.slice(Span(key.span.start, yamledit.end_of(value))))
    rows += [f"{name}: {yamledit.written(text, source, first, flow)}" for name, text in values]
    blank = " " * (first - source.line_starts[source.line_of(first)])
    glue = ", " if flow else f"{source.newline}{blank}"
    return Edit(Span(first, yamledit.end_of(inputs.members[-1][1])), glue.join(rows))


def _newest(stand: Stand) -> Iterator[Edit]:
    """Write the newest version of the action behind its name, and drop a comment that names the old."""
    uses = yamledit.member(stand.node, "uses")
    if uses is not None:
        text = uses[1].source.text
        match = _REFERENCE.search(text, uses[1].span.start)
        if match is not None and match.start() < uses[1].span.end:
            yield Edit(Span(match.start(), match.end()), _NEWEST)


def carry(project: Project, file: BuildFile, job: str) -> list[Edit]:
    """Insert steps that restore and carry all cache mounts of a job, in front of what builds first.

    Nothing where the job dances already, or its builds use builders that are not known or not one.
    """
    dances = (dance for dance in file.dances if dance.job == job)
    found = [
        (build, items)
        for build in file.invocations
        if build.job == job and (items := needed(project, build))
    ]
    builders = {build.builder for build, _ in found}
    items = [item for _, more in found for item in more]
    if not distinct(items) or len(builders) != 1 or next(dances, None) is not None:
        return []
    first = min(build.step for build, _ in found)
    stand, builder = stand_of(project, file, job, first), builders.pop()
    before = stand.place_of(stand.step) if stand is not None else None
    if stand is None or before is None or builder is None:
        return []
    named = builder_text(stand, builder)
    if named is None:
        return []
    steps = dance_steps(
        map_text(items),
        named[0],
        when=_condition(stand, {build.step for build, _ in found}),
        matrix=stand.job.node.get("strategy") is not None,
    )
    made = yamledit.insert_items(stand.steps, before, steps)
    return [*named[1], made] if made is not None else []


def _condition(stand: Stand, numbers: Collection[int]) -> str:
    """Return the condition that all these steps of a job have, as it is written; empty without one."""
    found = set()
    for step in stand.job.steps:
        if step.index in numbers:
            member = yamledit.member(step.node, "if") if step.node is not None else None
            found.add(member[1].source.slice(_whole(member[1])) if member is not None else "")
    text = found.pop() if len(found) == 1 else ""
    return text if "\n" not in text else ""


def _whole(node: YamlNode) -> Span:
    return Span(node.span.start, yamledit.end_of(node))


def dance_steps(
    text: str, builder: str, *, when: str = "", matrix: bool = False
) -> tuple[list[str], list[str]]:
    """Return the lines of the steps that keep a map's folders over runs and carry what is in them.

    ``builder`` is what the input of this name says; the default builder needs no word. ``when`` is the
    condition of the build that they stand in front of. Jobs of a ``matrix`` have one name, and each its
    own contents.
    """
    number = "${{ strategy.job-index }}-" if matrix else ""
    key = f"{FOLDER}-${{{{ github.job }}}}-{number}${{{{ runner.arch }}}}-"
    condition = [f"if: {when}"] if when else []
    restoring = [
        *condition,
        "uses: actions/cache@v4",
        "with:",
        f"  path: {FOLDER}",
        f"  key: {key}${{{{ github.run_id }}}}",
        f"  restore-keys: {key}",
    ]
    named = [f"  builder: {builder}"] if builder != "default" else []
    lines = [f"    {line}" for line in text.split("\n")]
    dance = [f"uses: {ACTION}{_NEWEST}", "with:", *named, f"  {_MAP}: |", *lines]
    return restoring, [*condition, *dance]
