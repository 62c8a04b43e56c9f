"""One new name for a volume: in devcontainer.json, in compose files, or in both at once.

A name means one of two things. What the *engine* calls a volume is known to every container on it: that
is what a devcontainer.json without compose files writes, and in a compose file ``name:`` or an
``external`` volume. Anything else in compose files is a name within the *project* that they make up:
Compose puts the project's name in front.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Literal

from cachekey.devcontainer.compose import ComposeFile, compose, engine_name
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import KnownTexts, container_of
from cachekey.edits.compose import undeclare
from cachekey.finding import FileEdit
from cachekey.record import record
from cachekey.syntax.yaml import parse
from cachekey.text import Edit, Mapped, Source, Span
from cachekey.workspace.project import Project

# Source: Docker ``volume/names.go`` (``RestrictedNamePattern``).
_VOLUME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+\Z")
_MOST_FILES = 64
"""Of one Compose project."""

Realm = Literal["engine", "project"]


@record(frozen=True)
class Place:
    """Where a volume's name stands."""

    name: Mapped
    realms: tuple[Realm, ...]
    """Who knows it by this name."""
    declares: bool = False
    """It is the key under ``volumes:``, of which there may be one."""


@record(frozen=True)
class VolumeEdits:
    """What a new name changes."""

    edits: tuple[FileEdit, ...] = ()
    joins: int = 0
    """Places that have the new name already."""
    refusal: str = ""
    """Why there are no edits."""


def places(document: Devcontainer | ComposeFile) -> Iterator[Place]:
    """Yield where a file names volumes whose names it tells literally."""
    if isinstance(document, Devcontainer):
        for mount in document.mounts:
            if mount.source is not None and mount.volume is not None:
                yield Place(mount.source, _realms(document, external=mount.external))
        return
    for name, key, value in document.section("volumes"):
        fixed = engine_name(key, value)
        if key.text is not None and key.text.text == name:
            outside = fixed is not None and fixed.span() == key.text.span()
            yield Place(key.text, ("project", "engine") if outside else ("project",), declares=True)
        if fixed is not None and (key.text is None or fixed.span() != key.text.span()):
            yield Place(fixed, ("engine",))
    for mount in document.mounts:
        if mount.source is not None and mount.volume is not None:
            yield Place(mount.source, ("project",))


def _realms(document: Devcontainer, *, external: bool) -> tuple[Realm, ...]:
    if not document.compose:
        return ("engine",)
    return ("project", "engine") if external else ("project",)


def rename_volume(project: Project, path: str, place: Place, new: str) -> VolumeEdits:
    """Return the edits that give a volume another name wherever it is known by the old one."""
    if not _VOLUME.match(new):
        return VolumeEdits(refusal=f"Docker takes no volume called '{new}'")
    old = place.name.text
    if new == old:
        return VolumeEdits()
    found, joins = _reached(project, path, place, new)
    edits: dict[tuple[str, int], FileEdit] = {}
    for where, item in found:
        model = project.model(where)
        assert isinstance(model, Devcontainer | ComposeFile)
        span = item.name.span()
        if model.source.slice(span) != old:
            return VolumeEdits(refusal=f"{where} writes this name in another way")
        if isinstance(model, ComposeFile) and not _is_text(model.source, span.start, new):
            return VolumeEdits(refusal=f"'{new}' is no text in YAML: {where} would need quotes")
        edit = Edit(span, new)
        if item.declares and isinstance(model, ComposeFile) and _declares(model, new):
            cut = undeclare(model, old)
            if cut is None:
                return VolumeEdits(refusal=f"{where} declares both {old} and {new}")
            edit = cut
        edits[where, span.start] = FileEdit(where, edit)
    engine = {where for where, item in found if "engine" in item.realms}
    for where in sorted(engine):
        model = project.model(where)
        if isinstance(model, Devcontainer):
            for span in _made_by_hand(model, old):
                edits[where, span.start] = FileEdit(where, Edit(span, new))
    ordered = sorted(edits.items(), key=lambda item: item[0])
    return VolumeEdits(tuple(edit for _, edit in ordered), joins)


def same_volume(project: Project, path: str, offset: int) -> list[tuple[str, Place]]:
    """Return where the volume whose name stands at an offset is named, file by file; none elsewhere."""
    document = project.documents.get(path)
    known = places(document) if isinstance(document, Devcontainer | ComposeFile) else ()
    place = next((item for item in known if item.name.span().contains(offset)), None)
    if place is None:
        return []
    found, _ = _reached(project, path, place, place.name.text)
    return sorted(found, key=lambda item: (item[0], item[1].name.span().start))


def _reached(
    project: Project, path: str, first: Place, new: str
) -> tuple[list[tuple[str, Place]], int]:
    """Follow a name through both realms; return where it stands, and how often the new one does."""
    old = first.name.text
    found: dict[tuple[str, int], tuple[str, Place]] = {}
    taken: set[tuple[str, int]] = set()
    waiting: list[tuple[Realm, str]] = [(realm, path) for realm in first.realms]
    seen: set[tuple[Realm, str]] = set()
    while waiting:
        realm, start = waiting.pop()
        if (realm, start) in seen:
            continue
        files = _files(project, realm, start, (old, new))
        seen.update((realm, file) for file in files)
        for file in files:
            model = project.model(file)
            known = places(model) if isinstance(model, Devcontainer | ComposeFile) else ()
            for item in known:
                at = (file, item.name.span().start)
                if realm in item.realms and item.name.text == new:
                    taken.add(at)
                if realm in item.realms and item.name.text == old:
                    found[at] = (file, item)
                    waiting += [(other, file) for other in item.realms]
    return list(found.values()), len(taken)


def _files(project: Project, realm: Realm, start: str, names: tuple[str, ...]) -> list[str]:
    """Return the files in which a name may stand for the same volume."""
    if realm == "project":
        return compose_project(project, start)
    known = [path for name in names for path, _ in project.index.volumes(name)]
    return list(dict.fromkeys([start, *known]))


def compose_project(project: Project, path: str) -> list[str]:
    """Return the files whose names of volumes are one: a folder's, and those used together.

    By its folder Compose names a project; a devcontainer.json may name compose files of several.
    """
    texts = KnownTexts(project)
    kept: dict[str, None] = {}
    waiting = [path]
    while waiting and len(kept) < _MOST_FILES:
        current = waiting.pop(0)
        if current in kept:
            continue
        other = project.model(current)
        model = other if isinstance(other, Devcontainer) else project.compose_file(current)
        if model is None:
            continue
        kept[current] = None
        if isinstance(model, Devcontainer):
            composition = container_of(model, project).composition
        else:
            composition = compose([current], texts.read)
            folder = posixpath.dirname(current)
            waiting += [other.path for other in project.composers(current)]
            waiting += project.index.takers(current)
            waiting += [
                other
                for other in project.index
                if posixpath.dirname(other) == folder
                and (known := project.index.get(other)) is not None
                and known.kind == "compose"
            ]
        if composition is not None:
            waiting += [file.path for file in composition.files]
            services = (composition.service(name) for name in composition.services)
            waiting += [mount.path for one in services if one is not None for mount in one.mounts]
    return list(kept)


def _declares(file: ComposeFile, name: str) -> bool:
    return any(found == name for found, _, _ in file.section("volumes"))


def _is_text(source: Source, at: int, name: str) -> bool:
    """Tell whether YAML reads a name as text where it is put: ``true`` or ``1.5`` need quotes."""
    if source.text[at - 1 : at] in ("'", '"'):
        return True
    documents = parse(Source(name))
    return bool(documents) and documents[0].tag == "tag:yaml.org,2002:str"


def _made_by_hand(document: Devcontainer, name: str) -> Iterator[Span]:
    """Yield where ``initializeCommand`` makes or removes the volume by its name."""
    command = document.initialize
    if command is None or "docker volume " not in command.text:
        return
    word = re.compile(rf"(?<![\w.$/-]){re.escape(name)}(?![\w.=/-])")
    for text in command.scripts:
        if text.exact:
            yield from (text.span(*match.span()) for match in word.finditer(text.text))
