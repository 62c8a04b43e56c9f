"""One directory for a tool's cache, whoever runs it: the tool's own variable, one target and one id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cachekey.dockerfile.place import Place
from cachekey.dockerfile.purpose import Purpose, users_differ
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits.caches import in_file, merge_edits, shared_ownership
from cachekey.edits.mount import insert_line_before, set_option
from cachekey.finding import FileEdit
from cachekey.knowledge.records import Tool


def directory_for(tool: Tool) -> str:
    """Return the directory that all users and stages may have."""
    return f"/cache/{tool.id}"


def one_directory(
    dockerfile: Dockerfile, places: Sequence[Place], purpose: Purpose, name: str
) -> tuple[FileEdit, ...] | None:
    """Return the edits that keep the mounts of one file in one directory, under the id ``name``.

    None where the tool has no variable for it, where the file sets that variable already or gives the
    tool a flag that is stronger, and where its users cannot share a directory.
    """
    variable, folder = purpose.cache.pin, directory_for(purpose.tool)
    if not variable or any(_sets(place, variable) for place in places):
        return None
    if not all(_heeds(place, purpose) for place in places):
        return None
    edits: list[FileEdit] = []
    for place in places:
        options = (set_option(place.mount, "id", name), set_option(place.mount, "target", folder))
        edits += in_file(dockerfile.path, options)
    for place in _first_of_each_chain(dockerfile, places):
        line = f"ENV {variable}={folder}"
        edits += in_file(
            dockerfile.path, [insert_line_before(dockerfile, place.run.span.start, line)]
        )
    if users_differ(places):
        shared = shared_ownership(places, folder)
        if shared is None:
            return None
        edits += shared[0]
    return merge_edits(edits)


def _sets(place: Place, variable: str) -> bool:
    run = place.run
    return variable in run.scope.variables or any(variable in x.env for x in run.commands.items)


def _heeds(place: Place, purpose: Purpose) -> bool:
    """Tell whether the tool of a RUN would go by its variable."""
    uses = (use for use in place.run.uses if use.tool.id == purpose.tool.id)
    found = (use.directory(purpose.cache.role) for use in uses)
    return all(item.heeds_pin for item in found if item is not None)


def _first_of_each_chain(dockerfile: Dockerfile, places: Sequence[Place]) -> Iterator[Place]:
    """Yield the places in front of which the variable must be set: the first of each stage chain."""
    covered: list[Place] = []
    for place in places:
        stage = dockerfile.stage_of(place.run)
        # What a stage sets, the stages built on it have.
        if not any(stage.descends_from(dockerfile.stage_of(other.run)) for other in covered):
            covered.append(place)
            yield place
