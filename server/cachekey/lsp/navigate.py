"""Ways from a cache mount to its like, to the variables in its key and back, and between files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.assist.rename_volume import same_volume
from cachekey.devcontainer.read import Devcontainer
from cachekey.dockerfile.records import Dockerfile
from cachekey.lsp import builds
from cachekey.lsp.convert import to_offset, to_range, where_range
from cachekey.workspace.summary import name_span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cachekey.buildkit.mounts import Mount
    from cachekey.lsp.area import Area
    from cachekey.lsp.session import Document, Session
    from cachekey.text import Source, Span
    from cachekey.workspace.summary import CacheMount

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)[^}]*\}|([A-Za-z_]\w*))")


def definition(session: Session, params: types.DefinitionParams) -> list[types.Location]:
    """Answer ``textDocument/definition``: where a variable in a mount is set, or the other mounts.

    On the rest of a mount the answer are the mounts that share its cache; in other files the Dockerfile
    that is built, the ARG that takes a build argument, or where a volume is declared.
    """
    document, mount = _mount_at(session, params)
    if document is None or mount is None:
        return _elsewhere(session, params)
    source = session.read(document)
    offset = to_offset(source, params.position, session.encoding)
    set_at = _set_at(source, mount, offset)
    if set_at is not None:
        where = to_range(source, set_at, session.encoding)
        return [types.Location(uri=document.uri, range=where)]
    others = [
        place
        for place in _sharing(document.area, mount)
        if (place.path, place.span) != (document.path, mount.span)
    ]
    return _locations(session, document.area, others)


def references(session: Session, params: types.ReferenceParams) -> list[types.Location]:
    """Answer ``textDocument/references``: every mount of a cache or of a variable; at a FROM who builds.

    A variable has its references where it is set and where it stands in a mount; a volume where its
    name stands.
    """
    document, mount = _mount_at(session, params)
    if document is None:
        return []
    source = session.read(document)
    offset = to_offset(source, params.position, session.encoding)
    if mount is not None:
        set_at = _set_at(source, mount, offset)
        if set_at is None:
            return _locations(session, document.area, _sharing(document.area, mount))
        offset = set_at.start
    found = _uses_of_variable(session, document, offset) or _volumes(session, document, offset)
    return [*found, *builds.builds_at(session, document, offset)]


def highlights(
    session: Session, params: types.DocumentHighlightParams
) -> list[types.DocumentHighlight] | None:
    """Answer ``textDocument/documentHighlight``: the mounts of this cache in this document."""
    document, mount = _mount_at(session, params)
    if document is None or mount is None:
        return None
    source = session.read(document)
    return [
        types.DocumentHighlight(range=to_range(source, place.name_span, session.encoding))
        for place in _sharing(document.area, mount)
        if place.path == document.path
    ]


def links(session: Session, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
    """Answer ``textDocument/documentLink``: the Dockerfiles that a file builds."""
    document = session.find(params.text_document.uri)
    if document is None:
        return []
    source, area = session.read(document), document.area
    model = area.project.documents.get(document.path)
    if not isinstance(model, Devcontainer):
        return builds.links(session, document, source)
    dockerfile = area.project.dockerfile_of(model)
    if dockerfile is None or model.build_target is None:
        return []
    where = to_range(source, model.build_target.span, session.encoding)
    return [types.DocumentLink(range=where, target=session.uri(area, dockerfile.path))]


def _set_at(source: Source, mount: Mount, offset: int) -> Span | None:
    """Return where this file sets the variable that stands at an offset of a mount."""
    variable = mount.scope.variables.get(_variable_in(source, mount, offset) or "")
    return variable.span if variable is not None and variable.path is None else None


def _variable_in(source: Source, mount: Mount, offset: int) -> str | None:
    """Return the name of the variable that stands at an offset of a mount."""
    start = mount.span.start
    for match in _VARIABLE.finditer(source.slice(mount.span)):
        if start + match.start() <= offset <= start + match.end():
            return match[1] or match[2]
    return None


def _uses_of_variable(session: Session, document: Document, offset: int) -> list[types.Location]:
    """Return the mounts in which the variable counts that is set at an offset."""
    source = session.read(document)
    model = document.area.project.documents.get(document.path)
    if not isinstance(model, Dockerfile):
        return []
    found = []
    for _, mount in model.caches:
        for name in mount.used:
            variable = mount.scope.variables.get(name)
            span = variable.span if variable is not None and variable.path is None else None
            if span is not None and span.contains(offset):
                where = to_range(source, name_span(mount), session.encoding)
                found.append(types.Location(uri=document.uri, range=where))
    return found


def _elsewhere(session: Session, params: types.DefinitionParams) -> list[types.Location]:
    document = session.find(params.text_document.uri)
    if document is None:
        return []
    offset = to_offset(session.read(document), params.position, session.encoding)
    return (
        builds.arguments_at(session, document, offset)
        or _volumes(session, document, offset, declared=True)
        or builds.dockerfiles_at(session, document, offset)
    )


def _volumes(
    session: Session, document: Document, offset: int, *, declared: bool = False
) -> list[types.Location]:
    """Return where the volume is named that is named at an offset, or only where it is declared."""
    area = document.area
    places = (
        session.location(area, path, place.name.span())
        for path, place in same_volume(area.project, document.path, offset)
        if place.declares or not declared
    )
    return [place for place in places if place is not None]


def _mount_at(
    session: Session,
    params: types.DefinitionParams | types.ReferenceParams | types.DocumentHighlightParams,
) -> tuple[Document | None, Mount | None]:
    document = session.find(params.text_document.uri)
    if document is None:
        return None, None
    source = session.read(document)
    model = document.area.project.documents.get(document.path)
    if not isinstance(model, Dockerfile):
        return document, None
    offset = to_offset(source, params.position, session.encoding)
    found = (mount for _, mount in model.caches if mount.span.contains(offset))
    return document, next(found, None)


def _sharing(area: Area, mount: Mount) -> Iterable[CacheMount]:
    return area.project.sharing(mount.key) if mount.key is not None else ()


def _locations(session: Session, area: Area, mounts: Iterable[CacheMount]) -> list[types.Location]:
    return [
        types.Location(
            uri=session.uri(area, mount.path), range=where_range(mount.where, session.encoding)
        )
        for mount in mounts
    ]
