"""What a hover says: the key of a cache mount, an option, a tool's command; also ``cachekey explain``.

Everything here is rich text: whoever shows it decides what becomes of its code and links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from cachekey.assist.hover_builds import argument_lines, build_lines
from cachekey.assist.hover_compose import hover_compose
from cachekey.assist.hover_devcontainer import hover_devcontainer, runtime_lines
from cachekey.assist.options import option_lines
from cachekey.buildkit.keys import Key
from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import PLATFORM_ARGS
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.read import Devcontainer
from cachekey.dockerfile.coverage import covering
from cachekey.dockerfile.purpose import opens_up, purpose_of
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.knowledge.records import Kind
from cachekey.markup.markdown import Markdown, card
from cachekey.markup.rich import Rich, joined, lines, rich
from cachekey.record import record
from cachekey.text import Span
from cachekey.tools.uses import ToolUse, UsedDirectory, relation_to
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings
from cachekey.workspace.summary import CacheMount

Link = Callable[[str, int], Rich]
"""Names a place: a path and a zero-based line."""
_NEAR = 3
_MANY = 5


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
) -> Hover | None:
    """Explain what stands at ``offset`` of a document; None where there is nothing to say."""
    document = project.documents.get(path)
    if isinstance(document, Devcontainer):
        found = hover_devcontainer(project, document, offset)
        return Hover(*found) if found else None
    if isinstance(document, ComposeFile):
        found = hover_compose(project, document, offset)
        return Hover(*found) if found else None
    if not isinstance(document, Dockerfile):
        return None
    run = next((run for run in document.runs if run.span.contains(offset)), None)
    if run is None:
        said = argument_lines(project, document, offset, link)
        return Hover(*said) if said else None
    for mount in run.mounts:
        if mount.span.contains(offset):
            return _mount_hover(project, document, run, mount, offset, link)
    uses = [use for use in run.uses if use.invocation.head.contains(offset)]
    if uses:
        return Hover(uses[0].invocation.head, tuple(_tool_lines(run, uses)))
    return None


# -- mounts ---------------------------------------------------------------------------------------


def _mount_hover(
    project: Project, document: Dockerfile, run: Run, mount: Mount, offset: int, link: Link
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
    if mount.key is None:
        return None
    return Hover(mount.span, tuple(_card(project, document, run, mount, mount.key, link)))


def _card(
    project: Project, document: Dockerfile, run: Run, mount: Mount, key: Key, link: Link
) -> Iterator[Rich]:
    yield rich("**Cache `{}`**, {}", key.label, _origin(key, mount))
    yield from _variable_lines(key, mount)
    yield _sharing_line(project, document, mount, key, link)
    yield from build_lines(project, document, mount, link)
    near = _near_line(document, run, mount, key, link)
    if near:
        yield near
    yield _owner_line(run, mount)
    yield _use_line(run, mount)
    purpose = purpose_of(run, mount)
    if purpose is not None:
        yield from runtime_lines(project, document, [purpose.tool.id])
    if project.settings.engine == "buildah":
        yield from _BUILDAH
    else:
        yield from _IN_THE_KEY
        yield from _frontend_line(document, mount)
        yield _EMPTIED
    yield _LIFETIME


_BUILDAH = lines(
    "Key as Buildah forms it: the cleaned `id`, or else the cleaned target, and nothing else",
    "Emptied by `buildah prune` of newer versions; `--no-cache` leaves it alone",
)
_IN_THE_KEY = lines(
    "In the key: namespace, `id` or else target, `from`, and `uid`, `gid`, `mode` if written",
    "Not in it: user, stage, image, Dockerfile, platform, `sharing`",
)
_EMPTIED = rich(
    "Emptied by `docker builder prune`, by `--no-cache`, and when the builder needs room"
)
_LIFETIME = rich(
    "Lives on this builder, during builds only: never in the image, not in `cache-to`; "
    "fresh CI runners begin without it"
)


def _origin(key: Key, mount: Mount) -> Rich:
    by_id = key.name_from == "id"
    parts = [rich("named by `id`") if by_id else rich("named by its target (there is no `id`)")]
    relative = mount.target.known and not mount.target.text.startswith("/")
    if key.name_from == "target" and relative:
        parts.append(rich("the relative text as it is written, in every project of this builder"))
    if key.base is not None and key.base.origin:
        parts.append(rich("joined by `from={}`", key.base.origin))
    if key.base is not None and key.base.owner is not None:
        parts.append(rich("joined by the owner `{}`", str(key.base.owner)))
    if key.namespace:
        parts.append(rich("in the namespace `{}`", key.namespace))
    return joined(", ", parts)


def _variable_lines(key: Key, mount: Mount) -> Iterator[Rich]:
    for name in sorted(key.unresolved):
        if name in PLATFORM_ARGS:
            yield rich("`{}` decides: one cache for each platform of the build", name)
        elif name in mount.scope.variables:
            yield rich(
                "`{}` decides: the build passes it (`--build-arg`, setting `build-args`)", name
            )
        else:
            yield rich(
                "`{}` decides: nothing in this file sets it, only the base image could", name
            )
    for name in sorted(mount.used - mount.undefined - key.unresolved):
        variable = mount.scope.variables.get(name)
        if variable is not None and variable.origin == "arg":
            value = variable.value.text
            yield rich("`{}` is `{}` unless the build passes another value", name, value)
    for name in sorted(mount.undefined):
        yield rich("`{}` is not defined here: it expands to nothing", name)


def _sharing_line(
    project: Project, document: Dockerfile, mount: Mount, key: Key, link: Link
) -> Rich:
    others = project.index.count_sharing(key.identity) - 1
    if others < 1:
        return rich("No other mount of this workspace has this key")
    here = (document.path, mount.span)
    found = (place for place in project.sharing(key) if (place.path, place.span) != here)
    shown = joined(", ", [_place(place, link) for place in islice(found, _MANY)])
    more = rich(" and {} more", str(others - _MANY)) if others > _MANY else Rich()
    return rich("Same cache: {}{}", shown, more)


def _place(place: CacheMount, link: Link) -> Rich:
    where = link(place.path, place.line)
    if not place.who:
        return rich("{} (stage {})", where, place.stage)
    return rich("{} (stage {}, as {})", where, place.stage, place.who)


def _near_line(document: Dockerfile, run: Run, mount: Mount, key: Key, link: Link) -> Rich | None:
    """Name mounts that one would take for the same cache, and why they are not."""
    found: list[Rich] = []
    purpose = purpose_of(run, mount)
    for other_run, other in document.caches:
        if other is mount or other.key is None or other.key.identity == key.identity:
            continue
        why = None
        if other.key.name.key == key.name.key:
            why = rich("its owner or `from` differs")
        elif purpose is not None:
            theirs = purpose_of(other_run, other)
            if theirs is not None and theirs.key == purpose.key:
                why = rich("its key is `{}`", other.key.label)
        if why:
            line = document.source.line_of(other.span.start)
            found.append(rich("{} ({})", link(document.path, line), why))
    return rich("Not the same cache: {}", joined(", ", found[:_NEAR])) if found else None


def _owner_line(run: Run, mount: Mount) -> Rich:
    directory = mount.directory or mount.target.text or "the working directory"
    mode = mount.value("mode")
    owner = "root" if mount.uid == 0 else "?" if mount.uid is None else str(mount.uid)
    octal = mode.text if mode else "0755"
    return rich(
        "`{}`: a new one belongs to {}, mode {}; {}", directory, owner, octal, _may(run, mount)
    )


def _may(run: Run, mount: Mount) -> Rich:
    """Tell whether a RUN may write to a new cache, and by what right."""
    user = run.scope.user
    if mount.readonly:
        return rich("this RUN may only read it (`ro`)")
    if user.account is None:
        return rich("the user of this RUN is not known")
    if user.is_root:
        return rich("this RUN is root and may write")
    if opens_up(run, mount.directory):
        return rich("this RUN is {} and changes owner or mode itself", user.label)
    if user.uid is not None and user.uid == mount.uid:
        return rich("this RUN is {}, the owner", user.label)
    if mount.value("mode") is not None:
        return rich("this RUN is {}, and the daemon's umask cuts the mode", user.label)
    return rich("this RUN is {}: **it may not write**", user.label)


def _use_line(run: Run, mount: Mount) -> Rich:
    directory = mount.directory
    if directory is None:
        return rich("Where it is mounted is not known here")
    if not run.visible_mount(mount):
        return rich("Hidden: a later mount of this RUN has the same target")
    using = []
    for use in run.uses:
        for item in use.directories:
            if item.used is not False and item.relation(directory) in ("exact", "part", "parent"):
                said = rich("{} keeps {} in `{}`", use.tool.name, item.cache.what, item.path or "?")
                using.append(said)
    if using:
        return rich("Used: {}", joined("; ", dict.fromkeys(using)))
    if not run.commands.complete or any(item.opaque for item in run.commands.items):
        return rich("Which command uses it is not known: not every command of this RUN can be read")
    unknown = next((use for use in run.uses if relation_to(directory, use) == "unknown"), None)
    if unknown is not None:
        return rich("Whether {} uses it is not known: {}", unknown.tool.name, _reason(unknown))
    return rich("No command of this RUN is known to use it")


def _reason(use: ToolUse) -> str:
    item = next((item for item in use.directories if item.path is None), None)
    return item.decided_by if item else "its place is not known"


def _frontend_line(document: Dockerfile, mount: Mount) -> Iterator[Rich]:
    if "env" in mount.options:
        yield rich("`env` does nothing on a cache mount, and Docker 20.10 refuses it")
    if mount.used and not any(item.name == "syntax" for item in document.tree.directives):
        yield rich(
            "Docker 20.10 takes `$` literally here; with `# syntax=docker/dockerfile:1` on the first "
            "line every version expands it"
        )


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
