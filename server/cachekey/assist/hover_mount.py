"""What a hover says of a mount: the key of a cache and what follows from it, in eight lines at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from cachekey.assist.hover_builds import build_lines
from cachekey.assist.hover_runtime_mount import runtime_lines
from cachekey.buildkit.keys import Key
from cachekey.buildkit.mounts import BUILDAH_KEYS, Mount
from cachekey.buildkit.scope import PLATFORM_ARGS
from cachekey.commands.invocation import Invocation
from cachekey.dockerfile.place import Place, same_cache
from cachekey.dockerfile.purpose import opens_up, purpose_of, writer
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.markup.rich import Rich, joined, rich
from cachekey.record import record
from cachekey.tools.uses import ToolUse, meant, relation_to
from cachekey.workspace.project import Project
from cachekey.workspace.summary import CacheMount

Link = Callable[[str, int], Rich]
"""Names a place: a path and a zero-based line."""
_NEAR = 3
_MANY = 5
_MOST_LINES = 8
_MOST_BUILDS = 3


@record(frozen=True)
class Reader:
    """How places and pages are named to whoever reads."""

    link: Link
    how: Rich
    """Where it says how keys work."""
    told: Rich | None = None
    """What a builder was asked for about this mount."""


def cache_card(
    project: Project, document: Dockerfile, run: Run, mount: Mount, reader: Reader
) -> tuple[Rich, ...]:
    """Explain a cache mount: its key, who has it and who nearly does, who may write, who uses it."""
    key = mount.key
    assert key is not None
    origin = _origin(key, mount)
    if project.settings.engine == "buildah":
        origin = rich("{}, as Buildah forms keys", origin)
    purpose = purpose_of(run, mount)
    elsewhere = runtime_lines(project, document, [purpose.tool.id]) if purpose else ()
    told = (
        rich("**Cache `{}`**, {}", key.label, origin),
        reader.told,
        _one_line([*_variables(key, mount), *_frontend(document, mount, project)]),
        *_others(project, document, run, mount, reader.link),
        _owner(document, run, mount),
        _use(run, mount),
        _one_line(islice(build_lines(project, document, mount, reader.link), _MOST_BUILDS)),
        _one_line(islice(elsewhere, 1)),
    )
    shown = [line for line in told if line is not None][: _MOST_LINES - 1]
    return (*shown, reader.how)


def other_mount_line(document: Dockerfile, run: Run, mount: Mount, link: Link) -> Rich | None:
    """Explain a mount that is no cache, in one line; None where there is nothing to say."""
    where = mount.directory or mount.target.text
    if mount.type == "bind":
        stage = document.stage_named(mount.origin, document.stage_of(run)) if mount.origin else None
        source = rich("the build context")
        if stage is not None:
            at = document.source.line_of(stage.instruction.span.start)
            source = rich("stage {} ({})", stage.label, link(document.path, at))
        elif mount.origin:
            source = rich("`{}`", mount.origin)
        # Source: BuildKit documentation, "RUN --mount=type=bind".
        kept = rich("read-only") if mount.readonly else rich("what is written there is thrown away")
        return rich(
            "**Bind**: `{}` of {} on `{}`, {}; not in the image, and no cache",
            mount.source,
            source,
            where,
            kept,
        )
    if mount.type == "secret":
        # Source: BuildKit `dispatchRunMounts`: without a target it is a file below /run/secrets.
        name = mount.id or mount.target.text
        file = mount.target.text or f"/run/secrets/{name}"
        shown = Rich() if "env" in mount.options else rich(" in `{}`", file)
        return rich(
            "**Secret** `{}`{}: for this RUN only, never in the image; a changed secret does not "
            "make the step run again",
            name,
            shown,
        )
    if mount.type == "ssh":
        return rich("**SSH agent** of the build (`--ssh`), for this RUN only")
    if mount.type == "tmpfs":
        return rich("**tmpfs** on `{}`: memory, gone behind this RUN", where)
    return None


def _one_line(parts: Iterator[Rich] | list[Rich]) -> Rich | None:
    found = list(parts)
    return joined("; ", found) if found else None


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


def _variables(key: Key, mount: Mount) -> Iterator[Rich]:
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


def _others(
    project: Project, document: Dockerfile, run: Run, mount: Mount, link: Link
) -> Iterator[Rich]:
    """Tell who has the key and who nearly has it: in one line, where nobody has it."""
    assert mount.key is not None
    near = _near(document, run, mount, mount.key, link)
    count = project.index.count_sharing(mount.key.identity) - 1
    if count < 1:
        if near is None:
            yield rich("No other mount of this folder has this key")
        else:
            yield rich("Not shared in this folder, not even with {}", near)
        return
    here = (document.path, mount.span)
    found = (item for item in project.sharing(mount.key) if (item.path, item.span) != here)
    shown = joined(", ", [_place(place, link) for place in islice(found, _MANY)])
    more = rich(" and {} more", str(count - _MANY)) if count > _MANY else Rich()
    yield rich("Same cache: {}{}", shown, more)
    if near is not None:
        yield rich("Not the same cache: {}", near)


def _place(place: CacheMount, link: Link) -> Rich:
    where = link(place.path, place.line)
    if not place.who:
        return rich("{} (stage {})", where, place.stage)
    return rich("{} (stage {}, as {})", where, place.stage, place.who)


def _near(document: Dockerfile, run: Run, mount: Mount, key: Key, link: Link) -> Rich | None:
    """Name mounts that one would take for the same cache, and why they are not: each reason once."""
    found: dict[Rich, list[Rich]] = {}
    purpose = purpose_of(run, mount)
    for other_run, other in document.mounts:
        why = None
        if other is mount or other.type != "cache":
            continue
        if other.error is not None:
            if (other.id or other.target.text) == (mount.id or mount.target.text):
                why = rich("BuildKit refuses it")
        elif other.key is None or other.key.identity == key.identity:
            continue
        elif other.key.name.key == key.name.key:
            why = rich("another owner or `from`")
        elif purpose is not None:
            theirs = purpose_of(other_run, other)
            if theirs is not None and theirs.key == purpose.key:
                why = rich("key `{}`", other.key.label)
        if why is not None and sum(map(len, found.values())) < _NEAR:
            line = document.source.line_of(other.span.start)
            found.setdefault(why, []).append(link(document.path, line))
    shown = [rich("{} ({})", joined(", ", places), why) for why, places in found.items()]
    return joined(", ", shown) if shown else None


def _owner(document: Dockerfile, run: Run, mount: Mount) -> Rich:
    mode = mount.value("mode")
    owner = "root" if mount.uid == 0 else "?" if mount.uid is None else str(mount.uid)
    octal = mode.text if mode else "0755"
    new = rich("A new one")
    if mount.directory != mount.target.text:
        # What is written says where it is, but for relative targets and variables.
        where = mount.directory or mount.target.text or "the working directory"
        new = rich("`{}`: a new one", where)
    may = _may(document, run, mount)
    return rich("{} belongs to {}, mode {}; {}", new, owner, octal, may)


def _may(document: Dockerfile, run: Run, mount: Mount) -> Rich:
    return right_to_write(document, run, mount)[1]


def right_to_write(document: Dockerfile, run: Run, mount: Mount) -> tuple[bool | None, Rich]:
    """Tell whether a RUN may write to a new cache, and by what right; None where it is not known."""
    user = run.scope.user
    if mount.readonly:
        return False, rich("this RUN may only read it (`ro`)")
    if user.account is None:
        return None, rich("the user of this RUN is not known")
    if user.is_root:
        return True, rich("this RUN is root and may write")
    if opens_up(run, mount.directory):
        return True, rich("this RUN is {} and changes owner or mode itself", user.label)
    if user.uid is not None and user.uid == mount.uid:
        return True, rich("this RUN is {}, the owner", user.label)
    opener = next((place for place in same_cache(document, mount) if _opens(place)), None)
    if opener is not None:
        line = str(document.source.line_of(opener.mount.span.start) + 1)
        return True, rich("this RUN is {}; line {} opens what it leaves there", user.label, line)
    if mount.value("mode") is not None:
        return None, rich("this RUN is {}, and the daemon's umask cuts the mode", user.label)
    return False, rich("this RUN is {}: **it may not write**", user.label)


def _opens(place: Place) -> bool:
    """Tell whether a RUN with the same cache changes owner or mode of what lies there."""
    user = writer(place.run, place.mount)
    return user is not None and opens_up(place.run, place.mount.directory)


def _use(run: Run, mount: Mount) -> Rich:
    directory = mount.directory
    if directory is None:
        return rich("Where it is mounted is not known here")
    if not run.visible_mount(mount):
        return rich("Hidden: a later mount of this RUN has the same target")
    using = []
    for use in run.uses:
        for item in use.directories:
            if item.used is not False and item.relation(directory) in ("exact", "part", "parent"):
                # A relative clause at its end is closed.
                what = item.cache.what + ("," if ", " in item.cache.what else "")
                place = item.place_for(directory) or "?"
                using.append(rich("{} keeps {} in `{}`", use.tool.name, what, place))
    if using:
        return rich("Used: {}", joined("; ", dict.fromkeys(using)))
    hidden = any(use.uses is None and use.opaque for use in run.uses)
    if hidden or not run.commands.complete or any(item.opaque for item in run.commands.items):
        return rich("Which command uses it is not known: not every command of this RUN can be read")
    unknown = _unknown(run, directory)
    if unknown is not None:
        use, reason = unknown
        return rich("Whether {} uses it is not known: {}", use.tool.name, reason)
    stranger = next((item.program for item in run.commands.items if _is_strange(run, item)), None)
    if stranger is not None:
        return rich("Whether `{}` uses it is not known: nobody knows this program here", stranger)
    return rich("No command of this RUN is known to use it")


def _is_strange(run: Run, item: Invocation) -> bool:
    """Tell whether a command calls a program of which nothing is known."""
    if not item.program or item.shown or run.knowledge.harmless(item.program):
        return False
    return all(use.invocation is not item for use in run.uses)


def _unknown(run: Run, directory: str) -> tuple[ToolUse, str] | None:
    """Return a tool that may use the directory, and what is missing to know that.

    The one comes first whose directory it looks like.
    """
    for use, item in meant(directory, run.uses):
        if item.path is None:
            return use, item.decided_by
    for use in run.uses:
        if relation_to(directory, use) == "unknown":
            places = (item.decided_by for item in use.directories if item.path is None)
            return use, next(places, "its place is not known")
    return None


def _frontend(document: Dockerfile, mount: Mount, project: Project) -> Iterator[Rich]:
    if project.settings.engine == "buildah":
        return
    others = [item.key for item in mount.fields if item.key in BUILDAH_KEYS]
    if others and mount.error is None:
        yield rich("Buildah and Podman take `{}`; BuildKit refuses this mount", ", ".join(others))
    if "env" in mount.options:
        yield rich("`env` does nothing on a cache mount, and Docker 20.10 refuses it")
    if mount.used and not any(item.name == "syntax" for item in document.tree.directives):
        yield rich(
            "Docker 20.10 takes `$` literally here; with `# syntax=docker/dockerfile:1` on the first "
            "line every version expands it"
        )
