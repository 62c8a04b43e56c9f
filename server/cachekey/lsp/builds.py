"""Ways between a Dockerfile and the files that build it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from cachekey.assist.hover_builds import declared, passing_at
from cachekey.dockerfile.records import Dockerfile
from cachekey.lsp.convert import to_range, where_range
from cachekey.syntax.dockerfile.namevalue import arg_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cachekey.builds.invocation import Invocation
    from cachekey.lsp.session import Document, Session
    from cachekey.text import Source, Span


def links(session: Session, document: Document, source: Source) -> list[types.DocumentLink]:
    """Return links from what a file builds to the Dockerfiles, one for each place."""
    found: dict[tuple[int, int], types.DocumentLink] = {}
    for build, span in _builds(document):
        place = (span.start, span.end)
        assert build.dockerfile is not None
        found.setdefault(
            place,
            types.DocumentLink(
                range=to_range(source, span, session.encoding),
                target=session.uri(document.area, build.dockerfile),
            ),
        )
    return list(found.values())


def arguments_at(session: Session, document: Document, offset: int) -> list[types.Location]:
    """Return where Dockerfiles declare the argument that a file passes at a place."""
    project = document.area.project
    found: dict[tuple[str, Span], None] = {}
    for build, name, _, _ in passing_at(project, document.path, offset):
        model = project.model(build.dockerfile or "")
        if isinstance(model, Dockerfile):
            found |= {(model.path, span): None for span in declared(model, name)}
    places = (session.location(document.area, path, span) for path, span in found)
    return [place for place in places if place is not None]


def dockerfiles_at(session: Session, document: Document, offset: int) -> list[types.Location]:
    """Return the Dockerfiles that are built at a place of a file that builds."""
    start = types.Position(line=0, character=0)
    paths = {build.dockerfile: None for build, span in _builds(document) if span.contains(offset)}
    return [
        types.Location(
            uri=session.uri(document.area, path), range=types.Range(start=start, end=start)
        )
        for path in paths
        if path is not None
    ]


def builds_at(session: Session, document: Document, offset: int) -> list[types.Location]:
    """Return who builds a Dockerfile, asked at a FROM; at an ARG who passes that argument."""
    model = document.area.project.documents.get(document.path)
    if not isinstance(model, Dockerfile):
        return []
    wanted = _asked(model, offset)
    if wanted is None:
        return []
    builds = document.area.project.index.builds(document.path)
    return [
        types.Location(
            uri=session.uri(document.area, build.path),
            range=where_range(build.where, session.encoding),
        )
        for build in builds
        if not wanted or wanted in build.passed
    ]


def _asked(model: Dockerfile, offset: int) -> str | None:
    """Return the argument at a place, nothing at a FROM; None elsewhere."""
    for instruction in model.tree.instructions:
        if not instruction.span.contains(offset):
            continue
        if instruction.keyword == "FROM":
            return ""
        if instruction.keyword == "ARG":
            names = arg_pairs(instruction.args, model.tree.escape)
            return next((name.text for name, _ in names if name.span().contains(offset)), None)
    return None


def _builds(document: Document) -> Iterator[tuple[Invocation, Span]]:
    project = document.area.project
    summary = project.index.get(document.path)
    for build in summary.builds if summary is not None else ():
        if build.dockerfile is not None and build.dockerfile in project.index:
            named = build.file is not None and not build.values_in
            yield build, build.file.span if named and build.file is not None else build.span
