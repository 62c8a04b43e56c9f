"""One new name for a cache or a volume, in every file that uses it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby

from cachekey.assist.rename_volume import Place, places, rename_volume
from cachekey.buildkit.mounts import Mount
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.read import Devcontainer
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits.mount import is_plain, set_option
from cachekey.finding import FileEdit
from cachekey.record import record
from cachekey.text import Span
from cachekey.workspace.project import Project
from cachekey.workspace.summary import CacheMount


@record(frozen=True)
class Name:
    """A name that may be changed. ``span`` is where it stands, in offsets of the document."""

    span: Span
    text: str
    write: Callable[[str], Renaming]
    """Makes the edits of a new name."""


@record(frozen=True)
class Renaming:
    """What a new name changes."""

    edits: tuple[FileEdit, ...] = ()
    joins: int = 0
    """Places that have the new name already: what was apart becomes one."""
    refusal: str = ""
    """Why there are no edits."""


def name_at(project: Project, path: str, offset: int) -> Name | None:
    """Return the ``id`` or volume name at an offset of a document; None where there is none."""
    document = project.documents.get(path)
    if isinstance(document, Dockerfile):
        for _, mount in document.caches:
            option = mount.options.get("id")
            if option is not None and option.value.text and option.span.contains(offset):
                text = document.source.slice(option.span)
                return Name(option.span, text, partial(_rename_id, project, mount, text))
    if isinstance(document, Devcontainer | ComposeFile):
        for place in places(document):
            span = place.name.span()
            if span.contains(offset):
                write = partial(_rename_volume, project, path, place)
                return Name(span, place.name.text, write)
    return None


def is_unnamed(project: Project, path: str, offset: int) -> bool:
    """Tell whether an offset lies in the target of a cache mount that has no ``id``."""
    document = project.documents.get(path)
    return isinstance(document, Dockerfile) and any(
        mount.key is not None
        and mount.key.name_from == "target"
        and mount.target_span.contains(offset)
        for _, mount in document.caches
    )


# -- caches ---------------------------------------------------------------------------------------


def _rename_id(project: Project, mount: Mount, old: str, new: str) -> Renaming:
    if not is_plain(new) or ("$" in new and "$" not in old):
        return Renaming(refusal=f"'{new}' cannot be written as an id without quotes")
    assert mount.key is not None
    full = f"{mount.key.namespace}/{mount.key.name.key}"
    # Mounts that name the cache by their target alone are the same cache and stay so.
    same = [*project.index.named(full), *project.index.sharing(mount.key.identity)]
    edits: list[FileEdit] = []
    for path, group in groupby(sorted(same, key=_place), key=lambda item: item.path):
        model = project.model(path)
        if not isinstance(model, Dockerfile):
            return Renaming(refusal=f"{path} cannot be read")
        known = {item.span: item for _, item in model.caches}
        for span in dict.fromkeys(item.span for item in group):
            other = known.get(span)
            if other is None:
                return Renaming(refusal=f"{path} has changed on disk")
            option = other.options.get("id")
            written = model.source.slice(option.span) if option is not None else old
            if "$" in old and written != old:
                return Renaming(refusal=f"{path} writes this id in another way: {written}")
            edits.append(FileEdit(path, set_option(other, "id", new)))
    taken = f"{mount.key.namespace}/{new}"
    joins = 0 if taken == full else len(list(project.index.named(taken)))
    return Renaming(tuple(edits), joins)


def _place(mount: CacheMount) -> tuple[str, int]:
    return (mount.path, mount.span.start)


# -- volumes --------------------------------------------------------------------------------------


def _rename_volume(project: Project, path: str, place: Place, new: str) -> Renaming:
    found = rename_volume(project, path, place, new)
    return Renaming(found.edits, found.joins, found.refusal)
