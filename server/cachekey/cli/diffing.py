"""``cachekey diff REV``: what becomes of the caches between a git revision and the files as they are."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cachekey.builds.read import concerns
from cachekey.cli.builds import below, whole
from cachekey.cli.options import status_of, style
from cachekey.cli.revision import Revision, RevisionError, revision
from cachekey.cli.terminal import Progress, UsageError
from cachekey.cli.terminal import write as say
from cachekey.disk.discovery import repository
from cachekey.disk.files import decode
from cachekey.kinds import kind_of
from cachekey.markup.listing import listing
from cachekey.markup.terminal import text_output
from cachekey.report.changes import Held, changes, held, lines, markdown
from cachekey.workspace.project import Project

if TYPE_CHECKING:
    from argparse import Namespace

    from cachekey.cli.workspace import Workspace


def run(options: Namespace) -> int:
    """Run ``cachekey diff``."""
    with Progress() as progress:
        space, asked = whole(options, progress)
        document = compare(space, options.revision, asked)
    show(document, options.format)
    return status_of(space, 0)


def compare(space: Workspace, name: str, asked: Sequence[str]) -> dict[str, Any]:
    """Return what has become of the caches since a revision; raises :class:`UsageError`.

    ``asked`` are the absolute paths whose Dockerfiles count.
    """
    top = repository(space.root)
    if top is None:
        raise UsageError("diff compares with a git revision, and this is no git repository")
    inside = space.root[len(top) :].lstrip("/")
    prefix = f"{inside}/" if inside else ""
    try:
        with revision(top, name) as past:
            before = _past(space, past, prefix, asked)
    except RevisionError as error:
        raise UsageError(str(error)) from error
    after = held(space.project, _dockerfiles(space.texts, space, asked))
    return changes(before, after, space.shown)


def _past(space: Workspace, past: Revision, prefix: str, asked: Sequence[str]) -> list[Held]:
    def counts(path: str) -> bool:
        if not path.startswith(prefix) or kind_of(path) is None:
            return False
        return not space.finder.excluded(space.path_of(path[len(prefix) :]))

    names = sorted(path[len(prefix) :] for path in past.files(counts))
    texts: dict[str, str | None] = {}

    def read(path: str) -> str | None:
        if path not in texts:
            data = past.read(prefix + posixpath.normpath(path))
            texts[path] = None if data is None else decode(path, data).text
        return texts[path]

    project = Project(space.project.settings, read)
    project.name = space.project.name
    for path in sorted(names, key=lambda path: kind_of(path) == "dockerfile"):
        text = read(path)
        if text is not None and concerns(path, text):
            project.survey(path, text)
    return held(project, _dockerfiles(names, space, asked))


def _dockerfiles(names: Iterable[str], space: Workspace, asked: Sequence[str]) -> list[str]:
    return [
        name
        for name in sorted(names)
        if kind_of(name) == "dockerfile" and below(space.path_of(name), asked)
    ]


def show(document: dict[str, Any], form: str) -> None:
    """Write what :func:`compare` has found."""
    if form == "json":
        from cachekey.markup.data import dump

        say(sys.stdout, dump(document))
    elif form == "markdown":
        say(sys.stdout, text_output(markdown(document) + "\n"))
    else:
        say(sys.stdout, listing(lines(document), style()))
