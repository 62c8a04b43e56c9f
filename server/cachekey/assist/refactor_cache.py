"""Refactorings of a cache mount that nothing is wrong with, and what can be copied from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.assist.rename import name_at
from cachekey.buildkit.mounts import Mount
from cachekey.builds.invocation import BuildFile
from cachekey.dockerfile.place import Place
from cachekey.dockerfile.purpose import Purpose, purpose_of
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.dance import map_text
from cachekey.edits.directory import directory_for, one_directory
from cachekey.edits.mount import insert_line_before, is_plain
from cachekey.edits.step import stand_at
from cachekey.finding import FileEdit, Fix, Safety
from cachekey.record import record
from cachekey.text import Edit, Span
from cachekey.workspace.carried import Needed, distinct, is_carried, needed
from cachekey.workspace.project import Project

_SYNTAX = "# syntax=docker/dockerfile:1"
_NUMBER = re.compile(r"-(\d+)\Z")
_HADOLINT = re.compile(r"#\s*hadolint\s+ignore=.*\bDL3042\b")
_MOST_FILES = 200


@record(frozen=True)
class Copy:
    """A text that is worth having in the clipboard."""

    title: str
    text: str


def refactorings(project: Project, document: Dockerfile, span: Span) -> Iterator[Fix]:
    """Yield what may be done with the mount or file at ``span`` (offsets of the document)."""
    for run, mount in document.caches:
        if mount.span.start <= span.end and span.start <= mount.span.end:
            yield from _start_fresh(project, document, mount)
            yield from _one_directory(project, document, run, mount)
            yield from _quiet_hadolint(document, run, mount)
            yield from _syntax(document)


def copies(project: Project, document: Dockerfile, span: Span) -> Iterator[Copy]:
    """Yield what may be copied from the mount at ``span``."""
    for _, mount in document.caches:
        if mount.key is None or not mount.span.start <= span.end or span.start > mount.span.end:
            continue
        # Source: Docker CLI reference, `docker builder prune`, and `buildctl prune`.
        prune = "docker builder prune --filter type=exec.cachemount"
        yield Copy("Copy the command that empties all cache mounts of a builder", prune)
    yield from _entries(project, document, span)


def workflow_copies(project: Project, file: BuildFile, span: Span) -> Iterator[Copy]:
    """Yield what may be copied from the step at ``span`` of a workflow."""
    stand = stand_at(project, file, span)
    builds = (build for build in file.invocations if stand and build.job == stand.job.name)
    found = [item for build in builds for item in needed(project, build) or ()]
    steps = {one.step for one in file.dances} | {one.step for one in file.invocations}
    if stand is not None and stand.step.index in steps and distinct(found):
        yield Copy("Copy the cache-dance map of this job", map_text(found))


def _entries(project: Project, document: Dockerfile, span: Span) -> Iterator[Copy]:
    """Yield the entry of a mount for a cache-dance map, and the map of all mounts of the file.

    The keys are those of the file's builds; without any, those of the file by itself.
    """
    every = _carried(project, document)
    here = [
        item
        for item in every
        if item.mount.span.start <= span.end and span.start <= item.mount.span.end
    ]
    if here:
        yield Copy("Copy the entry for a cache-dance map", map_text(here))
        if len(distinct(every)) > len(here):
            yield Copy("Copy the cache-dance map of this file", map_text(every))


def _carried(project: Project, document: Dockerfile) -> list[Needed]:
    builds = [one for one in project.built(document) if one.told]
    found: list[Needed] = []
    for run, mount in document.caches:
        known = [one.key for built in builds for one in built.keys.get(mount.span.start, ())]
        keys = known or ([mount.key] if mount.key is not None else [])
        found += [Needed(document, run, mount, key) for key in keys]
    return distinct(found)


def _start_fresh(project: Project, document: Dockerfile, mount: Mount) -> Iterator[Fix]:
    """Offer another id in every file: an empty cache, without touching the builder."""
    option = mount.options.get("id")
    name = name_at(project, document.path, option.span.start) if option is not None else None
    if name is None or not is_plain(name.text) or is_carried(project, document, mount):
        return
    number = _NUMBER.search(name.text)
    stem = name.text[: number.start()] if number else name.text
    count = int(number[1]) + 1 if number and len(number[1]) < 6 else 2
    assert mount.key is not None
    while any(project.index.named(f"{mount.key.namespace}/{stem}-{count}")):
        count += 1
    new = f"{stem}-{count}"

    def write() -> tuple[FileEdit, ...]:
        return name.write(new).edits

    yield Fix(f"Start with an empty cache: id={new} in every file", write)


def _one_directory(project: Project, document: Dockerfile, run: Run, mount: Mount) -> Iterator[Fix]:
    """Offer one directory, variable and id for a tool over the workspace."""
    purpose = purpose_of(run, mount)
    if purpose is None or not purpose.is_download or not purpose.cache.pin:
        return
    if is_carried(project, document, mount) or not _is_meant(project, document, mount):
        return
    name = purpose.cache.id or f"{purpose.tool.id}-{purpose.cache.role}"
    if one_directory(document, [Place(document, run, mount)], purpose, name) is None:
        return
    variable = purpose.cache.pin
    yield Fix(
        f"Keep the {purpose.tool.name} cache in {directory_for(purpose.tool)} in every file: "
        f"ENV {variable} and id={name}",
        partial(_everywhere, project, purpose, name),
        safety=Safety.UNSAFE,
        reason=f"{variable} becomes part of the images' environment",
        choose=True,
    )


def _is_meant(project: Project, document: Dockerfile, mount: Mount) -> bool:
    """Tell whether the index has the mount among those of its tool: key and target say what was meant."""
    known = project.index.get(document.path)
    span = mount.span.fixed
    return known is not None and any(one.meant for one in known.mounts if one.span == span)


def _everywhere(project: Project, purpose: Purpose, name: str) -> Iterator[FileEdit]:
    found = project.index.of_tool(purpose.tool.id, purpose.cache.role)
    for path in list(dict.fromkeys(mount.path for mount in found))[:_MOST_FILES]:
        model = project.model(path)
        if not isinstance(model, Dockerfile):
            continue
        places = []
        for run, mount in model.caches:
            other = purpose_of(run, mount)
            if other is not None and other.key == purpose.key and not mount.undefined:
                places.append(Place(model, run, mount))
        yield from one_directory(model, places, purpose, name) or ()


def _quiet_hadolint(document: Dockerfile, run: Run, mount: Mount) -> Iterator[Fix]:
    """Offer the comment that hadolint needs: its DL3042 does not see that the cache is a mount."""
    purpose = purpose_of(run, mount)
    uses = [use for use in run.uses if purpose is not None and use.tool is purpose.tool]
    if purpose is None or purpose.tool.id != "pip" or not uses or any(u.disabled for u in uses):
        return
    line = document.source.line_of(run.span.start)
    above = document.source.line_text(line - 1) if line else ""
    if _HADOLINT.search(above):
        return
    text = (
        f"# The cache is a mount: nothing of it is in the image.{document.source.newline}"
        "# hadolint ignore=DL3042"
    )
    edit = insert_line_before(document, run.span.start, text)
    at = document.source.line_starts[line]
    # Right above the instruction: hadolint looks nowhere else.
    near = Edit(Span(at, at), edit.text)
    yield Fix(
        "Tell hadolint that the cache is a mount: ignore DL3042 here",
        lambda: (FileEdit(document.path, near),),
    )


def _syntax(document: Dockerfile) -> Iterator[Fix]:
    """Offer the line by which every builder takes today's Dockerfile syntax."""
    if any(item.name == "syntax" for item in document.tree.directives):
        return
    at = int(document.source.text.startswith("\ufeff"))
    edit = Edit(Span(at, at), f"{_SYNTAX}{document.source.newline}")
    yield Fix(f"Add {_SYNTAX} on the first line", lambda: (FileEdit(document.path, edit),))
