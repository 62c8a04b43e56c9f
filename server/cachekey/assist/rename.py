"""One new name for a cache or a volume, in every file that uses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby

from cachekey.buildkit.mounts import Mount
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.read import Devcontainer
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits.mount import is_plain, set_option
from cachekey.finding import FileEdit
from cachekey.record import record
from cachekey.text import Edit, Mapped, Span
from cachekey.workspace.project import Project
from cachekey.workspace.summary import CacheMount

# Source: Docker ``volume/names.go`` (``RestrictedNamePattern``).
_VOLUME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+\Z")


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
    if isinstance(document, Devcontainer):
        for volume in document.mounts:
            source, name = volume.source, volume.volume
            if name and source is not None and source.span().contains(offset):
                return Name(source.span(), name, partial(_rename_volume, project, name))
    if isinstance(document, ComposeFile):
        for found in _compose_names(document):
            if found.span().contains(offset):
                write = partial(_rename_in_compose, document, found.text)
                return Name(found.span(), found.text, write)
    return None


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


def _rename_volume(project: Project, old: str, new: str) -> Renaming:
    if not _VOLUME.match(new):
        return Renaming(refusal=f"Docker takes no volume called '{new}'")
    edits = []
    for path in dict.fromkeys(path for path, _ in project.index.volumes(old)):
        model = project.model(path)
        if not isinstance(model, Devcontainer):
            return Renaming(refusal=f"{path} cannot be read")
        for mount in model.mounts:
            if mount.volume == old and mount.source is not None:
                edits.append(FileEdit(path, Edit(mount.source.span(), new)))
    joins = 0 if new == old else len(list(project.index.volumes(new)))
    return Renaming(tuple(edits), joins)


def _rename_in_compose(document: ComposeFile, old: str, new: str) -> Renaming:
    """A volume of a compose file is the project's own: other files do not know its name."""
    if not _VOLUME.match(new):
        return Renaming(refusal=f"Docker takes no volume called '{new}'")
    names = list(_compose_names(document))
    edits = [FileEdit(document.path, Edit(name.span(), new)) for name in names if name.text == old]
    joins = 0 if new == old else sum(name.text == new for name in names)
    return Renaming(tuple(edits), joins)


def _compose_names(document: ComposeFile) -> Iterator[Mapped]:
    """Yield the names of volumes as they stand in a compose file, declared or mounted."""
    for _, key, _ in document.section("volumes"):
        if key.text is not None:
            yield key.text
    for mount in document.mounts:
        if mount.volume is not None and mount.source is not None:
            yield mount.source
