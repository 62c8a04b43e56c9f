"""Changes that nobody has to make, for the place where the cursor is: offered, never reported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from cachekey.assist import refactor_cache
from cachekey.builds.invocation import BuildFile
from cachekey.devcontainer.read import Devcontainer
from cachekey.dockerfile.place import same_cache
from cachekey.dockerfile.purpose import purpose_of
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits import dance as dances
from cachekey.edits.caches import reach_of, rename
from cachekey.edits.everywhere import settled
from cachekey.edits.recipe import Recipe, offers
from cachekey.edits.step import stand_at
from cachekey.finding import FileEdit, Fix, Safety
from cachekey.text import Edit, Span
from cachekey.workspace.carried import is_carried
from cachekey.workspace.project import Project

_ABOUT_CACHES = (
    *("build", "containerEnv", "dockerComposeFile", "dockerFile"),
    *("features", "image", "mounts", "service"),
)
"""Properties of a devcontainer.json on which the recipes for caches are offered."""


def refactorings(project: Project, path: str, span: Span) -> Iterator[Fix]:
    """Yield what may be done at ``span`` (offsets of the document): name a cache, share one at run time."""
    document = project.documents.get(path)
    if isinstance(document, Dockerfile):
        yield from _name_cache(project, document, span)
        yield from refactor_cache.refactorings(project, document, span)
    elif isinstance(document, BuildFile):
        yield from _dance(project, document, span)
    elif isinstance(document, Devcontainer):
        members = (document.root.member(name) for name in _ABOUT_CACHES)
        if any(
            item and item.span.start <= span.end and span.start <= item.span.end for item in members
        ):
            for title, recipe in offers(document, project):
                edits = partial(_written, path, recipe)
                yield Fix(title, edits, recipe.safety, reason=recipe.reason)


def _written(path: str, recipe: Recipe) -> list[FileEdit]:
    made = recipe.write()
    return [edit if isinstance(edit, FileEdit) else FileEdit(path, edit) for edit in made]


def _dance(project: Project, file: BuildFile, span: Span) -> Iterator[Fix]:
    """Offer the map of all caches of a job: in its dance, or in a new one in front of its builds."""
    stand = stand_at(project, file, span)
    if stand is None:
        return
    job, step = stand.job.name, stand.step.index
    dance = next((one for one in file.dances if one.job == job and one.step == step), None)
    builds = (build for build in file.invocations if build.job == job and build.step == step)
    if dance is not None and dance.entries:
        made = dances.whole_map(project, stand, dance)
        title = "Write the map of all caches of this job anew"
    else:
        fresh = any(build.runner == "fresh" for build in builds)
        made = dances.carry(project, file, job) if fresh else []
        title = "Carry the cache mounts of this job over its runs: insert a cache dance"
    if made:
        yield Fix(title, partial(_in_file, file.path, made), safety=Safety.UNSAFE)


def _in_file(path: str, made: Sequence[Edit]) -> list[FileEdit]:
    return [FileEdit(path, edit) for edit in made]


def _name_cache(project: Project, document: Dockerfile, span: Span) -> Iterator[Fix]:
    """Offer an explicit ``id`` for a cache that its target names, on all mounts of that cache in the file."""
    for run, mount in document.caches:
        if mount.id or not (mount.span.start <= span.end and span.start <= mount.span.end):
            continue
        if is_carried(project, document, mount):
            continue
        places = same_cache(document, mount) if mount.key is not None else ()
        here = [(run, mount), *((place.run, place.mount) for place in places)]
        purposes = (purpose_of(one, other) for one, other in here)
        usual = next((purpose.cache.id for purpose in purposes if purpose is not None), "")
        name = project.free(usual or f"{project.name}-cache")
        reach = reach_of(mount)
        title = f"Name this cache: add id={name} to {{places}}"
        fix = Fix(title, partial(rename, project, reach, name), reach=reach)
        yield settled(project, document.path, fix)
