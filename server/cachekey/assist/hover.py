"""What a hover says: the key of a cache mount, an option, a tool's command; also ``cachekey explain``.

Everything here is rich text: whoever shows it decides what becomes of its code and links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cachekey.assist.hover_builds import argument_lines, passed_lines, stage_line
from cachekey.assist.hover_compose import hover_compose
from cachekey.assist.hover_devcontainer import hover_devcontainer
from cachekey.assist.hover_instruction import hover_instruction
from cachekey.assist.hover_mount import Link, Reader, cache_card, other_mount_line
from cachekey.assist.options import option_lines
from cachekey.buildkit.mounts import Mount
from cachekey.builds.invocation import BuildFile
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.read import Devcontainer
from cachekey.dockerfile.coverage import covering
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.knowledge.records import Kind
from cachekey.markup.markdown import Markdown, card
from cachekey.markup.rich import Rich, rich
from cachekey.record import record
from cachekey.text import Span
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings

HOW = rich("How keys work: `cachekey rule keys`")


@record(frozen=True)
class Hover:
    """What is said of one place. ``span`` is what it speaks of, in offsets of the document."""

    span: Span
    lines: tuple[Rich, ...]
    """A head, and a list below it."""

    @property
    def markdown(self) -> Markdown:
        """Return it as Markdown."""
        return card(self.lines)


def plain_link(path: str, line: int) -> Rich:
    """Name a place as the command line does."""
    return rich("{}", f"{path}:{line + 1}")


def hover(
    project: Project,
    path: str,
    offset: int,
    settings: Settings | None = None,
    link: Link = plain_link,
    how: Rich = HOW,
    told: Callable[[Run, Mount], Rich | None] = lambda run, mount: None,
) -> Hover | None:
    """Explain what stands at ``offset`` of a document; None where there is nothing to say.

    ``link`` names a place of the workspace, ``how`` the page on what is true of every key,
    ``told`` what a builder was asked for about a mount.
    """
    document = project.documents.get(path)
    if isinstance(document, Devcontainer):
        found = passed_lines(project, path, offset, link) or hover_devcontainer(
            project, document, offset
        )
        return Hover(*found) if found else None
    if isinstance(document, ComposeFile):
        passed = passed_lines(project, path, offset, link)
        found = passed or hover_compose(project, document, offset)
        return Hover(*found) if found else None
    if isinstance(document, BuildFile):
        found = passed_lines(project, path, offset, link)
        return Hover(*found) if found else None
    if not isinstance(document, Dockerfile):
        return None
    run = next((run for run in document.runs if run.span.contains(offset)), None)
    if run is None:
        return _instruction_hover(project, document, offset, link)
    for mount in run.mounts:
        if mount.span.contains(offset):
            reader = Reader(link, how, told(run, mount))
            return _mount_hover(project, document, run, mount, offset, reader)
    uses = [use for use in run.uses if use.invocation.head.contains(offset)]
    if uses:
        return Hover(uses[0].invocation.head, tuple(_tool_lines(run, uses)))
    return None


def _instruction_hover(
    project: Project, document: Dockerfile, offset: int, link: Link
) -> Hover | None:
    about = hover_instruction(project, document, offset, link)
    passed = argument_lines(project, document, offset, link)
    if about is None:
        return Hover(*passed) if passed else None
    span, told = about
    made = next((one for one in document.stages if one.instruction.span == span), None)
    built = stage_line(project, document, made, link) if made is not None else None
    more = (*(passed[1][1:] if passed else ()), *((built,) if built is not None else ()))
    return Hover(span, (*told, *more))


# -- mounts ---------------------------------------------------------------------------------------


def _mount_hover(
    project: Project, document: Dockerfile, run: Run, mount: Mount, offset: int, reader: Reader
) -> Hover | None:
    for field in mount.fields:
        value = field.value.span() if field.value is not None else None
        if field.name.span().contains(offset) and not (value and value.start <= offset):
            about = option_lines(field.key, mount)
            if about:
                return Hover(field.span, about)
    if mount.error is not None:
        refused = rich("**BuildKit refuses this mount**")
        return Hover(mount.span, (refused, rich("{}", str(mount.error))))
    if mount.key is not None:
        return Hover(mount.span, cache_card(project, document, run, mount, reader))
    other = other_mount_line(document, run, mount, reader.link)
    return Hover(mount.span, (other,)) if other is not None else None


# -- commands -------------------------------------------------------------------------------------


def _tool_lines(run: Run, uses: list[ToolUse]) -> Iterator[Rich]:
    yield rich("**{}**: where its caches are in this RUN", uses[0].tool.name)
    for use in uses:
        shown = [item for item in use.directories if _worth_showing(run, item)]
        if not shown:
            yield rich("this command uses no cache of {}", use.tool.name)
        for item in shown:
            yield _directory_line(run, use, item)
        for off in use.disabled:
            yield rich("switched off by {}", off.text)
    yield from _what_would_tell(run, uses)


def _worth_showing(run: Run, item: UsedDirectory) -> bool:
    """Tell whether a directory is a cache of this command, or lies in a mount of its RUN."""
    if item.used is False:
        return False
    return item.cache.kind is not Kind.RESULT or covering(run, item) is not None


def _what_would_tell(run: Run, uses: list[ToolUse]) -> Iterator[Rich]:
    """Name the setting that would close the gap in what is known."""
    unknown = [item for use in uses for item in use.directories if item.path is None]
    image = run.scope.base.reference.text
    if any("base image" in item.decided_by for item in unknown):
        yield rich("To tell Cachekey: describe `{}` in the setting `images`", image)
    elif any("build" in item.decided_by for item in unknown):
        yield rich("To tell Cachekey: give the build's arguments in the setting `build-args`")


def _directory_line(run: Run, use: ToolUse, item: UsedDirectory) -> Rich:
    what = item.cache.what or item.cache.role
    if item.path is None:
        return rich("{}: place not known, {}", what, item.decided_by)
    place = rich("{}: `{}` ({})", what, item.path, item.decided_by)
    for mount in run.caches:
        if mount.directory and item.relation(mount.directory) in ("exact", "part", "parent"):
            assert mount.key is not None
            return rich("{}, in the cache `{}`", place, mount.key.label)
    return rich("{}, in no cache mount", place)
