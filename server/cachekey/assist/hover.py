"""What a hover says: the key of a cache mount, an option, a tool's command; also ``cachekey explain``.

Everything here is Markdown that editors render and that reads well as plain text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

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
from cachekey.record import record
from cachekey.text import Span
from cachekey.tools.uses import ToolUse, UsedDirectory, relation_to
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings
from cachekey.workspace.summary import CacheMount

Link = Callable[[str, int], str]
"""Makes Markdown for a place: a path and a zero-based line."""
_NEAR = 3
_MANY = 5


@record(frozen=True)
class Hover:
    """Markdown for one place. ``span`` is what it speaks of, in offsets of the document."""

    span: Span
    markdown: str


def plain_link(path: str, line: int) -> str:
    """Name a place as the command line does."""
    return f"{path}:{line + 1}"


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
        return None
    for mount in run.mounts:
        if mount.span.contains(offset):
            return _mount_hover(project, document, run, mount, offset, link)
    uses = [use for use in run.uses if use.invocation.head.contains(offset)]
    if uses:
        return Hover(uses[0].invocation.head, _join(_tool_lines(run, uses)))
    return None


def _join(lines: Iterable[str]) -> str:
    head, *rest = lines
    return "\n".join([head, "", *(f"- {line}" for line in rest)])


# -- mounts ---------------------------------------------------------------------------------------


def _mount_hover(
    project: Project, document: Dockerfile, run: Run, mount: Mount, offset: int, link: Link
) -> Hover | None:
    for field in mount.fields:
        value = field.value.span() if field.value is not None else None
        if field.name.span().contains(offset) and not (value and value.start <= offset):
            lines = option_lines(field.key, mount)
            if lines:
                return Hover(field.span, _join(lines))
    if mount.error is not None:
        return Hover(mount.span, f"**BuildKit refuses this mount**\n\n- {mount.error}")
    if mount.key is None:
        return None
    return Hover(mount.span, _join(_card(project, document, run, mount, mount.key, link)))


def _card(
    project: Project, document: Dockerfile, run: Run, mount: Mount, key: Key, link: Link
) -> Iterator[str]:
    yield f"**Cache `{key.label}`**, {_origin(key, mount)}"
    yield from _variable_lines(key, mount)
    yield _sharing_line(project, document, mount, key, link)
    near = _near_line(document, run, mount, key, link)
    if near:
        yield near
    yield _owner_line(run, mount)
    yield _use_line(run, mount)
    purpose = purpose_of(run, mount)
    if purpose is not None:
        yield from runtime_lines(project, document, [purpose.tool.id])
    if project.settings.engine == "buildah":
        yield "Key as Buildah forms it: the cleaned `id`, or else the cleaned target, and nothing else"
        yield "Emptied by `buildah prune` of newer versions; `--no-cache` leaves it alone"
    else:
        yield "In the key: namespace, `id` or else target, `from`, and `uid`, `gid`, `mode` if written"
        yield "Not in it: user, stage, image, Dockerfile, platform, `sharing`"
        yield from _frontend_line(document, mount)
        yield "Emptied by `docker builder prune`, by `--no-cache`, and when the builder needs room"
    yield (
        "Lives on this builder, during builds only: never in the image, not in `cache-to`; "
        "fresh CI runners begin without it"
    )


def _origin(key: Key, mount: Mount) -> str:
    parts = ["named by `id`" if key.name_from == "id" else "named by its target (there is no `id`)"]
    relative = mount.target.known and not mount.target.text.startswith("/")
    if key.name_from == "target" and relative:
        parts.append("the relative text as it is written, in every project of this builder")
    if key.base is not None and key.base.origin:
        parts.append(f"joined by `from={key.base.origin}`")
    if key.base is not None and key.base.owner is not None:
        parts.append(f"joined by the owner `{key.base.owner}`")
    if key.namespace:
        parts.append(f"in the namespace `{key.namespace}`")
    return ", ".join(parts)


def _variable_lines(key: Key, mount: Mount) -> Iterator[str]:
    for name in sorted(key.unresolved):
        if name in PLATFORM_ARGS:
            yield f"`{name}` decides: one cache for each platform of the build"
        elif name in mount.scope.variables:
            yield f"`{name}` decides: the build passes it (`--build-arg`, setting `build-args`)"
        else:
            yield f"`{name}` decides: nothing in this file sets it, only the base image could"
    for name in sorted(mount.used - mount.undefined - key.unresolved):
        variable = mount.scope.variables.get(name)
        if variable is not None and variable.origin == "arg":
            yield f"`{name}` is `{variable.value.text}` unless the build passes another value"
    for name in sorted(mount.undefined):
        yield f"`{name}` is not defined here: it expands to nothing"


def _sharing_line(
    project: Project, document: Dockerfile, mount: Mount, key: Key, link: Link
) -> str:
    others = project.index.count_sharing(key.identity) - 1
    if others < 1:
        return "No other mount of this workspace has this key"
    here = (document.path, mount.span)
    found = (place for place in project.sharing(key) if (place.path, place.span) != here)
    shown = ", ".join(_place(place, link) for place in islice(found, _MANY))
    more = f" and {others - _MANY} more" if others > _MANY else ""
    return f"Same cache: {shown}{more}"


def _place(place: CacheMount, link: Link) -> str:
    who = f", as {place.who}" if place.who else ""
    return f"{link(place.path, place.line)} (stage {place.stage}{who})"


def _near_line(document: Dockerfile, run: Run, mount: Mount, key: Key, link: Link) -> str | None:
    """Name mounts that one would take for the same cache, and why they are not."""
    found: list[str] = []
    purpose = purpose_of(run, mount)
    for other_run, other in document.caches:
        if other is mount or other.key is None or other.key.identity == key.identity:
            continue
        why = None
        if other.key.name.key == key.name.key:
            why = "its owner or `from` differs"
        elif purpose is not None:
            theirs = purpose_of(other_run, other)
            if theirs is not None and theirs.key == purpose.key:
                why = f"its key is `{other.key.label}`"
        if why:
            line = document.source.line_of(other.span.start)
            found.append(f"{link(document.path, line)} ({why})")
    return f"Not the same cache: {', '.join(found[:_NEAR])}" if found else None


def _owner_line(run: Run, mount: Mount) -> str:
    directory = mount.directory or mount.target.text or "the working directory"
    mode = mount.value("mode")
    owner = "root" if mount.uid == 0 else "?" if mount.uid is None else str(mount.uid)
    text = f"`{directory}`: a new one belongs to {owner}, mode {mode.text if mode else '0755'}"
    user = run.scope.user
    if mount.readonly:
        return f"{text}; this RUN may only read it (`ro`)"
    if user.account is None:
        return f"{text}; the user of this RUN is not known"
    if user.is_root:
        return f"{text}; this RUN is root and may write"
    if opens_up(run, mount.directory):
        return f"{text}; this RUN is {user.label} and changes owner or mode itself"
    if user.uid is not None and user.uid == mount.uid:
        return f"{text}; this RUN is {user.label}, the owner"
    if mode is not None:
        return f"{text}; this RUN is {user.label}, and the daemon's umask cuts the mode"
    return f"{text}; this RUN is {user.label}: **it may not write**"


def _use_line(run: Run, mount: Mount) -> str:
    directory = mount.directory
    if directory is None:
        return "Where it is mounted is not known here"
    if not run.visible_mount(mount):
        return "Hidden: a later mount of this RUN has the same target"
    using = []
    for use in run.uses:
        for item in use.directories:
            if item.used is not False and item.relation(directory) in ("exact", "part", "parent"):
                using.append(f"{use.tool.name} keeps {item.cache.what} in `{item.path}`")
    if using:
        return "Used: " + "; ".join(dict.fromkeys(using))
    if not run.commands.complete or any(item.opaque for item in run.commands.items):
        return "Which command uses it is not known: not every command of this RUN can be read"
    unknown = next((use for use in run.uses if relation_to(directory, use) == "unknown"), None)
    if unknown is not None:
        return f"Whether {unknown.tool.name} uses it is not known: {_reason(unknown)}"
    return "No command of this RUN is known to use it"


def _reason(use: ToolUse) -> str:
    item = next((item for item in use.directories if item.path is None), None)
    return item.decided_by if item else "its place is not known"


def _frontend_line(document: Dockerfile, mount: Mount) -> Iterator[str]:
    if "env" in mount.options:
        yield "`env` does nothing on a cache mount, and Docker 20.10 refuses it"
    if mount.used and not any(item.name == "syntax" for item in document.tree.directives):
        yield (
            "Docker 20.10 takes `$` literally here; with `# syntax=docker/dockerfile:1` on the first "
            "line every version expands it"
        )


# -- commands -------------------------------------------------------------------------------------


def _tool_lines(run: Run, uses: list[ToolUse]) -> Iterator[str]:
    yield f"**{uses[0].tool.name}**: where its caches are in this RUN"
    for use in uses:
        shown = [item for item in use.directories if _worth_showing(run, item)]
        if not shown:
            yield f"this command uses no cache of {use.tool.name}"
        for item in shown:
            yield _directory_line(run, use, item)
        for off in use.disabled:
            yield f"switched off by {off.text}"
    yield from _what_would_tell(run, uses)


def _worth_showing(run: Run, item: UsedDirectory) -> bool:
    """Tell whether a directory is a cache of this command, or lies in a mount of its RUN."""
    if item.used is False:
        return False
    return item.cache.kind is not Kind.RESULT or covering(run, item) is not None


def _what_would_tell(run: Run, uses: list[ToolUse]) -> Iterator[str]:
    """Name the setting that would close the gap in what is known."""
    unknown = [item for use in uses for item in use.directories if item.path is None]
    image = run.scope.base.reference.text
    if any("base image" in item.decided_by for item in unknown):
        yield f"To tell Cachekey: describe `{image}` in the setting `images`"
    elif any("build" in item.decided_by for item in unknown):
        yield "To tell Cachekey: give the build's arguments in the setting `build-args`"


def _directory_line(run: Run, use: ToolUse, item: UsedDirectory) -> str:
    what = item.cache.what or item.cache.role
    if item.path is None:
        return f"{what}: place not known, {item.decided_by}"
    text = f"{what}: `{item.path}` ({item.decided_by})"
    for mount in run.caches:
        if mount.directory and item.relation(mount.directory) in ("exact", "part", "parent"):
            assert mount.key is not None
            return f"{text}, in the cache `{mount.key.label}`"
    return f"{text}, in no cache mount"
